// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Objects read and written through character pointers and may_alias types
// between typed accesses: TBAA users such as gvn, dse, licm, memcpyopt.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef struct { short lo, hi; } __attribute__((may_alias)) any_pair;

static volatile int zero = 0;

/* p may be the bytes of *v: v cannot stay in a register. */
static __attribute__((noinline)) int poke(int *v, u8 *p, int n)
{
    int i, sum = 0;

    for (i = 0; i < n; i++) {
        *v += 0x01010101;
        p[i] = (u8)(p[i] ^ 0x55);
        sum += *v;
    }
    return sum;
}

/* The bound may change with each store. */
static __attribute__((noinline)) int clear(u8 *p, const int *count)
{
    int i;

    for (i = 0; i < *count; i++)
        p[i] = 0;
    return i;
}

static __attribute__((noinline)) unsigned swap_words(unsigned *w, any_pair *h)
{
    unsigned before = *w;
    short t = h->lo;

    h->lo = h->hi;
    h->hi = t;
    return before ^ *w;
}

/* bytes may be part of either number. */
static __attribute__((noinline)) int overlay(int *x, long *y, u8 *bytes)
{
    *x = 1;
    *y = 2;
    bytes[0] = 30;
    *y = *y + 4;
    return *x * 100 + (int)*y;
}

int main(void)
{
    int v = 0x10203040 + zero, i = 0, n;
    long l = 0;
    unsigned w = 0x12345678u + (unsigned)zero;
    u8 buf[8];
    u8 *p = (u8 *)&v;

    n = poke(&v, p, 4);
    CHECK(p[0] == (0x41 ^ 0x55) + 3 && p[1] == (0x32 ^ 0x55) + 2);
    CHECK(p[2] == (0x23 ^ 0x55) + 1 && p[3] == (0x14 ^ 0x55));
    CHECK(n == 0x11213114 + 0x12226715 + 0x13766816 + 0x41776917);
    v = 0x10203040 + zero;
    CHECK(poke(&v, (u8 *)&i, 4) == 0x4a8acb0a);
    CHECK(v == 0x14243444 && i == 0x55555555);

    v = 4;
    CHECK(clear(p, &v) == 1 && v == 0);
    v = 0x0203 + zero;
    CHECK(clear(p, &v) == 2 && v == 0);
    for (i = 0; i < 8; i++)
        buf[i] = 9;
    v = 5 + zero;
    CHECK(clear(buf + 1, &v) == 5 && v == 5 && buf[0] == 9 && buf[1] == 0);
    CHECK(buf[5] == 0 && buf[6] == 9);

    CHECK(swap_words(&w, (any_pair *)&w) == (0x12345678u ^ 0x56781234u));
    CHECK(w == 0x56781234u);
    CHECK(overlay(&v, &l, buf) == 106 && buf[0] == 30);
    CHECK(overlay(&v, &l, p) == 3006 && overlay(&v, &l, (u8 *)&l) == 134);
    printf("alias_char %08x %d\n", w, n);
    return 0;
}
