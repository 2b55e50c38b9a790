// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Construction and destruction order: members, bases, temporaries, arrays,
// breaks, gotos, early returns through scopes: eh cleanup, simplifycfg, dse.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
volatile int zero = 0;
int log_[80], logged = 0;

void note(int v)
{
    log_[logged++ % 80] = v;
}

bool is(const int *expect, int n)
{
    bool ok = logged == n;

    for (int i = 0; i < n && ok; i++)
        ok = log_[i] == expect[i];
    logged = 0;
    return ok;
}

struct Probe {
    int id;
    explicit Probe(int i) : id(i) { note(id); }
    Probe(const Probe &o) : id(o.id + 100) { note(id); }
    ~Probe() { note(-id); }
    int value() const { return id; }
};

struct Pair : Probe {
    Probe second, first;
    explicit Pair(int i) : Probe(i), second(i + 1), first(i + 2)
    {
        note(i + 3);
    }
    ~Pair() { note(-id - 3); }
};

int scopes(int how)
{
    Probe a(1);

    for (int i = 0; i < 3; i++) {
        Probe b(10 + i);

        if (how == 1 && i == 1)
            return a.id + b.id;
        if (how == 2 && i == 0)
            continue;
        if (how == 3 && i == 1)
            break;
        if (how == 4)
            goto out;
        Probe c(20 + i);
        if (how == 5)
            goto out;
    }
    note(50);
out:
    note(60);
    return how;
}

int temporaries(int k)
{
    int r = Probe(1).value() + k;
    const Probe &kept = Probe(3);

    note(r);
    return (k ? Probe(4) : Probe(5)).value() + kept.value();
}

Probe by_value(Probe p)
{
    p.id += 5;
    return p;
}

Probe named(int k)
{
    Probe result(k);

    result.id += 2;
    return result;
}

} // namespace

int main()
{
    const int s0[] = {1, 10, 20, -20, -10, 11, 21, -21, -11, 12, 22, -22, -12,
                      50, 60, -1};
    const int s1[] = {1, 10, 20, -20, -10, 11, -11, -1};
    const int s2[] = {1,  10, -10, 11,  21, -21, -11,
                      12, 22, -22, -12, 50, 60,  -1};
    const int s3[] = {1, 10, 20, -20, -10, 11, -11, 50, 60, -1};
    const int s4[] = {1, 10, -10, 60, -1};
    const int s5[] = {1, 10, 20, -20, -10, 60, -1};
    const int pair[] = {5, 6, 7, 8, -8, -7, -6, -5};
    const int temps[] = {1, -1, 3, 10, 4, -4, -3};
    const int array[] = {1, 2, 3, -3, -2, -1};
    const int loop[] = {3, -3, 2, -2, 1, -1};

    CHECK(scopes(zero) == 0 && is(s0, 16));
    CHECK(scopes(1 + zero) == 12 && is(s1, 8));
    CHECK(scopes(2 + zero) == 2 && is(s2, 14));
    CHECK(scopes(3 + zero) == 3 && is(s3, 10));
    CHECK(scopes(4 + zero) == 4 && is(s4, 5));
    CHECK(scopes(5 + zero) == 5 && is(s5, 7));
    {
        Pair p(5 + zero);
    }
    CHECK(is(pair, 8));
    CHECK(temporaries(9 + zero) == 7 && is(temps, 7));
    {
        Probe list[] = {Probe(1), Probe(2 + zero), Probe(3)};
        (void)list;
    }
    CHECK(is(array, 6));
    {
        Probe p(1 + zero);
        CHECK(by_value(p).id == 206);
    }
    CHECK(logged == 6 && log_[2] == 206 && log_[5] == -1);
    logged = 0;
    CHECK(named(4 + zero).value() == 6);
    logged = 0;
    for (int i = 3 - zero; Probe(i).value() > 1; i--)
        ;
    CHECK(is(loop, 6));
    delete new Probe(3);
    Probe *heap = new Probe[3]{Probe(1), Probe(2), Probe(3 + zero)};
    delete[] heap;
    CHECK(logged == 8 && log_[7] == -1);
    printf("raii_order %d\n", logged);
    return 0;
}
