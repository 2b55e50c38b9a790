// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Local statics with run-time initialisers, in functions and inline members,
// and one whose initialiser throws: guards, globalopt.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

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

} // namespace

int main()
{
    CHECK(made == 0 && single(4 + zero).value == 12 && made == 1);
    single(0).value = 7;
    CHECK(single(3).value == 7 && single(3).serial == 1);
    Holder a, b;
    CHECK(Holder::shared().serial == 2 && Holder::shared().value == 15);
    a.own() += 4;
    CHECK(b.own() == 4 && made == 2);
    CHECK(persistent() == 20300 && persistent() == 301 && attempts == 3);
    printf("static_locals %d\n", made);
    return 0;
}
