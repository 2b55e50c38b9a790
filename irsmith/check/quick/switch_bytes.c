// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Switches on 8-bit values, where the wrong width or extension picks another
// case: type narrowing, bit-test switches.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile unsigned zero = 0;

static int on_signed(signed char c)
{
    switch (c) {
    case -128: return 1;
    case -127: return 2;
    case -1: return 3;
    case 0: return 4;
    case 1: return 5;
    case 126: return 6;
    case 127: return 7;
    }
    return 0;
}

static int on_unsigned(unsigned char c)
{
    switch (c) {
    case 0: case 2: case 4: case 6: case 8: return 1;
    case 1: case 3: case 5: case 7: case 9: return 2;
    case 0x80: return 3;
    case 0xfe: return 4;
    case 0xff: return 5;
    default: return c > 0x80 ? 6 : 7;
    }
}

/* Bit tests: sets of cases within one machine word. */
static int vowel(unsigned char c)
{
    switch (c) {
    case 'a': case 'e': case 'i': case 'o': case 'u':
    case 'A': case 'E': case 'I': case 'O': case 'U':
        return 1;
    case ' ': case '\t': case '\n': case ',': case '.':
        return 2;
    }
    return 0;
}

struct packed {
    unsigned mode : 3;
    signed int step : 3;
};

int main(void)
{
    static const signed char list[] = {0, -128, -127, -1, 0, 1, 126, 127};
    const char *text = "Open, the iron Urn.\n";
    int i, v = 0, blank = 0;
    unsigned hash = 1;
    struct packed p;

    for (i = 1; i < 8; i++)
        CHECK(on_signed((signed char)(list[i] + (int)zero)) == i);
    for (i = 0; i < 256; i++)
        hash = hash * 7 + (unsigned)on_unsigned((unsigned char)(i + (int)zero));
    CHECK(on_unsigned((unsigned char)(zero - 1)) == 5);
    CHECK(on_unsigned((unsigned char)(zero + 0x180)) == 3);
    CHECK(on_unsigned((unsigned char)(zero + 0x109)) == 2);
    for (; *text; text++) {
        int k = vowel((unsigned char)*text);

        v += k == 1;
        blank += k == 2;
    }
    CHECK(v == 6 && blank == 6);
    CHECK(vowel((unsigned char)('a' + 64 + zero)) == 0);
    p.mode = 7 + zero;
    p.step = -4;
    p.mode = (p.mode + 6) & 7;
    p.step = -1;
    p.mode = 4;
    p.step = 3;
    printf("switch_bytes %08x\n", hash);
    return 0;
}
