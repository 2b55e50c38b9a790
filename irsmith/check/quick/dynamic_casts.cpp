// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// dynamic_cast down, across and to void, of null, to references with bad_cast
// caught by ellipsis, and visitors built on it: rtti globals, eh, simplifycfg.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
volatile int zero = 0;

struct Node {
    virtual ~Node() = default;
    virtual int weight() const { return 1; }
};

struct Leaf : Node {
    int value;
    explicit Leaf(int v) : value(v) {}
};

struct Pair : Node {
    Node *left, *right;
    Pair(Node *l, Node *r) : left(l), right(r) {}
    ~Pair() override
    {
        delete left;
        delete right;
    }
    int weight() const override { return left->weight() + right->weight(); }
};

struct Marked {
    int mark = 7;
    virtual ~Marked() = default;
};

struct MarkedLeaf : Leaf, Marked {
    using Leaf::Leaf;
    int weight() const override { return 2; }
};

struct Unrelated {
    virtual ~Unrelated() = default;
};

int sum(const Node *n)
{
    if (auto *p = dynamic_cast<const Pair *>(n))
        return sum(p->left) + sum(p->right);
    if (auto *m = dynamic_cast<const MarkedLeaf *>(n))
        return m->value * m->mark;
    if (auto *l = dynamic_cast<const Leaf *>(n))
        return l->value;
    return n ? -1000 : 0;
}

int marks(Node *n)
{
    if (Marked *m = dynamic_cast<Marked *>(n)) {
        m->mark++;
        return m->mark;
    }
    if (Pair *p = dynamic_cast<Pair *>(n)) {
        int l = marks(p->left);

        return l * 10 + marks(p->right);
    }
    return 0;
}

int by_reference(Node &n)
{
    try {
        return dynamic_cast<Leaf &>(n).value;
    } catch (...) {
        return -1;
    }
}

} // namespace

int main()
{
    Node *tree = new Pair(
        new Pair(new Leaf(5 + zero), new MarkedLeaf(3)),
        new Pair(new MarkedLeaf(-2), new Pair(new Leaf(10), new Leaf(20))));
    Node plain;
    MarkedLeaf ml(11 + zero);
    Marked *m = &ml;
    Unrelated u, *pu = &u;
    Node *none = zero ? tree : nullptr;

    CHECK(sum(tree) == 5 + 21 - 14 + 30 && tree->weight() == 7);
    CHECK(marks(tree) == 8 * 10 + 80 * 1);
    CHECK(sum(tree) == 5 + 24 - 16 + 30);
    CHECK(sum(&plain) == -1000 && sum(none) == 0);
    CHECK(dynamic_cast<Leaf *>(m) == &ml && dynamic_cast<Node *>(m) == &ml);
    CHECK(dynamic_cast<Pair *>(m) == nullptr);
    CHECK(dynamic_cast<Marked *>(pu) == nullptr);
    CHECK(dynamic_cast<void *>(m) == static_cast<void *>(&ml));
    CHECK(dynamic_cast<const Leaf *>(none) == nullptr);
    Leaf only(4);
    CHECK(dynamic_cast<MarkedLeaf *>(static_cast<Node *>(&only)) == nullptr);
    CHECK(by_reference(ml) == 11 && by_reference(plain) == -1);
    CHECK(by_reference(*tree) == -1 && by_reference(only) == 4);
    printf("dynamic_casts %d\n", sum(tree));
    delete tree;
    return 0;
}
