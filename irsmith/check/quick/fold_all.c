// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Code with known inputs throughout, which folds to nothing if all goes well,
// in loops, recursion, tables and strings: sccp, ipsccp, unroll, instsimplify.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned u32;
typedef long long i64;

static int gcd(int a, int b)
{
    return b ? gcd(b, a % b) : a;
}

static int ways(int n)
{
    return n < 2 ? 1 : ways(n - 1) + ways(n - 2);
}

static u32 hash(const char *s)
{
    u32 h = 17;

    for (; *s; s++)
        h = h * 31 + (u8)*s;
    return h;
}

static int pascal(int row, int column)
{
    int line[12] = {1};

    for (int i = 1; i <= row; i++)
        for (int j = i; j > 0; j--)
            line[j] += line[j - 1];
    return line[column];
}

static i64 polynomial(int x)
{
    static const signed char c[] = {-5, 0, 3, 7, -1};
    i64 r = 0;

    for (int i = 4; i >= 0; i--)
        r = r * x + c[i];
    return r;
}

static int weekday(int year, int month, int day)
{
    static const u8 shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};

    if (month < 3)
        year--;
    return (year + year / 4 - year / 100 + year / 400 + shift[month - 1] + day)
           % 7;
}

struct state {
    int sum;
    u8 bytes[4];
    const char *text;
};

static struct state build(void)
{
    struct state s = {0, {1, 2, 3, 4}, "fold"};

    for (int i = 0; i < 4; i++) {
        s.bytes[i] = (u8)(s.bytes[i] * 70);
        s.sum += s.bytes[i] + s.text[i];
    }
    return s;
}

int main(void)
{
    struct state s = build();
    const char *p = &"aliased"[2];
    int v[3] = {3, 1, 2}, t;

    CHECK(gcd(1071, 462) == 21 && ways(12) == 233);
    CHECK(hash("") == 17 && hash("ab") == (17 * 31 + 'a') * 31 + 'b');
    CHECK(pascal(10, 3) == 120 && pascal(0, 0) == 1 && pascal(4, 4) == 1);
    CHECK(polynomial(-3) == -5 + 27 - 189 - 81 && polynomial(0) == -5);
    CHECK(polynomial(2000) == -15944000000000LL + 12000000LL - 5);
    CHECK(weekday(2000, 1, 1) == 6 && weekday(1969, 7, 20) == 0);
    CHECK(weekday(1900, 2, 28) == 3 && weekday(2024, 2, 29) == 4);
    CHECK(s.bytes[3] == 24
          && s.sum == 70 + 140 + 210 + 24 + 102 + 111 + 108 + 100);
    CHECK(*p == 'i' && p[-2] == 'a' && p[5] == 0);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 2; j++)
            if (v[j] > v[j + 1])
                t = v[j], v[j] = v[j + 1], v[j + 1] = t;
    CHECK(v[0] == 1 && v[1] == 2 && v[2] == 3);
    CHECK(-7 / 2 == -3 && -7 % 2 == -1 && (u8)300 == 44 && 7u - 8u > 0);
    CHECK((1 ? -1 : 0u) > 0 && (signed char)200 < 0 && ~0 == -1 && !!5 == 1);
    CHECK(0.1 + 0.2 != 0.3 && 0.5 + 0.25 == 0.75 && (int)-1.9 == -1);
    CHECK(sizeof(struct state) >= 16 && (int)(sizeof v / sizeof *v) == 3);
    printf("fold_all %d %d\n", s.sum, ways(15));
    return 0;
}
