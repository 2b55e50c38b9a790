// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Locals whose address escapes, through calls, globals, structs and integers,
// or seems to: capture tracking, mem2reg, sroa, argpromotion, tailcallelim.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef __UINTPTR_TYPE__ word;

static volatile int zero = 0;
static int *keeper;
static void *vault[4];

static __attribute__((noinline)) void keep(int *p)
{
    keeper = p;
}

static __attribute__((noinline)) void touch(int by)
{
    if (keeper)
        *keeper += by;
}

/* Empty assembly, so that nothing is known of where p points. */
static __attribute__((noinline)) int only_read(const int *p, const int *q)
{
    __asm__("" : "+r"(p));
    return *p * 10 + *q;
}

static __attribute__((noinline)) int *same(int *p)
{
    return p;
}

static int escaped_before(int v)
{
    int x = v;

    keep(&x);
    touch(5);
    x *= 2;
    touch(1);
    keep(0);
    touch(100);
    return x;
}

static int escaped_late(int v)
{
    int x = v, y;

    touch(100);
    y = x;
    keep(&x);
    touch(7);
    keeper = 0;
    return y * 1000 + x;
}

static int returned(int v)
{
    int a = v, b = v + 1;
    int *p = same(zero ? &b : &a);

    *p = 50;
    return a * 100 + b;
}

/* A neighbour in the struct gives the address away. */
struct box {
    int value;
    int *self;
    int after;
};

static int inside(int v)
{
    struct box b;

    b.value = v;
    b.self = &b.value;
    b.after = 3;
    keep(b.self + 0);
    touch(4);
    *b.self += b.after;
    vault[1] = &b;
    ((struct box *)vault[1])->after = 9;
    keep(0);
    return b.value * 10 + b.after;
}

static int by_integer(int v)
{
    int x = v, y = v;
    word bits = (word)&x;

    bits ^= 0x5a5a;
    *(int *)(bits ^ 0x5a5a) = 77;
    return x * 100 + y;
}

int main(void)
{
    int a = 1, b = 2, *p = &b;

    CHECK(escaped_before(10 + zero) == 31 && keeper == 0);
    CHECK(escaped_late(6 + zero) == 6013);
    CHECK(only_read(&a, &a) == 11 && only_read(&b, same(&a)) == 21);
    CHECK(returned(8 + zero) == 5009);
    CHECK(inside(20 + zero) == 279);
    CHECK(by_integer(5 + zero) == 7705);
    vault[0] = &p;
    **(int **)vault[zero] = 7;
    CHECK(b == 7);
    printf("escape %d\n", a + b);
    return 0;
}
