// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Locals that live across calls that may throw: what a handler sees of them,
// in registers, in memory, through phis: mem2reg, licm, gvn.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
volatile int zero = 0;
int global = 0;

[[gnu::noinline]] int maybe(int v)
{
    if (v < 0)
        throw v;
    return v + 1;
}

/* Stores before a call that throws are not dead. */
int before_call(int *out, int v)
{
    try {
        *out = 1;
        global = 10;
        maybe(v);
        *out = 2;
        global = 20;
        maybe(-v);
        *out = 3;
    } catch (int) {
        return *out * 100 + global;
    }
    return *out;
}

int which_phi(int a, int b, int c)
{
    int x = 5, y = 7;

    try {
        x = maybe(a);
        y = x * 2;
        x = maybe(b) + y;
        y = maybe(c);
        x = y = 0;
    } catch (int v) {
        return x * 1000 + y * 10 - v;
    }
    return x + y;
}

/* May not be hoisted: the load only happens if the call returns. */
int guarded_load(const int *p, int v)
{
    int s = 0;

    try {
        for (int i = 0; i < 3; i++) {
            s += maybe(v - i);
            s += *p;
        }
    } catch (int e) {
        return s * 10 - e;
    }
    return s;
}

int swap_then_throw(int a, int b)
{
    try {
        int t = a;

        a = b;
        b = t;
        maybe(-1 - zero);
        a = b = 0;
    } catch (int) {
        b++;
    }
    return a * 10 + b;
}

} // namespace

int main()
{
    static const int data[] = {4, 9, 2, -7, 5};
    int out = 0, z = zero;

    CHECK(before_call(&out, 5 + z) == 220 && out == 2);
    CHECK(before_call(&out, -5 + z) == 110 && before_call(&out, z) == 3);
    CHECK(before_call(&global, -1 + z) == 1010);
    CHECK(which_phi(-1 + z, 0, 0) == 5071 && which_phi(1 + z, -1, 0) == 2041);
    CHECK(which_phi(1, 1, -1 + z) == 6041 && which_phi(1, 1 + z, 1) == 0);
    CHECK(guarded_load(&data[1], 5 + z) == 42);
    CHECK(guarded_load(zero ? data : nullptr, -1 + z) == 1);
    CHECK(guarded_load(data, 1 + z) == 111);
    CHECK(swap_then_throw(3 + z, 4) == 44);
    printf("eh_values %d %d\n", out, global);
    return 0;
}
