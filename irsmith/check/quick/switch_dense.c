// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dense switches, with fallthrough and a default in the middle, and one that
// enters a loop: jump tables, simplifycfg's switch-to-lookup, lower-switch,
// structurizecfg.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int seed = 3;

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

int main(void)
{
    static const int expect[] = {-100, 1, 21, 28, 4000, 54000, 654000, 28, 28};
    unsigned char src[23], dst[24];
    int s = seed, i, n;

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
    printf("switch_dense\n");
    return 0;
}
