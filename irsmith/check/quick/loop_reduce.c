// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions of several kinds and widths, with trip counts around the vector
// width: loop-vectorize, slp-vectorizer, indvars, loop-unroll, licm.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned u32;
typedef long long i64;

static volatile int zero = 0;

static u32 add(const u32 *v, int n)
{
    u32 s = 0;

    for (int i = 0; i < n; i++)
        s += v[i];
    return s;
}

static int minimum(const int *v, int n, int *where)
{
    int m = v[0];

    *where = 0;
    for (int i = 1; i < n; i++)
        if (v[i] < m) {
            m = v[i];
            *where = i;
        }
    return m;
}

static u8 wrap_bytes(const u8 *v, int n)
{
    u8 s = 0;

    for (int i = 0; i < n; i++)
        s += v[i];
    return s;
}

static i64 widen(const i16 *a, const i8 *b, int n)
{
    i64 s = 0;

    for (int i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

static int all_any(const u8 *v, int n)
{
    int all = 1, any = 0, parity = 0;

    for (int i = 0; i < n; i++) {
        all &= v[i] != 0;
        any |= v[i] > 250;
        parity ^= v[i] & 1;
    }
    return all * 4 + any * 2 + parity;
}

/* Conditional, with a multiply in one arm only. */
static int conditional(const int *v, int n)
{
    int s = 0;

    for (int i = 0; i < n; i++) {
        if (v[i] > 0)
            s += v[i] * 3;
        else if (v[i] < -5)
            s -= 1;
    }
    return s;
}

/* In floating point the order counts: 2**53 swallows each single one. */
static double ordered(const double *v, int n)
{
    double s = 9007199254740992.0;

    for (int i = 0; i < n; i++)
        s += v[i];
    return s;
}

int main(void)
{
    u32 u[40], hash = 1;
    int s[40], where;
    u8 b[40];
    i8 c[40];
    i16 h[40];
    double d[40];

    for (int i = 0; i < 40; i++) {
        u[i] = (u32)(i + zero) * 2654435761u;
        s[i] = (i * 37 + 11 + zero) % 41 - 20;
        b[i] = (u8)(i * 50 + 7);
        c[i] = (i8)(i * 9 - 128);
        h[i] = (i16)(30000 - i * 1500);
        d[i] = i % 2 ? 1.0 : 0.5;
    }
    CHECK(add(u, zero) == 0 && ordered(d, 0) > 1);
    CHECK(add(u, 40) == 780u * 2654435761u && add(u, 1 + zero) == 0);
    for (int n = 1; n <= 40; n++) {
        i64 expect = 0;
        u32 sum = 0;
        int bytes = 0;

        for (int i = n - 1; i >= 0; i--) {
            volatile int x = h[i], y = c[i];

            expect += (i64)x * y;
            sum += u[i];
            bytes += b[i];
        }
        CHECK(add(u, n) == sum);
        CHECK(wrap_bytes(b, n) == (u8)bytes);
        CHECK(widen(h, c, n) == expect);
        hash = hash * 31 + (u32)conditional(s, n) + (u32)all_any(b, n);
        hash = hash * 31 + (u32)minimum(s, n, &where) + (u32)where;
    }
    CHECK(minimum(s, 40 + zero, &where) == -20 && where == 13);
    CHECK(ordered(d, 40 + zero) == 9007199254740992.0);
    d[7] = 2.0 + zero;
    CHECK(ordered(d, 40) == 9007199254740996.0);
    printf("loop_reduce %08x\n", hash);
    return 0;
}
