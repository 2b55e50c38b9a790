// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Local statics with run-time initialisers, in functions, templates, inline
// members and recursion, and one whose initialiser throws: guards, globalopt.

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
int made = 0;

struct Heavy {
    int value, serial;
    explicit Heavy(int v) : value(v * 3), serial(++made) {}
};

Heavy &single(int v)
{
    static Heavy h(v);

    return h;
}

int sequence()
{
    static int n = zero + 10;
    static const int step = zero + 3;

    return n += step;
}

template <int N> int per_instance(int add)
{
    static int total = zero + N;

    total += add;
    return total;
}

/* Set on the first call to come through, whichever it is. */
int first_caller(int who)
{
    static int first = who + zero;

    return first * 10 + who;
}

struct Holder {
    static Heavy &shared()
    {
        static Heavy h(zero + 5);

        return h;
    }
    int &own()
    {
        static int counter = zero;

        return counter;
    }
};

/* The initialiser fails twice; each time the next call tries again. */
int attempts = 0;

int stubborn()
{
    struct Try {
        int value;
        Try() : value(0)
        {
            if (++attempts < 3)
                throw attempts;
            value = attempts * 100;
        }
    };
    static Try t;

    return t.value++;
}

int persistent()
{
    for (int i = 0;; i++) {
        try {
            return i * 10000 + stubborn();
        } catch (int n) {
            CHECK(n == attempts);
        }
    }
}

/* No guard is needed here: the value is a constant. */
int constant_static()
{
    static int n = 40;
    static int *p = &n;

    return ++*p;
}

int recursive(int n)
{
    static int deepest = zero - 1;
    int *d = &deepest;

    if (n > *d)
        *d = n;
    return n == 0 ? *d : recursive(n - 1);
}

} // namespace

int main()
{
    CHECK(made == 0 && single(4 + zero).value == 12 && made == 1);
    CHECK(single(9).value == 12 && &single(1) == &single(2) && made == 1);
    single(0).value = 7;
    CHECK(single(3).value == 7 && single(3).serial == 1);
    CHECK(sequence() == 13 && sequence() == 16 && sequence() == 19);
    CHECK(per_instance<1>(5) == 6 && per_instance<2>(5) == 7);
    CHECK(per_instance<1>(zero) == 6 && per_instance<2>(1) == 8);
    CHECK(first_caller(4) == 44 && first_caller(5 + zero) == 45);
    Holder a, b;
    CHECK(Holder::shared().serial == 2 && Holder::shared().value == 15);
    a.own() += 4;
    CHECK(b.own() == 4 && made == 2);
    CHECK(persistent() == 20300 && persistent() == 301 && attempts == 3);
    CHECK(constant_static() == 41 && constant_static() == 42);
    CHECK(recursive(6 + zero) == 6 && recursive(2) == 6 && recursive(9) == 9);
    printf("static_locals %d %d\n", made, sequence());
    return 0;
}
