// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Empty inline assembly as an optimisation barrier on values, pointers and
// memory: attributor, gvn, licm, inliner and outliners around asm calls.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned u32;

static volatile u32 zero = 0;

#define HIDE(x) __asm__("" : "+r"(x))
#define CLOBBER() __asm__ __volatile__("" ::: "memory")

union cell {
    short s[8];
    int i[4];
};

/* The pointer goes through assembly, so nothing is known of it after. */
static int hidden_pointer(int v)
{
    union cell c;
    int sum = 0;

    {
        union cell a;
        short *p = a.s;

        HIDE(p);
        *p = (short)v;
        HIDE(p);
        sum += *p;
    }
    {
        union cell a;
        int *p = a.i;

        HIDE(p);
        *p = v + 1;
        HIDE(p);
        sum += *p;
    }
    c.i[0] = 5;
    int *q = &c.i[0];
    HIDE(q);
    *q = v;
    CLOBBER();
    return sum * 100 + c.i[0];
}

static int hidden_value(void)
{
    int x = 3, y = 3;

    HIDE(x);
    if (x != y)
        return -1;
    x *= 7;
    HIDE(y);
    return x + y;
}

static int memory_barrier(int *p)
{
    int before = *p;

    *p = 1;
    CLOBBER();
    *p = 2;
    CLOBBER();
    return before * 10 + *p;
}

static u32 in_loop(u32 n)
{
    u32 s = 0;

    for (u32 i = 0; i < n; i++) {
        u32 k = i * 3;

        HIDE(k);
        s += k;
        if (i & 1)
            CLOBBER();
        HIDE(s);
    }
    return s;
}

static int through_memory(int v)
{
    int x = v, table[4] = {1, 2, 3, 4};

    __asm__("" : "+m"(x));
    __asm__ __volatile__("" : : "r"(&table[1]) : "memory");
    return x * 10 + table[1];
}

static int (*volatile indirect)(int) = hidden_pointer;

int main(void)
{
    int cell = 6 + (int)zero, (*f)(int) = through_memory;

    CHECK(hidden_pointer(4 + (int)zero) == 904 && indirect(7) == 1507);
    CHECK(hidden_value() == 24);
    CHECK(memory_barrier(&cell) == 62 && cell == 2);
    CHECK(in_loop(10 + zero) == 135 && in_loop(zero) == 0);
    HIDE(f);
    CHECK(f(5 + (int)zero) == 52);
    printf("asm_barrier\n");
    return 0;
}
