// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shifts by 0 and width - 1, and rotates of several widths: instcombine,
// bdce, type promotion before codegen.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef signed char i8;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;
typedef long long i64;
typedef unsigned long long u64;

static volatile u32 zero = 0;

static u32 rotl(u32 x, u32 n)
{
    n &= 31;
    return x << n | x >> ((32 - n) & 31);
}

static u64 rotr64(u64 x, u32 n)
{
    return x >> (n & 63) | x << (-n & 63);
}

static u8 rotl8(u8 x, u32 n)
{
    n &= 7;
    return (u8)(x << n | x >> ((8 - n) & 7));
}

int main(void)
{
    u32 x = 0x9abcdef1u + zero, n, h = 0;
    u64 q = 0xfedcba9876543210ULL + zero;
    int neg = -1000 - (int)zero;
    i8 c = (i8)(-100 + (int)zero);
    u8 b = 0x96;
    u16 s = 0x8001;

    CHECK(x << zero == x && x >> zero == x);
    CHECK(x >> 31 == 1 && x << 31 == 1u << 31);
    CHECK((int)x >> 31 == -1 && (int)x >> 28 == -7);
    CHECK(neg >> 0 == -1000 && neg >> 3 == -125 && neg >> 4 == -63);
    CHECK(neg >> (31 - zero) == -1 && neg / 16 == -62 && neg % 16 == -8);
    CHECK(c >> 1 == -50 && c >> 6 == -2 && c >> 7 == -1 && (u8)c >> 4 == 9);
    CHECK((i8)((u8)c << 1) == 56 && (u8)c << 1 == 312);
    CHECK((u16)(s << 1) == 2 && s << 1 == 0x10002 && (short)s >> 15 == -1);
    CHECK((i64)q >> 63 == -1 && (i64)q >> 60 == -1 && q >> 60 == 15);
    CHECK((q << 32) >> 32 == 0x76543210u && (i64)(q << 4) >> 4 == (i64)q);
    CHECK(rotl(x, zero) == x && rotl(x, 32 + zero) == x);
    CHECK(rotl(x, 4 + zero) == 0xabcdef19u && rotl(x, 28) == 0x19abcdefu);
    CHECK(rotr64(q, 4 + zero) == 0x0fedcba987654321ULL);
    CHECK(rotr64(q, zero) == q && rotr64(q, 63 + zero) == (q << 1 | q >> 63));
    CHECK(rotl8(b, 1 + zero) == 0x2d && rotl8(b, 4) == 0x69);
    CHECK(rotl8(b, 8 + zero) == b && rotl8((u8)(b + zero), 7) == 0x4b);
    for (n = 0; n < 32; n++) {
        u32 m = 1u << (n + zero);

        CHECK((x >> n & 1) == ((x & m) != 0));
        CHECK(((x >> n) << n) == (x & -m));
        CHECK(rotl(rotl(x, n), 32 - n) == x);
        h = h * 33 + rotl(x, n) + (u32)((int)x >> n) + rotl8((u8)x, n);
    }
    printf("shift_edges %08x\n", h);
    return 0;
}
