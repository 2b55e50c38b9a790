// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// restrict used as it should be, noalias arguments that are inlined, partial
// overlap ruled out by offsets: scoped noalias, loop-vectorize, licm, dse.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int zero = 0;

static void axpy(int n, int a, const int *restrict x, int *restrict y)
{
    int i;

    for (i = 0; i < n; i++)
        y[i] += a * x[i];
}

/* The same object may be read through both as long as nobody writes it. */
static int dot(int n, const int *restrict x, const int *restrict y)
{
    int i, s = 0;

    for (i = 0; i < n; i++)
        s += x[i] * y[i];
    return s;
}

/* Without restrict: x and y may be neighbours, so order matters. */
static void shift_add(int n, const int *x, int *y)
{
    int i;

    for (i = 0; i < n; i++)
        y[i] = x[i] + 1;
}

static __attribute__((noinline)) int accumulate(int *restrict sum,
                                                const int *restrict v, int n)
{
    int i;

    *sum = 0;
    for (i = 0; i < n; i++)
        *sum += v[i];
    return *sum;
}

/* Inlined twice with the roles exchanged. */
static inline void exchange(int *restrict a, int *restrict b)
{
    int t = *a;

    *a = *b;
    *b = t;
}

static int rotate3(int *p, int *q, int *r)
{
    exchange(p, q);
    exchange(q, r);
    if (*p > *r)
        exchange(r, p);
    return *p * 100 + *q * 10 + *r;
}

/* restrict lives in an inner block only: outside the pointers may meet. */
static int scoped(int *p, int n)
{
    int i;

    for (i = 1; i < n; i++) {
        int *restrict here = p + i;
        const int *restrict before = p + i - 1;

        *here += *before * 2;
    }
    return p[n - 1];
}

struct ring {
    int *restrict head;
    int *restrict tail;
};

int main(void)
{
    int a[40], b[40], i, s;
    struct ring r;

    for (i = 0; i < 40; i++) {
        a[i] = i * i % 13 + zero;
        b[i] = 100 - i;
    }
    axpy(33 + zero, 3, a, b);
    for (i = 0; i < 40; i++)
        CHECK(b[i] == 100 - i + (i < 33 ? 3 * (i * i % 13) : 0));
    axpy(20, -1, a, a + 20);
    CHECK(a[20] == 400 % 13 && a[23] == 529 % 13 - 9 && a[39] == 0 - 361 % 13);
    CHECK(dot(20, a, a) == dot(20 + zero, a, a));
    s = dot(40, a, b);

    for (i = 0; i < 40; i++)
        a[i] = i;
    shift_add(39, a, a + 1);
    CHECK(a[39] == 39 && a[7] == 7);
    a[0] = 5 + zero;
    shift_add(39, a, a + 1);
    CHECK(a[39] == 44 && a[1] == 6);
    shift_add(39, a + 1, a);
    CHECK(a[0] == 7 && a[38] == 45 && a[39] == 44);
    CHECK(accumulate(&a[39], a, 39) == 39 * 26 && a[39] == 1014);
    a[0] = 1;
    a[1] = 2;
    a[2] = 3 + zero;
    CHECK(rotate3(a, a + 1, a + 2) == 132);
    CHECK(a[0] == 1 && a[1] == 3 && a[2] == 2);
    for (i = 0; i < 10; i++)
        a[i] = 1;
    CHECK(scoped(a, 10 + zero) == 1023 && a[3] == 15);
    r.head = a;
    r.tail = b + zero;
    b[0] = 2;
    printf("alias_restrict %d %d\n", s, a[4]);
    return 0;
}
