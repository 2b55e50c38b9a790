// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Templates: compile-time recursion, specialisation, variadic packs, CRTP and
// tag dispatch with empty objects: inliner, mergefunc, newgvn, sroa, ipsccp.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
volatile int zero = 0;

template <unsigned N> struct Factorial {
    static constexpr unsigned long long value = N * Factorial<N - 1>::value;
};
template <> struct Factorial<0> {
    static constexpr unsigned long long value = 1;
};

template <class T> struct Traits { static constexpr int rank = 0; };
template <class T> struct Traits<T *> {
    static constexpr int rank = 1 + Traits<T>::rank;
};
template <class T, int N> struct Traits<T[N]> {
    static constexpr int rank = 100 * N;
};
template <> struct Traits<bool> { static constexpr int rank = -1; };

template <class... T> constexpr int count(T...) { return sizeof...(T); }

constexpr int sum() { return 0; }
template <class T, class... R> constexpr int sum(T first, R... rest)
{
    return int(first) + 2 * sum(rest...);
}

template <class... T> int folded(T... v)
{
    int r = 0;

    ((r = r * 10 + int(v)), ...);
    return r + int((v + ... + 0)) * 1000000;
}

/* Curiously recurring: the base calls the derived class without vtables. */
template <class D> struct Ordered {
    bool operator>(const D &o) const { return o < self(); }
    bool operator<=(const D &o) const { return !(o < self()); }
    const D &self() const { return *static_cast<const D *>(this); }
};

struct Version : Ordered<Version> {
    int major, minor;
    Version(int a, int b) : major(a), minor(b) {}
    bool operator<(const Version &o) const
    {
        return major != o.major ? major < o.major : minor < o.minor;
    }
};

/* Tags are empty objects: they have a lifetime and no contents. */
struct Forward {};
struct Backward {};

template <class Tag> int scan(const int *v, int n, Tag);

template <> int scan(const int *v, int n, Forward)
{
    int i = 0, s = 0;

    do
        s = s * 3 + v[i];
    while (++i < n);
    return s;
}

template <> int scan(const int *v, int n, Backward)
{
    int s = 0;

    while (n-- > 0)
        s = s * 3 + v[n];
    return s;
}

template <class T, class F> T reduce(const T *first, const T *last, T init, F f)
{
    while (first != last)
        init = f(init, *first++);
    return init;
}

} // namespace

int main()
{
    static const int v[] = {3, 1, 4, 1, 5};
    Version a(1, 9 + zero), b(1, 10), c(2, 0);

    CHECK(Factorial<20>::value == 2432902008176640000ULL);
    CHECK(Traits<int **>::rank == 2 && Traits<int *[3]>::rank == 300);
    CHECK(Traits<bool *>::rank == 0 && count(1, 'a', 2.5, zero + 0) == 4);
    CHECK(sum(1, 2.9, 'A', zero + 4) == 1 + 2 * (2 + 2 * (65 + 2 * 4)));
    CHECK(folded(1, 2L, zero + 3.0f) == 6000123 && folded() == 0);
    CHECK(b > a && a <= b && !(b <= a) && c > b && a <= a);
    CHECK(scan(v, 5 - zero, Forward()) == 314 && scan(v, 5, Backward()) == 474);
    int h = reduce(v, v + 5 - zero, 7, [](int x, int y) { return x * 31 + y; });
    double d = reduce<double>(nullptr, nullptr, 2.5,
                              [](double, double) { return 0.0; });
    CHECK(d == 2.5);
    printf("templates_meta %d\n", h);
    return 0;
}
