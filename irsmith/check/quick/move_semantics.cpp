// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Owning types with move constructors and assignment, a vector of our own,
// self assignment and swaps: sroa, dse, memcpyopt, new/delete.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
volatile int zero = 0;
int alive = 0, copies = 0, moves = 0;

template <class T> T &&move(T &v)
{
    return static_cast<T &&>(v);
}

class Buffer {
    int *data;
    int size;

public:
    explicit Buffer(int n, int fill = 0) : data(new int[n]), size(n)
    {
        alive++;
        for (int i = 0; i < n; i++)
            data[i] = fill + i;
    }
    Buffer(const Buffer &o) : Buffer(o.size)
    {
        copies++;
        for (int i = 0; i < size; i++)
            data[i] = o.data[i];
    }
    Buffer(Buffer &&o) noexcept : data(o.data), size(o.size)
    {
        moves++;
        o.data = nullptr;
        o.size = 0;
    }
    Buffer &operator=(Buffer o) noexcept
    {
        swap(o);
        return *this;
    }
    ~Buffer()
    {
        if (data) {
            alive--;
            delete[] data;
        }
    }
    void swap(Buffer &o) noexcept
    {
        int *d = data, s = size;

        data = o.data;
        size = o.size;
        o.data = d;
        o.size = s;
    }
    int sum() const
    {
        int s = 0;

        for (int i = 0; i < size; i++)
            s += data[i];
        return s;
    }
    int length() const { return size; }
    int &operator[](int i) { return data[i]; }
};

/* Grows by moving its elements into fresh memory. */
template <class T> class Vector {
    T **slot = nullptr;
    int used = 0, room = 0;

public:
    Vector() = default;
    Vector(const Vector &) = delete;
    ~Vector()
    {
        while (used)
            delete slot[--used];
        delete[] slot;
    }
    void push(T &&v)
    {
        if (used == room) {
            T **bigger = new T *[room = room * 2 + 1];

            for (int i = 0; i < used; i++)
                bigger[i] = slot[i];
            delete[] slot;
            slot = bigger;
        }
        slot[used++] = new T(static_cast<T &&>(v));
    }
    T pop()
    {
        T v = move(*slot[--used]);

        delete slot[used];
        return v;
    }
    int size() const { return used; }
    T &operator[](int i) { return *slot[i]; }
};

} // namespace

int main()
{
    {
        Buffer a(4, 10 + zero), b(a), c(move(a));

        CHECK(copies == 1 && moves == 1 && alive == 2 && a.length() == 0);
        CHECK(b.sum() == 46 && c.sum() == 46 && a.sum() == 0);
        b[0] = 100;
        c = b;
        CHECK(c.sum() == 136 && &c[0] != &b[0] && copies == 2);
        c = *&c;
        a = move(b);
        CHECK(c.sum() == 136 && a.sum() == 136 && b.length() == 0
              && alive == 2);
    }
    CHECK(alive == 0);
    CHECK(alive == 0);
    printf("move_semantics %d\n", copies);
    return 0;
}
