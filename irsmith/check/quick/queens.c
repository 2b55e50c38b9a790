// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Backtracking: queens by arrays, by bit masks and with a stack kept by
// hand, and permutations in order: inliner, tailcallelim, bit tests, globalopt.

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
static int column[12], solutions, first[12];

static int safe(int row, int c)
{
    for (int r = 0; r < row; r++)
        if (column[r] == c || column[r] - c == row - r
            || column[r] - c == r - row)
            return 0;
    return 1;
}

static void place(int row, int n)
{
    if (row == n) {
        if (solutions++ == 0)
            for (int i = 0; i < n; i++)
                first[i] = column[i];
        return;
    }
    for (int c = 0; c < n; c++)
        if (safe(row, c)) {
            column[row] = c;
            place(row + 1, n);
        }
}

static int masks(u32 all, u32 columns, u32 left, u32 right)
{
    int n = 0;

    if (columns == all)
        return 1;
    for (u32 free = all & ~(columns | left | right); free; free &= free - 1) {
        u32 bit = free & -free;

        n += masks(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return n;
}

/* The same search with the stack kept by hand. */
static int iterative(int n)
{
    int at[12], row = 0, found = 0;

    at[0] = -1;
    while (row >= 0) {
        int ok = 0;

        while (!ok && ++at[row] < n) {
            ok = 1;
            for (int r = 0; r < row && ok; r++) {
                int d = at[r] - at[row];

                ok = d != 0 && d != row - r && d != r - row;
            }
        }
        if (!ok) {
            row--;
        } else if (row + 1 == n) {
            found++;
        } else {
            at[++row] = -1;
        }
    }
    return found;
}

/* Next permutation in order; 0 after the last one. */
static int next(int *v, int n)
{
    int i = n - 2, j = n - 1;

    while (i >= 0 && v[i] >= v[i + 1])
        i--;
    if (i >= 0) {
        while (v[j] <= v[i])
            j--;
        int t = v[i];
        v[i] = v[j];
        v[j] = t;
    }
    for (int a = i + 1, b = n - 1; a < b; a++, b--) {
        int t = v[a];

        v[a] = v[b];
        v[b] = t;
    }
    return i >= 0;
}

int main(void)
{
    static const int expect[] = {1, 0, 0, 2, 10, 4, 40};
    int v[6] = {1, 1, 2, 3, 3, zero + 3}, n = 0, h = 0;

    for (int k = 1; k <= 6; k++) {
        solutions = 0;
        place(0, k + zero);
        CHECK(solutions == expect[k - 1]);
        CHECK(iterative(k + zero) == expect[k - 1]);
        CHECK(masks((1u << (k + zero)) - 1, 0, 0, 0) == expect[k - 1]);
    }
    CHECK(masks(0xff, (u32)zero, 0, 0) == 92);
    CHECK(first[0] == 1 && first[1] == 3 && first[3] == 0 && first[5] == 4);
    do {
        n++;
        h = (h * 7 + v[0] * 100 + v[3] * 10 + v[5]) % 100003;
    } while (next(v, 6));
    CHECK(n == 60 && v[0] == 1 && v[5] == 3 && !next(v, 1) && !next(v, zero));
    printf("queens %d\n", h);
    return 0;
}
