// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops with throws, breaks, continues and gotos out of handlers, retries, and
// exceptions through callbacks: landing pads in loops, loop-simplify, licm.

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
int alive = 0;

struct Count {
    Count() { alive++; }
    Count(const Count &) { alive++; }
    ~Count() { alive--; }
};

struct Error : Count {
    int code;
    explicit Error(int c) : code(c) {}
};

[[gnu::noinline]] int maybe(int v)
{
    if (v < 0)
        throw v;
    if (v == 1000)
        throw Error(v);
    return v + 1;
}

[[gnu::noinline]] void fail(int code)
{
    throw Error(code);
}

int loop_control(int n)
{
    int sum = 0;

    for (int i = 0; i < n; i++) {
        try {
            if (i % 3 == 0)
                throw i;
            if (i % 5 == 0)
                fail(i);
            sum += i;
        } catch (int v) {
            if (v > 12)
                break;
            sum += 100;
            continue;
        } catch (Error &e) {
            if (e.code == 10)
                goto out;
            sum += 1000;
        }
        sum ^= 1;
    }
    return sum;
out:
    return -sum;
}

/* Retries from the handler: a loop that goes through the landing pad. */
int retry(int v)
{
    int tries = 0;

    for (;;) {
        try {
            tries++;
            return maybe(v) * 100 + tries;
        } catch (int e) {
            v = e + 2;
            if (tries > 6)
                return -1;
        }
    }
}

[[gnu::noinline]] void each(const int *v, int n, void (*f)(int, void *),
                            void *x)
{
    Count here;

    for (int i = 0; i < n; i++)
        f(v[i], x);
}

int find(const int *v, int n, int what)
{
    struct Found {
        int steps, what;
    } state = {0, what};

    try {
        each(v, n, [](int x, void *p) {
            auto *s = static_cast<Found *>(p);

            s->steps++;
            if (x == s->what)
                throw *s;
        }, &state);
    } catch (Found &f) {
        return f.steps;
    }
    return -state.steps;
}

} // namespace

int main()
{
    static const int data[] = {5, 8, 13, 21};
    int hash = 0, z = zero;

    CHECK(loop_control(z) == 0 && loop_control(3) == 103);
    CHECK(loop_control(10 + z) == 1422 && loop_control(40) == -1422);
    CHECK(retry(3 + z) == 401 && retry(-3 + z) == 203 && retry(-40 + z) == -1);
    CHECK(find(data, 4, 13 + z) == 3 && find(data, 4 - z, 7) == -4);
    CHECK(alive == 0);
    for (int i = 0; i < 30; i += 3)
        hash = hash * 31 % 100003 + loop_control(i + z) + find(data, 4, i);
    CHECK(alive == 0);
    printf("eh_loops %d\n", hash);
    return 0;
}
