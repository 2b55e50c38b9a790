// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bit counts, parity, trailing zeros and logarithms, each against a loop or a
// builtin: instcombine, bdce, aggressive-instcombine.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned u32;

static volatile u32 zero = 0;

static u32 popcount(u32 x)
{
    x -= x >> 1 & 0x55555555u;
    x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0fu;
    return x * 0x01010101u >> 24;
}

static u32 trailing(u32 x)
{
    static const u8 place[32] = {0,  1,  28, 2,  29, 14, 24, 3,  30, 22, 20,
                                 15, 25, 17, 4,  8,  31, 27, 13, 23, 21, 19,
                                 16, 7,  26, 12, 18, 6,  11, 5,  10, 9};

    return place[(x & -x) * 0x077cb531u >> 27];
}

static u32 log2_floor(u32 x)
{
    u32 r = (u32)(x > 0xffff) << 4, s;

    x >>= r;
    s = (u32)(x > 0xff) << 3, x >>= s, r |= s;
    s = (u32)(x > 0xf) << 2, x >>= s, r |= s;
    s = (u32)(x > 3) << 1, x >>= s, r |= s;
    return r | x >> 1;
}

int main(void)
{
    u32 x = 0xdeadbeefu + zero;

    for (int i = 0; i < 60; i++) {
        u32 n = 0;

        for (int b = 0; b < 32; b++)
            n += x >> b & 1;
        CHECK(popcount(x) == n && (u32)__builtin_popcount(x) == n);
        CHECK((u32)__builtin_parity(x) == (n & 1));
        CHECK(x == 0 || trailing(x) == (u32)__builtin_ctz(x));
        CHECK(x == 0 || log2_floor(x) == 31 - (u32)__builtin_clz(x));
        CHECK((x & (x - 1)) == x - (x & -x)
              && (x | (x + 1)) == ~(~x & (~x - 1)));
        x = x * 1664525u + 1013904223u;
        if (i % 9 == 4)
            x &= 0xff00ff00u >> (i & 7);
    }
    printf("bit_tricks\n");
    return 0;
}
