// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sparse switches on 64-bit, negative and unsigned values, and case ranges:
// comparison trees of lower-switch, correlated-propagation, simplifycfg.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef long long i64;
typedef unsigned long long u64;

static volatile int zero = 0;

static int classify(i64 v)
{
    switch (v) {
    case -0x7fffffffffffffffLL - 1: return 1;
    case -4000000000LL: return 2;
    case -1: return 3;
    case 0: return 4;
    case 1: return 5;
    case 255: return 6;
    case 256: return 7;
    case 65536: return 8;
    case 0x7fffffffLL: return 9;
    case 0x80000000LL: return 10;
    case 0xffffffffLL: return 11;
    case 0x100000000LL: return 12;
    case 0x7fffffffffffffffLL: return 13;
    default: return v < 0 ? 14 : 15;
    }
}

static int top(u64 v)
{
    switch (v) {
    case 0xfffffffffffffffeULL: return 2;
    case 0xffffffffffffffffULL: return 1;
    case 0x8000000000000000ULL: return 3;
    case 0: return 4;
    }
    return 0;
}

static int range(int v)
{
    switch (v) {
    case -2147483647 - 1 ... -1000: return 0;
    case -999 ... -1: return 1;
    case 0: return 2;
    case 1 ... 9: return 3;
    case 10 ... 99: return 4;
    case 100 ... 2147483647: return 5;
    }
    return 6;
}

static int both(int outer, unsigned inner)
{
    int r = 1;

    switch (outer) {
    case 1000:
        switch (inner) {
        case 7: r = 2; break;
        case 70000: r = 3; /* fall through */
        case 700000000: r += 4; break;
        default: return 99;
        }
        r *= 10;
        break;
    case -1000:
        switch (inner & 0xff00) {
        case 0xff00: r = 5; break;
        case 0x100: r = 6; break;
        }
        /* fall through */
    case 12345678: r = r * 10 + 1; break;
    }
    return r;
}

int main(void)
{
    static const i64 values[] = {
        -0x7fffffffffffffffLL - 1, -4000000000LL, -1, 0, 1, 255, 256, 65536,
        0x7fffffffLL, 0x80000000LL, 0xffffffffLL, 0x100000000LL,
        0x7fffffffffffffffLL,
    };
    unsigned hash = 17;
    int i;

    for (i = 0; i < 13; i++) {
        i64 v = values[i] + zero;

        CHECK(classify(v) == i + 1);
        if (i > 0)
            hash = hash * 31 + (unsigned)classify(v - 1);
        if (i < 12)
            hash = hash * 31 + (unsigned)classify(v + 1);
        hash = hash * 5 + (unsigned)top((u64)v);
    }
    CHECK(classify(2) == 15 && classify(-2) == 14);
    CHECK(top(~0ULL - (u64)zero) == 1 && top(~0ULL - 1) == 2);
    CHECK(top(1ULL << 63) == 3 && top((u64)zero) == 4 && top(5) == 0);
    CHECK(range(-2147483647 - 1 + zero) == 0 && range(-1000 + zero) == 0);
    CHECK(range(-999 + zero) == 1 && range(-1 + zero) == 1);
    CHECK(range(zero) == 2 && range(1 + zero) == 3 && range(9 + zero) == 3);
    CHECK(range(10 + zero) == 4 && range(99 + zero) == 4);
    CHECK(range(100 + zero) == 5 && range(2147483647 + zero) == 5);
    CHECK(both(1000 + zero, 7) == 20);
    CHECK(both(1000 + zero, 70000) == 70);
    CHECK(both(1000, 700000000u + (unsigned)zero) == 50);
    CHECK(both(1000 + zero, 8) == 99);
    CHECK(both(-1000 + zero, 0xff23) == 51);
    CHECK(both(-1000 + zero, 0x123) == 61);
    CHECK(both(-1000 + zero, 0x223) == 11);
    CHECK(both(12345678 + zero, 7) == 11);
    CHECK(both(zero, 7) == 1);
    printf("switch_sparse %08x\n", hash);
    return 0;
}
