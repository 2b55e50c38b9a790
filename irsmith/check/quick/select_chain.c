// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Chains of selects, min and max, clamps, nested conditions and boolean
// algebra: select formation, instcombine, reassociate, constraint-elimination.

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

static volatile int zero = 0;

static int min2(int a, int b) { return a < b ? a : b; }
static int max2(int a, int b) { return a > b ? a : b; }
static u32 umin(u32 a, u32 b) { return a < b ? a : b; }

static int median(int a, int b, int c)
{
    return max2(min2(a, b), min2(max2(a, b), c));
}

static int median_by_branches(int a, int b, int c)
{
    if (a < b) {
        if (b < c)
            return b;
        return a < c ? c : a;
    }
    if (a < c)
        return a;
    return b < c ? c : b;
}

static int clamp(int x, int lo, int hi)
{
    x = x < lo ? lo : x;
    return x > hi ? hi : x;
}

/* Sixteen boolean functions of two variables, each written out. */
static u32 truth(int a, int b)
{
    u32 r = 0;

    r |= (u32)(a && b) << 0;
    r |= (u32)(a && !b) << 1;
    r |= (u32)(!a && b) << 2;
    r |= (u32)!(a || b) << 3;
    r |= (u32)(!a != !b) << 4;
    r |= (u32)(!a == !b) << 5;
    r |= (u32)(a ? b != 0 : 1) << 6;
    r |= (u32)(b ? a != 0 : 1) << 7;
    r |= (u32)!!(a | b) << 8;
    r |= (u32)((a != 0) & (b != 0)) << 9;
    r |= (u32)((a == 0) ^ (b == 0)) << 10;
    r |= (u32)((a && b) || (!a && !b)) << 11;
    r |= (u32)((a || b) && !(a && b)) << 12;
    return r;
}

/* Tests that overlap: what one has shown the next may use. */
static int ranges(u32 x, u32 n)
{
    int r = 0;

    if (x < n) {
        r += 1;
        if (x <= n)
            r += 2;
        if (x + 1 == 0)
            r += 1000;
        if (n == 0)
            r += 1000;
        if (n - x > 1)
            r += 4;
    } else {
        if (x > n)
            r += 8;
        if (x == n)
            r += 16;
        if (n > x)
            r += 1000;
    }
    if (x > 10 && x < 20 && n > 15)
        r += x > n ? 32 : x > 15 ? 64 : 128;
    return r;
}

static int grade(int points)
{
    return points >= 90   ? 'A'
           : points >= 80 ? 'B'
           : points >= 70 ? 'C'
           : points < 0   ? '?'
                          : 'F';
}

static int select_of_loads(const int *p, const int *q, int which)
{
    int a = which ? *p : *q, b = which ? *q : *p;

    return (which & 1 ? a - b : b - a) * (a > b ? 2 : 3);
}

int main(void)
{
    static const int p[] = {1, 2, 3}, q[] = {1, 2, 4}, s[] = {0, 9, 9};
    u32 h = 0;

    for (int a = -2; a < 3; a++)
        for (int b = -2; b < 3; b++) {
            int x = a + zero;

            for (int c = -2; c < 3; c++)
                CHECK(median(x, b, c) == median_by_branches(x, b, c));
            CHECK(min2(x, b) + max2(x, b) == a + b);
            CHECK(clamp(x, -1, 1) == (a < -1 ? -1 : a > 1 ? 1 : a));
            h = h * 31 + truth(x, b) + umin((u32)x, (u32)b);
        }
    CHECK(truth(zero, 0) == 0x8e8 && truth(5 + zero, 9) == 0xbe1);
    CHECK(truth(1 + zero, 0) == 0x1592 && truth(zero, 2) == 0x1554);
    for (u32 x = 0; x < 24; x += 3)
        for (u32 n = 0; n < 24; n += 4)
            h = h * 7 + (u32)ranges(x + (u32)zero, n);
    CHECK(ranges(12 + (u32)zero, 16) == 1 + 2 + 4 + 128
          && ranges(18, 18) == 16 + 64);
    CHECK(ranges(19 + (u32)zero, 16) == 8 + 32
          && ranges(~0u - (u32)zero, 5) == 8);
    CHECK(grade(95 + zero) == 'A' && grade(80) == 'B'
          && grade(79 + zero) == 'C');
    CHECK(grade(-1 - zero) == '?' && grade(0) == 'F');
    CHECK(select_of_loads(p, q + 2, 1 + zero) == -9);
    CHECK(select_of_loads(p, q + 2, zero) == -6
          && select_of_loads(s, p, 2) == 3);
    printf("select_chain %08x\n", h);
    return 0;
}
