// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Variable-length arrays as parameters and in recursion, and alloca in loops:
// stack save and restore, sroa, inliner.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int zero = 0;

static int parameter(int n, int columns, int m[n][columns])
{
    int s = 0;

    for (int i = 0; i < n; i++)
        s += m[i][columns - 1] * (i + 1);
    return s;
}

/* Memory from alloca lives until the function returns, not the block. */
static int linked(int n)
{
    struct cell { struct cell *next; int v; } *head = 0;
    int s = 0;

    for (int i = 0; i < n; i++) {
        struct cell *c = __builtin_alloca(sizeof *c);

        c->v = i;
        c->next = head;
        head = c;
    }
    for (; head; head = head->next)
        s = s * 3 % 1009 + head->v;
    return s;
}

static int inlined_in_loop(int n)
{
    int s = 0;

    for (int i = 0; i < n; i++)
        s = s * 3 % 1009 + linked(i % 5);
    return s;
}

static int recursive(int n, const int *up)
{
    int mine[n + 1];

    for (int i = 0; i <= n; i++)
        mine[i] = up[i % 3] + i;
    if (n < 3)
        return mine[n];
    return (recursive(n - 1, mine) * 2 + mine[n] + up[0]) % 100003;
}

int main(void)
{
    int m[3][5], start[3] = {4, 5, 6};

    for (int i = 0; i < 15; i++)
        m[i / 5][i % 5] = i + zero;
    CHECK(parameter(3 - zero, 5, m) == 4 + 18 + 42);
    CHECK(recursive(2 + zero, start) == 8);
    printf("vla_alloca %d %d\n", inlined_in_loop(20 + zero), recursive(40, start));
    return 0;
}
