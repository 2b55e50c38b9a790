// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Globals that are read only, written once, private to one function, or escape:
// globalopt, globaldce, constmerge, ipsccp, argument and constant propagation.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int zero = 0;

/* Never written: a constant in all but name. */
static int never_written = 42;
/* Written with what it holds already. */
static int rewritten = 7;
/* Only zero or one other value: may shrink to a boolean. */
static int two_values;
/* Stored to but never loaded. */
static int write_only;
/* Used in main only: may become a local. */
static int local_like = 3;
/* External, so anything outside could see it. */
int visible = 5;
extern int visible_too;
int visible_too = 6;
/* Address kept in another global. */
static int pointed = 8;
static int *pointer = &pointed;
/* Split into scalars. */
static struct { int a; short b[3]; double c; } record = {1, {2, 3, 4}, 5.5};
static int grid[3][4] = {{1, 2}, {3}, {4, 5, 6, 7}};
/* Two equal constants and one that is part of another. */
static const char hello[] = "hello world", world[] = "world", again[] = "world";
static int *cursor = &grid[1][2];
static int initialised;

static __attribute__((noinline)) int read_all(void)
{
    return never_written + rewritten + two_values + visible + visible_too
           + *pointer + record.b[1];
}

static __attribute__((noinline)) void write_some(int v)
{
    rewritten = 7;
    write_only = v;
    if (v > 10)
        two_values = 100;
    visible = v;
    *pointer = v + 1;
}

static int *get(void)
{
    static int lazy;

    if (!initialised) {
        initialised = 1;
        lazy = 1000;
    }
    return &lazy;
}

/* The store in between may or may not change what was loaded. */
static int reload(int *p)
{
    int before = visible;

    *p = 77;
    return before * 1000 + visible;
}

static __attribute__((noinline)) void bump_record(int n)
{
    record.a += n;
    record.b[n % 3]++;
    record.c *= 2;
}

static int walk_grid(void)
{
    int sum = 0;

    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++)
            sum = sum * 2 + grid[i][j];
    return sum;
}

static int length(const char *s)
{
    int n = 0;

    while (s[n])
        n++;
    return n;
}

int main(void)
{
    int before, other = 0;

    CHECK(read_all() == 42 + 7 + 0 + 5 + 6 + 8 + 3);
    write_some(9 + zero);
    CHECK(read_all() == 42 + 7 + 0 + 9 + 6 + 10 + 3 && pointed == 10);
    write_some(20 + zero);
    CHECK(two_values == 100 && read_all() == 42 + 7 + 100 + 20 + 6 + 21 + 3);
    pointer = zero ? &other : &local_like;
    *pointer += 4;
    CHECK(local_like == 7 && pointed == 21 && read_all() == 185);
    CHECK(*get() == 1000);
    *get() += 5 + zero;
    CHECK(*get() == 1005 && initialised == 1);
    visible = 12 + zero;
    CHECK(reload(&visible) == 12077 && reload(&other) == 77077 && other == 77);
    for (int i = 0; i < 7; i++)
        bump_record(i + zero);
    before = walk_grid();
    CHECK(before == 1 * 2048 + 2 * 1024 + 3 * 128 + 4 * 8 + 5 * 4 + 6 * 2 + 7);
    *cursor = 1 + zero;
    CHECK(walk_grid() == before + 32);
    cursor += 2;
    *cursor-- = 0;
    CHECK(walk_grid() == before && *cursor == 0 && grid[1][2] == 1);
    CHECK(length(hello + zero) == 11 && length(world) == 5);
    CHECK(hello[6] == again[zero] && world[zero + 4] == 'd');
    printf("globals %d %d\n", read_all(), walk_grid());
    return 0;
}
