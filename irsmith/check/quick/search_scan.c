// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sieves, and fixed points and cycles reached by iterating: loop-rotate,
// jump-threading, simple-loop-unswitch.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int zero = 0;

static int primes(int limit, int *out)
{
    int n = 0;

    for (int c = 2; c < limit; c++) {
        int is_prime = 1;

        for (int i = 0; i < n && out[i] * out[i] <= c; i++)
            if (c % out[i] == 0) {
                is_prime = 0;
                break;
            }
        if (is_prime)
            out[n++] = c;
    }
    return n;
}

/* Bisection for the integer square root. */
static unsigned isqrt(unsigned v)
{
    unsigned lo = 0, hi = 65536;

    while (hi - lo > 1) {
        unsigned mid = (lo + hi) / 2;

        if (mid * mid <= v)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* Cycle finding with two runners. */
static int cycle(const unsigned char *next, int start, int *length)
{
    int slow = start, fast = start, at = start;

    do {
        slow = next[slow];
        fast = next[next[fast]];
    } while (slow != fast);
    for (; at != slow; slow = next[slow])
        at = next[at];
    *length = 0;
    do {
        slow = next[slow];
        ++*length;
    } while (slow != at);
    return at;
}

int main(void)
{
    static const unsigned char next[] = {3, 5, 2, 4, 1, 6, 7, 4, 0};
    int p[40], n, h = 0, length;

    n = primes(150 + zero, p);
    CHECK(n == 35 && p[34] == 149 && p[0] == 2 && primes(zero, p) == 0);
    for (int i = 0; i < n; i++)
        h = h * 3 % 100003 + p[i];
    CHECK(isqrt(~0u - (unsigned)zero) == 65535
          && isqrt(65535u * 65535u) == 65535);
    CHECK(cycle(next, zero, &length) == 4 && length == 5);
    CHECK(cycle(next, 2 + zero, &length) == 2 && length == 1);
    CHECK(cycle(next, 7 + zero, &length) == 7 && length == 5);
    printf("search_scan %d %d\n", h, n);
    return 0;
}
