// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lambdas: captures by value and by reference, mutable and generic, nested,
// recursive, converted to function pointers, stored in a small function class.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

namespace {

volatile int zero = 0;

/* A type-erased function object with storage of its own. */
class Function {
    alignas(16) unsigned char room[32];
    int (*invoke)(void *, int) = nullptr;

public:
    template <class F> Function(F f)
    {
        static_assert(sizeof(F) <= sizeof room, "too big");
        __builtin_memcpy(room, &f, sizeof f);
        invoke = [](void *p, int x) { return (*static_cast<F *>(p))(x); };
    }
    int operator()(int x) { return invoke(room, x); }
};

template <class F> int apply(F f, int n)
{
    int s = 0;

    for (int i = 0; i < n; i++)
        s = s * 3 + f(i);
    return s;
}

template <class F, class G> auto compose(F f, G g)
{
    return [=](int x) { return f(g(x)); };
}

/* A fixed point, so that a lambda can call itself. */
template <class F> struct Fix {
    F f;
    int operator()(int n) const { return f(*this, n); }
};
template <class F> Fix<F> fix(F f)
{
    return {f};
}

struct Account {
    int balance = 10;
    auto deposit()
    {
        return [this](int x) { return balance += x; };
    }
    auto snapshot()
    {
        return [*this](int x) { return balance + x; };
    }
};

int by_pointer(int (*f)(int), int x)
{
    return f(f(x));
}

auto counter(int from)
{
    return [n = from]() mutable { return n++; };
}

} // namespace

int main()
{
    int base = 10 + zero, calls = 0;

    auto by_value = [base](int x) { return base + x; };
    auto by_reference = [&base, &calls](int x) { calls++; return base += x; };
    base = 100;
    CHECK(by_value(1) == 11 && by_reference(1) == 101 && base == 101);
    CHECK(apply(by_reference, 3) == 101 * 9 + 102 * 3 + 104 && calls == 4);

    auto c = counter(5 + zero);
    auto d = c;
    CHECK(c() == 5 && c() == 6 && d() == 5 && c() == 7);

    auto twice = [](auto x) { return x + x; };
    CHECK(twice(21 + zero) == 42 && twice(0.25) == 0.5 && twice('a') == 194);
    auto square = [](int x) { return x * x; };
    CHECK(compose(square, twice)(3 + zero) == 36);
    CHECK(compose(twice, compose(square, by_value))(2) == 288);
    CHECK(by_pointer(square, 3 + zero) == 81 && by_pointer(+square, zero) == 0);

    auto fib = fix([](auto &self, int n) -> int {
        return n < 2 ? n : self(n - 1) + self(n - 2);
    });
    CHECK(fib(12 + zero) == 144);
    int depth = 0;
    auto deep = fix([&depth](auto &self, int n) -> int {
        depth = n > depth ? n : depth;
        return n % 2 ? self(3 * n + 1) : n > 1 ? 1 + self(n / 2) : 0;
    });
    (void)deep;
    auto collatz = [&](int n) {
        int steps = 0;
        auto next = [&](int v) { steps++; return v % 2 ? 3 * v + 1 : v / 2; };

        while (n != 1) {
            n = next(n);
            if (n > depth)
                depth = n;
        }
        return steps;
    };
    CHECK(collatz(27 + zero) == 111 && depth == 9232);

    Account account;
    auto deposit = account.deposit();
    auto frozen = account.snapshot();
    CHECK(deposit(5) == 15 && frozen(1) == 11 && deposit(zero) == 15);

    int table[4] = {1, 2, 3, 4 + zero};
    Function list[] = {by_value, square, [&](int x) { return table[x & 3]; },
                       [table](int x) { return table[(x + 1) & 3]; }};
    table[2] = 30;
    int h = 0;
    for (Function &f : list)
        for (int i = 0; i < 4; i++)
            h = h * 7 % 100003 + f(i + zero);
    CHECK(list[2](2) == 30 && list[3](1 + zero) == 3 && list[0](-10) == 0);
    list[1] = [calls](int x) { return x - calls; };
    CHECK(list[1](10) == 6);
    auto immediate = [&] { return calls > 3 ? 1 : 2; }();
    CHECK(immediate == 1);
    printf("lambdas %d %d\n", h, depth);
    return 0;
}
