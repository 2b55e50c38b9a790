// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nested jump buffers as a poor man's exceptions, and globals that must be
// stored before a jump: dse, sink, licm and stack colouring across setjmp.

typedef long jmp_buf_t[64];
void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
int _setjmp(jmp_buf_t) __attribute__((returns_twice));
void longjmp(jmp_buf_t, int) __attribute__((noreturn));

#define CHECK(x) do { if (!(x)) abort(); } while (0)

struct frame {
    jmp_buf_t buf;
    struct frame *outer;
};

static struct frame *handlers;
static volatile int zero = 0;
static int progress, cleanups, thrown;

static __attribute__((noinline, noreturn)) void raise_(int code)
{
    struct frame *f = handlers;

    handlers = f->outer;
    thrown = code;
    longjmp(f->buf, 1);
}

static __attribute__((noinline)) int inner(int x)
{
    struct frame f;

    f.outer = handlers;
    handlers = &f;
    if (_setjmp(f.buf) == 0) {
        progress = x;
        if (x % 3 == 0)
            raise_(3);
        progress = x + 100;
        if (x % 5 == 0)
            raise_(5);
        progress = x + 200;
        handlers = f.outer;
        return x;
    }
    cleanups++;
    if (thrown == 5)
        raise_(50 + x);
    return -thrown;
}

static __attribute__((noinline)) int outer(int x)
{
    struct frame f;

    f.outer = handlers;
    handlers = &f;
    if (_setjmp(f.buf) == 0) {
        int r = inner(x);

        handlers = f.outer;
        return r;
    }
    cleanups += 10;
    return thrown * 1000;
}

int main(void)
{
    int i, hash = 0;

    CHECK(outer(1 + zero) == 1 && progress == 201 && cleanups == 0);
    CHECK(outer(3 + zero) == -3 && progress == 3 && cleanups == 1);
    CHECK(outer(5 + zero) == 55000 && progress == 105 && cleanups == 12);
    CHECK(outer(15 + zero) == -3 && progress == 15 && cleanups == 13);
    CHECK(handlers == 0);
    for (i = 0; i < 20; i++)
        hash = (hash * 3 + outer(i + zero) + progress) % 1000003;
    CHECK(handlers == 0);
    CHECK(cleanups == 13 + 7 + 2 * 11);
    printf("setjmp_nested %d\n", hash);
    return 0;
}
