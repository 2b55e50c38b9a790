// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Variable-length arrays and alloca, in loops, with breaks, next to fixed
// arrays, as parameters, in recursion: stack save and restore, sroa, inliner.

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

static int reversed_sum(int n)
{
    int a[n], b[n], s = 0;

    for (int i = 0; i < n; i++)
        a[i] = i * i;
    for (int i = 0; i < n; i++)
        b[i] = a[n - 1 - i] - i;
    for (int i = 0; i < n; i++)
        s = s * 2 + b[i];
    return s + (int)(sizeof a / sizeof a[0]);
}

/* A new array each turn: the stack must not grow without end. */
static int per_turn(int turns)
{
    int s = 0;

    for (int i = 1; i <= turns; i++) {
        short v[i % 50 + 1];
        int last = i % 50;

        v[0] = (short)i;
        v[last] = (short)(i + 1);
        if (i % 7 == 0)
            continue;
        s = (s + v[0] * 3 + v[last]) % 10007;
        if (s == 5)
            break;
    }
    return s;
}

static u32 table(int rows, int columns)
{
    u32 t[rows][columns], h = 0;

    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            t[i][j] = i == 0 || j == 0 ? 1 : t[i - 1][j] + t[i][j - 1];
    for (int j = 0; j < columns; j++)
        h = h * 31 + t[rows - 1][j];
    return h + (u32)(sizeof t / sizeof t[0]);
}

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

static int fixed_and_variable(int n)
{
    int fixed[4] = {1, 2, 3, 4};
    int v[n];
    int after[4] = {5, 6, 7, 8};

    for (int i = 0; i < n; i++)
        v[i] = 100;
    fixed[n & 3] += after[3];
    after[n & 3] -= v[n - 1];
    return fixed[0] + fixed[1] * 2 + fixed[2] * 3 + fixed[3] * 4 + after[0]
           + after[1] * 2 + after[2] * 3 + after[3] * 4;
}

int main(void)
{
    int m[3][5], start[3] = {4, 5, 6};

    CHECK(reversed_sum(1 + zero) == 1 && reversed_sum(4 + zero) == 83);
    CHECK(per_turn(zero) == 0 && per_turn(1 + zero) == 5);
    CHECK(per_turn(400 + zero) == 5);
    CHECK(table(1 + zero, 3) == 31 * 31 + 31 + 1 + 1);
    CHECK(table(5, 4 + zero) == ((31 + 5) * 31 + 15) * 31 + 35 + 5);
    for (int i = 0; i < 15; i++)
        m[i / 5][i % 5] = i + zero;
    CHECK(parameter(3 - zero, 5, m) == 4 + 18 + 42);
    CHECK(linked(zero) == 0 && linked(4 + zero) == 102);
    CHECK(recursive(2 + zero, start) == 8);
    CHECK(fixed_and_variable(2 + zero) == 30 + 24 + 70 - 300);
    printf("vla_alloca %d %d %08x\n", inlined_in_loop(20 + zero),
           recursive(40, start), table(9, 9));
    return 0;
}
