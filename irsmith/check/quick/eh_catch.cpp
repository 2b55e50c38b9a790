// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Catching by value, base, reference, pointer, const and ellipsis, in order,
// with integers and classes: landing pads, invoke, prune-eh.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
volatile int zero = 0;

struct Error {
    int code;
    explicit Error(int c) : code(c) {}
    Error(const Error &o) : code(o.code + 1000) {}
    virtual ~Error() = default;
    virtual int kind() const { return 1; }
};

struct Io : Error {
    explicit Io(int c) : Error(c) {}
    int kind() const override { return 2; }
};

struct Tag {};
struct Both : Tag, Io {
    Both() : Io(9) {}
    int kind() const override { return 3; }
};

enum class Colour { red = 5, blue };

const int cell = 31;

[[gnu::noinline]] int raise(int what)
{
    switch (what + zero) {
    case 1: throw 42;
    case 2: throw 'c';
    case 3: throw Error(7);
    case 4: throw Io(8);
    case 5: throw Both();
    case 6: throw "text";
    case 7: throw &cell;
    case 8: throw 2.5;
    case 9: throw Colour::blue;
    case 10: throw Tag();
    case 11: throw 42L;
    }
    return what;
}

int by_type(int what)
{
    try {
        return raise(what);
    } catch (int i) {
        return 100 + i;
    } catch (char c) {
        return 200 + c;
    } catch (Io &e) {
        return 300 + e.code * 10 + e.kind();
    } catch (const Error &e) {
        return 400 + e.code * 10 + e.kind();
    } catch (const char *s) {
        return 500 + s[0];
    } catch (const int *p) {
        return 600 + (p ? *p : 0);
    } catch (double d) {
        return 700 + int(d * 2);
    } catch (Colour c) {
        return 800 + int(c);
    } catch (...) {
        return 900;
    }
}

/* A copy is cut down to the base class; a reference is not. */
int sliced(int what)
{
    try {
        raise(what);
    } catch (Error e) {
        return e.kind() * 10000 + e.code;
    } catch (...) {
        return -1;
    }
    return 0;
}

} // namespace

int main()
{
    static const int expect[] = {0,   142, 299, 471, 382, 393, 616,
                                 631, 705, 806, 900, 900};
    int hash = 0;

    for (int i = 0; i < 12; i++) {
        CHECK(by_type(i + zero) == expect[i]);
        hash = hash * 31 % 100003 + by_type(i);
    }
    CHECK(sliced(3) == 11007 && sliced(4) == 11008 && sliced(5) == 11009);
    CHECK(sliced(6) == -1 && sliced(zero) == 0);
    printf("eh_catch %d\n", hash);
    return 0;
}
