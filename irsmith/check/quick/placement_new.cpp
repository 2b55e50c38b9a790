// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Objects built in place: raw storage, an arena of mixed types, reuse of the
// same bytes for another type: lifetimes, tbaa, launder, dse.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

using size_type = decltype(sizeof 0);

struct Here {};
inline void *operator new(size_type, void *p, Here) noexcept { return p; }
inline void *operator new[](size_type, void *p, Here) noexcept { return p; }

namespace {
volatile int zero = 0;
int balance = 0;

struct Tracked {
    int v;
    explicit Tracked(int x) : v(x) { balance += 1; }
    ~Tracked() { balance -= 1; }
};

/* Bumps a pointer through one block; objects of mixed types side by side. */
class Arena {
    alignas(16) unsigned char block[400];
    size_type used = 0;

public:
    template <class T, class... A> T *make(A... a)
    {
        used = (used + alignof(T) - 1) & ~(alignof(T) - 1);
        CHECK(used + sizeof(T) <= sizeof block);
        void *p = block + used;
        used += sizeof(T);
        return new (p, Here()) T(a...);
    }
    size_type size() const { return used; }
    void clear() { used = 0; }
};

struct Cell {
    Cell *next;
    short value;
    Cell(Cell *n, int v) : next(n), value(short(v)) {}
};

/* The same bytes hold one type after the other. */
int reuse(int k)
{
    alignas(8) unsigned char raw[8];
    int *i = new (raw, Here()) int(k);
    int before = *i;
    float *f = new (raw, Here()) float(1.5f);
    float half = *f;
    short *s = new (raw, Here()) short[4]{1, 2, 3, short(k)};

    return before * 1000 + int(half * 10) * 10 + s[0] + s[3];
}

} // namespace

int main()
{
    long sum = 0;

    Arena arena;
    Cell *list = nullptr;
    for (int round = 0; round < 2; round++) {
        arena.clear();
        list = nullptr;
        for (int i = 0; i < 9; i++) {
            *arena.make<char>('x') = char(i + zero);
            list = arena.make<Cell>(list, i * 100);
        }
    }
    CHECK(arena.size() == 9 * (sizeof(Cell) + alignof(Cell)));
    for (Cell *c = list; c; c = c->next)
        sum = sum * 3 % 100003 + c->value;
    CHECK(list->value == 800 && list->next->value == 700);
    CHECK(reuse(4 + zero) == 4155);
    Tracked *t = new Tracked(3);
    t->~Tracked();
    t = new (t, Here()) Tracked(4 + zero);
    CHECK(t->v == 4 && balance == 1);
    delete t;
    CHECK(balance == 0);
    printf("placement_new %ld\n", sum);
    return 0;
}
