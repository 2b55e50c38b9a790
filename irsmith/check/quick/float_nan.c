// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NaNs, infinities and signed zeros in every kind of comparison: instcombine
// and reassociate without fast-math.

#pragma STDC FP_CONTRACT OFF

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile double zero = 0.0;

/* One bit for each relation, each its own branch or value. */
static unsigned relations(double a, double b)
{
    unsigned r = 0;

    if (a < b)
        r |= 1;
    if (a <= b)
        r |= 2;
    if (a == b)
        r |= 4;
    if (a >= b)
        r |= 8;
    if (a > b)
        r |= 16;
    if (a != b)
        r |= 32;
    if (!(a < b))
        r |= 64;
    if (!(a >= b))
        r |= 128;
    r |= (unsigned)(a < b || a > b) << 8;
    r |= (unsigned)(a <= b && a >= b) << 9;
    r |= (unsigned)__builtin_isunordered(a, b) << 10;
    r |= (unsigned)__builtin_islessgreater(a, b) << 11;
    r |= (unsigned)(a - b == 0) << 12;
    r |= (unsigned)(a - a == 0) << 13;
    r |= (unsigned)(a == a) << 14;
    return r;
}

int main(void)
{
    double z = zero, inf = 1 / z, nan = z / z;
    double list[8];
    unsigned hash = 7;
    int i, j;

    list[0] = nan;
    list[1] = -inf;
    list[2] = -1.5;
    list[3] = -z;
    list[4] = z;
    list[5] = 4e-320;
    list[6] = 1e300;
    list[7] = inf;
    CHECK(relations(1 + z, 2) == 0x69a3);
    CHECK(relations(2 + z, 2) == 0x724e);
    CHECK(relations(2 + z, 1) == 0x6978);
    CHECK(relations(-z, 0) == 0x724e);
    CHECK(relations(nan, 1) == 0x04e0 && relations(nan, nan) == 0x04e0);
    CHECK(relations(1, nan) == 0x64e0 && relations(inf, inf) == 0x424e);
    for (i = 0; i < 8; i++) {
        for (j = 0; j < 8; j++) {
            unsigned r = relations(list[i], list[j]);

            CHECK(((r >> 10) & 1) == (i == 0 || j == 0));
            if (i > 0 && j > 0) {
                int order = i == j || (i + j == 7 && i * j == 12)
                                ? 0 : i < j ? -1 : 1;

                CHECK((r & 1) == (order < 0) && (r >> 4 & 1) == (order > 0));
                CHECK((r >> 2 & 1) == (order == 0));
            }
            hash = hash * 31 + r;
        }
    }
    CHECK(1 / (z * -1) == -inf && 1 / (z + -z) == inf && 1 / (-z - z) == -inf);
    CHECK(!(inf - inf == 0) && inf + inf == inf && -inf < -1e308);
    CHECK((nan ? 1 : 0) == 1 && (z ? 1 : 0) == 0 && (!-z) == 1);
    printf("float_nan %08x\n", hash);
    return 0;
}
