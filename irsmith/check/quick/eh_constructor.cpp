// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Function try blocks, failing constructors and new expressions that give
// their memory back, member failures: eh cleanup, new/delete.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
void *malloc(__SIZE_TYPE__);
void free(void *);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

using size_type = decltype(sizeof 0);

namespace {
volatile int zero = 0;
int made = 0, gone = 0, allocated = 0;

struct Part {
    int id;
    explicit Part(int i) : id(i)
    {
        if (i < 0)
            throw i;
        made++;
    }
    ~Part() { gone++; }
};

/* The handler of a constructor always rethrows or throws something else. */
struct Whole {
    Part a, b;
    Whole(int x, int y)
    try : a(x), b(y) {
        if (x == y)
            throw 77;
    } catch (int v) {
        throw long(v * 2);
    }
};

/* Memory must come back if the constructor fails. */
struct Pooled {
    Part p;
    int own[5];
    explicit Pooled(int v) : p(v) { own[4] = v; }
    static void *operator new(size_type n)
    {
        allocated++;
        return malloc(n);
    }
    static void operator delete(void *p)
    {
        allocated--;
        free(p);
    }
};

int function_try(int v)
try {
    Part p(v);

    if (v > 50)
        throw 'v';
    return p.id * 2;
} catch (int e) {
    return e - v;
} catch (char) {
    return v;
}

template <class F> long outcome(F f)
{
    made = gone = 0;
    try {
        return f();
    } catch (int v) {
        return 1000 + v;
    } catch (long v) {
        return 2000 + v;
    }
}

Part returned(int v)
{
    Part first(1);

    return Part(v);
}

int arguments(const Part &a, const Part &b)
{
    return a.id * 10 + b.id;
}

} // namespace

int main()
{
    int z = zero;

    CHECK(outcome([=] { return Whole(1 + z, 2).b.id; }) == 2);
    CHECK(made == 2 && gone == 2);
    CHECK(outcome([=] { return Whole(-3 + z, 2).b.id; }) == 2000 - 6);
    CHECK(made == 0 && gone == 0);
    CHECK(outcome([=] { return Whole(3, -4 + z).a.id; }) == 2000 - 8);
    CHECK(made == 1 && gone == 1);
    CHECK(outcome([=] { return Whole(5 + z, 5).a.id; }) == 2154);
    CHECK(made == 2 && gone == 2);
    CHECK(made == 2 && gone == 2);

    CHECK(allocated == 0);
    CHECK(function_try(4 + z) == 8 && function_try(-4 + z) == 0);
    CHECK(function_try(60 + z) == 60);
    CHECK(outcome([=] { return returned(9 + z).id; }) == 9);
    CHECK(made == 2 && gone == 2);
    CHECK(outcome([=] { return returned(-9 + z).id; }) == 991);
    CHECK(made == 1 && gone == 1);
    CHECK(outcome([=] { return arguments(Part(4), Part(2 + z)); }) == 42);
    CHECK(outcome([=] { return arguments(Part(4), Part(-2 + z)); }) == 998);
    CHECK(made == gone);
    printf("eh_constructor\n");
    return 0;
}
