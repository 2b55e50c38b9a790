// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trip counts of 0 and 1, counting down to 0, ends at the type's limit, steps
// that wrap and narrow induction variables: indvars, loop-reduce, scev users.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef signed char i8;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;
typedef unsigned long long u64;

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

static u32 inclusive(u8 last)
{
    u32 s = 0;
    u8 i = 0;

    for (;;) {
        s += i;
        if (i == last)
            break;
        i++;
    }
    return s;
}

static int signed_bytes(i8 from, i8 to)
{
    int s = 0;

    for (int i = from; i <= to; i++)
        s += (i8)(i * 3);
    return s;
}

static u64 top(u64 count)
{
    u64 s = 0, i = ~0ULL - count;

    while (++i != 0)
        s += i;
    return s;
}

static int two_counters(int n)
{
    int up = 0, s = 0;
    u16 left = (u16)n;

    while (left) {
        s += up * left;
        up += 2;
        left--;
    }
    return s * 10 + (up == 2 * n);
}

static u32 doubling(u32 limit)
{
    u32 n = 0;

    for (u32 i = 1; i && i <= limit; i *= 2)
        n++;
    return n;
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
    CHECK(inclusive((u8)(255 - zero)) == 32640 && inclusive((u8)zero) == 0);
    CHECK(signed_bytes((i8)(-128 + (int)zero), 127) == -128);
    CHECK(signed_bytes(5, (i8)(4 - (int)zero)) == 0);
    CHECK(signed_bytes(127, (i8)(127 - (int)zero)) == 125);
    CHECK(top(zero) == 0 && top(3 + zero) == -6ULL);
    CHECK(two_counters((int)zero) == 1 && two_counters(1 + (int)zero) == 1);
    CHECK(two_counters(5 + (int)zero) == 401);
    CHECK(doubling(zero) == 0 && doubling(1000 + zero) == 10);
    CHECK(doubling(~0u - zero) == 32 && doubling(1u << 31) == 32);
    for (u32 i = 0; i < 20; i++)
        h = h * 31 + down(i + zero) + narrow((u8)(i * 31), (u8)(i * 5)) / 8;
    printf("loop_trip %08x\n", h);
    return 0;
}
