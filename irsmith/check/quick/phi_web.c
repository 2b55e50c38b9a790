// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Many variables that change places at joins: swaps in loops, rotating sets,
// values that merge over several levels: mem2reg, phi folding, coalescing.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned u32;

static volatile u32 zero = 0;

/* Extended: three pairs swap in step. */
static int extended(int a, int b, int *x, int *y)
{
    int x0 = 1, x1 = 0, y0 = 0, y1 = 1;

    while (b) {
        int q = a / b, t;

        t = a - q * b, a = b, b = t;
        t = x0 - q * x1, x0 = x1, x1 = t;
        t = y0 - q * y1, y0 = y1, y1 = t;
    }
    *x = x0;
    *y = y0;
    return a;
}

/* The swap problem: both new values are old values of the other. */
static u32 swap_loop(u32 a, u32 b, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        u32 t = a;

        a = b;
        b = t;
        if (i % 3 == 2)
            a += i;
    }
    return a * 1000 + b;
}

/* The lost copy: the old value is used after the new one is made. */
static u32 lost_copy(u32 n)
{
    u32 x = 1, y;

    do {
        y = x;
        x = x * 3 + 1;
    } while (x < n);
    return y * 10000 + x;
}

static u32 rotate5(u32 n)
{
    u32 a = 1, b = 2, c = 3, d = 4, e = 5;

    while (n--) {
        u32 t = a;

        if (n & 1) {
            a = b, b = c, c = d, d = e, e = t;
        } else if (n & 2) {
            a = e, e = d, d = c, c = b, b = t;
        } else {
            a = c, c = t;
            b ^= d, d ^= b, b ^= d;
        }
        if (a > 100)
            a -= 99;
        e += c;
    }
    return (((a * 7 + b) * 7 + c) * 7 + d) * 7 + e;
}

static u32 rotate5_array(u32 n)
{
    u32 v[5] = {1, 2, 3, 4, 5}, w[5];

    while (n--) {
        for (u32 i = 0; i < 5; i++)
            w[i] = v[i];
        if (n & 1) {
            for (u32 i = 0; i < 5; i++)
                v[i] = w[(i + 1) % 5];
        } else if (n & 2) {
            for (u32 i = 0; i < 5; i++)
                v[i] = w[(i + 4) % 5];
        } else {
            v[0] = w[2], v[2] = w[0], v[1] = w[3], v[3] = w[1];
        }
        if (v[0] > 100)
            v[0] -= 99;
        v[4] += v[2];
    }
    return (((v[0] * 7 + v[1]) * 7 + v[2]) * 7 + v[3]) * 7 + v[4];
}

/* Flags carried round instead of jumps. */
static int flags(const char *s)
{
    int in = 0, escaped = 0, count = 0, last = 0;

    for (; *s; s++) {
        int was = in;

        if (escaped)
            escaped = 0;
        else if (*s == '\\')
            escaped = 1;
        else if (*s == '\'')
            in = !in;
        if (was && in)
            count++;
        last = was != in ? *s : last + 1;
    }
    return in * 10000 + escaped * 1000 + count * 10 + (last & 7);
}

int main(void)
{
    int x, y, h = 0;

    CHECK(extended(240 + (int)zero, 46, &x, &y) == 2 && x == -9 && y == 47);
    CHECK(extended(17, 3120 + (int)zero, &x, &y) == 1 && x == -367 && y == 2);
    CHECK(swap_loop(1, 2, zero) == 1002 && swap_loop(1, 2, 3 + zero) == 4001);
    CHECK(swap_loop(5, 9, 10 + zero) == 10019);
    CHECK(lost_copy(zero) == 10004 && lost_copy(50 + zero) == 400121);
    for (u32 n = 0; n < 40; n += 3)
        CHECK(rotate5(n + zero) == rotate5_array(n));
    for (int i = 0; i < 27; i++)
        h = (h * 7 + extended(i * 31, 77 - i, &x, &y) + x - y) % 1000003;
    CHECK(flags(&"a'bc'd\\'e'f"[zero]) == 10030);
    CHECK(flags("") == 0 && flags(&"\\"[zero]) == 1001);
    printf("phi_web %d %u\n", h, rotate5(41 + zero));
    return 0;
}
