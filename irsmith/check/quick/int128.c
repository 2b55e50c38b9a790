// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// 128-bit integers: carries, shifts over the word boundary, signed compares,
// and division. Legalisation, instcombine, sroa of two-word values.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned long long u64;
typedef __int128 i128;
typedef unsigned __int128 u128;

static volatile u64 zero = 0;

static u128 make(u64 hi, u64 lo)
{
    return (u128)hi << 64 | lo;
}

static int is(u128 v, u64 hi, u64 lo)
{
    return (u64)(v >> 64) == hi && (u64)v == lo;
}

static u128 divide(u128 a, u128 b, u128 *rem)
{
    u128 q = 0, r = 0;
    int i;

    for (i = 127; i >= 0; i--) {
        r = r << 1 | (a >> i & 1);
        if (r >= b) {
            r -= b;
            q |= (u128)1 << i;
        }
    }
    *rem = r;
    return q;
}

static int order(i128 a, i128 b)
{
    return (a > b) - (a < b);
}

/* Passed on the stack after six registers, and returned in two. */
static __attribute__((noinline)) i128 mix(int a, i128 b, int c, i128 d, u8 e,
                                          i128 f)
{
    return b - d * a + (f >> e) + c;
}

int main(void)
{
    u64 x = 0xfedcba9876543211ULL + zero, y = 0xd1b54a32d192ed03ULL;
    u128 p = make(zero, ~0ULL), q, r, h = 1;
    i128 n = -1 - (i128)zero;
    int i;

    CHECK(is(p + 1, 1, 0) && is(p - ~0ULL - 1, ~0ULL, ~0ULL));
    CHECK(is(p * p, ~0ULL - 1, 1) && is(p << 1, 1, ~1ULL));
    CHECK(is((u128)n, ~0ULL, ~0ULL) && n >> 127 == -1 && (u128)n >> 127 == 1);
    CHECK(order(n, 0) == -1 && order(0, n) == 1 && order(n, n) == 0);
    CHECK(order((i128)make(1, 0), (i128)make(0, ~0ULL)) == 1);
    CHECK((n * 1000) / 7 == -142 && (n * 1000) % 7 == -6);
    CHECK(-(i128)make(0, 1ULL << 63) == (i128)(long long)(1ULL << 63));
    for (i = 0; i < 128; i += 9) {
        q = make(x, y);
        h = h * 31 + (q << (i + zero));
        h = h * 31 + (q >> (i + zero));
        CHECK((q >> i << i) + (q & (((u128)1 << i) - 1)) == q);
        CHECK(((i128)q >> i) < 0 && ((q >> i) & 1) == (i < 64 ? y >> i & 1
                                                       : x >> (i - 64) & 1));
        q = divide(make(x, y), make(x >> (i / 2), y) >> (i / 2), &r);
        CHECK(q == make(x, y) / (make(x >> (i / 2), y) >> (i / 2)));
        CHECK(r == make(x, y) % (make(x >> (i / 2), y) >> (i / 2)));
    }
    CHECK(mix(-1, (i128)make(1, 0), 0, (i128)p, 127, n)
          == (i128)make(2, 0) - 2);
    printf("int128 %016llx%016llx\n", (u64)(h >> 64), (u64)h);
    return 0;
}
