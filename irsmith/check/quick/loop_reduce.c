// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums and minima, with trip counts around the vector width: loop-vectorize,
// slp-vectorizer, indvars, loop-unroll, licm.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned u32;

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
    CHECK(add(u, zero) == 0);
    CHECK(add(u, 40) == 780u * 2654435761u && add(u, 1 + zero) == 0);
    CHECK(minimum(s, 40 + zero, &where) == -20 && where == 13);
    d[7] = 2.0 + zero;
    printf("loop_reduce %08x\n", hash);
    return 0;
}
