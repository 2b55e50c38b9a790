// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// memmove over overlapping ranges in both directions, with variable lengths,
// and memcpy chains: memcpyopt, dse, loop-idiom, sroa.

void abort(void) __attribute__((noreturn));
void *memcpy(void *, const void *, __SIZE_TYPE__);
void *memmove(void *, const void *, __SIZE_TYPE__);
int memcmp(const void *, const void *, __SIZE_TYPE__);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

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

int main(void)
{
    struct block s, d;
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
    for (i = 0; i < 12; i++) {
        s.v[i] = i + 4;
        d.v[i] = 0;
    }
    CHECK(chain(&s, &d, 3 + (int)zero) == -113);
    CHECK(memcmp(s.v, d.v, 12) == 0 && memcmp(&s, &d, 16) > 0);
    return 0;
}
