// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Unsigned wraparound at 8, 32 and 64 bits with promotions in between, and
// hashes: (aggressive-)instcombine, reassociate.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;
typedef unsigned long long u64;

static volatile u32 zero = 0;

static u32 fnv(const char *s)
{
    u32 h = 2166136261u;

    while (*s)
        h = (h ^ (u8)*s++) * 16777619u;
    return h;
}

static u64 splitmix(u64 *s)
{
    u64 z = *s += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static u8 checksum8(const u8 *p, int n)
{
    u8 s = 0;

    while (n--)
        s = (u8)(s + *p++);
    return (u8)~s;
}

int main(void)
{
    static const u8 packet[] = {0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11,
                                0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7};
    u64 state = 1234567 + zero;
    u8 b = 250;
    u16 s = 0xfff0;
    u32 i;

    CHECK(fnv("") == 0x811c9dc5u && fnv("a") == 0xe40c292cu);
    CHECK(fnv(&"foobar"[zero]) == 0xbf9cf968u);
    CHECK(splitmix(&state) == 6457827717110365317ULL);
    CHECK(splitmix(&state) == 3203168211198807973ULL);
    CHECK(checksum8(packet, 20 + (int)zero) == 30);
    b = (u8)(b + 10 + zero);
    CHECK(b == 4);
    b = (u8)(b - 5);
    CHECK(b == 255 && b + 1 == 256 && (u8)(b + 1) == 0 && (u8)~b == 0);
    b++;
    CHECK(b == 0 && (u8)(b - 1) > b);
    s = (u16)(s + 0x20 + zero);
    CHECK(s == 0x10 && (u16)-s == 0xfff0);
    s = (u16)(s * 0x2001u);
    CHECK(s == 0x10 + 0 && (u16)(s << 12) == 0);
    CHECK(zero - 1 > zero && -(zero + 1) == ~0u);
    CHECK((zero - 1) / 2 == ~0u >> 1);
    for (i = 0; i < 32; i++) {
        u32 x = (u32)splitmix(&state), y = (u32)splitmix(&state);

        CHECK((x & y) + (x | y) == x + y && (x ^ y) + 2 * (x & y) == x + y);
        CHECK(x - y == ~(~x + y) && (x | y) - (x & y) == (x ^ y));
        CHECK((u32)((u64)x * y) == x * y);
    }
    printf("wrap_unsigned\n");
    return 0;
}
