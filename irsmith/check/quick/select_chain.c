// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nested conditions and boolean algebra: select formation, instcombine,
// reassociate, constraint-elimination.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned u32;

static volatile int zero = 0;

/* Sixteen boolean functions of two variables, each written out. */
static u32 truth(int a, int b)
{
    u32 r = 0;

    r |= (u32)(a && b) << 0;
    r |= (u32)(a && !b) << 1;
    r |= (u32)(!a && b) << 2;
    r |= (u32)!(a || b) << 3;
    r |= (u32)(!a != !b) << 4;
    r |= (u32)(!a == !b) << 5;
    r |= (u32)(a ? b != 0 : 1) << 6;
    r |= (u32)(b ? a != 0 : 1) << 7;
    r |= (u32)!!(a | b) << 8;
    r |= (u32)((a != 0) & (b != 0)) << 9;
    r |= (u32)((a == 0) ^ (b == 0)) << 10;
    r |= (u32)((a && b) || (!a && !b)) << 11;
    r |= (u32)((a || b) && !(a && b)) << 12;
    return r;
}

static int grade(int points)
{
    return points >= 90   ? 'A'
           : points >= 80 ? 'B'
           : points >= 70 ? 'C'
           : points < 0   ? '?'
                          : 'F';
}

int main(void)
{
    CHECK(truth(zero, 0) == 0x8e8 && truth(5 + zero, 9) == 0xbe1);
    CHECK(truth(1 + zero, 0) == 0x1592 && truth(zero, 2) == 0x1554);
    CHECK(grade(95 + zero) == 'A' && grade(80) == 'B'
          && grade(79 + zero) == 'C');
    CHECK(grade(-1 - zero) == '?' && grade(0) == 'F');
    printf("select_chain\n");
    return 0;
}
