// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops with throws, breaks, continues and gotos out of handlers: landing
// pads in loops, loop-simplify, licm.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
volatile int zero = 0;
int alive = 0;

struct Count {
    Count() { alive++; }
    Count(const Count &) { alive++; }
    ~Count() { alive--; }
};

struct Error : Count {
    int code;
    explicit Error(int c) : code(c) {}
};

[[gnu::noinline]] void fail(int code)
{
    throw Error(code);
}

int loop_control(int n)
{
    int sum = 0;

    for (int i = 0; i < n; i++) {
        try {
            if (i % 3 == 0)
                throw i;
            if (i % 5 == 0)
                fail(i);
            sum += i;
        } catch (int v) {
            if (v > 12)
                break;
            sum += 100;
            continue;
        } catch (Error &e) {
            if (e.code == 10)
                goto out;
            sum += 1000;
        }
        sum ^= 1;
    }
    return sum;
out:
    return -sum;
}

} // namespace

int main()
{
    int z = zero;

    CHECK(loop_control(z) == 0 && loop_control(3) == 103);
    CHECK(loop_control(10 + z) == 1422 && loop_control(40) == -1422);
    CHECK(alive == 0);
    CHECK(alive == 0);
    printf("eh_loops\n");
    return 0;
}
