// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops that are memset, memcpy or memmove in disguise, in several widths,
// and near misses that are not: loop-idiom, loop-distribute, memcpyopt, dse.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;

static volatile u32 zero = 0;

static void set_bytes(u8 *p, u8 v, u32 n)
{
    for (u32 i = 0; i < n; i++)
        p[i] = v;
}

static void set_shorts(u16 *p, u16 v, u32 n)
{
    for (u32 i = 0; i < n; i++)
        p[i] = v;
}

static void copy(u8 *to, const u8 *from, u32 n)
{
    for (u32 i = 0; i < n; i++)
        to[i] = from[i];
}

static void copy_back(u8 *to, const u8 *from, u32 n)
{
    while (n-- > 0)
        to[n] = from[n];
}

/* Each byte is copied from the one just written: a fill, not a copy. */
static void smear(u8 *p, u32 n, u32 distance)
{
    for (u32 i = distance; i < n; i++)
        p[i] = p[i - distance];
}

/* The bound lies in the memory that is set. */
static u32 self_bound(u8 *p)
{
    u32 i;

    for (i = 0; i < p[8]; i++)
        p[i] = 3;
    return i;
}

struct cell {
    u16 key;
    u8 state, pad;
};

static void clear_cells(struct cell *c, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        c[i].key = 0;
        c[i].state = 0;
    }
}

int main(void)
{
    u8 a[48], b[48];
    u16 s[20];
    struct cell c[6];
    u32 i, n, h = 0;

    for (n = 0; n < 40; n += 1 + n / 3) {
        set_bytes(b, 0xEE, 48);
        set_bytes(b + 3, (u8)(n + zero), n);
        for (i = 0; i < 48; i++)
            CHECK(b[i] == (i >= 3 && i < 3 + n ? n : 0xEE));
        for (i = 0; i < 48; i++)
            a[i] = (u8)(i * 5 + n);
        copy(b + 1, a + 2, n + zero);
        copy_back(b + 2, b + 1, n + zero);
        for (i = 0; i < n; i++)
            CHECK(b[i + 2] == a[i + 2]);
        copy(a + 1, a, n + zero);
        for (i = 0; i <= n; i++)
            CHECK(a[i] == (u8)n);
        for (i = 1; i < 5; i++) {
            copy(b, (const u8 *)"abcdefghij", 10);
            smear(b, 10 + n / 2 + zero, i);
            CHECK(b[9] == "abcd"[9 % i] && b[i - 1] == "abcd"[i - 1]);
        }
        for (i = 0; i < 48; i++)
            h = h * 31 + b[i];
    }
    set_shorts(s, 0x1234, 20 - zero);
    set_shorts(s + 2, 0x5555, 9 + zero);
    CHECK(s[1] == 0x1234 && s[2] == 0x5555 && s[10] == 0x5555
          && s[11] == 0x1234);
    a[8] = (u8)(5 + zero);
    CHECK(self_bound(a) == 5 && a[4] == 3 && a[8] == 5);
    a[8] = (u8)(20 + zero);
    CHECK(self_bound(a) == 9 && a[8] == 3);
    for (i = 0; i < 6; i++) {
        c[i].key = (u16)(i + 500);
        c[i].state = 9;
        c[i].pad = (u8)(70 + i);
    }
    clear_cells(c + 1, 4 - zero);
    CHECK(c[0].key == 500 && c[5].state == 9 && c[1].key == 0
          && c[4].state == 0);
    CHECK(c[1].pad == 71 && c[4].pad == 74);
    printf("loop_idiom %08x\n", h);
    return 0;
}
