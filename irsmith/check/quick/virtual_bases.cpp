// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Virtual bases: a diamond with one shared base, construction order, offsets
// found through vtables, dynamic casts across it: VTT handling, globaldce.

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
int order = 0;

void note(int digit)
{
    order = order * 10 + digit;
}

struct Base {
    int value;
    explicit Base(int v) : value(v) { note(1); }
    Base(const Base &) = delete;
    virtual ~Base() { note(9); }
    virtual int get() const { return value; }
};

struct Left : virtual Base {
    int left = 2;
    explicit Left(int v) : Base(v) { note(2); }
    ~Left() override { note(8); }
    int get() const override { return value * 10 + left; }
    virtual int only_left() const { return left + value; }
};

struct Right : virtual Base {
    long right = 3;
    explicit Right(int v) : Base(v + 50) { note(3); }
    ~Right() override { note(7); }
    virtual long sum() const { return right + value; }
    void change(int v) { value = v; }
};

struct Member {
    Member() { note(4); }
    ~Member() { note(6); }
};

struct Join : Left, Right {
    Member member;
    int own = 5;
    explicit Join(int v) : Base(v * 2), Left(100), Right(200) { note(5); }
    int get() const override { return Left::get() + own; }
    long sum() const override { return Right::sum() * 2; }
};

struct Further : Join {
    char pad[20];
    int last = 6;
    explicit Further(int v) : Base(v), Join(-1) { pad[0] = 'p'; }
    int only_left() const override { return last; }
};

/* The offset of the shared base differs from class to class. */
int read(const Left &l)
{
    return l.value * 1000 + l.get();
}

long read(const Right &r)
{
    return r.value * 1000 + r.sum();
}

int cross(Base *b)
{
    Right *r = dynamic_cast<Right *>(b);
    Left *l = dynamic_cast<Left *>(b);
    Join *j = r ? dynamic_cast<Join *>(r) : nullptr;

    return (r != nullptr) + 2 * (l != nullptr) + 4 * (j != nullptr)
           + (l && r ? 8 * (dynamic_cast<Right *>(l) == r) : 0);
}

} // namespace

int main()
{
    {
        Left left(4 + zero);
        Right right(4);

        CHECK(order == 1213);
        CHECK(read(left) == 4042 && left.only_left() == 6);
        CHECK(read(right) == 54057 && cross(&left) == 2 && cross(&right) == 1);
    }
    CHECK(order == 12137989);
    order = 0;
    {
        Join join(7 + zero);

        CHECK(order == 12345 && join.value == 14);
        CHECK(read(static_cast<Left &>(join)) == 14000 + 147);
        CHECK(read(static_cast<Right &>(join)) == 14000 + 34);
        join.change(20 + zero);
        CHECK(join.Left::value == 20 && join.only_left() == 22);
        CHECK(static_cast<Base *>(static_cast<Left *>(&join))
              == static_cast<Base *>(static_cast<Right *>(&join)));
        CHECK(cross(&join) == 15);
        order = 0;
    }
    CHECK(order == 6789);
    order = 0;
    Base *heap = new Further(3 + zero);
    CHECK(order == 12345 && heap->value == 3 && heap->get() == 37);
    CHECK(cross(heap) == 15);
    Left *l = dynamic_cast<Left *>(heap);
    CHECK(l && l->only_left() == 6 && read(*l) == 3037);
    Further *f = dynamic_cast<Further *>(l);
    CHECK(f && f->pad[zero] == 'p' && f->last == 6 && f->sum() == 12);
    CHECK(static_cast<void *>(f) == dynamic_cast<void *>(heap));
    delete l;
    CHECK(order == 123456789);
    printf("virtual_bases %d\n", order);
    return 0;
}
