// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Strings by hand: split, trim, replace, number parsing and printing, wildcard
// matching: early exits over bytes, range checks, simplifycfg, licm.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned char u8;
typedef unsigned u32;

static volatile int zero = 0;

static int length(const char *s)
{
    int n = 0;

    while (s[n])
        n++;
    return n;
}

static int same(const char *a, const char *b)
{
    for (; *a == *b; a++, b++)
        if (!*a)
            return 1;
    return 0;
}

/* * stands for any run, ? for one character. */
static int matches(const char *p, const char *s)
{
    const char *star = 0, *resume = 0;

    while (*s) {
        if (*p == '?' || *p == *s) {
            p++;
            s++;
        } else if (*p == '*') {
            star = ++p;
            resume = s;
        } else if (star) {
            p = star;
            s = ++resume;
        } else {
            return 0;
        }
    }
    while (*p == '*')
        p++;
    return !*p;
}

/* Collapses blanks and trims both ends, in place. */
static int squeeze(char *s)
{
    char *to = s, *from = s;
    int blank = 1;

    for (; *from; from++) {
        if (*from == ' ' || *from == '\t') {
            if (!blank)
                *to++ = ' ';
            blank = 1;
        } else {
            *to++ = *from;
            blank = 0;
        }
    }
    if (to > s && to[-1] == ' ')
        to--;
    *to = 0;
    return (int)(to - s);
}

static int parse(const char *s, int base, int *value)
{
    int negative = *s == '-', digits = 0;
    u32 v = 0, limit = 0x7fffffffu + (u32)negative;

    for (s += negative; *s; s++, digits++) {
        u32 d = *s >= '0' && *s <= '9'   ? (u32)(*s - '0')
                : *s >= 'a' && *s <= 'z' ? (u32)(*s - 'a') + 10
                                         : 99;

        if (d >= (u32)base || v > (limit - d) / (u32)base)
            return 0;
        v = v * (u32)base + d;
    }
    *value = negative ? (int)(0u - v) : (int)v;
    return digits > 0;
}

static char *print(char *end, int v, int base)
{
    u32 u = v < 0 ? 0u - (u32)v : (u32)v;

    *end = 0;
    do
        *--end = "0123456789abcdefghijklmnopqrstuvwxyz"[u % (u32)base];
    while (u /= (u32)base);
    if (v < 0)
        *--end = '-';
    return end;
}

int main(void)
{
    static const int list[] = {0, 7, -7, 255, -2147483647 - 1, 2147483647, 36};
    char text[] = "  the quick\t \tbrown  fox ", buf[40];
    u32 h = 0;
    int v;

    CHECK(matches("*.c", &"main.c"[zero]) && !matches("*.c", "main.cc"));
    CHECK(matches("a*b?d*", &"aXXbbcdbzd"[zero])
          && !matches("?", &"x"[1 + zero]));
    CHECK(matches("**", &"q"[1 + zero]) && !matches("a*ba", &"abab"[zero]));
    CHECK(squeeze(text + zero) == 19 && same(text, "the quick brown fox"));
    CHECK(squeeze(text + 19) == 0 && length(text) == 19);
    for (int i = 0; i < 7; i++)
        for (int base = 2; base <= 36; base += 7) {
            char *p = print(buf + 39, list[i] + zero, base);

            CHECK(parse(p, base, &v) && v == list[i]);
            h = h * 31 + (u32)length(p) + (u8)p[1];
        }
    CHECK(same(print(buf + 39, -255, 16 + zero), "-ff"));
    CHECK(!parse(&"2147483648"[zero], 10, &v) && !parse("12a", 10 + zero, &v));
    CHECK(parse("-2147483648", 10 + zero, &v) && v < 0 && !parse("-", 10, &v));
    CHECK(!parse("-2147483649", 10 + zero, &v) && !parse("", 10 + zero, &v));
    printf("string_scan %08x\n", h);
    return 0;
}
