// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Atomic fetch-and-modify of 8 and 64 bits in one thread, all memory orders and
// wraparound, against plain variables: lower-atomic, atomic-expand, dse, licm.

extern "C" {
[[noreturn]] void abort();
int printf(const char *, ...);
}

#define CHECK(x) do { if (!(x)) abort(); } while (0)

namespace {
using u8 = unsigned char;
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

} // namespace

int main()
{
    static const u32 list[] = {1, 2, 3, 4, 5};
    u8 a = u8(200 + zero);
    u64 d = ~0ULL - zero;
    u64 hash = 0;

    for (u32 i = 0; i < 5; i++) {
        hash = hash * 31 + exercise<u8>(&a, u8(i * 77 + zero));
        hash = hash * 31 + exercise<u64>(&d, i * 0x123456789abcdefULL + zero);
    }
    CHECK(locked_sum(list, 5 - int(zero)) == 81 + 3 * 27 + 6 * 9 + 10 * 3 + 15);
    CHECK(counter == 15);
    printf("atomics_fetch %016llx\n", hash);
    return 0;
}
