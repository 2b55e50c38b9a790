// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cold and noreturn paths, assertions that never fire, likely and unlikely
// branches, early returns: hotcoldsplit, partial-inliner, simplifycfg, sink.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

static volatile int zero = 0;
static int reports, last_report;

static __attribute__((noinline, cold)) void report(int code)
{
    reports++;
    last_report = code;
}

static __attribute__((noinline, cold, noreturn)) void die(const char *what,
                                                          int n)
{
    printf("%s %d\n", what, n);
    abort();
}

#define ASSERT(x)                                                              \
    do {                                                                       \
        if (__builtin_expect(!(x), 0))                                         \
            die(#x, __LINE__);                                                 \
    } while (0)

static int checked_get(const int *v, int n, int i)
{
    ASSERT(i >= 0 && i < n);
    return v[i];
}

/* The cold block reads and writes many of the variables. */
static int outlined(int a, int b)
{
    int x = a * 3, y = b - a, z = x ^ y;

    if (__builtin_expect(z % 5 == 0, 0)) {
        report(z);
        x += last_report;
        y = x * 2 - b;
        if (y > 100) {
            report(y);
            z = -z;
        } else {
            report(-y);
            z += 3;
        }
        reports += z & 1;
    }
    return x * 100 + y * 10 + z;
}

static int outlined_flat(int a, int b, int *count, int *last)
{
    int x = a * 3, y = b - a, z = x ^ y;

    if (z % 5 == 0) {
        *count += 2;
        x += z;
        y = x * 2 - b;
        *last = y > 100 ? y : -y;
        z = y > 100 ? -z : z + 3;
        *count += z & 1;
    }
    return x * 100 + y * 10 + z;
}

/* A short test, then a body that is too long to inline as a whole. */
static int early_out(const int *v, int n)
{
    int s = 0;

    if (n <= 0 || !v)
        return -1;
    for (int i = 0; i < n; i++) {
        if (v[i] == 0)
            return s;
        s = s * 3 + v[i];
        if (s > 10000) {
            report(s);
            s %= 1000;
        }
        s ^= i;
    }
    report(s);
    return s + n;
}

/* Both arms of each test end the same way, but with a call in one. */
static int retries(int want, int fail_first)
{
    int tries = 0;

    while (__builtin_expect(tries < fail_first, 0)) {
        tries++;
        if (tries > 5)
            return -tries;
        report(tries);
    }
    if (__builtin_expect(want < 0, 0)) {
        report(-1);
        return 0;
    }
    return want * 10 + tries;
}

int main(void)
{
    static const int v[] = {7, 400, 12, 9000, 3, 0, 5};
    int count = 0, last = 0, h = 0;

    for (int i = 0; i < 7; i++)
        h = h * 3 + checked_get(v, 7 - zero, i);
    CHECK(reports == 0);
    for (int a = -8; a < 12; a++) {
        int b = a * a - 20 + zero, r = outlined(a + zero, b);

        CHECK(r == outlined_flat(a, b, &count, &last));
        CHECK(reports == count && (count == 0 || last_report == last));
        h = (h * 5 + r) % 1000003;
    }
    CHECK(count > 4);
    reports = 0;
    CHECK(early_out(v, zero) == -1 && early_out(zero ? v : 0, 3) == -1);
    CHECK(early_out(v + 5, 2 - zero) == 0 && reports == 0);
    CHECK(early_out(v, 3 + zero) == 1274 + 3 && last_report == 1274);
    CHECK(early_out(v, 7 - zero) == 2470 && last_report == 12822
          && reports == 2);
    reports = 0;
    CHECK(retries(4, zero) == 40 && retries(4, 3 + zero) == 43);
    CHECK(reports == 3 && retries(9, 6 + zero) == -6 && reports == 8);
    CHECK(retries(-1 - zero, 1) == 0 && last_report == -1 && reports == 10);
    printf("cold_paths %d %d\n", h, reports);
    return 0;
}
