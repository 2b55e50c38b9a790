// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Overloaded operators of all kinds: fractions, a bit set, with proxies
// for single bits, conversions and literals: inliner, sroa, cse.

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

constexpr int gcd(int a, int b)
{
    return b ? gcd(b, a % b) : a < 0 ? -a : a;
}

class Fraction {
    int n, d;

public:
    constexpr Fraction(int num = 0, int den = 1)
        : n(num / gcd(num, den) * (den < 0 ? -1 : 1)),
          d((den < 0 ? -den : den) / gcd(num, den))
    {
    }
    constexpr Fraction operator-() const { return {-n, d}; }
    constexpr Fraction operator~() const { return {d, n}; }
    Fraction &operator+=(Fraction o)
    {
        return *this = Fraction(n * o.d + o.n * d, d * o.d);
    }
    Fraction &operator*=(Fraction o)
    {
        return *this = Fraction(n * o.n, d * o.d);
    }
    Fraction &operator++() { return *this += 1; }
    Fraction operator++(int)
    {
        Fraction old = *this;

        ++*this;
        return old;
    }
    explicit operator bool() const { return n != 0; }
    explicit operator double() const { return double(n) / d; }
    friend Fraction operator+(Fraction a, Fraction b) { return a += b; }
    friend Fraction operator-(Fraction a, Fraction b) { return a += -b; }
    friend Fraction operator*(Fraction a, Fraction b) { return a *= b; }
    friend Fraction operator/(Fraction a, Fraction b) { return a *= ~b; }
    friend bool operator==(Fraction a, Fraction b)
    {
        return a.n == b.n && a.d == b.d;
    }
    friend bool operator<(Fraction a, Fraction b)
    {
        return a.n * b.d < b.n * a.d;
    }
};

constexpr Fraction operator""_over3(unsigned long long v)
{
    return {int(v), 3};
}

class Bits {
    unsigned w[2] = {};

public:
    class Ref {
        unsigned &word, mask;

    public:
        Ref(unsigned &w, unsigned m) : word(w), mask(m) {}
        Ref &operator=(bool b)
        {
            word = b ? word | mask : word & ~mask;
            return *this;
        }
        Ref &operator=(const Ref &o) { return *this = bool(o); }
        operator bool() const { return word & mask; }
    };
    Ref operator[](int i) { return {w[i / 32], 1u << i % 32}; }
    Bits &operator<<=(int n)
    {
        while (n--) {
            w[1] = w[1] << 1 | w[0] >> 31;
            w[0] <<= 1;
        }
        return *this;
    }
    Bits operator&(const Bits &o) const
    {
        Bits r;

        for (int i = 0; i < 2; i++)
            r.w[i] = w[i] & o.w[i];
        return r;
    }
    int count() const
    {
        return __builtin_popcount(w[0]) + __builtin_popcount(w[1]);
    }
};

} // namespace

int main()
{
    Fraction half(1 + zero, 2), third(1, 3), sum;

    CHECK(half + third == Fraction(5, 6) && half - third == ~Fraction(6));
    CHECK(half * third / Fraction(1, 6) == 1 && -half < third
          && !(half < half));
    CHECK(Fraction(6, -4 - zero) == Fraction(-3, 2)
          && 2_over3 == third + third);
    for (int i = 1; i <= 6; i++)
        sum += Fraction(1, i * (i + 1 + zero));
    CHECK(sum == Fraction(6, 7) && !Fraction(zero) && double(half) == 0.5);
    CHECK(sum++ == Fraction(6, 7) && sum == Fraction(13, 7));
    CHECK(++sum == Fraction(20, 7) && (sum *= 7) == 20);

    Bits a, b;
    for (int i = 0; i < 64; i += 3 + zero)
        a[i] = true;
    for (int i = 0; i < 64; i += 5)
        b[i] = !b[i];
    CHECK(a.count() == 22 && b.count() == 13 && (a & b).count() == 5);
    a <<= 2 + zero;
    CHECK(a[2] && !a[0] && a[35] && a.count() == 21 && (a & b).count() == 4);
    b[1] = b[2] = a[2];
    CHECK(b[1] && b[2] && b.count() == 15);

    printf("operators %d %d\n", a.count(), (a & b).count());
    return 0;
}
