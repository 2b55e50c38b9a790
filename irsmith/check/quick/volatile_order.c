// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Volatile objects: every access happens, once, in order and in its width;
// device-like registers and casts. dse, gvn, licm.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned u32;

static volatile u32 reg;
static volatile u8 bytes[8];
static volatile int flag;
static int plain;
static volatile struct {
    int a, b;
    volatile int *link;
} dev;

static u32 store_twice(u32 v)
{
    reg = v;
    reg = v + 1;
    u32 a = reg;
    u32 b = reg;
    reg = a;
    return reg + b;
}

/* The loop has to read each time round; the body's store ends it. */
static int poll(int rounds)
{
    volatile int *p = &flag;
    int n = 0;

    *p = 0;
    while (!*p) {
        n++;
        if (n >= rounds)
            *p = 1;
        plain = n;
    }
    return n;
}

static int through_cast(int *p)
{
    *(volatile int *)p = 5;
    *p = 6;
    int a = *(volatile int *)p;
    *(volatile int *)p = a + 1;
    return *p * 10 + a;
}

static u32 sum_volatile(const volatile u8 *p, int n)
{
    u32 s = 0;

    for (int i = 0; i < n; i++) {
        s = s * 3 + p[i];
        s += p[i];
    }
    return s;
}

static int unused_reads(void)
{
    volatile int local = 3;

    (void)local;
    local;
    local += 2;
    local++;
    if (local)
        ;
    return local;
}

static void invariant_store(volatile u8 *p, int n)
{
    for (int i = 0; i < n; i++) {
        *p = (u8)(*p + 1);
        p[1] = 9;
    }
}

int main(void)
{
    int v = 1, i;
    u32 h;

    CHECK(store_twice(reg + 7) == 16 && reg == 8);
    CHECK(poll(5 + flag) == 5 && plain == 5 && flag == 1);
    CHECK(poll(0) == 1);
    CHECK(through_cast(&v) == 76 && v == 7);
    for (i = 0; i < 8; i++)
        bytes[i] = (u8)(i * 40);
    CHECK(bytes[7] == 24 && bytes[6] == 240);
    h = sum_volatile(bytes, 8);
    CHECK(h == sum_volatile(bytes, 7) * 3 + 48);
    CHECK(unused_reads() == 6);
    bytes[0] = 250;
    bytes[1] = 0;
    invariant_store(bytes, 10);
    CHECK(bytes[0] == 4 && bytes[1] == 9 && bytes[2] == 80);
    dev.a = 4;
    dev.b = dev.a = dev.a + 1;
    dev.link = &dev.a;
    *dev.link = dev.b + 2;
    CHECK(dev.a == 7 && dev.b == 5 && *dev.link == 7);
    dev.link++;
    CHECK(*dev.link == 5);
    dev.link = &flag;
    *dev.link = 77;
    CHECK(flag == 77 && dev.b == 5);
    printf("volatile_order %u %d\n", h, plain);
    return 0;
}
