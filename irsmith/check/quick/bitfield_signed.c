// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bit-fields, signed and unsigned, alone and next to each other: masks, sign
// extension and wraparound in instcombine, sroa, load/store narrowing.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

struct fields {
    unsigned a : 1;
    signed int b : 2;
    unsigned c : 5;
    signed int d : 9;
    unsigned e : 15;
    signed int whole : 32;
    unsigned long long big : 40;
    signed long long small : 24;
};

struct flags {
    unsigned char ready : 1, busy : 1, level : 3;
    _Bool error : 1;
    unsigned char : 0;
    signed char delta : 4;
    unsigned char tail : 4;
};

static volatile unsigned zero = 0;

static __attribute__((noinline)) long long digest(const struct fields *f)
{
    return f->a + 3LL * f->b + 5LL * f->c + 7LL * f->d + 11LL * f->e
           + 13LL * f->whole + 17LL * (long long)f->big + 19LL * f->small;
}

static struct fields bump(struct fields f, int by)
{
    f.a += (unsigned)by;
    f.c = (f.c + (unsigned)by) & 31;
    f.d = (f.d + by) / 2;
    f.e -= 1;
    f.whole ^= by;
    f.big = (f.big + (unsigned)by) & 0xffffffffffULL;
    f.small = -f.small;
    return f;
}

static unsigned step(struct flags *f, unsigned n)
{
    unsigned busy = 0;

    while (n--) {
        f->ready = !f->ready;
        f->busy = f->ready ^ (f->level & 1);
        f->level = (unsigned char)((f->level + 3) & 7);
        f->error = f->level == 5;
        if (f->error)
            f->delta = (signed char)(f->delta < 7 ? f->delta + 1 : -8);
        f->tail = (unsigned char)((f->tail - 1) & 15);
        busy += f->busy;
    }
    return busy;
}

int main(void)
{
    struct fields f = {0, 0, 0, 0, 0, 0, 0, 0};
    struct flags g = {0, 0, 0, 0, 0, 0};
    unsigned z = zero, busy;
    int i;

    for (i = -2; i < 2; i++) {
        f.b = i + (int)z;
        CHECK(f.b == i && f.a == 0 && f.c == 0);
    }
    f.b = (int)(z - 1);
    CHECK(f.b < 0 && (unsigned)f.b == ~0u);
    f.c = 0x1f & (z + 0xff);
    f.d = (int)z - 200;
    CHECK(f.c == 31 && f.d == -200 && f.d / 3 == -66 && f.d >> 3 == -25);
    f.a = 1;
    f.a += 1 + z;
    CHECK(f.a == 0 && f.b == -1 && f.c == 31);
    f.e = 0x7fff;
    f.e++;
    CHECK(f.e == 0 && f.d == -200 && f.whole == 0);
    f.e--;
    CHECK(f.e == 0x7fff && f.e > f.d);
    f.big = 0xfedcba9876ULL + z;
    f.small = -0x800000LL;
    CHECK(f.big == 0xfedcba9876ULL && f.big % 1000 == 430);
    CHECK(f.small < 0 && f.small * 2 == -0x1000000);
    f = bump(f, 9 + (int)z);
    CHECK(f.a == 1 && f.c == 8 && f.d == -95 && f.e == 0x7ffe && f.whole == 9);
    CHECK(f.big == 0xfedcba987fULL);
    f.small = 77;
    f = bump(f, -3 - (int)z);
    CHECK(f.small == -77 && f.c == 5 && f.d == -49 && f.whole == -12);
    busy = step(&g, 20 + z);
    CHECK(g.delta == 2 && g.tail == 12);
    step(&g, 37 + z);
    printf("bitfield_signed %lld %u %d\n", digest(&f), busy, g.delta);
    return 0;
}
