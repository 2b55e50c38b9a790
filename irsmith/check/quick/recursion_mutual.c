// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nested recursion and a recursive-descent parser: inliner on cycles,
// argument promotion, function attributes, ipsccp.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int zero = 0;
static const char *cursor;
static int depth, deepest;

static int mccarthy(int n)
{
    return n > 100 ? n - 10 : mccarthy(mccarthy(n + 11));
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
    CHECK(mccarthy(87 + zero) == 91 && mccarthy(150 + zero) == 140);
    CHECK(evaluate("1+2*3-4") == 3 && evaluate("(1+2)*(3-4)") == -3);
    CHECK(evaluate("-(-(5))*2%7") == 3 && deepest == 5);
    CHECK(evaluate("100/7/2-3*(4+(5-(6*(7-8))))") == -38);
    CHECK(evaluate("((((((((((1))))))))))") == 1 && deepest == 11);
    printf("recursion_mutual\n");
    return 0;
}
