// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Type punning through unions and through memcpy, float and integer views of
// one object, structs with a common start: sroa, gvn, instcombine bitcasts.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned u32;
typedef unsigned long long u64;

union number {
    float f[2];
    double d;
    u32 w[2];
    u64 q;
    u8 b[8];
    struct { unsigned short a, b, c, d; } s;
};

struct circle { int kind; double radius; };
struct square { int kind; int side; };
union shape {
    int kind;
    struct circle circle;
    struct square square;
};

static volatile u32 zero = 0;

static u64 double_bits(double d)
{
    union number n;

    n.d = d;
    return n.q;
}

/* 1 / sqrt(x) by the well-known trick, rounded coarsely by the caller. */
static float rsqrt(float x)
{
    union number n;
    float half = x * 0.5f;

    n.f[0] = x;
    n.w[0] = 0x5f3759dfu - (n.w[0] >> 1);
    x = n.f[0];
    x = x * (1.5f - half * x * x);
    return x * (1.5f - half * x * x);
}

static __attribute__((noinline)) int area(const union shape *s)
{
    switch (s->kind) {
    case 1: return (int)(s->circle.radius * s->circle.radius * 3);
    case 2: return s->square.side * s->square.side;
    }
    return -1;
}

static __attribute__((noinline)) union number pass(union number n, int which)
{
    switch (which) {
    case 0: n.w[0]++; break;
    case 1: n.d *= 2; break;
    case 2: n.b[7] ^= 0x80; break;
    case 3: n.f[1] = n.f[0]; break;
    }
    return n;
}

int main(void)
{
    union number n;
    union shape list[3];
    float r;
    int i;

    CHECK(double_bits(1.0) == 0x3ff0000000000000ULL);
    CHECK(double_bits(-0.5 - zero) == 0xbfe0000000000000ULL);
    CHECK(double_bits(0.1 + zero) == 0x3fb999999999999aULL);
    r = rsqrt(4.0f + (float)zero);
    CHECK(r > 0.4999f && r < 0.5001f);
    n.q = 0x1122334455667788ULL + zero;
    CHECK(n.b[0] == 0x88 && n.w[1] == 0x11223344u && n.s.b == 0x5566);
    n.s.b = 0xabcd;
    n.b[7] = 0x99;
    CHECK(n.q == 0x99223344abcd7788ULL);
    n.f[1] = 1.5f;
    CHECK(n.w[1] == 0x3fc00000u && n.w[0] == 0xabcd7788u);
    n.d = 3.0;
    CHECK(pass(n, 1).d == 6 && pass(n, 2).d == -3);
    CHECK(pass(n, zero ? 1 : 0).q == n.q + 1 && pass(n, 3).w[1] == 0);
    list[0].circle.kind = 1;
    list[0].circle.radius = 2.5 + zero;
    list[1].square.kind = 2;
    list[1].square.side = 7;
    list[2] = list[1];
    list[2].kind = 3;
    CHECK(area(&list[0]) == 18 && area(&list[1]) == 49 && area(&list[2]) == -1);
    list[2].kind = 2;
    list[2].square.side += 1 + (int)zero;
    CHECK(area(&list[2]) == 64 && list[1].square.side == 7);
    for (i = 0; i < 40; i++)
        n = pass(n, (int)((u32)i + zero) % 3);
    printf("alias_union %016llx\n", n.q);
    return 0;
}
