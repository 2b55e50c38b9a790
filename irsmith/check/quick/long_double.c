// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// long double, whose size differs between targets: only values that are exact
// in any of them are compared. Calls, stores, casts and comparisons of it.

#pragma STDC FP_CONTRACT OFF

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
long double fabsl(long double);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef long double ld;
typedef unsigned long long u64;

static volatile int zero = 0;

struct pair {
    ld first;
    char mark;
    ld second;
};

static __attribute__((noinline)) ld polynomial(ld x, const ld *c, int n)
{
    ld r = 0;

    while (n--)
        r = r * x + c[n];
    return r;
}

static __attribute__((noinline)) struct pair swap(struct pair p)
{
    struct pair q;

    q.first = p.second;
    q.second = p.first * 2;
    q.mark = (char)(p.mark + 1);
    return q;
}

static ld power(ld base, int e)
{
    ld r = 1;

    if (e < 0)
        return 1 / power(base, -e);
    for (; e; e >>= 1, base *= base)
        if (e & 1)
            r *= base;
    return r;
}

static int compare(ld a, ld b)
{
    return (a < b) + 2 * (a == b) + 4 * (a > b) + 8 * (a != b);
}

static ld choose(int n, int k)
{
    ld r = 1;
    int i;

    for (i = 1; i <= k; i++)
        r = r * (n - k + i) / i;
    return r;
}

int main(void)
{
    static const ld c[] = {1.0L, -2.5L, 0.25L, 3.0L};
    struct pair p = {1.5L, 'a', -8.0L};
    ld x = zero, nan = x / x, inf = 1 / x;
    double d;
    int i;

    CHECK(polynomial(2 + x, c, 4) == 21 && polynomial(-4 + x, c, 4) == -177);
    CHECK(polynomial(0.5L + x, c, zero) == 0);
    p.first += x;
    for (i = 0; i < 5; i++)
        p = swap(p);
    CHECK(p.first == -32 && p.second == 12 && p.mark == 'f');
    CHECK(power(2 + x, 62) == (ld)(1ULL << 62)
          && power(2, -20 + zero) == 1.0L / 1048576);
    CHECK(power(-3 + x, 31) == -617673396283947.0L && power(7, zero) == 1);
    CHECK(power(2 + x, 1000) > 1e300L && power(2, 1000) * power(2, -1000) == 1);
    CHECK(compare(1 + x, 2) == 9 && compare(x, -x) == 2 && compare(3, x) == 12);
    CHECK(compare(nan, 1) == 8 && compare(nan, nan) == 8
          && compare(inf, inf) == 2);
    CHECK(compare(-inf, x - 1e300L) == 9);
    CHECK((int)(-2.75L + x) == -2 && (unsigned char)(200.5L + x) == 200);
    CHECK((long long)(x - 9007199254740993.0L) == -9007199254740993LL);
    CHECK((u64)(18446744073709551615.0L + x) == ~0ULL);
    CHECK((ld)(~0ULL - (u64)zero) == 18446744073709551615.0L);
    d = (double)(x + 9007199254740993.0L);
    CHECK(d == 9007199254740992.0 && (ld)(0.1 + (double)x) == (ld)0.1);
    CHECK((float)(x + 16777217) == 16777216.0f && fabsl(x - 4.5L) == 4.5L);
    CHECK((x + 0.1L) * 10 - 1 < 1e-15L && (x ? 1 : 2) == 2);
    CHECK(choose(10 + zero, 3) == 120
          && choose(50, 25 + zero) == 126410606437752.0L);
    printf("long_double %lld\n", (long long)choose(40 + zero, 17));
    return 0;
}
