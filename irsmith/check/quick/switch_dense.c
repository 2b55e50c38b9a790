// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dense switches, with fallthrough, holes and a default in the middle: jump
// tables, simplifycfg's switch-to-lookup, lower-switch, structurizecfg.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

static volatile int seed = 3;

static int plain(int op, int a, int b)
{
    switch (op) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return a & b;
    case 4: return a | b;
    case 5: return a ^ b;
    case 6: return b ? a / b : 0;
    case 7: return b ? a % b : 0;
    default: return -1;
    }
}

static int fall(int n)
{
    int r = 0;

    switch (n) {
    case 6: r += 600000; /* fall through */
    case 5: r += 50000; /* fall through */
    case 4: r += 4000; break;
    default: r += 7; /* fall through */
    case 2: r += 20; /* fall through */
    case 1: r += 1; break;
    case 0: r = -100; break;
    }
    return r;
}

/* The classic unrolled copy that enters a loop through a switch. */
static void device(unsigned char *to, const unsigned char *from, int count)
{
    int rounds = (count + 3) / 4;

    switch (count % 4) {
    case 0: do { *to++ = *from++; /* fall through */
    case 3:      *to++ = *from++; /* fall through */
    case 2:      *to++ = *from++; /* fall through */
    case 1:      *to++ = *from++;
            } while (--rounds > 0);
    }
}

static int in_loop(const signed char *s)
{
    int up = 0, down = 0;

    for (;; s++) {
        switch (*s) {
        case 'a': up++; continue;
        case 'b': down++; break;
        case 'c': up += 10; break;
        case 'd': down += 10; continue;
        case 'e': goto done;
        case 0: return -1;
        }
        up += 100;
    }
done:
    return up * 1000 + down;
}

int main(void)
{
    static const int expect[] = {-100, 1, 21, 28, 4000, 54000, 654000, 28, 28};
    unsigned char src[23], dst[24];
    int s = seed, sum = 0, i, n;

    CHECK(plain(0, 9, s) == 12);
    CHECK(plain(1, 9, s) == 6);
    CHECK(plain(2, 9, s) == 27);
    CHECK(plain(3, 9, s) == 1);
    CHECK(plain(4, 9, s) == 11);
    CHECK(plain(5, 9, s) == 10);
    CHECK(plain(6, -10, s) == -3);
    CHECK(plain(7, -10, s) == -1);
    CHECK(plain(8, 1, 2) == -1 && plain(-1, 1, 2) == -1);
    for (i = -2; i < 10; i++)
        sum = sum * 3 + plain(i * s / 3, i, s + i);
    CHECK(fall(4) == 4000 && fall(1) == 1);
    for (i = 0; i < 9; i++)
        CHECK(fall(i + s - 3) == expect[i]);
    CHECK(fall(-s) == 28);

    for (n = 1; n <= 23; n++) {
        for (i = 0; i < 23; i++)
            src[i] = (unsigned char)(i * 7 + s);
        for (i = 0; i < 24; i++)
            dst[i] = 0xEE;
        device(dst, src, n);
        for (i = 0; i < 24; i++)
            CHECK(dst[i] == (i < n ? src[i] : 0xEE));
    }
    CHECK(in_loop((const signed char *)"abcdabze") == 412012);
    CHECK(in_loop((const signed char *)"aab") == -1);
    printf("switch_dense %d\n", sum);
    return 0;
}
