// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Locals that come and go in blocks and loops, whose slots may be shared:
// lifetime markers, newgvn, colouring.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned u32;

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

int main(void)
{
    CHECK(count_to_three() == 3);
    printf("local_lifetimes %08x\n", mixed_scopes(40));
    return 0;
}
