// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Several bases, pointer adjustment in both directions, thunks, covariant
// results, member pointers over bases: GEP arithmetic, devirtualisation, sroa.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

namespace {

volatile int zero = 0;
int destroyed = 0;

struct Named {
    int id;
    explicit Named(int i) : id(i) {}
    virtual ~Named() { destroyed = destroyed * 10 + 1; }
    virtual int name() const { return id; }
    virtual Named *self() { return this; }
};

struct Priced {
    long price;
    explicit Priced(long p) : price(p) {}
    virtual ~Priced() { destroyed = destroyed * 10 + 2; }
    virtual long cost(int n) const { return price * n; }
    virtual Priced *me() { return this; }
};

struct Weighed {
    short weight;
    char unit;
    int plain() const { return weight * 2; }
};

struct Item : Named, Priced, Weighed {
    int stock;
    Item(int i, long p, short w, int s)
        : Named(i), Priced(p), Weighed{w, 'k'}, stock(s)
    {
    }
    ~Item() override { destroyed = destroyed * 10 + 3; }
    int name() const override { return id * 100 + stock; }
    long cost(int n) const override { return Priced::cost(n) - stock; }
    Item *self() override { return this; }
    Item *me() override { return this; }
};

struct Special : Item {
    int bonus = 9;
    using Item::Item;
    long cost(int n) const override { return n > 2 ? bonus : Item::cost(n); }
};

long through_priced(const Priced *p, int n)
{
    return p ? p->cost(n) + p->price : -1;
}

int through_weighed(const Weighed &w)
{
    return w.plain() + (w.unit == 'k');
}

Item *back(Priced *p)
{
    return static_cast<Item *>(p);
}

/* A null pointer must stay null in spite of the offset. */
Priced *up(Item *i)
{
    return i;
}

struct Left {
    int a = 1;
    int get(int k) { return a * k; }
};

struct Right {
    int b = 2;
    int get(int k) { return b + k; }
    virtual int get2(int k) { return b - k; }
    virtual ~Right() = default;
};

struct Both : Left, Right {
    int c = 3;
    int mine(int k) { return c * 100 + k; }
    int get2(int k) override { return c * k; }
};

int call(Both &o, int (Both::*f)(int), int k)
{
    return (o.*f)(k);
}

} // namespace

int main()
{
    {
        Item item(7, 20 + zero, 5, 3);
        Special special(8, 30, short(6 + zero), 4);
        Named *n[] = {&item, &special};
        Priced *p[] = {&item, &special, up(zero ? &item : nullptr)};

        CHECK(n[zero]->name() == 703 && n[1]->name() == 804);
        CHECK(through_priced(p[0], 2) == 57 && through_priced(p[1], 2) == 86);
        CHECK(through_priced(p[1], 3 + zero) == 39
              && through_priced(p[2], 1) == -1);
        CHECK(through_weighed(item) == 11 && through_weighed(special) == 13);
        CHECK(back(p[1])->stock == 4 && back(p[0]) == &item);
        CHECK(static_cast<void *>(p[0]) != static_cast<void *>(n[0]));
        CHECK(p[0]->me() == &item
              && static_cast<Item *>(n[1]->self()) == &special);
        back(p[0])->weight = 50;
        static_cast<Item *>(n[0])->stock += 1;
        CHECK(through_weighed(item) == 101 && item.name() == 704);
        CHECK(item.self()->me()->self()->id == 7);
        item = special;
        CHECK(item.id == 8 && item.price == 30
              && through_priced(p[0], 3) == 116);
    }
    CHECK(destroyed == 321321);
    destroyed = 0;
    Priced *heap = new Special(1, 2, 3, 4 + zero);
    CHECK(heap->cost(5) == 9);
    delete heap;
    CHECK(destroyed == 321);

    Both both;
    int (Both::*f[])(int) = {&Both::mine, &Both::Left::get, &Both::Right::get,
                             &Both::get2, nullptr};
    int sum = 0;
    for (int i = zero; f[i]; i++)
        sum = sum * 31 + call(both, f[i], i + 5);
    CHECK(sum == ((305 * 31 + 6) * 31 + 9) * 31 + 24);
    int (Right::*virt)(int) = &Right::get2;
    Right right, &as_right = both;
    CHECK((right.*virt)(5) == -3 && (as_right.*virt)(5 + zero) == 15);
    int Both::*c = zero ? &Both::c : static_cast<int Both::*>(&Right::b);
    CHECK(both.*c == 2 && both.*(&Both::a) == 1);
    c = nullptr;
    CHECK(!c);
    printf("multiple_inheritance %d\n", sum);
    return 0;
}
