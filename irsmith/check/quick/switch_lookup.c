// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Switches that become lookup tables, bitmaps or shifts, and tables of
// strings: simplifycfg's table building, rel-lookup-table-converter.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int zero = 0;

static int days(int month, int leap)
{
    switch (month) {
    case 1: case 3: case 5: case 7: case 8: case 10: case 12: return 31;
    case 4: case 6: case 9: case 11: return 30;
    case 2: return leap ? 29 : 28;
    default: return 0;
    }
}

static const char *name(int day)
{
    switch (day) {
    case 0: return "sun";
    case 1: return "mon";
    case 2: return "tues";
    case 3: return "wednes";
    case 4: return "thurs";
    case 5: return "fri";
    case 6: return "satur";
    default: return "no";
    }
}

static unsigned power(int k)
{
    switch (k) {
    case 0: return 1u;
    case 1: return 2u;
    case 2: return 4u;
    case 3: return 8u;
    case 30: return 1u << 30;
    case 31: return 1u << 31;
    default: return 0;
    }
}

/* Two results and a store side by side: several phis for one switch. */
static int pair(int k, int *second, double *third)
{
    int first;

    switch (k) {
    case 0: first = 5; *second = 1; *third = 0.5; break;
    case 1: first = 4; *second = 1; *third = 1.5; break;
    case 2: first = 3; *second = 2; *third = -2.5; break;
    case 3: first = 5; *second = 3; *third = 3.5; break;
    case 4: first = 9; *second = 5; *third = 4.25; break;
    case 5: first = 1; *second = 8; *third = -0.0; break;
    default: first = 0; *second = -1; *third = 1e6; break;
    }
    return first;
}

int main(void)
{
    unsigned sum = 0;
    int i, year = 0, second, letters = 0;
    double third;

    for (i = -1 + zero; i < 15; i++)
        year += days(i, zero);
    CHECK(year == 365);
    CHECK(days(2, 1) == 29 && days(2, zero) == 28 && days(13, 1) == 0);
    for (i = -3 + zero; i < 10; i++) {
        const char *s = name(i);

        while (*s)
            letters += *s++ * (i + 4);
    }
    CHECK(letters == 32523);
    CHECK(power(31 + zero) == 0x80000000u && power(3 + zero) == 8);
    CHECK(power(4 + zero) == 0 && power(-1 + zero) == 0 && power(32) == 0);
    for (i = -1 + zero; i < 7; i++) {
        int first = pair(i, &second, &third);

        sum = sum * 3 + (unsigned)(first * 5 + second + (int)(third * 4));
    }
    CHECK(pair(5 + zero, &second, &third) == 1 && second == 8);
    CHECK(third == 0 && 1 / third < 0);
    CHECK(pair(6 + zero, &second, &third) == 0 && third == 1e6);
    printf("switch_lookup %u\n", sum);
    return 0;
}
