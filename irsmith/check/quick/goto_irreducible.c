// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops entered at two places and crossing gotos: fix-irreducible,
// structurizecfg, jump-threading, loop passes that assume one header.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile unsigned zero = 0;

/* A loop of two blocks that can be entered at either. */
static unsigned two_doors(int second, unsigned n, unsigned v)
{
    if (second)
        goto b;
a:
    v = v * 3 + 1;
    if (n-- == 0)
        return v;
b:
    v ^= v >> 2;
    v += n;
    if (v % 7 != 3)
        goto a;
    return ~v;
}

/* The same as one reducible loop, to compare with. */
static unsigned two_doors_flat(int second, unsigned n, unsigned v)
{
    int at_a = !second;

    for (;;) {
        if (at_a) {
            v = v * 3 + 1;
            if (n-- == 0)
                return v;
            at_a = 0;
        } else {
            v ^= v >> 2;
            v += n;
            if (v % 7 == 3)
                return ~v;
            at_a = 1;
        }
    }
}

/* Three blocks, each reachable from the others and from outside. */
static unsigned ring(unsigned start, unsigned v, int *trace)
{
    unsigned fuel = 40;
    int t = 0;

    if (start == 1)
        goto one;
    if (start == 2)
        goto two;
zero_:
    t = (t * 4 + 1) & 0xffffff;
    v += 5;
    if (--fuel == 0)
        goto out;
    if (v & 1)
        goto two;
one:
    t = (t * 4 + 2) & 0xffffff;
    v = v * 7 + fuel;
    if (v % 5 == 0)
        goto out;
    if (v & 2)
        goto zero_;
two:
    t = (t * 4 + 3) & 0xffffff;
    v ^= v >> 3;
    if (v & 4)
        goto one;
    if (--fuel != 0)
        goto zero_;
out:
    *trace = t;
    return v;
}

/* A jump out of the middle of one loop into the middle of another. */
static int crossing(const int *a, int n, int limit)
{
    int i, j, sum = 0;

    for (i = 0; i < n; i++) {
        sum += a[i];
        if (sum > limit) {
            j = i;
            goto inside;
        }
    }
    return sum;
    for (j = 0; j < n; j++) {
        sum -= a[j];
    inside:
        sum ^= j;
        if (sum < 0)
            goto again;
    }
    return 1000 + sum;
again:
    if (++i < n) {
        sum = a[i];
        goto inside;
    }
    return -sum;
}

int main(void)
{
    static const int data[] = {4, 9, 2, 7, 7, 1, 8, 3};
    unsigned s, n, hash = 5;
    int trace = 0;

    for (s = 0; s < 24; s++) {
        for (n = 0; n < 6; n++) {
            unsigned r = two_doors(s & 1, n + 3, s + zero);

            CHECK(r == two_doors_flat(s & 1, n + 3, s + zero));
            hash = hash * 33 + r;
        }
        hash = hash * 33 + ring(s % 3, s + zero, &trace);
        hash += (unsigned)trace;
    }
    CHECK(ring(1, 2 + zero, &trace) == 146915 && trace == 0xe6779e);
    CHECK(two_doors(0, zero, 4) == 13);
    CHECK(crossing(data, 8, 1000) == 41);
    CHECK(crossing(data, 8, 10 + (int)zero) == 1000);
    CHECK(crossing(data, 8, 34 + (int)zero) == 1026);
    printf("goto_irreducible %08x\n", hash);
    return 0;
}
