// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tail calls with accumulators, behind a local whose address escapes, and
// deep recursion: tailcallelim, memory lifetimes.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned u32;
typedef unsigned long long u64;

static volatile int zero = 0;

static u64 factorial(u32 n, u64 acc)
{
    return n < 2 ? acc : factorial(n - 1, acc * n);
}

/* Each level's local is still looked at by the next: no tail call. */
static int chained(int n, const int *outer)
{
    int mine = n + *outer;

    if (n == 0)
        return mine;
    return chained(n - 1, &mine);
}

static int deepest(const int *const *links, int n)
{
    int sum = 0;

    while (n--)
        sum = sum * 2 + *links[n];
    return sum;
}

/* All locals alive at once, through pointers kept in an array. */
static int gather(const int **links, int n, int limit)
{
    int mine = n * n;

    links[n] = &mine;
    if (n + 1 == limit)
        return deepest(links, limit);
    return gather(links, n + 1, limit) + 0;
}

static void count_down(int n, int *out)
{
    if (n < 0)
        return;
    *out++ = n;
    count_down(n - 1, out);
}

static int collatz(u64 n, int steps)
{
    if (n == 1)
        return steps;
    if (n % 2)
        return collatz(3 * n + 1, steps + 1);
    return collatz(n / 2, steps + 1);
}

static double average(const double *v, int n, double sum, int seen)
{
    if (seen == n)
        return n ? sum / n : -1;
    return average(v, n, sum + v[seen], seen + 1);
}

static int deep(int n)
{
    volatile int here = n;

    return n == 0 ? 0 : (deep(n - 1) + here) % 1009;
}

int main(void)
{
    const int *links[8];
    double v[5] = {1, 2, 4, 8, 16};
    int down[12], start = 100 + zero, i;

    CHECK(factorial(20, 1 + (u64)zero) == 2432902008176640000ULL);
    CHECK(factorial((u32)zero, 7) == 7);
    CHECK(chained(10 + zero, &start) == 155);
    CHECK(gather(links, zero, 1) == 0 && gather(links, zero, 4) == 90);
    CHECK(gather(links, zero, 8) == 9722);
    for (i = 0; i < 12; i++)
        down[i] = -7;
    count_down(10 + zero, down);
    CHECK(down[0] == 10 && down[10] == 0 && down[11] == -7);
    CHECK(collatz(27 + (u64)zero, 0) == 111 && collatz(1, zero) == 0);
    CHECK(average(v, 5, 0, zero) == 6.2 && average(v, zero, 3, 0) == -1);
    CHECK(deep(900 + zero) == 900 * 901 / 2 % 1009);
    printf("recursion_tail\n");
    return 0;
}
