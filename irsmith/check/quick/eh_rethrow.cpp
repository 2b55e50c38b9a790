// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rethrowing, throwing from handlers, nested tries, handlers that sort out
// what they caught: landing pads.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
volatile int zero = 0;
int alive = 0, path = 0;

void step(int digit)
{
    path = (path * 10 + digit) % 100000007;
}

struct Error {
    int code;
    explicit Error(int c) : code(c) { alive++; }
    Error(const Error &o) : code(o.code) { alive++; }
    ~Error() { alive--; }
};

[[gnu::noinline]] int fail(int code)
{
    if (code + zero)
        throw Error(code);
    return -1;
}

/* The one object is passed on, with what the handlers did to it. */
int relay(int depth)
{
    try {
        return depth == 0 ? fail(1) : relay(depth - 1);
    } catch (Error &e) {
        e.code = e.code * 2 + 1;
        if (depth < 4)
            throw;
        return e.code;
    }
}

/* Each handler raises something else. */
int chain(int start)
{
    try {
        try {
            try {
                fail(start);
                return 0;
            } catch (Error &e) {
                step(1);
                if (e.code > 5)
                    throw e.code * 10;
                throw 'x';
            }
        } catch (int v) {
            step(2);
            throw Error(v + 1);
        }
    } catch (Error &e) {
        step(3);
        return e.code;
    } catch (char c) {
        step(4);
        return c;
    }
}

[[gnu::noinline]] void rethrow_current()
{
    throw;
}

/* A function that sorts out whatever is being handled. */
int classify()
{
    try {
        rethrow_current();
    } catch (int v) {
        return v;
    } catch (Error &e) {
        return e.code + 1000;
    } catch (...) {
        return -1;
    }
    return -2;
}

int dispatch(int what)
{
    try {
        if (what == 1)
            throw 7 + zero;
        if (what == 2)
            fail(8);
        if (what == 3)
            throw 1.5;
        return 0;
    } catch (...) {
        return classify() * 2;
    }
}

} // namespace

int main()
{
    CHECK(relay(4 + zero) == 63 && alive == 0);
    CHECK(chain(zero) == 0 && path == 0);
    CHECK(chain(9 + zero) == 91 && path == 123);
    CHECK(chain(2) == 'x' && path == 12314 && alive == 0);
    CHECK(dispatch(zero) == 0 && dispatch(1) == 14 && dispatch(2) == 2016);
    CHECK(dispatch(3 + zero) == -2 && alive == 0);
    path = 0;
    CHECK(alive == 0);
    printf("eh_rethrow %d\n", alive);
    return 0;
}
