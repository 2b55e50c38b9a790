// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trip counts of 0 and 1, counting down to 0, steps that wrap and narrow
// induction variables: indvars, loop-reduce, scev users.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned u32;

static volatile u32 zero = 0;

static u32 narrow(u8 from, u8 to)
{
    u32 n = 0;

    for (u8 i = from; i != to; i++)
        n++;
    return n;
}

static u32 down(u32 n)
{
    u32 h = 0;

    for (u32 i = n; i-- > 0;)
        h = h * 3 + i;
    return h;
}

/* The spare has a lifetime, but no accesses. */
static u32 at_least_once(u32 n)
{
    u32 turns = 0;
    u32 spare[4] __attribute__((unused));

    do
        turns++;
    while (--n < 5);
    return turns;
}

/* Ends only because the unsigned sum wraps past the bound. */
static u32 step_wraps(u32 start, u32 step)
{
    u32 i = start, n = 0;

    while (i >= start) {
        i += step;
        n++;
    }
    return n * 16 + (i & 15);
}

int main(void)
{
    u32 h = 0;

    CHECK(narrow((u8)zero, 0) == 0 && narrow(0, (u8)(1 + zero)) == 1);
    CHECK(narrow(250, (u8)(4 + zero)) == 10
          && narrow((u8)(1 + zero), 0) == 255);
    CHECK(down(zero) == 0 && down(1 + zero) == 0 && down(4) == 102);
    CHECK(at_least_once(zero) == 1 && at_least_once(100 + zero) == 1);
    CHECK(at_least_once(5 + zero) == 6 && at_least_once(3) == 4);
    CHECK(step_wraps(0xfffffff0u + zero, 6) == 3 * 16 + 2);
    CHECK(step_wraps(1u << 31, 1u << (30 + zero)) == 2 * 16);
    for (u32 i = 0; i < 20; i++)
        h = h * 31 + down(i + zero) + narrow((u8)(i * 31), (u8)(i * 5)) / 8;
    printf("loop_trip %08x\n", h);
    return 0;
}
