// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops that count bits, measure strings or run a CRC, which passes rewrite as
// one instruction or a table: loop-idiom recognition, hash-recognize, unroll.

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

static volatile u32 zero = 0;

static u32 length(const char *s)
{
    const char *p = s;

    while (*p)
        p++;
    return (u32)(p - s);
}

static int popcount(u32 v)
{
    int n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

static int leading(u32 v)
{
    int n = 0;

    while (v) {
        v >>= 1;
        n++;
    }
    return 32 - n;
}

static u16 crc16(const u8 *p, u32 n)
{
    u16 c = 0xffff;

    while (n--) {
        c ^= (u16)(*p++ << 8);
        for (int k = 0; k < 8; k++)
            c = (u16)(c & 0x8000 ? c << 1 ^ 0x1021 : c << 1);
    }
    return c;
}

static u32 copy_until(u8 *to, const u8 *from, u8 stop)
{
    u32 n = 0;

    while ((to[n] = from[n]) != stop)
        n++;
    return n;
}

/* Parity and trailing zeros, each with a loop of its own. */
static int parity(u32 v)
{
    int p = 0;

    while (v) {
        p = !p;
        v &= v - 1;
    }
    return p;
}

static int trailing(u32 v)
{
    int n = 0;

    if (v == 0)
        return 32;
    while (!(v & 1)) {
        v >>= 1;
        n++;
    }
    return n;
}

static u32 power_sum(u32 base, u32 n)
{
    u32 s = 0, p = 1;

    for (u32 i = 0; i < n; i++) {
        s += p;
        p *= base;
    }
    return s;
}

int main(void)
{
    u32 x = 0x9e3779b9u + zero, h = 0;
    u8 b[16];

    CHECK(length(&""[zero]) == 0 && length(&"xhello"[1 + zero]) == 5);
    CHECK(popcount(zero) == 0 && popcount(0xf0f0f0f1u + zero) == 17);
    CHECK(leading(zero) == 32 && leading(1 + zero) == 31
          && leading(~zero) == 0);
    CHECK(crc16((const u8 *)"123456789", 9 + zero) == 0x29b1);
    CHECK(copy_until(b, (const u8 *)"stop here", ' ') == 4 && b[4] == ' ');
    CHECK(trailing(zero) == 32 && trailing(0x80000000u + zero) == 31);
    CHECK(parity(x) == (popcount(x) & 1) && parity(zero) == 0);
    CHECK(power_sum(2, 32 + zero) == ~0u && power_sum(x, zero) == 0);
    CHECK(power_sum(3 + zero, 5) == 121 && power_sum(1, 500 + zero) == 500);
    for (int i = 0; i < 50; i++) {
        CHECK(popcount(x) == __builtin_popcount(x));
        CHECK(trailing(x) == (x ? __builtin_ctz(x) : 32));
        CHECK(leading(x) == (x ? __builtin_clz(x) : 32));
        CHECK(parity(x) == __builtin_parity(x));
        h = h * 31 + (u32)(popcount(x) * 32 + leading(x)) + power_sum(x, 5);
        x = x * 1664525u + 1013904223u;
        if (i % 7 == 0)
            x &= x << 9;
    }
    printf("loop_recognise %08x\n", h);
    return 0;
}
