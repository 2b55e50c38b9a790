// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops that count bits or measure strings, which passes rewrite as one
// instruction or a call: loop-idiom recognition, unroll.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
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

static u32 copy_until(u8 *to, const u8 *from, u8 stop)
{
    u32 n = 0;

    while ((to[n] = from[n]) != stop)
        n++;
    return n;
}

int main(void)
{
    u32 x = 0x9e3779b9u + zero;
    u8 b[16];

    CHECK(length(&""[zero]) == 0 && length(&"xhello"[1 + zero]) == 5);
    CHECK(popcount(zero) == 0 && popcount(0xf0f0f0f1u + zero) == 17);
    CHECK(leading(zero) == 32 && leading(1 + zero) == 31
          && leading(~zero) == 0);
    CHECK(copy_until(b, (const u8 *)"stop here", ' ') == 4 && b[4] == ' ');
    for (int i = 0; i < 50; i++) {
        CHECK(popcount(x) == __builtin_popcount(x));
        CHECK(leading(x) == (x ? __builtin_clz(x) : 32));
        x = x * 1664525u + 1013904223u;
        if (i % 7 == 0)
            x &= x << 9;
    }
    printf("loop_recognise\n");
    return 0;
}
