// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stores that are dead, or only look so: overwritten in part, read through
// another pointer, on one path, before a call: dse.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
void *memset(void *, int, __SIZE_TYPE__);
void *memcpy(void *, const void *, __SIZE_TYPE__);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned u32;

static volatile int zero = 0;
static int seen, global;

static __attribute__((noinline)) void look(void)
{
    seen = seen * 10 + global;
}

static int around_calls(int v)
{
    global = 1;
    global = v;
    look();
    global = v + 1;
    if (v > 5)
        return global;
    global = v + 2;
    look();
    global = 0;
    return seen;
}

/* The first store is dead on one path only. */
static int one_path(int *p, int which)
{
    *p = 1;
    if (which)
        *p = 2;
    else
        p[1] = 3;
    return p[0] * 10 + p[1];
}

/* Bytes written over by shorter and shifted stores. */
static u32 partly(u8 *b)
{
    u32 w = 0x11111111, x = 0x22222222, r;
    unsigned short s = 0x3333;

    memcpy(b, &w, 4);
    memcpy(b + 4, &w, 4);
    memcpy(b + 2, &x, 4);
    memcpy(b + 3, &s, 2);
    b[7] = 0x44;
    b[7] = 0x55;
    memcpy(&r, b + 1, 4);
    return r;
}

static u32 set_then_store(int n)
{
    u8 b[16];
    u32 h = 0;

    memset(b, 1, 16);
    memset(b, 2, 4);
    memset(b + 12, 3, 4);
    b[n] = 9;
    memset(b + 4, 5, 3);
    for (int i = 0; i < 16; i++)
        h = h * 3 + b[i];
    return h;
}

/* May be the same object. */
static int alias(int *p, int *q)
{
    int r;

    *p = 5;
    r = *q;
    *p = 6;
    *q = 7;
    return *p * 100 + r;
}

int main(void)
{
    int v[3] = {0, 50, 0}, x = 4, y = 4;
    u8 b[8];

    CHECK(around_calls(3 + zero) == 35 && global == 0);
    CHECK(around_calls(8 + zero) == 9 && seen == 358 && global == 9);
    CHECK(one_path(v, 1 + zero) == 70 && one_path(v, zero) == 13);
    CHECK(partly(b) == 0x33332211u && b[0] == 0x11 && b[6] == 0x11);
    CHECK(b[5] == 0x22 && b[7] == 0x55);
    CHECK(set_then_store(5 + zero) == set_then_store(4) && zero == 0);
    CHECK(set_then_store(zero) - set_then_store(5) == 7u * 14348907u);
    CHECK(alias(&x, &y) == 604 && x == 6 && y == 7);
    CHECK(alias(&x, zero ? &y : &x) == 705 && x == 7);
    printf("dead_stores %d %u\n", seen, set_then_store(zero));
    return 0;
}
