// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions that are equal or nearly equal, and one stretch of code many
// times: mergefunc, iroutliner, gvn-hoist, gvn-sink, simplifycfg's sinking.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int zero = 0;

/* Equal but for the name; only results are compared, never addresses. */
static __attribute__((noinline)) int weigh_apples(const int *v, int n)
{
    int s = 0;

    for (int i = 0; i < n; i++)
        s += v[i] * (i + 1);
    return s;
}

static __attribute__((noinline)) int weigh_pears(const int *v, int n)
{
    int s = 0;

    for (int i = 0; i < n; i++)
        s += v[i] * (i + 1);
    return s;
}

/* One constant or one operand differs. */
static __attribute__((noinline)) int weigh_plums(const int *v, int n)
{
    int s = 0;

    for (int i = 0; i < n; i++)
        s += v[i] * (i + 2);
    return s;
}

static __attribute__((noinline)) int weigh_nuts(const int *v, int n)
{
    int s = 0;

    for (int i = 0; i < n; i++)
        s += (v[i] >> 1) * (i + 1);
    return s;
}

/* The same stretch again and again, with other inputs and outputs. */
static int repeated(int a, int b, int *out)
{
    int r = 0, t;

    t = a * 3 + b;
    t ^= t >> 2;
    out[0] = t - a;
    r += t * 5;

    t = b * 3 + a;
    t ^= t >> 2;
    out[1] = t - b;
    r += t * 5;

    t = r * 3 + b;
    t ^= t >> 2;
    out[2] = t - r;
    r -= t * 5;

    t = a * 3 + r;
    t ^= t >> 3;
    out[3] = t - a;
    r += t * 5;

    if (r > 0) {
        t = r % 1000 * 3 + 7;
        t ^= t >> 2;
        out[4] = t - r % 1000;
        r += t * 5;
    } else {
        t = a * 3 + 8;
        t ^= t >> 2;
        out[4] = t - a;
        r -= t * 5;
    }
    return r;
}

static int repeated_by_loop(int a, int b, int *out)
{
    int x[5], y[5], r = 0, t;

    x[0] = a, y[0] = b, x[1] = b, y[1] = a;
    y[2] = b, x[3] = a;
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            x[2] = r;
        if (i == 3)
            y[3] = r;
        t = x[i] * 3 + y[i];
        t ^= t >> (i == 3 ? 3 : 2);
        out[i] = t - x[i];
        r += i == 2 ? -t * 5 : t * 5;
    }
    x[4] = r > 0 ? r % 1000 : a;
    t = x[4] * 3 + (r > 0 ? 7 : 8);
    t ^= t >> 2;
    out[4] = t - x[4];
    return r > 0 ? r + t * 5 : r - t * 5;
}

int main(void)
{
    static const int v[] = {5, -3, 12, 7, -9, 1};
    int a[5], b[5], h = 0;
    int (*fruit)(const int *, int) = zero ? weigh_nuts : weigh_pears;

    CHECK(weigh_apples(v, 6 - zero) == 24 && fruit(v, 6) == 24);
    CHECK(weigh_plums(v, 6 - zero) == 24 + 13);
    CHECK(weigh_nuts(v, 6 - zero) == 2 - 4 + 18 + 12 - 25);
    for (int i = -6; i < 20; i++) {
        int r = repeated(i + zero, 11 - 3 * i, a);

        CHECK(r == repeated_by_loop(i, 11 - 3 * i, b));
        for (int j = 0; j < 5; j++)
            CHECK(a[j] == b[j]);
        h = (h * 3 + r % 1000) % 100003;
    }
    printf("outline_repeat %d\n", h);
    return 0;
}
