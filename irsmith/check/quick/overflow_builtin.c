// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// __builtin_*_overflow on several widths and mixed types, saturation and
// carry chains built on them: instcombine, constraint-elimination, sccp.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef signed char i8;
typedef unsigned char u8;
typedef unsigned u32;
typedef long long i64;
typedef unsigned long long u64;

#define I32_MAX 2147483647
#define I32_MIN (-2147483647 - 1)
#define I64_MAX 9223372036854775807LL
#define I64_MIN (-9223372036854775807LL - 1)

static volatile int zero = 0;

static int sat_add(int a, int b)
{
    int r;

    if (__builtin_add_overflow(a, b, &r))
        return a < 0 ? I32_MIN : I32_MAX;
    return r;
}

static i64 sat_mul(i64 a, i64 b)
{
    i64 r;

    if (__builtin_mul_overflow(a, b, &r))
        return (a < 0) != (b < 0) ? I64_MIN : I64_MAX;
    return r;
}

/* 192-bit addition by carries. */
static int add192(u64 *r, const u64 *a, const u64 *b)
{
    unsigned carry = 0;
    int i;

    for (i = 0; i < 3; i++) {
        u64 t;
        unsigned c = __builtin_add_overflow(a[i], b[i], &t);

        c |= __builtin_add_overflow(t, (u64)carry, &r[i]);
        carry = c;
    }
    return (int)carry;
}

/* The test by hand that instcombine knows, next to the builtin. */
static int agree(int a, int b)
{
    int r, o = __builtin_add_overflow(a, b, &r);
    u32 s = (u32)a + (u32)b;
    int by_hand = (int)((((u32)a ^ s) & ((u32)b ^ s)) >> 31);
    i64 wide = (i64)a + b;

    return o == by_hand && o == (wide != (int)s) && (u32)r == s;
}

int main(void)
{
    static const int edge[] = {0, 1, -1, 2, 46341, -46341, I32_MAX,
                               I32_MAX - 1, I32_MIN, I32_MIN + 1};
    u64 a[3] = {~0ULL, ~0ULL, 5}, b[3] = {1, 0, 0}, r[3];
    int i, j, overflows = 0;
    i8 small;
    u8 byte;
    u32 word;
    i64 big;
    u64 sum = 0;

    CHECK(sat_add(I32_MAX, 1 + zero) == I32_MAX);
    CHECK(sat_add(I32_MIN + zero, -1) == I32_MIN);
    CHECK(sat_add(I32_MIN + zero, I32_MAX) == -1 && sat_add(3, 4) == 7);
    CHECK(sat_mul(I64_MIN + zero, -1) == I64_MAX);
    CHECK(sat_mul(3037000500LL + zero, 3037000500LL) == I64_MAX);
    CHECK(sat_mul(3037000499LL, 3037000499LL + zero) == 9223372030926249001LL);
    CHECK(sat_mul(-4611686018427387904LL, 2 + zero) == I64_MIN);
    CHECK(sat_mul(4611686018427387904LL, -3 + zero) == I64_MIN);

    CHECK(!__builtin_add_overflow(100 + zero, 27, &small) && small == 127);
    CHECK(__builtin_add_overflow(100 + zero, 28, &small) && small == -128);
    CHECK(__builtin_sub_overflow(zero, 1, &byte) && byte == 255);
    CHECK(!__builtin_mul_overflow(-5 + zero, -51, &byte) && byte == 255);
    CHECK(__builtin_mul_overflow(16 + zero, 16, &byte) && byte == 0);
    CHECK(!__builtin_sub_overflow(3000000000u + (u32)zero, -5, &word));
    CHECK(word == 3000000005u);
    CHECK(__builtin_add_overflow(-1LL - zero, 0u, &word) && word == ~0u);
    CHECK(!__builtin_add_overflow(~0u, ~0u - (u32)zero, &big));
    CHECK(big == 8589934590LL);
    CHECK(__builtin_add_overflow(~0ULL - (u64)zero, 0, &big) && big == -1);

    CHECK(add192(r, a, b) == 0 && r[0] == 0 && r[1] == 0 && r[2] == 6);
    a[2] = ~0ULL;
    b[0] += (u64)zero;
    CHECK(add192(r, a, b) == 1 && (r[0] | r[1] | r[2]) == 0);
    CHECK(add192(r, a, a) == 1 && r[0] == ~1ULL && r[2] == ~0ULL);

    for (i = 0; i < 10; i++)
        for (j = 0; j < 10; j++) {
            int m, x = edge[i] + zero, y = edge[j];
            i64 exact = (i64)x * y;

            CHECK(agree(x, y));
            overflows += __builtin_mul_overflow(x, y, &m);
            CHECK(m == (int)(u32)(u64)exact);
            CHECK((sat_mul(exact, 1) == m) == (exact == m));
            sum = sum * 3 + (u64)sat_add(m, x);
        }
    CHECK(overflows == 46);
    printf("overflow_builtin %d %016llx\n", overflows, sum);
    return 0;
}
