// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NaNs, infinities and signed zeros in every kind of comparison, select and
// min/max: instcombine and reassociate without fast-math, select formation.

#pragma STDC FP_CONTRACT OFF

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
double fabs(double);
double copysign(double, double);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

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

static double min_ab(double a, double b) { return a < b ? a : b; }
static double min_ba(double a, double b) { return b < a ? b : a; }
static double max_not(double a, double b) { return !(a > b) ? b : a; }
static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static int negative(double x)
{
    return copysign(1.0, x) < 0;
}

static int same(double a, double b)
{
    return (a != a && b != b) || (a == b && negative(a) == negative(b));
}

/* x - x, x * 0, 0 - x and x + 0 must not be simplified away. */
static void identities(double x, int is_finite, int is_nan)
{
    CHECK((x - x == 0) == is_finite);
    CHECK((x * 0 == 0) == is_finite);
    CHECK((x / x == 1) == (is_finite && x != 0));
    CHECK((x == x) == !is_nan);
    if (!is_nan) {
        CHECK(same(x + -0.0, x) && same(-(-x), x) && same(x * 1, x));
        CHECK(same(-1 * x, -x) && same(fabs(-x), fabs(x)));
        CHECK(x + 0.0 != 0 || !negative(x + 0.0));
        CHECK(0.0 - x != 0 || !negative(0.0 - x));
    }
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
        identities(list[i], i > 1 && i < 7, i == 0);
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
    CHECK(same(min_ab(nan, 3), 3) && same(min_ab(3, nan), nan));
    CHECK(same(min_ba(nan, 3), nan) && same(min_ba(3, nan), 3));
    CHECK(same(max_not(nan, 3), 3) && same(max_not(3, nan), nan));
    CHECK(same(min_ab(-z, z), z) && same(min_ab(z, -z), -z));
    CHECK(same(min_ba(-z, z), -z) && same(max_not(-z, z), z));
    CHECK(same(clamp(nan, 0, 1), nan) && same(clamp(-inf, -2, 1), -2));
    CHECK(same(clamp(-z, z, 1), -z) && same(clamp(inf, 0, 1), 1));
    CHECK(1 / (z * -1) == -inf && 1 / (z + -z) == inf && 1 / (-z - z) == -inf);
    CHECK(!(inf - inf == 0) && inf + inf == inf && -inf < -1e308);
    CHECK((nan ? 1 : 0) == 1 && (z ? 1 : 0) == 0 && (!-z) == 1);
    printf("float_nan %08x\n", hash);
    return 0;
}
