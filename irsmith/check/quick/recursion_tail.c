// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tail calls with accumulators, with swapped arguments, behind a local whose
// address escapes, and deep recursion: tailcallelim, memory lifetimes.

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
typedef unsigned long long u64;

static volatile int zero = 0;

static u64 factorial(u32 n, u64 acc)
{
    return n < 2 ? acc : factorial(n - 1, acc * n);
}

/* Not a tail call until an accumulator is introduced. */
static u64 triangle(u32 n)
{
    if (n == 0)
        return 0;
    return n + triangle(n - 1);
}

static u32 product_of_digits(u32 n)
{
    if (n < 10)
        return n;
    return n % 10 * product_of_digits(n / 10);
}

static u32 gcd(u32 a, u32 b)
{
    return b == 0 ? a : gcd(b, a % b);
}

/* The arguments change places: a parallel copy. */
static int weave(int a, int b, int c, int n)
{
    if (n == 0)
        return a * 100 + b * 10 + c;
    if (n & 1)
        return weave(b, a, c, n - 1);
    return weave(c, a, b, n - 1);
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
    int down[12], start = 100 + zero, i, h = 0;

    CHECK(factorial(20, 1 + (u64)zero) == 2432902008176640000ULL);
    CHECK(factorial((u32)zero, 7) == 7);
    CHECK(triangle(1000 + (u32)zero) == 500500 && triangle(0) == 0);
    CHECK(product_of_digits(98765 + (u32)zero) == 15120);
    CHECK(gcd(1071 + (u32)zero, 462) == 21 && gcd((u32)zero, 5) == 5);
    CHECK(gcd(4294967291u, 4294967279u + (u32)zero) == 1);
    CHECK(weave(1, 2, 3, zero) == 123 && weave(1, 2, 3, 1 + zero) == 213);
    CHECK(weave(1, 2, 3, 2 + zero) == 132 && weave(1, 2, 3, 5 + zero) == 213);
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
    for (i = 0; i < 7; i++)
        h = h * 7 + weave(i, 4, 2, i + zero);
    printf("recursion_tail %d\n", h);
    return 0;
}
