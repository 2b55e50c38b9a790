// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops with invariant and partly invariant conditions, and hoistable but
// guarded work such as division: simple-loop-unswitch, licm, gvn-hoist.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

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
    int cell = zero, other = 0;

    CHECK(modes(v, 10, zero, 0, 0) == 27 && modes(v, 10, 1, 0, zero) == -27);
    CHECK(modes(v, 10, 1, 1 + zero, 0) == 207);
    CHECK(modes(v, 10, zero, 1, 20) == 9 + 1 + 16 + 1);
    CHECK(modes(v, zero, 1, 1, 1) == 0 && modes(v, 10, 1 + zero, 0, 4) == -7);
    CHECK(guarded(v, 10, zero) == -27 && guarded(v, 10, 7 + zero) == 27 + 140);
    CHECK(guarded(v, 10, -101 - zero) == 27 && guarded(v, zero, 0) == 0);
    CHECK(partial(&cell, &other, 8) == 8 && other == 4);
    CHECK(partial(&cell, &cell, 8 + zero) == 5 + 30 && cell == 4);
    CHECK(partial(&cell, &other, 3) == 30);
    printf("loop_unswitch\n");
    return 0;
}
