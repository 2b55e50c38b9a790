// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bit counts, byte swaps, parity, Gray codes, bit-parallel arithmetic and
// masks, each against a loop: instcombine, bdce, aggressive-instcombine.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned char u8;
typedef unsigned u32;
typedef unsigned long long u64;

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

static u64 swap64(u64 x)
{
    u64 r = 0;

    for (int i = 0; i < 8; i++)
        r |= (x >> 8 * i & 0xff) << (56 - 8 * i);
    return r;
}

static u32 round_up(u32 x)
{
    x--;
    x |= x >> 1;
    x |= x >> 2;
    x |= x >> 4;
    x |= x >> 8;
    x |= x >> 16;
    return x + 1;
}

/* Four bytes at a time: average, compare with zero, absolute difference. */
static u32 average4(u32 a, u32 b)
{
    return (a & b) + ((a ^ b) >> 1 & 0x7f7f7f7fu);
}

static int has_zero_byte(u32 x)
{
    return ((x - 0x01010101u) & ~x & 0x80808080u) != 0;
}

static u32 gray(u32 x)
{
    return x ^ x >> 1;
}

static u32 ungray(u32 x)
{
    for (u32 s = 16; s; s >>= 1)
        x ^= x >> s;
    return x;
}

static u32 interleave(u32 x)
{
    x = (x | x << 8) & 0x00ff00ffu;
    x = (x | x << 4) & 0x0f0f0f0fu;
    x = (x | x << 2) & 0x33333333u;
    return (x | x << 1) & 0x55555555u;
}

/* Only some bits of the result are ever asked for. */
static u32 demanded(u32 x)
{
    u32 r = (x * 0x10001u + 0xabcd0000u) ^ (x << 24);

    r = (r & 0xff) | ((r >> 16 | 0xff00u) & 0xf0u) << 4;
    return r & 0xfffu;
}

int main(void)
{
    u32 x = 0xdeadbeefu + zero, h = 0;

    CHECK(swap64(0x0102030405060708ULL + zero) == 0x0807060504030201ULL);
    CHECK(round_up(1 + zero) == 1 && round_up(129 + zero) == 256);
    CHECK(round_up(0x80000001u + zero) == 0 && round_up(4096 - zero) == 4096);
    CHECK(average4(0xff00fe01u, 0x01020304u + zero) == 0x80018002u);
    CHECK(has_zero_byte(0x11002233u + zero)
          && !has_zero_byte(0x80808080u - zero));
    CHECK(demanded(0x12345678u + zero) == 0x778);
    for (int i = 0; i < 60; i++) {
        u32 n = 0, evens = 0;

        for (int b = 0; b < 32; b++) {
            n += x >> b & 1;
            if (b < 16)
                evens |= (x >> b & 1) << 2 * b;
        }
        CHECK(popcount(x) == n && (u32)__builtin_popcount(x) == n);
        CHECK((u32)__builtin_parity(x) == (n & 1));
        CHECK(x == 0 || trailing(x) == (u32)__builtin_ctz(x));
        CHECK(x == 0 || log2_floor(x) == 31 - (u32)__builtin_clz(x));
        CHECK(__builtin_bswap32(x) == (u32)(swap64(x) >> 32));
        CHECK(ungray(gray(x)) == x && popcount(gray(x) ^ gray(x + 1)) == 1);
        CHECK(interleave(x & 0xffff) == evens);
        CHECK(has_zero_byte(x) == (!(x & 0xff) || !(x >> 8 & 0xff)
                                   || !(x >> 16 & 0xff) || !(x >> 24)));
        CHECK((x & (x - 1)) == x - (x & -x)
              && (x | (x + 1)) == ~(~x & (~x - 1)));
        h = h * 31 + demanded(x) + average4(x, h);
        x = x * 1664525u + 1013904223u;
        if (i % 9 == 4)
            x &= 0xff00ff00u >> (i & 7);
    }
    printf("bit_tricks %08x\n", h);
    return 0;
}
