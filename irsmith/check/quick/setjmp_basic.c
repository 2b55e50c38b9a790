// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// setjmp and longjmp with volatile locals, retries and jumps out of deep
// recursion: returns_twice handling in mem2reg, gvn, inliner, tail calls.

typedef long jmp_buf_t[64];
void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
int _setjmp(jmp_buf_t) __attribute__((returns_twice));
void longjmp(jmp_buf_t, int) __attribute__((noreturn));

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static jmp_buf_t top;
static volatile int zero = 0;
static int depth_seen, thrown;

static __attribute__((noinline, noreturn)) void jump(int code)
{
    thrown = code;
    longjmp(top, code);
}

static __attribute__((noinline)) int dive(int n)
{
    depth_seen = n;
    if (n == 17)
        jump(42);
    return dive(n + 1) + n;
}

static int caught(void)
{
    volatile int state = 1;

    if (_setjmp(top) == 0) {
        state = 2;
        dive(zero);
        state = 3;
        return -1;
    }
    return thrown * 10 + state;
}

/* Values set before setjmp and not changed after need no volatile. */
static int kept(int a, int b)
{
    int before = a * 7 + b;
    volatile int tries = 0;

    if (_setjmp(top) != 0)
        tries = tries + 1;
    if (tries < 5)
        longjmp(top, tries + 1);
    return before * 100 + tries;
}

/* longjmp with 0 must arrive as 1. */
static int zero_is_one(void)
{
    volatile int pass = 0;

    switch (_setjmp(top)) {
    case 0:
        pass = 10;
        longjmp(top, zero);
    case 1:
        return pass + 1;
    default:
        return -1;
    }
}

struct result {
    int value;
    int failed;
};

static struct result guarded(int (*f)(int), int arg)
{
    volatile struct result r = {0, 0};
    struct result copy;

    if (_setjmp(top) == 0)
        r.value = f(arg);
    else
        r.failed = 1;
    copy.value = r.value;
    copy.failed = r.failed;
    return copy;
}

static int checked_inverse(int x)
{
    if (x == 0)
        longjmp(top, 1);
    return 1000 / x;
}

int main(void)
{
    struct result r;

    CHECK(caught() == 422);
    CHECK(depth_seen == 17);
    CHECK(kept(3 + zero, 4) == 2505);
    CHECK(zero_is_one() == 11);
    r = guarded(checked_inverse, 8 + zero);
    CHECK(r.value == 125 && r.failed == 0);
    r = guarded(checked_inverse, zero);
    CHECK(r.value == 0 && r.failed == 1);
    printf("setjmp_basic %d\n", depth_seen);
    return 0;
}
