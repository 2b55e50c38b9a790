// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conversions between floating point and integers of every width and sign, and
// between float and double: constant folding, float2int, instcombine casts.

#pragma STDC FP_CONTRACT OFF

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef unsigned u32;
typedef long long i64;
typedef unsigned long long u64;

static volatile int zero = 0;

/* float2int may do this wholly in integers, but must not change results. */
static int through_float(i16 a, i16 b)
{
    double x = a, y = b;

    return (int)(x * y + x - 3.0) - (x < y ? 1 : 0);
}

static u64 big_unsigned(double d)
{
    return (u64)d;
}

static float narrow(double d)
{
    return (float)d;
}

static u32 bits(float f)
{
    u32 u;

    __builtin_memcpy(&u, &f, sizeof u);
    return u;
}

static double parse(const char *s)
{
    double v = 0, scale = 1;
    int neg = *s == '-';

    s += neg;
    for (; *s >= '0' && *s <= '9'; s++)
        v = v * 10 + (*s - '0');
    if (*s == '.')
        for (s++; *s >= '0' && *s <= '9'; s++) {
            v = v * 10 + (*s - '0');
            scale *= 10;
        }
    return (neg ? -v : v) / scale;
}

int main(void)
{
    static const float table[] = {0.5f, -1.75f, 1e10f, 16777216.0f};
    double z = zero, d;
    u64 h = 0;
    int i;

    CHECK((int)(2.99 + z) == 2 && (int)(-2.99 + z) == -2
          && (int)(-0.5 + z) == 0);
    CHECK((i8)(-128.9 + z) == -128 && (u8)(255.9 + z) == 255);
    CHECK((u8)(-0.9 + z) == 0 && (u16)(65535.5 + z) == 65535);
    CHECK((u32)(4294967295.0 + z) == 0xffffffffu
          && (u32)(2147483648.5 + z) >> 31);
    CHECK((i64)(-9223372036854775808.0 + z) == -9223372036854775807LL - 1);
    CHECK(big_unsigned(9223372036854775808.0 + z) == 1ULL << 63);
    CHECK(big_unsigned(18446744073709549568.0 + z) == 0xfffffffffffff800ULL);
    CHECK(big_unsigned(2251799813685249.5 + z) == 2251799813685249ULL);
    CHECK((double)(u64)(~0ULL - (u64)zero) == 18446744073709551616.0);
    CHECK((double)((1ULL << 63) + 1024 + (u64)zero) == 9223372036854775808.0);
    CHECK((double)((1ULL << 63) + 1025 + (u64)zero) == 9223372036854777856.0);
    CHECK((double)((1ULL << 63) + 3072 + (u64)zero)
          == 9223372036854779904.0 + z);
    CHECK((float)(0xffffff80u + (u32)zero) == 4294967296.0f);
    CHECK((float)(0xffffff7fu + (u32)zero) == 4294967040.0f);
    CHECK((float)(16777217 + zero) == 16777216.0f);
    CHECK((float)(16777219 + zero) == 16777220.0f && (float)-16777217 < 0);
    CHECK((float)(u64)(0x8000008000000001ULL + (u64)zero)
          == 9223373136366403584.0f);
    CHECK(bits((float)(i64)(-(1LL << 40) + zero)) == 0xd3800000u);
    CHECK(narrow(0.1 + z) != 0.1 + z && narrow(0.5 + z) == 0.5);
    CHECK(bits(narrow(0.1 + z)) == 0x3dcccccdu && bits(narrow(1e-46 + z)) == 0);
    CHECK(bits(narrow(-1e-45 + z)) == 0x80000001u);
    CHECK(bits(narrow(3.4028235677973366e38 + z)) == 0x7f800000u);
    CHECK(bits(narrow(3.4028235677973362e38 + z)) == 0x7f7fffffu);
    CHECK(narrow(1.0 + 5.97e-8 + z) > 1.0f);
    for (i = 0; i < 4; i++) {
        d = table[i];
        h = h * 31 + (u64)(i64)(d * 8);
        CHECK((float)d == table[i]);
    }
    CHECK(through_float(-32768, (i16)(32767 + zero)) == -32768 * 32767 - 32772);
    CHECK(through_float((i16)(100 + zero), -3) == -203);
    CHECK(parse("-12.625") == -12.625 && parse(&"0.1"[zero]) == 0.1);
    CHECK(parse("4503599627370497") == 4503599627370497.0);
    CHECK((_Bool)(z + 0.25) == 1 && (_Bool)-z == 0 && (char)(z + 65.9) == 'A');
    printf("float_convert %016llx\n", h);
    return 0;
}
