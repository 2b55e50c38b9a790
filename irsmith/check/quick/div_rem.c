// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Division and remainder, signed and unsigned, by constants, powers of two and
// variables, at the corners: div-rem-pairs, instcombine, magic numbers.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned u32;
typedef long long i64;
typedef unsigned long long u64;

#define I32_MIN (-2147483647 - 1)

static volatile int zero = 0;

/* The quotient bit by bit, which no pass takes for a division. */
static u64 long_division(u64 a, u64 b, u64 *rem)
{
    u64 q = 0, r = 0;
    int i;

    for (i = 63; i >= 0; i--) {
        int carry = (int)(r >> 63);

        r = r << 1 | (a >> i & 1);
        if (carry || r >= b) {
            r -= b;
            q |= 1ULL << i;
        }
    }
    *rem = r;
    return q;
}

#define SIGNED(d)                                                              \
    (q = a / (d), r = a % (d),                                                 \
     q * (d) + r == a && (r < 0 ? -r : r) < ((d) < 0 ? -(d) : (d))             \
         && (r == 0 || (r < 0) == (a < 0)))

static int by_constants(int a)
{
    int q, r;

    CHECK(SIGNED(1) && SIGNED(2) && SIGNED(3));
    CHECK(SIGNED(-3) && SIGNED(4) && SIGNED(-4));
    CHECK(SIGNED(5) && SIGNED(7) && SIGNED(-7));
    CHECK(SIGNED(10) && SIGNED(25) && SIGNED(64));
    CHECK(SIGNED(125) && SIGNED(641) && SIGNED(-1000));
    CHECK(SIGNED(65536) && SIGNED(1000003) && SIGNED(0x40000000));
    CHECK(SIGNED(2147483647));
    return a / 7 + a % 10 + a / -1000;
}

static u32 unsigned_constants(u32 a)
{
    CHECK(a / 3 * 3 + a % 3 == a && a % 3 < 3);
    CHECK(a / 7 * 7 + a % 7 == a && a % 7 < 7);
    CHECK(a / 10 * 10 + a % 10 == a && a % 10 < 10);
    CHECK(a / 641 * 641 + a % 641 == a && a % 641 < 641);
    CHECK(a / 0x80000000u == a >> 31 && a / 0xffffffffu == (a == 0xffffffffu));
    CHECK(a / 0x80000001u == (a >= 0x80000001u) && a % 16 == (a & 15));
    return a / 7 + a % 641;
}

int main(void)
{
    static const int list[] = {0, 1, -1, 2, -2, 6, 7, -7, 99, -100, 32767,
                               -32768, 65537, 1000000007, 2147483647,
                               -2147483647, I32_MIN};
    u64 a = 0xfedcba9876543210ULL + (u64)zero, d, rem;
    u32 h = 0, i;

    for (i = 0; i < 17; i++) {
        h = h * 31 + (u32)by_constants(list[i] + zero);
        h = h * 31 + unsigned_constants((u32)(list[i] + zero));
    }
    CHECK(-7 / (2 + zero) == -3 && -7 % (2 + zero) == -1);
    CHECK(7 / (-2 + zero) == -3 && 7 % (-2 + zero) == 1);
    CHECK((I32_MIN + zero) / 2 == -1073741824 && (I32_MIN + zero) % 3 == -2);
    CHECK((I32_MIN + zero) / I32_MIN == 1 && (5 + zero) / I32_MIN == 0);
    CHECK((5 + zero) % I32_MIN == 5 && (I32_MIN + 1 + zero) / -1 == 2147483647);
    CHECK((u32)(I32_MIN + zero) / (u32)-1 == 0);
    CHECK((signed char)(-128 + zero) / (signed char)-1 == 128);
    CHECK((i64)(I32_MIN + zero) / -1 == 2147483648LL);
    CHECK((unsigned char)(200 + zero) / 7 == 28);
    CHECK((short)(-200 + zero) % 7 == -4);
    for (d = 1; d < a / 2; d = d * 37 + 5) {
        u64 q = long_division(a, d, &rem);

        CHECK(q == a / d && rem == a % d);
        CHECK(-(i64)(a >> 1) / (i64)d == -(i64)((a >> 1) / d));
        h = h * 31 + (u32)(q ^ rem);
    }
    printf("div_rem %08x\n", h);
    return 0;
}
