// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Function pointers passed on, composed, compared and replaced during a call:
// called-value-propagation, globalopt, icp.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef int op(int, int);
typedef int (*unary)(int);

static volatile int zero = 0;

static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
static int mul(int a, int b) { return a * b; }
static int power(int a, int b) { return b ? a * power(a, b - 1) : 1; }

static op *const table[] = {add, sub, mul, power, 0};
static op *current = add;


static int twice(int x) { return 2 * x; }
static int next(int x) { return x + 1; }
static int square(int x) { return x * x; }

static int compose(const unary *list, int x)
{
    while (*list)
        x = (*list++)(x);
    return x;
}

/* Replaces the global pointer while it runs through it. */
static int change(int a, int b)
{
    current = b & 1 ? sub : mul;
    return a + b;
}

static int run_current(int a, int b, int n)
{
    while (n--)
        a = current(a, b);
    return a;
}

struct machine;
typedef struct machine *state(struct machine *);
struct machine {
    state *step;
    int input, output;
};

static state even, odd, stop;

static struct machine *even(struct machine *m)
{
    m->output = m->output * 2;
    m->input >>= 1;
    m->step = m->input == 0 ? stop : m->input & 1 ? odd : even;
    return m;
}

static struct machine *odd(struct machine *m)
{
    m->output = m->output * 2 + 1;
    m->input >>= 1;
    m->step = m->input == 0 ? stop : m->input & 1 ? odd : even;
    return m;
}

static struct machine *stop(struct machine *m)
{
    m->step = 0;
    return m;
}

int main(void)
{
    static const unary list[] = {next, square, twice, next, 0};
    struct machine m = {even, 0x35 << 1 | zero, 0};
    int i, v = 1, n = 0;

    for (i = 0; table[i]; i++)
        v = v * 100 + table[i](7 + zero, 2);
    CHECK(i == 4 && v == 109051449);
    CHECK(compose(list, 2 + zero) == 19 && compose(list + 4, 2 + zero) == 2);
    CHECK(run_current(1, 2 + zero, 3) == 7);
    current = change;
    CHECK(run_current(10, 3 + zero, 3) == 7 && current == sub);
    current = change;
    CHECK(run_current(10, 2 + zero, 3) == 48 && current == mul);
    while (m.step)
        n += m.step(&m)->output >= 0;
    CHECK(m.output == 0x2b && n == 8);
    printf("fnptr_table %d %d\n", v, m.output);
    return 0;
}
