// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dependences carried from one iteration to a later one, at distances 1, 2, 4
// and unknown: loop-vectorize, loop-distribute, loop-load-elim, loop-fusion.

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

static void prefix(int *v, int n)
{
    for (int i = 1; i < n; i++)
        v[i] += v[i - 1];
}

static void distance(int *v, int n, int d)
{
    for (int i = d; i < n; i++)
        v[i] = v[i - d] * 3 + v[i];
}

static void distance4(int *v, int n)
{
    for (int i = 4; i < n; i++)
        v[i] = v[i - 4] + 1;
}

/* Reads ahead of the writes: fine to widen. */
static void ahead(int *v, int n)
{
    for (int i = 0; i + 1 < n; i++)
        v[i] = v[i + 1] * 2;
}

/* Two statements; the second needs all or none of the first. */
static void two_statements(int *a, int *b, int n)
{
    for (int i = 1; i < n; i++) {
        a[i] = b[i - 1] + i;
        b[i] = a[i - 1] * 2;
    }
}

/* Two loops that must not be fused: the second reads ahead. */
static void fused(int *a, int *b, int n)
{
    for (int i = 0; i < n; i++)
        a[i] += i;
    for (int i = 0; i < n; i++)
        b[i] = i + 2 < n ? a[i + 2] : -1;
}

/* First-order recurrences through scalars. */
static u32 recurrence(const u32 *v, int n)
{
    u32 last = 1, before = 2, s = 0;

    for (int i = 0; i < n; i++) {
        s += v[i] * last - before;
        before = last;
        last = v[i];
    }
    return s * 31 + last + before;
}

static u32 digest(const int *v, int n)
{
    u32 h = 0;

    while (n--)
        h = h * 31 + (u32)*v++;
    return h;
}

int main(void)
{
    int a[32], b[32];
    u32 u[20], h = 0;

    for (int i = 0; i < 32; i++)
        a[i] = b[i] = 1 + zero;
    prefix(a, 32);
    CHECK(a[31] == 32 && a[10] == 11);
    prefix(a, 1 + zero);
    prefix(a, 32 - zero);
    CHECK(a[31] == 528);
    for (int d = 1; d < 10; d++) {
        int x[32];

        for (int i = 0; i < 32; i++)
            a[i] = x[i] = i % 3;
        distance(a, 14 + d, d + zero);
        for (int i = d; i < 14 + d; i++) {
            volatile int old = x[i - d];

            x[i] += old * 3;
        }
        CHECK(digest(a, 32) == digest(x, 32));
        h ^= digest(a, 32);
    }
    for (int i = 0; i < 32; i++)
        a[i] = i;
    distance4(a, 31 - zero);
    CHECK(a[30] == 2 + 7 && a[31] == 31 && a[7] == 4);
    ahead(b, 32 - zero);
    CHECK(b[0] == 2 && b[30] == 2 && b[31] == 1);
    for (int i = 0; i < 32; i++)
        a[i] = b[i] = i;
    two_statements(a, b, 8 + zero);
    for (int i = 0; i < 5; i++)
        CHECK(a[i] == (i == 0 ? 0 : b[i - 1] + i));
    CHECK(a[8] == 8 && b[7] == a[6] * 2 && b[8] == 8);
    h ^= digest(a, 10) * 3 + digest(b, 10);
    fused(a, b, 9 - zero);
    CHECK(b[8] == -1 && b[7] == -1 && b[6] == a[8] && b[0] == a[2]);
    for (int i = 0; i < 20; i++)
        u[i] = (u32)(i * i + zero);
    CHECK(recurrence(u, zero) == 3 && recurrence(u, 3) == 36);
    CHECK(recurrence(u, 1) == (0u - 2) * 31 + 1);
    h ^= recurrence(u, 20 - zero);
    printf("loop_carried %08x\n", h);
    return 0;
}
