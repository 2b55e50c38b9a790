// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products in several loop orders, tiled, and determinants by
// elimination: loop-interchange, unroll-and-jam, slp and loop vectorizers.

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

enum { N = 9 };

static volatile int zero = 0;

static void ijk(int (*c)[N], int (*a)[N], int (*b)[N], int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            c[i][j] = 0;
            for (int k = 0; k < n; k++)
                c[i][j] += a[i][k] * b[k][j];
        }
}

static void kij(int (*c)[N], int (*a)[N], int (*b)[N], int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            c[i][j] = 0;
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++) {
            int x = a[i][k];

            for (int j = 0; j < n; j++)
                c[i][j] += x * b[k][j];
        }
}

static void tiled(int (*c)[N], int (*a)[N], int (*b)[N], int n)
{
    for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++)
            c[i][j] = 0;
    for (int ii = 0; ii < n; ii += 4)
        for (int kk = 0; kk < n; kk += 4)
            for (int i = ii; i < n && i < ii + 4; i++)
                for (int k = kk; k < n && k < kk + 4; k++)
                    for (int j = 0; j < n; j++)
                        c[i][j] += a[i][k] * b[k][j];
}

/* By fraction-free elimination; every division is exact. */
static long long determinant(int (*a)[N], int n)
{
    long long m[N][N], last = 1, sign = 1;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            m[i][j] = a[i][j];
    for (int k = 0; k + 1 < n; k++) {
        if (m[k][k] == 0) {
            int r = k + 1;

            while (r < n && m[r][k] == 0)
                r++;
            if (r == n)
                return 0;
            for (int j = 0; j < n; j++) {
                long long t = m[k][j];

                m[k][j] = m[r][j];
                m[r][j] = t;
            }
            sign = -sign;
        }
        for (int i = k + 1; i < n; i++)
            for (int j = k + 1; j < n; j++)
                m[i][j] = (m[i][j] * m[k][k] - m[i][k] * m[k][j]) / last;
        last = m[k][k];
    }
    return sign * m[n - 1][n - 1];
}

int main(void)
{
    int a[N][N], b[N][N], c[N][N], d[N][N];
    u32 h = 0;

    for (int n = 1; n <= N; n += 4) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                a[i][j] = (i * 7 + j * 3 + zero) % 11 - 5;
                b[i][j] = (i * j + zero) % 5 - 2;
            }
        ijk(c, a, b, n);
        kij(d, a, b, n);
        for (int i = 0; i < n * n; i++)
            CHECK(c[i / n][i % n] == d[i / n][i % n]);
        tiled(d, a, b, n);
        for (int i = 0; i < n * n; i++) {
            CHECK(c[i / n][i % n] == d[i / n][i % n]);
            h = h * 31 + (u32)c[i / n][i % n];
        }
    }
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            a[i][j] = i == j ? i + zero : 1 + (i * j + i + i * i) % 4;
    CHECK(determinant(a, 1) == 0 && determinant(a, 2 + zero) == -3);
    CHECK(determinant(a, 5 - zero) == 20);
    printf("matrix %08x %lld\n", h, determinant(b, 5 - zero));
    return 0;
}
