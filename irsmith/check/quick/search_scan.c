// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Binary search, sieves and scanners with continue and break, and fixed points
// reached by iterating: loop-rotate, jump-threading, simple-loop-unswitch.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

static volatile int zero = 0;

static int lower_bound(const int *v, int n, int what)
{
    int lo = 0, hi = n;

    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;

        if (v[mid] < what)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

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

static int skip_and_stop(const char *s)
{
    int depth = 0, most = 0;

    for (; *s; s++) {
        if (*s == ' ')
            continue;
        if (*s == '(') {
            if (++depth > most)
                most = depth;
            continue;
        }
        if (*s == ')' && --depth < 0)
            break;
    }
    return most * 10 + (*s ? 9 : depth);
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
    static const int sorted[] = {-9, -3, 0, 4, 4, 4, 8, 15, 16, 23, 42};
    static const unsigned char next[] = {3, 5, 2, 4, 1, 6, 7, 4, 0};
    int p[40], n, h = 0, length;

    CHECK(lower_bound(sorted, 11, 4 + zero) == 3);
    CHECK(lower_bound(sorted, 11, 5 + zero) == 6);
    CHECK(lower_bound(sorted, 11, 43 + zero) == 11);
    CHECK(lower_bound(sorted, zero, 43) == 0
          && lower_bound(sorted, 11, -99) == 0);
    n = primes(150 + zero, p);
    CHECK(n == 35 && p[34] == 149 && p[0] == 2 && primes(zero, p) == 0);
    for (int i = 0; i < n; i++)
        h = h * 3 % 100003 + p[i];
    CHECK(skip_and_stop("(a (b c) ((d)))") == 30);
    CHECK(skip_and_stop("(()") == 21 && skip_and_stop("()) (((") == 19);
    CHECK(skip_and_stop("") == 0);
    for (unsigned v = 0; v < 4000000000u; v = v * 3 + 1) {
        unsigned r = isqrt(v + (unsigned)zero);

        CHECK(r * r <= v && v - r * r <= 2 * r);
        h = (h * 5 + (int)r) % 100003;
        if (v > 1300000000u)
            break;
    }
    CHECK(isqrt(~0u - (unsigned)zero) == 65535
          && isqrt(65535u * 65535u) == 65535);
    CHECK(cycle(next, zero, &length) == 4 && length == 5);
    CHECK(cycle(next, 2 + zero, &length) == 2 && length == 1);
    CHECK(cycle(next, 7 + zero, &length) == 7 && length == 5);
    printf("search_scan %d %d\n", h, n);
    return 0;
}
