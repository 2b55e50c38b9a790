// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Strided, reversed, gathered and interleaved accesses, with remainders:
// loop-vectorize's interleave groups, loop-load-elim, loop-reduce, indvars.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;

struct rgb {
    u8 r, g, b;
};

static volatile int zero = 0;

static void to_grey(const struct rgb *in, u8 *out, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (u8)((in[i].r * 77 + in[i].g * 151 + in[i].b * 28) >> 8);
}

static void reverse(int *v, int n)
{
    for (int i = 0, j = n - 1; i < j; i++, j--) {
        int t = v[i];

        v[i] = v[j];
        v[j] = t;
    }
}

static void deinterleave(const u16 *in, u16 *even, u16 *odd, int pairs)
{
    for (int i = 0; i < pairs; i++) {
        even[i] = in[2 * i];
        odd[i] = (u16)(in[2 * i + 1] + even[i]);
    }
}

static void gather(int *out, const int *v, const u8 *index, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = v[index[i]];
}

int main(void)
{
    struct rgb image[21];
    u8 grey[21], index[20];
    u16 mixed[34], even[17], odd[17];
    u32 u[50];
    int v[20], w[20];

    for (int i = 0; i < 21; i++) {
        image[i].r = (u8)(i * 12 + zero);
        image[i].g = (u8)(255 - i);
        image[i].b = (u8)(i * i);
    }
    to_grey(image, grey, 21 - zero);
    for (int i = 20; i >= 0; i--)
        CHECK(grey[i]
              == (i * 12 * 77 + (255 - i) * 151 + i * i % 256 * 28) / 256);

    for (int n = 0; n <= 20; n++) {
        for (int i = 0; i < 20; i++)
            v[i] = i;
        reverse(v, n + zero);
        for (int i = 0; i < 20; i++)
            CHECK(v[i] == (i < n ? n - 1 - i : i));
    }
    for (int i = 0; i < 34; i++)
        mixed[i] = (u16)(i * 2000 + zero);
    deinterleave(mixed, even, odd, 17);
    for (int i = 0; i < 17; i++)
        CHECK(even[i] == 4000 * i && odd[i] == (u16)(8000 * i + 2000));
    /* In place: out[i] is read as in[...] later on. */
    deinterleave(mixed, mixed, odd, 17 - zero);
    CHECK(mixed[0] == 0 && mixed[3] == 12000 && odd[2] == 18000);

    for (int i = 0; i < 50; i++)
        u[i] = (u32)(i * i);
    for (int i = 0; i < 20; i++) {
        index[i] = (u8)(i * 7 % 20);
        v[i] = 100 + i;
        w[i] = 0;
    }
    gather(w, v, index, 20 - zero);
    for (int i = 0; i < 20; i++)
        CHECK(w[i] == 100 + i * 7 % 20);
    printf("loop_strided %d\n", w[2]);
    return 0;
}
