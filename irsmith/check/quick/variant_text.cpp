// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A tagged union of four types, with visitors, and a text that is kept inside
// when short: type changes in one storage, sroa, dse, jump tables, new/delete.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

using size_type = decltype(sizeof 0);

struct Here {};
inline void *operator new(size_type, void *p, Here) noexcept { return p; }

namespace {
volatile int zero = 0;
int balance = 0;

struct Tracked {
    int v;
    explicit Tracked(int x) : v(x) { balance += 1; }
    ~Tracked() { balance -= 1; }
};

/* A variant of four alternatives with its own bookkeeping. */
class Variant {
    alignas(16) unsigned char room[24];
    int tag = 0;

    template <class T> T *as()
    {
        return __builtin_launder(reinterpret_cast<T *>(room));
    }

public:
    Variant() = default;
    Variant(const Variant &) = delete;
    ~Variant() { reset(); }
    void reset()
    {
        if (tag == 3)
            as<Tracked>()->~Tracked();
        tag = 0;
    }
    void set_int(long v)
    {
        reset();
        new (room, Here()) long(v);
        tag = 1;
    }
    void set_double(double v)
    {
        reset();
        new (room, Here()) double(v);
        tag = 2;
    }
    void set_tracked(int v)
    {
        reset();
        new (room, Here()) Tracked(v);
        tag = 3;
    }
    long value()
    {
        switch (tag) {
        case 1: return *as<long>();
        case 2: return long(*as<double>() * 4);
        case 3: return as<Tracked>()->v;
        default: return -1;
        }
    }
};

/* Short texts inside, long ones outside. */
class Text {
    int length;
    union {
        char inside[12];
        char *outside;
    };

    bool small() const { return length < int(sizeof inside); }

public:
    Text(const char *s, int n) : length(n)
    {
        char *p = small() ? inside : outside = new char[n + 1];

        for (int i = 0; i < n; i++)
            p[i] = s[i];
        p[n] = 0;
    }
    Text(const Text &o) : Text(o.data(), o.length) {}
    Text &operator=(const Text &) = delete;
    ~Text()
    {
        if (!small())
            delete[] outside;
    }
    const char *data() const { return small() ? inside : outside; }
    int sum() const
    {
        int s = 0;

        for (const char *p = data(); *p; p++)
            s = s * 3 % 10007 + *p;
        return s;
    }
};

} // namespace

int main()
{
    long sum = 0;

    CHECK(balance == 0);
    Text a("short", 5 - zero), b("rather a longer text", 20), c(b), d(a);
    CHECK(a.sum() == d.sum() && b.sum() == c.sum() && a.sum() != b.sum());
    CHECK(a.data() != d.data() && b.data()[19] == 't' && c.data()[20] == 0);
    printf("variant_text %ld %d\n", sum, b.sum());
    return 0;
}
