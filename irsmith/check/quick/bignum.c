// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers of many limbs: carries, borrows, products, division by a limb and
// printing: carry chains, wide multiplies, nested loops, structs by value.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned u32;
typedef unsigned long long u64;

enum { LIMBS = 12 };

struct big {
    u32 v[LIMBS];
};

static volatile u32 zero = 0;

static struct big from(u32 x)
{
    struct big r = {{x}};

    return r;
}

static u32 add(struct big *a, const struct big *b)
{
    u32 carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        u64 s = (u64)a->v[i] + b->v[i] + carry;

        a->v[i] = (u32)s;
        carry = (u32)(s >> 32);
    }
    return carry;
}

static u32 sub(struct big *a, const struct big *b)
{
    u32 borrow = 0;

    for (int i = 0; i < LIMBS; i++) {
        u32 x = a->v[i], y = b->v[i], d = x - y;
        u32 next = (x < y) | (d < borrow);

        a->v[i] = d - borrow;
        borrow = next;
    }
    return borrow;
}

static u32 scale(struct big *a, u32 by)
{
    u64 carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        carry += (u64)a->v[i] * by;
        a->v[i] = (u32)carry;
        carry >>= 32;
    }
    return (u32)carry;
}

static u32 divide(struct big *a, u32 by)
{
    u64 rem = 0;

    for (int i = LIMBS; i-- > 0;) {
        rem = rem << 32 | a->v[i];
        a->v[i] = (u32)(rem / by);
        rem %= by;
    }
    return (u32)rem;
}

static struct big multiply(const struct big *a, const struct big *b)
{
    struct big r = from(0);

    for (int i = 0; i < LIMBS; i++) {
        u64 carry = 0;

        for (int j = 0; i + j < LIMBS; j++) {
            carry += r.v[i + j] + (u64)a->v[i] * b->v[j];
            r.v[i + j] = (u32)carry;
            carry >>= 32;
        }
    }
    return r;
}

static int compare(const struct big *a, const struct big *b)
{
    for (int i = LIMBS - 1; i >= 0; i--)
        if (a->v[i] != b->v[i])
            return a->v[i] < b->v[i] ? -1 : 1;
    return 0;
}

static const char *print(struct big a, char *end)
{
    struct big none = from(0);

    *--end = 0;
    do
        *--end = (char)('0' + divide(&a, 10));
    while (compare(&a, &none) != 0);
    return end;
}

static int same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

int main(void)
{
    struct big a = from(1 + zero), b, c;
    char text[130];

    for (u32 i = 2; i <= 40; i++)
        CHECK(scale(&a, i) == 0);
    CHECK(same(print(a, text + 130),
               "815915283247897734345611269596115894272000000000"));
    b = a;
    for (u32 i = 40; i > 30; i--)
        CHECK(divide(&b, i) == 0);
    CHECK(same(print(b, text + 130), "265252859812191058636308480000000"));
    c = b;
    CHECK(add(&c, &b) == 0 && compare(&c, &b) == 1 && compare(&b, &c) == -1);
    CHECK(sub(&c, &b) == 0 && compare(&c, &b) == 0);
    CHECK(sub(&b, &a) == 1 && add(&b, &a) == 1 && compare(&b, &c) == 0);
    c = multiply(&b, &b);
    CHECK(divide(&c, 1000003 + zero) == 136018);
    b = from(~0u - zero);
    c = multiply(&b, &b);
    CHECK(c.v[0] == 1 && c.v[1] == ~1u && c.v[2] == 0);
    CHECK(same(print(from(zero), text + 130), "0"));
    printf("bignum %s\n", print(multiply(&a, &c), text + 130));
    return 0;
}
