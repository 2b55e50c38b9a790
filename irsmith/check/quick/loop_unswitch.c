// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops with invariant conditions, nested and partly invariant, and hoistable
// but guarded work such as division: simple-loop-unswitch, licm, gvn-hoist.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned u32;

static volatile int zero = 0;

static int modes(const int *v, int n, int negate, int square, int limit)
{
    int s = 0;

    for (int i = 0; i < n; i++) {
        int x = v[i];

        if (negate)
            x = -x;
        if (square)
            x *= x;
        if (limit && x > limit)
            break;
        s += x;
    }
    return s;
}

/* The division may only happen where the guard lets it. */
static int guarded(const int *v, int n, int d)
{
    int s = 0;

    for (int i = 0; i < n; i++)
        if (d != 0)
            s += v[i] + 100 / d;
        else
            s -= v[i];
    return s;
}

/* The load may only happen where the pointer is there. */
static int optional(const int *v, int n, const int *extra)
{
    int s = 0;

    for (int i = 0; i < n; i++) {
        s += v[i];
        if (extra)
            s += *extra;
        if (i == 2)
            extra = 0;
    }
    return s;
}

static int by_switch(const int *v, int n, int op)
{
    int s = 1;

    for (int i = 0; i < n; i++) {
        switch (op) {
        case 0: s += v[i]; break;
        case 1: s ^= v[i]; break;
        case 2: s = s * 3 + v[i]; break;
        case 3:
            if (v[i] == 5)
                return s * 100;
            break;
        case 4: continue;
        default: return -op;
        }
        s++;
    }
    return s;
}

static int nested(int n, int m, int a, int b)
{
    int s = 0;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) {
            if (a > i)
                s += 1;
            if (b && a < 3)
                s += 100;
            if (b == j)
                goto next;
            s += 10000;
        next:;
        }
    return s;
}

/* The condition is loaded each time and may change through the store. */
static int partial(int *cell, int *out, int n)
{
    int s = 0;

    for (int i = 0; i < n; i++) {
        if (*cell) {
            s += 10;
        } else {
            *out = i & 4;
            s += 1;
        }
    }
    return s;
}

int main(void)
{
    static const int v[] = {3, -1, 4, 1, -5, 9, 2, 6, 5, 3};
    int cell = zero, other = 0, h = 0, five = 5 + zero;

    CHECK(modes(v, 10, zero, 0, 0) == 27 && modes(v, 10, 1, 0, zero) == -27);
    CHECK(modes(v, 10, 1, 1 + zero, 0) == 207);
    CHECK(modes(v, 10, zero, 1, 20) == 9 + 1 + 16 + 1);
    CHECK(modes(v, zero, 1, 1, 1) == 0 && modes(v, 10, 1 + zero, 0, 4) == -7);
    CHECK(guarded(v, 10, zero) == -27 && guarded(v, 10, 7 + zero) == 27 + 140);
    CHECK(guarded(v, 10, -101 - zero) == 27 && guarded(v, zero, 0) == 0);
    CHECK(optional(v, 10, 0) == 27 && optional(v, 10, &five) == 27 + 15);
    CHECK(optional(v, 2 + zero, &five) == 12);
    for (int op = 0; op < 6; op++)
        h = h * 7 + by_switch(v, 10, op + zero) % 1000;
    CHECK(by_switch(v, 10, zero) == 38 && by_switch(v, 10, 3 + zero) == 900);
    CHECK(by_switch(v, 10, 4 + zero) == 1 && by_switch(v, 10, 9 + zero) == -9);
    CHECK(by_switch(v, 8, 3 + zero) == 9);
    CHECK(nested(4, 3 + zero, 2, 1) == 6 + 1200 + 80000);
    CHECK(nested(4, 3, 5 + zero, 0) == 12 + 80000);
    CHECK(nested(4, 3, zero, 7) == 1200 + 120000);
    CHECK(partial(&cell, &other, 8) == 8 && other == 4);
    CHECK(partial(&cell, &cell, 8 + zero) == 5 + 30 && cell == 4);
    CHECK(partial(&cell, &other, 3) == 30);
    printf("loop_unswitch %d\n", h);
    return 0;
}
