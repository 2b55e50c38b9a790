// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Unsigned wraparound at 8, 16, 32 and 64 bits with promotions in between,
// hashes and modular identities: (aggressive-)instcombine, reassociate.

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

static u16 checksum16(const u8 *p, int n)
{
    u32 s = 0;
    int i;

    for (i = 0; i + 1 < n; i += 2)
        s += (u32)p[i] << 8 | p[i + 1];
    if (n & 1)
        s += (u32)p[n - 1] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (u16)~s;
}

/* Inverse of an odd number modulo 2**32 by Newton. */
static u32 inverse(u32 a)
{
    u32 x = a;
    int i;

    for (i = 0; i < 5; i++)
        x *= 2 - a * x;
    return x;
}

static int compares(u32 a, u32 b)
{
    int r = 0;

    r |= a - b < a;              /* no borrow, or b is 0 ... */
    r |= (a + b < a) << 1;       /* carry */
    r |= ((u8)(a + b) < (u8)a) << 2;
    r |= ((a + 1 > a) == 0) << 3;
    r |= (a * 2 / 2 == a) << 4;
    r |= ((u16)(a * b) == (u16)((u16)a * (u32)(u16)b)) << 5;
    r |= ((int)(a - b) < 0) << 6;
    return r;
}

int main(void)
{
    static const u8 packet[] = {0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11,
                                0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7};
    u64 state = 1234567 + zero, h = 0;
    u8 b = 250;
    u16 s = 0xfff0;
    u32 i;

    CHECK(fnv("") == 0x811c9dc5u && fnv("a") == 0xe40c292cu);
    CHECK(fnv(&"foobar"[zero]) == 0xbf9cf968u);
    CHECK(splitmix(&state) == 6457827717110365317ULL);
    CHECK(splitmix(&state) == 3203168211198807973ULL);
    CHECK(checksum8(packet, 20 + (int)zero) == 30);
    CHECK(checksum16(packet, 20) == 0xb861);
    CHECK(checksum16(packet, 19 + (int)zero) == 0xb928);
    for (i = 1; i < 40; i += 2) {
        CHECK(inverse(i * 0x10001 + zero) * (i * 0x10001) == 1);
        h = h * 31 + inverse(i);
    }
    CHECK(inverse(3) == 0xaaaaaaabu);
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
    CHECK(compares(5 + zero, 3) == 0x31 && compares(3 + zero, 5) == 0x70);
    CHECK(compares(~0u - zero, 1) == 0x6f);
    CHECK(compares(0x80000000u + zero, 0x80000000u) == 0x23);
    CHECK(compares(zero, 0) == 0x30);
    CHECK(zero - 1 > zero && -(zero + 1) == ~0u);
    CHECK((zero - 1) / 2 == ~0u >> 1);
    for (i = 0; i < 32; i++) {
        u32 x = (u32)splitmix(&state), y = (u32)splitmix(&state);

        CHECK((x & y) + (x | y) == x + y && (x ^ y) + 2 * (x & y) == x + y);
        CHECK(x - y == ~(~x + y) && (x | y) - (x & y) == (x ^ y));
        CHECK((u32)((u64)x * y) == x * y);
        h = (h ^ x) * 0x100000001b3ULL + (u64)compares(x, y);
    }
    printf("wrap_unsigned %016llx\n", h);
    return 0;
}
