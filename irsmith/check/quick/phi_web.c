// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Variables that change places at joins: swaps in loops, copies that must not
// be lost: mem2reg, phi folding, coalescing.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

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

int main(void)
{
    int x, y, h = 0;

    CHECK(extended(240 + (int)zero, 46, &x, &y) == 2 && x == -9 && y == 47);
    CHECK(extended(17, 3120 + (int)zero, &x, &y) == 1 && x == -367 && y == 2);
    CHECK(swap_loop(1, 2, zero) == 1002 && swap_loop(1, 2, 3 + zero) == 4001);
    CHECK(swap_loop(5, 9, 10 + zero) == 10019);
    CHECK(lost_copy(zero) == 10004 && lost_copy(50 + zero) == 400121);
    for (int i = 0; i < 27; i++)
        h = (h * 7 + extended(i * 31, 77 - i, &x, &y) + x - y) % 1000003;
    printf("phi_web %d\n", h);
    return 0;
}
