// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// memmove over overlapping ranges in both directions, with constant and
// variable lengths, and memcpy chains: memcpyopt, dse, loop-idiom, sroa.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
void *memcpy(void *, const void *, __SIZE_TYPE__);
void *memmove(void *, const void *, __SIZE_TYPE__);
void *memset(void *, int, __SIZE_TYPE__);
int memcmp(const void *, const void *, __SIZE_TYPE__);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned char u8;

static volatile unsigned zero = 0;

static void fill(u8 *p, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++)
        p[i] = (u8)(i * 11 + 3);
}

static void check_moved(unsigned from, unsigned to, unsigned n)
{
    u8 a[64], b[64];
    unsigned i;

    fill(a, 64);
    fill(b, 64);
    memmove(a + to, a + from, n);
    for (i = 0; i < 64; i++) {
        if (i >= to && i < to + n)
            CHECK(a[i] == b[i - to + from]);
        else
            CHECK(a[i] == b[i]);
    }
}

/* Constant sizes, so that they become loads and stores. */
static unsigned fixed(void)
{
    u8 a[32];
    unsigned i, h = 0;

    fill(a, 32);
    memmove(a + 1, a, 16);
    memmove(a + 3, a + 5, 8);
    memmove(a + 20, a + 19, 4);
    memmove(a, a + 2, 1 + zero);
    for (i = 0; i < 32; i++)
        h = h * 31 + a[i];
    return h;
}

static unsigned fixed_by_hand(void)
{
    u8 a[32];
    int i;
    unsigned h = 0;

    fill(a, 32);
    for (i = 16; i >= 1; i--)
        a[i] = a[i - 1];
    for (i = 3; i < 11; i++)
        a[i] = a[i + 2];
    for (i = 23; i >= 20; i--)
        a[i] = a[i - 1];
    a[0] = a[2];
    for (i = 0; i < 32; i++)
        h = h * 31 + a[i];
    return h;
}

struct block {
    int v[12];
};

/* The copy must not be forwarded past the store to its source. */
static int chain(struct block *src, struct block *dst, int k)
{
    struct block t, u;

    memcpy(&t, src, sizeof t);
    src->v[k] = -1;
    memcpy(&u, &t, sizeof u);
    t.v[k] = -2;
    memcpy(dst, &u, sizeof *dst);
    return src->v[k] * 100 + t.v[k] * 10 + dst->v[k];
}

static int set_then_copy(u8 *p, unsigned n)
{
    u8 t[32];

    memset(t, 7, sizeof t);
    memset(t + 4, 9, n);
    memcpy(p, t, 16);
    memset(p + 2, 1, 4);
    return p[1] * 1000 + p[5] * 100 + p[6] * 10 + p[15];
}

int main(void)
{
    struct block s, d;
    u8 buf[16];
    unsigned n;
    int i;

    for (n = 0; n < 24; n += 5) {
        check_moved(10 + zero, 11, n);
        check_moved(11, 10 + zero, n);
        check_moved(8, 16, n + zero);
        check_moved(20, 3, n + zero);
        check_moved(5, 5 + zero, n);
    }
    check_moved(0, 1, 63);
    check_moved(1, 0, 63);
    CHECK(fixed() == fixed_by_hand());
    for (i = 0; i < 12; i++) {
        s.v[i] = i + 4;
        d.v[i] = 0;
    }
    CHECK(chain(&s, &d, 3 + (int)zero) == -113);
    CHECK(chain(&s, &s, 5) == 900 - 20 + 9);
    CHECK(memcmp(s.v, d.v, 12) == 0 && memcmp(&s, &d, 16) > 0);
    CHECK(set_then_copy(buf, 2 + zero) == 7177);
    CHECK(set_then_copy(buf, 12 + zero) == 7199);
    printf("memmove_overlap %08x\n", fixed());
    return 0;
}
