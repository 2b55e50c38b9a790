// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mutual, nested and deep recursion, Ackermann, and a recursive-descent parser:
// inliner on cycles, argument promotion, function attributes, ipsccp.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

static volatile int zero = 0;
static const char *cursor;
static int depth, deepest;

static int is_odd(unsigned n);

static int is_even(unsigned n)
{
    return n == 0 ? 1 : is_odd(n - 1);
}

static int is_odd(unsigned n)
{
    return n == 0 ? 0 : is_even(n - 1);
}

static unsigned ackermann(unsigned m, unsigned n)
{
    if (m == 0)
        return n + 1;
    if (n == 0)
        return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

/* Hofstadter's female and male sequences. */
static int male(int n);

static int female(int n)
{
    return n == 0 ? 1 : n - male(female(n - 1));
}

static int male(int n)
{
    return n == 0 ? 0 : n - female(male(n - 1));
}

static int mccarthy(int n)
{
    return n > 100 ? n - 10 : mccarthy(mccarthy(n + 11));
}

static int tak(int x, int y, int z)
{
    return y >= x ? z
                  : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

static long expression(void);

static long factor(void)
{
    long v = 0;

    if (++depth > deepest)
        deepest = depth;
    if (*cursor == '(') {
        cursor++;
        v = expression();
        CHECK(*cursor == ')');
        cursor++;
    } else if (*cursor == '-') {
        cursor++;
        v = -factor();
    } else {
        CHECK(*cursor >= '0' && *cursor <= '9');
        while (*cursor >= '0' && *cursor <= '9')
            v = v * 10 + (*cursor++ - '0');
    }
    depth--;
    return v;
}

static long term(void)
{
    long v = factor();

    while (*cursor == '*' || *cursor == '/' || *cursor == '%') {
        char op = *cursor++;
        long w = factor();

        v = op == '*' ? v * w : op == '/' ? v / w : v % w;
    }
    return v;
}

static long expression(void)
{
    long v = term();

    while (*cursor == '+' || *cursor == '-')
        v = *cursor++ == '+' ? v + term() : v - term();
    return v;
}

static long evaluate(const char *s)
{
    long v;

    cursor = s + zero;
    depth = deepest = 0;
    v = expression();
    CHECK(*cursor == 0 && depth == 0);
    return v;
}

int main(void)
{
    int i, sum = 0;

    CHECK(is_even(200 + (unsigned)zero) && !is_odd(200));
    CHECK(is_odd(77 + (unsigned)zero) && !is_even(77 + (unsigned)zero));
    CHECK(ackermann(2, 3 + (unsigned)zero) == 9);
    CHECK(ackermann(3, 3 + (unsigned)zero) == 61);
    CHECK(female(20 + zero) == 13 && male(20 + zero) == 12);
    for (i = 0; i < 20; i++)
        sum = sum * 3 % 10007 + female(i + zero) - male(i);
    CHECK(mccarthy(87 + zero) == 91 && mccarthy(150 + zero) == 140);
    CHECK(tak(8 + zero, 4, 2) == 3 && tak(1, 2, zero) == 0);
    CHECK(tak(9 + zero, 6, 3) == 6);
    CHECK(evaluate("1+2*3-4") == 3 && evaluate("(1+2)*(3-4)") == -3);
    CHECK(evaluate("-(-(5))*2%7") == 3 && deepest == 5);
    CHECK(evaluate("100/7/2-3*(4+(5-(6*(7-8))))") == -38);
    CHECK(evaluate("((((((((((1))))))))))") == 1 && deepest == 11);
    printf("recursion_mutual %d\n", sum);
    return 0;
}
