// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Atomic fetch-and-modify of 8 to 64 bits in one thread, all memory orders and
// wraparound, against plain variables: lower-atomic, atomic-expand, dse, licm.

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

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned;
using u64 = unsigned long long;

volatile u32 zero = 0;
u32 counter;

/* m is the model: what memory must hold. */
template <class T> T exercise(T *p, T v)
{
    T m = __atomic_load_n(p, __ATOMIC_RELAXED);

    CHECK(__atomic_fetch_add(p, v, __ATOMIC_SEQ_CST) == m);
    m = T(m + v);
    CHECK(__atomic_fetch_sub(p, T(3), __ATOMIC_RELAXED) == m);
    m = T(m - 3);
    CHECK(__atomic_fetch_or(p, T(0x50), __ATOMIC_ACQUIRE) == m);
    m = T(m | 0x50);
    CHECK(__atomic_fetch_and(p, T(~0x11), __ATOMIC_RELEASE) == m);
    m = T(m & ~0x11);
    CHECK(__atomic_fetch_xor(p, T(-1), __ATOMIC_ACQ_REL) == m);
    m = T(~m);
    CHECK(__atomic_fetch_nand(p, T(0x7f), __ATOMIC_SEQ_CST) == m);
    m = T(~(m & 0x7f));
    CHECK(__atomic_add_fetch(p, T(v * 2), __ATOMIC_RELAXED) == T(m + v * 2));
    m = T(m + v * 2);
    CHECK(__atomic_xor_fetch(p, T(v + 1), __ATOMIC_SEQ_CST) == T(m ^ T(v + 1)));
    m = T(m ^ T(v + 1));
    CHECK(__atomic_exchange_n(p, T(m + 5), __ATOMIC_ACQ_REL) == m);
    m = T(m + 5);
    __atomic_store_n(p, T(*p + 1), __ATOMIC_RELEASE);
    CHECK(__atomic_load_n(p, __ATOMIC_ACQUIRE) == T(m + 1));
    return *p;
}

template <class T> void extremes(T low, T high)
{
    T x = T(high - T(zero));

    CHECK(__atomic_fetch_add(&x, T(1), __ATOMIC_SEQ_CST) == high && x == low);
    CHECK(__atomic_sub_fetch(&x, T(1), __ATOMIC_SEQ_CST) == high && x == high);
    CHECK(__atomic_fetch_max(&x, low, __ATOMIC_RELAXED) == high && x == high);
    CHECK(__atomic_fetch_min(&x, low, __ATOMIC_RELAXED) == high && x == low);
    CHECK(__atomic_fetch_min(&x, T(3), __ATOMIC_RELAXED) == low && x == low);
    CHECK(__atomic_fetch_max(&x, T(3), __ATOMIC_RELAXED) == low && x == 3);
}

/* A spin lock that is always free, with fences, around a plain variable. */
u32 locked_sum(const u32 *v, int n)
{
    static u8 lock;
    u32 sum = 0;

    for (int i = 0; i < n; i++) {
        while (__atomic_test_and_set(&lock, __ATOMIC_ACQUIRE))
            counter += 1000;
        counter += v[i];
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        sum = sum * 3 + counter;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        __atomic_clear(&lock, __ATOMIC_RELEASE);
    }
    return sum;
}

/* Neighbouring bytes must stay as they are. */
void bytes()
{
    alignas(8) u8 b[8];

    for (int i = 0; i < 8; i++)
        b[i] = u8(250 + i);
    for (int i = 0; i < 8; i += 2)
        __atomic_fetch_add(&b[i], u8(10 + zero), __ATOMIC_SEQ_CST);
    for (int i = 0; i < 8; i++)
        CHECK(b[i] == u8(250 + i + (i % 2 ? 0 : 10)));
}

} // namespace

int main()
{
    static const u32 list[] = {1, 2, 3, 4, 5};
    u8 a = u8(200 + zero);
    u16 b = u16(65000 + zero);
    u32 c = 4000000000u + zero;
    u64 d = ~0ULL - zero;
    u64 hash = 0;

    for (u32 i = 0; i < 5; i++) {
        hash = hash * 31 + exercise<u8>(&a, u8(i * 77 + zero));
        hash = hash * 31 + exercise<u16>(&b, u16(i * 7777 + zero));
        hash = hash * 31 + exercise<u32>(&c, i * 777777777u + zero);
        hash = hash * 31 + exercise<u64>(&d, i * 0x123456789abcdefULL + zero);
    }
    extremes<u8>(0, 255);
    extremes<short>(-32768, 32767);
    extremes<u64>(0, ~0ULL);
    extremes<int>(-2147483647 - 1, 2147483647);
    CHECK(locked_sum(list, 5 - int(zero)) == 81 + 3 * 27 + 6 * 9 + 10 * 3 + 15);
    CHECK(counter == 15);
    bytes();
    printf("atomics_fetch %016llx\n", hash);
    return 0;
}
