// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reference counts: shared and intrusive pointers, a graph that frees itself,
// counts that the optimiser may pair up but not drop: gvn, dse, licm, inliner.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
volatile int zero = 0;
int nodes = 0;

template <class T> T &&move(T &v)
{
    return static_cast<T &&>(v);
}

class Shared {
    struct Block {
        int count, value;
    } *block;

public:
    explicit Shared(int v) : block(new Block{1, v}) {}
    Shared(const Shared &o) : block(o.block) { ++block->count; }
    Shared(Shared &&o) : block(o.block) { o.block = nullptr; }
    Shared &operator=(Shared o)
    {
        Block *b = block;

        block = o.block;
        o.block = b;
        return *this;
    }
    ~Shared()
    {
        if (block && --block->count == 0)
            delete block;
    }
    int uses() const { return block ? block->count : 0; }
    int &operator*() const { return block->value; }
};

/* The count lies in the object. */
template <class T> class Ref {
    T *p;

public:
    Ref(T *o = nullptr) : p(o)
    {
        if (p)
            p->count++;
    }
    Ref(const Ref &o) : Ref(o.p) {}
    Ref &operator=(const Ref &o)
    {
        Ref keep(o);
        T *t = p;

        p = keep.p;
        keep.p = t;
        return *this;
    }
    ~Ref()
    {
        if (p && --p->count == 0)
            delete p;
    }
    T *operator->() const { return p; }
    explicit operator bool() const { return p; }
};

struct Node {
    int count = 0, value;
    Ref<Node> left, right;
    explicit Node(int v) : value(v) { nodes++; }
    ~Node() { nodes--; }
};

using Link = Ref<Node>;

/* Equal halves are shared, so that the tree has only few nodes. */
Link build(int depth)
{
    Link n(new Node(depth));

    if (depth > 0)
        n->left = n->right = build(depth - 1);
    return n;
}

int weigh(Link n)
{
    return n ? n->value + weigh(n->left) + weigh(n->right) : 1;
}

} // namespace

int main()
{
    int hash = 0;

    Shared s(5 + zero), t = s;
    {
        Shared u = t, w = move(t);

        CHECK(s.uses() == 3 && t.uses() == 0 && *w == 5);
        *u = 6;
        t = w;
        CHECK(s.uses() == 4);
        u = Shared(7);
        CHECK(s.uses() == 3 && *u == 7 && *s == 6);
    }
    CHECK(s.uses() == 2);
    Shared &same = t;
    t = same;
    s = Shared(*t + 1);
    CHECK(s.uses() == 1 && t.uses() == 1 && *s == 7 && *t == 6);
    {
        Link tree = build(6 + zero), part = tree->left->right;

        CHECK(nodes == 7 && part->count == 3 && tree->count == 1);
        hash = weigh(tree);
        CHECK(hash == 248 && tree->count == 1 && nodes == 7);
        tree = part;
        CHECK(nodes == 5 && nodes == 5);
        part = Link();
        tree = tree->left;
        CHECK(nodes == 4 && tree->value == 3 && tree->count == 1);
    }
    CHECK(nodes == 0);
    printf("shared_count %d\n", hash);
    return 0;
}
