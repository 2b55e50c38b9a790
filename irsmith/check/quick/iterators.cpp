// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Iterators, ranges and small containers in the style of the standard library:
// a ring, ranges, filters and zips: inliner, sroa, loop-rotate, licm.

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

template <class T, int N> class Ring {
    T data[N];
    int head = 0, used = 0;

public:
    class Iterator {
        Ring *ring;
        int at;

    public:
        Iterator(Ring *r, int a) : ring(r), at(a) {}
        T &operator*() const { return ring->data[(ring->head + at) % N]; }
        Iterator &operator++() { return ++at, *this; }
        bool operator!=(const Iterator &o) const { return at != o.at; }
    };
    bool push(T v)
    {
        if (used == N)
            return false;
        data[(head + used++) % N] = v;
        return true;
    }
    T pop()
    {
        T v = data[head];

        head = (head + 1) % N;
        used--;
        return v;
    }
    Iterator begin() { return {this, 0}; }
    Iterator end() { return {this, used}; }
};

class Range {
    int first, last, step;

public:
    Range(int f, int l, int s = 1) : first(f), last(l), step(s) {}
    struct Iterator {
        int v, step;
        int operator*() const { return v; }
        void operator++() { v += step; }
        bool operator!=(const Iterator &o) const
        {
            return step > 0 ? v < o.v : v > o.v;
        }
    };
    Iterator begin() const { return {first, step}; }
    Iterator end() const { return {last, step}; }
};

template <class R, class P> class Filter {
    R range;
    P keep;

public:
    Filter(R r, P p) : range(r), keep(p) {}
    template <class I> struct Walk {
        I at, stop;
        const P *keep;
        void settle()
        {
            while (at != stop && !(*keep)(*at))
                ++at;
        }
        auto operator*() const { return *at; }
        void operator++()
        {
            ++at;
            settle();
        }
        bool operator!=(const Walk &o) const { return at != o.stop; }
    };
    auto begin() const
    {
        Walk<decltype(range.begin())> w{range.begin(), range.end(), &keep};

        w.settle();
        return w;
    }
    auto end() const { return begin(); }
};

template <class A, class B, class F> int zip(A a, B b, F f)
{
    auto i = a.begin(), e = a.end();
    auto j = b.begin(), g = b.end();
    int s = 0;

    for (; i != e && j != g; ++i, ++j)
        s = f(s, *i, *j);
    return s;
}

} // namespace

int main()
{
    Ring<short, 5> ring;
    int sum = 0, n = 0;

    for (int i = 0; i < 7; i++)
        n += ring.push(short(i * 11 + zero));
    CHECK(n == 5 && ring.pop() == 0 && ring.pop() == 11);
    CHECK(ring.push(100) && ring.push(short(200 + zero)) && !ring.push(300));
    for (short &v : ring) {
        sum = sum * 3 + v;
        v = short(-v);
    }
    CHECK(sum == ((((22 * 3 + 33) * 3 + 44) * 3 + 100) * 3 + 200));
    CHECK(ring.pop() == -22 && ring.pop() == -33);

    sum = 0;
    for (int v : Range(10 + zero, -3, -4))
        sum = sum * 100 + v;
    CHECK(sum == 10060198);
    for (int v : Range(5, 5 + zero))
        sum += v * 1000;
    auto odd = [](int v) { return v % 2 != 0; };
    auto odds = Filter(Range(0, 20 + zero, 3), odd);
    n = 0;
    for (int v : odds)
        n = n * 20 + v;
    CHECK(n == (3 * 20 + 9) * 20 + 15);
    auto none = Filter(Range(0, 9), [](int v) { return v > 100 + zero; });
    for (int v : none)
        n += v + 1;
    CHECK(n == (3 * 20 + 9) * 20 + 15);
    CHECK(zip(Range(1, 4 + zero), odds, [](int s, int a, int b) {
              return s * 2 + a * b;
          }) == (3 * 2 + 18) * 2 + 45);

    printf("iterators %d %d\n", sum, n);
    return 0;
}
