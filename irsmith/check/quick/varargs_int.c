// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Variable arguments of all integer widths, more than fit in registers, with
// va_copy and a va_list passed by pointer: expand-variadics, argument passes.

#include <stdarg.h>

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile int zero = 0;

static int sum(int n, ...)
{
    va_list ap;
    int total = 0;

    va_start(ap, n);
    while (n-- > 0)
        total += va_arg(ap, int);
    va_end(ap);
    return total;
}

static long long mixed(const char *types, ...)
{
    va_list ap;
    long long h = 0;

    va_start(ap, types);
    for (; *types; types++) {
        switch (*types) {
        case 'i': h = h * 3 + va_arg(ap, int); break;
        case 'u': h = h * 5 + va_arg(ap, unsigned); break;
        case 'l': h = h * 7 + va_arg(ap, long); break;
        case 'L': h = h * 11 + va_arg(ap, long long); break;
        case 'p': h = h * 13 + *va_arg(ap, const int *); break;
        case 'P': *va_arg(ap, long long *) = h; break;
        default: abort();
        }
        h %= 1000000007;
    }
    va_end(ap);
    return h;
}

static int twice(int n, ...)
{
    va_list ap, again;
    int i, forward = 0, doubled = 0;

    va_start(ap, n);
    forward += va_arg(ap, int);
    va_copy(again, ap);
    for (i = 1; i < n; i++)
        forward = forward * 10 + va_arg(ap, int);
    for (i = 1; i < n; i++)
        doubled += 2 * va_arg(again, int);
    va_end(again);
    va_end(ap);
    return forward * 1000 + doubled;
}

static int take_two(va_list *ap)
{
    int a = va_arg(*ap, int);

    return a * 10 + va_arg(*ap, int);
}

static int vtotal(int n, va_list ap)
{
    int r = 0;

    while (n--)
        r = r * 2 + va_arg(ap, int);
    return r;
}

static int forwarded(int n, ...)
{
    va_list ap;
    int r;

    va_start(ap, n);
    r = take_two(&ap);
    r = r * 100 + take_two(&ap);
    r = r * 1000 + vtotal(n - 4, ap);
    va_end(ap);
    return r;
}

int main(void)
{
    int cell = 99;
    long long snapshot = -1, h;
    int (*indirect)(int, ...) = zero ? forwarded : sum;

    CHECK(sum(zero) == 0);
    CHECK(sum(1 + zero, -5) == -5);
    CHECK(sum(12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 + zero) == 78);
    CHECK(sum(3, (signed char)-1, (unsigned char)255, (short)-300) == -46);
    CHECK(indirect(2 + zero, 2147483647, -2147483647 - 1) == -1);
    h = mixed("iuLlpPiiiiiL", -7, 4000000000u, -5000000000LL, 123456L, &cell,
              &snapshot, 1, 2, 3, 4, 5 + zero, 1LL << 40);
    CHECK(mixed("") == 0 && mixed("i", -3 + zero) == -3);
    CHECK(mixed("uL", 4294967295u, 1LL + zero)
          == 4294967295LL % 1000000007 * 11 + 1
                 - (4294967295LL % 1000000007 * 11 + 1) / 1000000007
                       * 1000000007);
    CHECK(twice(5 + zero, 1, 2, 3, 4, 5) == 12345028);
    CHECK(twice(1 + zero, 7) == 7000);
    CHECK(forwarded(4 + zero, 1, 2, 3, 4) == 1234000);
    CHECK(forwarded(9, 1, 2, 3, 4, 1, 0, 1, 1, zero + 1) == 1234023);
    printf("varargs_int %lld %lld\n", h, snapshot);
    return 0;
}
