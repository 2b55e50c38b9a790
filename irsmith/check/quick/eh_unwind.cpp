// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of destructors during unwinding through many frames, arrays, partly
// built objects and loops: cleanup landing pads, inliner, invoke.

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
int log_[64], logged = 0;

void note(int v)
{
    log_[logged++ % 64] = v;
}

struct Probe {
    int id;
    explicit Probe(int i, int limit = 1000) : id(i)
    {
        if (id >= limit)
            throw id;
        note(id);
    }
    ~Probe() { note(-id); }
};

bool is(const int *expect, int n)
{
    bool ok = logged == n;

    for (int i = 0; i < n && ok; i++)
        ok = log_[i] == expect[i];
    logged = 0;
    return ok;
}

[[gnu::noinline]] void deep(int n)
{
    Probe p(n);

    if (n == 3)
        throw 30L;
    deep(n + 1);
    note(99);
}

/* The third member fails: the first two and the base are taken down. */
struct Parts : Probe {
    Probe a, b, c;
    explicit Parts(int limit)
        : Probe(1), a(2, limit), b(3, limit), c(4, limit)
    {
        Probe body(5, limit);

        if (limit == 6)
            throw 6;
    }
    ~Parts() { note(-50); }
};

/* Elements made so far are destroyed, last first. */
struct Element : Probe {
    static int next;
    Element() : Probe(++next, 14) {}
};
int Element::next = 10;

int build(int limit)
{
    try {
        Parts p(limit);
        note(60);
    } catch (int v) {
        return v;
    }
    return 0;
}

int array(bool heap)
{
    Element::next = 10;
    try {
        if (heap)
            delete[] new Element[5];
        Element list[5];
        (void)list;
    } catch (int v) {
        return v;
    }
    return 0;
}

int loop(int stop)
{
    int i = 0;

    try {
        for (;; i++) {
            Probe a(20 + i);

            for (int j = 0; j < 2; j++) {
                Probe b(30 + j);

                if (i * 2 + j == stop)
                    throw j;
            }
        }
    } catch (int v) {
        note(v);
    }
    return i;
}

} // namespace

int main()
{
    const int down[] = {1, 2, 3, -3, -2, -1};
    const int parts4[] = {1, 2, 3, -3, -2, -1};
    const int parts5[] = {1, 2, 3, 4, -4, -3, -2, -1};
    const int parts6[] = {1, 2, 3, 4, 5, -5, -4, -3, -2, -1};
    const int parts7[] = {1, 2, 3, 4, 5, -5, 60, -50, -4, -3, -2, -1};
    const int elements[] = {11, 12, 13, -13, -12, -11};
    const int loops[] = {20, 30,  -30, 31,  -31, -20, 21,
                         30, -30, 31,  -31, -21, 1};

    try {
        deep(1 + zero);
        CHECK(false);
    } catch (long v) {
        CHECK(v == 30 && is(down, 6));
    }
    CHECK(build(4 + zero) == 4 && is(parts4, 6));
    CHECK(build(5 + zero) == 5 && is(parts5, 8));
    CHECK(build(6 + zero) == 6 && is(parts6, 10));
    CHECK(build(7 + zero) == 0 && is(parts7, 12));
    CHECK(array(zero != 0) == 14 && is(elements, 6));
    CHECK(array(zero == 0) == 14 && is(elements, 6));
    CHECK(loop(3 + zero) == 1 && is(loops, 13));
    printf("eh_unwind %d %d\n", array(true), loop(6 + zero));
    return 0;
}
