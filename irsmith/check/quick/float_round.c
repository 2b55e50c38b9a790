// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounding to nearest even, denormals, cancellation, order of operations:
// reassociation must not happen.

#pragma STDC FP_CONTRACT OFF

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
double floor(double);
double ceil(double);
double trunc(double);
double rint(double);
double sqrt(double);
double fmod(double, double);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned long long u64;

static volatile double zero = 0.0;

static u64 bits(double d)
{
    u64 u;

    __builtin_memcpy(&u, &d, sizeof u);
    return u;
}

/* The exact error of a sum. */
static double two_sum(double a, double b)
{
    double s = a + b, bb = s - a;

    return (a - (s - bb)) + (b - bb);
}

static double magic_round(double x)
{
    return (x + 6755399441055744.0) - 6755399441055744.0;
}

int main(void)
{
    double z = zero, v[10], tiny = 4.9406564584124654e-324, eps, sum = 0;
    float f = 1.0f + (float)z;
    int i, n = 0;

    for (i = 0; i < 10; i++) {
        v[i] = 0.1 + z;
        sum += v[i];
    }
    CHECK(sum != 1.0 && sum == 0.99999999999999989);
    CHECK((1e16 + z + 1.0) + 1.0 == 1e16 && 1e16 + z + (1.0 + 1.0) != 1e16);
    CHECK((z + 1e308) * 10 / 10 > 1e308 && (z + 1e308) * (10 / 10) == 1e308);
    CHECK(two_sum(1e16 + z, 1.0) == 1.0 && two_sum(1 + z, 2) == 0);
    CHECK((0.1 + z) * 10.0 - 1.0 == 0);
    CHECK(magic_round(2.5 + z) == 2 && magic_round(3.5 + z) == 4);
    CHECK(magic_round(-0.75 + z) == -1 && magic_round(0.25 + z) == 0);
    for (eps = 1; 1 + eps / 2 != 1; eps /= 2)
        n++;
    for (n = 0; f + 1 != f; n++)
        f *= 2;
    CHECK(n == 24);
    CHECK(tiny + z > 0 && (tiny + z) / 2 == 0 && (tiny + z) * 0.75 == tiny);
    CHECK((tiny + z) * 4503599627370496.0 == 2.2250738585072014e-308);
    CHECK(2.2250738585072014e-308 - z - tiny == 2.2250738585072009e-308);
    for (n = 0, eps = 1 + z; eps > 0; eps /= 2)
        n++;
    CHECK(n == 1075);
    CHECK(floor(-2.5 + z) == -3 && ceil(-2.5 + z) == -2
          && trunc(-2.5 + z) == -2);
    CHECK(rint(2.5 + z) == 2 && rint(-3.5 + z) == -4 && rint(0.49 + z) == 0);
    CHECK(1 / ceil(-0.5 + z) < 0 && 1 / floor(z) > 0
          && 1 / trunc(-0.1 + z) < 0);
    CHECK(sqrt(2 + z) * sqrt(2 + z) == 2.0000000000000004);
    CHECK(sqrt(z + 16) == 4 && bits(sqrt(-zero)) == 1ULL << 63);
    CHECK(!(sqrt(z - 1) == sqrt(z - 1)));
    CHECK(fmod(-7.5 + z, 2) == -1.5 && fmod(1e17 + z, 7) == 5);
    CHECK(fmod(5.5 + z, 1e300) == 5.5 && bits(fmod(-4 + z, 2)) == 1ULL << 63);
    CHECK((1 + z) / 3 * 3 == 1 && (1 + z) / 49 * 49 != 1);
    CHECK((10 + z) / 3 == 3.3333333333333335
          && (z + 7) * 0.2 == 1.4000000000000001);
    printf("float_round\n");
    return 0;
}
