// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Variable arguments that mix doubles, integers and structs of several ABI
// classes (integer, floating, mixed, memory): sroa, dead-argument elimination.

#include <stdarg.h>

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

struct ints { int a, b; };
struct point { double x, y; };
struct both { double d; long n; };
struct three { char c[3]; };
struct big { long v[5]; };

static volatile int zero = 0;

static double dsum(int n, ...)
{
    va_list ap;
    double total = 0;

    va_start(ap, n);
    while (n--)
        total += va_arg(ap, double);
    va_end(ap);
    return total;
}

static double eval(const char *what, ...)
{
    va_list ap;
    double r = 0;
    int i;

    va_start(ap, what);
    for (; *what; what++) {
        switch (*what) {
        case 'i':
            r = r * 2 + va_arg(ap, int);
            break;
        case 'd':
            r = r * 2 + va_arg(ap, double);
            break;
        case 'I': {
            struct ints s = va_arg(ap, struct ints);

            r = r * 2 + s.a - s.b;
            break;
        }
        case 'p': {
            struct point s = va_arg(ap, struct point);

            r = r * 2 + s.x * s.y;
            break;
        }
        case 'b': {
            struct both s = va_arg(ap, struct both);

            r = r * 2 + s.d + (double)s.n;
            break;
        }
        case '3': {
            struct three s = va_arg(ap, struct three);

            r = r * 2 + s.c[0] * 100 + s.c[1] * 10 + s.c[2];
            break;
        }
        case 'B': {
            struct big s = va_arg(ap, struct big);

            r *= 2;
            for (i = 0; i < 5; i++)
                r += (double)(s.v[i] * (i + 1));
            break;
        }
        default:
            abort();
        }
    }
    va_end(ap);
    return r;
}

int main(void)
{
    struct ints i = {7 + zero, 3};
    struct point p = {1.5, 4.0 + zero};
    struct both b = {0.25, 40 + zero};
    struct three t = {{1, 2, (char)(3 + zero)}};
    double r;

    CHECK(dsum(zero) == 0);
    CHECK(dsum(2, (float)0.25, 0.5 + zero) == 0.75);
    CHECK(eval("id", 3 + zero, 0.5) == 6.5);
    CHECK(eval("I", i) == 4 && eval("p", p) == 6 && eval("b", b) == 40.25);
    CHECK(eval("3", t) == 123);
    CHECK(eval("IpbiI", i, p, b, -1, i) == ((8 + 6) * 2 + 40.25) * 4 - 2 + 4);
    /* Enough of each to spill the register save areas. */
    r = eval("iiiiiidddddddddIpbIpb", 1, 2, 3, 4, 5, 6, 1., 2., 3., 4., 5., 6.,
             7., 8., 9., i, p, b, i, p, b);
    CHECK(r == 3997606.25);
    printf("varargs_mixed %lld\n", (long long)(r * 4));
    return 0;
}
