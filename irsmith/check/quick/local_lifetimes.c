// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Locals that come and go: unused buffers, blocks in loops, jumps back over a
// declaration, slots that may be shared: lifetime markers, newgvn, colouring.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned u32;

static volatile int zero = 0;

/* A buffer is declared but never touched, and its scope opens just before a
   loop whose counter lives in memory. */
static int count_to_three(void)
{
    int x = 1;
    char room[200] __attribute__((unused));

again:
    x++;
    if (x != 3)
        goto again;
    return x;
}

static int count_up(int from, int limit)
{
    int x = from, turns = 0;
    struct { long a[8]; } spare;

    do {
        x += 2;
        turns++;
    } while (x < limit);
    return turns * 1000 + x + (int)(sizeof spare / sizeof spare.a[0]) - 8;
}

static u32 mixed_scopes(u32 n)
{
    u32 h = 1;

    for (u32 i = 0; i < n; i++) {
        u32 first[4];

        for (u32 j = 0; j < 4; j++)
            first[j] = h + j * i;
        {
            u32 second[4], extra[9] __attribute__((unused));

            for (u32 j = 0; j < 4; j++)
                second[j] = first[3 - j] * 3;
            h = h * 5 + second[i % 4];
        }
        {
            u32 third[4];

            for (u32 j = 0; j < 4; j++)
                third[j] = first[j] ^ h;
            h += third[(i + 1) % 4];
        }
    }
    return h;
}

static u32 mixed_flat(u32 n)
{
    static u32 first[4], second[4], third[4];
    u32 h = 1;

    for (u32 i = 0; i < n; i++) {
        for (u32 j = 0; j < 4; j++)
            first[j] = h + j * i;
        for (u32 j = 0; j < 4; j++)
            second[j] = first[3 - j] * 3;
        h = h * 5 + second[i % 4];
        for (u32 j = 0; j < 4; j++)
            third[j] = first[j] ^ h;
        h += third[(i + 1) % 4];
    }
    return h;
}

/* Two pointers to two blocks' variables, both alive in the inner block. */
static int nested_pointers(int n)
{
    int outer = n, r;
    int *p = &outer;

    {
        int inner = n * 2;
        int *q = &inner, *t = p;

        p = q;
        q = t;
        *p += 1;
        *q += 10;
        r = inner * 100 + outer;
        p = q;
    }
    *p += 5;
    return r * 100 + outer;
}

/* Jumping back before the declaration gives a new variable each time. */
static int jump_back(int n)
{
    int turns = 0, sum = 0;

top:
    if (turns < n) {
        int fresh = turns * turns;
        int *p = &fresh;

        turns++;
        if (turns % 3 == 0)
            goto top;
        *p += 1;
        sum += fresh;
        goto top;
    }
    return sum;
}

int main(void)
{
    CHECK(count_to_three() == 3);
    CHECK(count_up(zero, 9) == 5010 && count_up(50 + zero, 9) == 1052);
    for (u32 i = 0; i < 12; i += 3)
        CHECK(mixed_scopes(i + (u32)zero) == mixed_flat(i));
    CHECK(nested_pointers(3 + zero) == 71318);
    CHECK(jump_back(7 + zero) == 67 && jump_back(zero) == 0);
    printf("local_lifetimes %08x %d\n", mixed_scopes(40), jump_back(40));
    return 0;
}
