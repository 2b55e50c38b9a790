// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Error paths that unwind by goto, and cleanup attributes: simplifycfg,
// mergereturn, sink, lower-switch, structurizecfg.

void abort(void) __attribute__((noreturn));

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int zero = 0;
static int log_[64];
static int logged;

static __attribute__((noinline)) void note(int what)
{
    log_[logged++ & 63] = what;
}

static __attribute__((noinline)) int acquire(int id, int fail_at)
{
    if (id == fail_at)
        return 0;
    note(id);
    return id;
}

static int staged(int fail_at)
{
    int rc = -1, a, b, c;

    a = acquire(1, fail_at);
    if (!a)
        goto none;
    b = acquire(2, fail_at);
    if (!b)
        goto free_a;
    c = acquire(3, fail_at);
    if (!c) {
        rc = -3;
        goto free_b;
    }
    rc = a + b + c;
    note(-c);
free_b:
    note(-b);
free_a:
    note(-a);
none:
    return rc;
}

static void leave(int *p)
{
    note(-*p);
}

static int scoped(int depth)
{
    int outer __attribute__((cleanup(leave))) = 10;
    int i;

    for (i = 0; i < 3; i++) {
        int inner __attribute__((cleanup(leave))) = 20 + i;

        if (depth == i)
            return inner * 2;
        if (depth == i + 10)
            continue;
        if (depth == i + 20)
            break;
        note(inner);
    }
    note(outer);
    return outer + i;
}

/* The buffer has a lifetime, but nobody writes to it. */
static int retry(void)
{
    int tries = 0;
    char message[80] __attribute__((unused));

again:
    tries++;
    if (tries < 5)
        goto again;
    return tries;
}

static void expect(const int *list, int n)
{
    int i;

    CHECK(logged == n);
    for (i = 0; i < n; i++)
        CHECK(log_[i] == list[i]);
    logged = 0;
}

int main(void)
{
    static const int good[] = {1, 2, 3, -3, -2, -1}, at2[] = {1, -1};
    static const int at3[] = {1, 2, -2, -1};
    static const int all[] = {20, -20, 21, -21, 22, -22, 10, -10};
    static const int ret1[] = {20, -20, -21, -10};
    static const int skip1[] = {20, -20, -21, 22, -22, 10, -10};
    static const int stop1[] = {20, -20, -21, 10, -10};

    CHECK(staged(0 + zero) == 6);
    expect(good, 6);
    CHECK(staged(1 + zero) == -1);
    expect(good, 0);
    CHECK(staged(2 + zero) == -1);
    expect(at2, 2);
    CHECK(staged(3 + zero) == -3);
    expect(at3, 4);
    CHECK(scoped(-1 + zero) == 13);
    expect(all, 8);
    CHECK(scoped(1 + zero) == 42);
    expect(ret1, 4);
    CHECK(scoped(11 + zero) == 13);
    expect(skip1, 7);
    CHECK(scoped(21 + zero) == 11);
    expect(stop1, 5);
    CHECK(retry() == 5);
    return 0;
}
