// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sparse switches on 64-bit, negative and unsigned values: comparison trees
// of lower-switch, correlated-propagation, simplifycfg.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

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
    printf("switch_sparse %08x\n", hash);
    return 0;
}
