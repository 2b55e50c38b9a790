// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Virtual calls through bases, arrays of objects, calls in constructors and
// destructors, final classes: devirtualisation, inliner, globalopt of vtables.

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
int trace = 0;

void note(int digit)
{
    trace = (trace * 10 + digit) % 100000007;
}

struct Shape {
    virtual ~Shape() { note(1); }
    virtual int area() const = 0;
    virtual int scaled(int k) const { return area() * k; }
    virtual const Shape *bigger(const Shape *o) const
    {
        return o->area() > area() ? o : this;
    }
};

struct Square : Shape {
    int side;
    explicit Square(int s) : side(s) {}
    ~Square() override { note(2); }
    int area() const override { return side * side; }
};

struct Rectangle : Shape {
    int w, h;
    Rectangle(int w, int h) : w(w), h(h) {}
    int area() const override { return w * h; }
    int scaled(int k) const override { return Shape::scaled(k) + w; }
};

struct Cube final : Square {
    explicit Cube(int s) : Square(s) {}
    ~Cube() override { note(3); }
    int area() const override { return 6 * Square::area(); }
    const Cube *bigger(const Shape *o) const override
    {
        note(o->area() & 7);
        return this;
    }
};

/* In a constructor the class under construction decides. */
struct Early {
    int seen;
    Early() : seen(0) { seen = which() * 10; }
    virtual ~Early() { note(which()); }
    virtual int which() const { return 4; }
};

struct Late : Early {
    int extra;
    Late() : extra(which()) { seen += which(); }
    ~Late() override { note(which() + 1); }
    int which() const override { return 5; }
};

struct Counter {
    int n = 0;
    virtual ~Counter() = default;
    virtual void step() { n += 1; }
    void run(int times)
    {
        for (int i = 0; i < times; i++)
            step();
    }
};

struct Doubling : Counter {
    void step() override { n = n * 2 + 1; }
};

int total(const Shape *const *list, int n)
{
    int sum = 0;

    for (int i = 0; i < n; i++)
        sum += list[i]->scaled(i + 1);
    return sum;
}

} // namespace

int main()
{
    {
        Square a(3 + zero);
        Rectangle b(4, 5 + zero);
        Cube c(2);
        const Shape *list[] = {&a, &b, &c, &a};

        CHECK(total(list, 4 - zero) == 9 + (40 + 4) + 72 + 36);
        CHECK(list[0]->bigger(list[1]) == &b && b.bigger(&a) == &b);
        CHECK(list[2]->bigger(list[1]) == &c && trace == 4);
        CHECK(c.Square::area() == 4 && c.Shape::scaled(2) == 48);
        trace = 0;
    }
    CHECK(trace == 321121);
    trace = 0;
    {
        Late late;
        const Early &e = late;

        CHECK(late.seen == 45 && late.extra == 5 && e.which() == 5);
    }
    CHECK(trace == 64);
    trace = 0;
    Shape *heap = zero ? static_cast<Shape *>(new Square(7)) : new Cube(7);
    CHECK(heap->area() == 294);
    delete heap;
    CHECK(trace == 321);

    Counter plain;
    Doubling twice;
    Counter *which[] = {&plain, &twice};
    for (int i = 0; i < 6; i++)
        which[(i + zero) % 2]->run(i);
    CHECK(plain.n == 6 && twice.n == 511);
    printf("virtual_dispatch %d %d\n", trace, twice.n);
    return 0;
}
