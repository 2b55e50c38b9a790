// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops that count in pointers: two ends meeting, end pointers, sentinels,
// char** and linked strides. loop-reduce, indvars, separate-const-offset.

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
typedef __PTRDIFF_TYPE__ diff;

static volatile int zero = 0;

static int palindrome(const char *s)
{
    const char *e = s;

    while (*e)
        e++;
    while (s < e)
        if (*s++ != *--e)
            return 0;
    return 1;
}

static diff span(const int *first, const int *last, int limit)
{
    const int *p = first;

    while (p < last && *p < limit)
        ++p;
    return p - first;
}

static int partition(int *first, int *last, int pivot)
{
    int *lo = first, *hi = last;

    for (;;) {
        while (lo < hi && *lo < pivot)
            lo++;
        while (lo < hi && hi[-1] >= pivot)
            hi--;
        if (lo >= hi)
            break;
        int t = *lo;

        *lo++ = *--hi;
        *hi = t;
    }
    return (int)(lo - first);
}

static int words(char **list, int *longest)
{
    int n = 0;

    *longest = 0;
    for (char **p = list; *p; p++, n++) {
        const char *q = *p;

        while (*q)
            q++;
        if (q - *p > *longest)
            *longest = (int)(q - *p);
    }
    return n;
}

/* Merge of two sorted runs towards the end, writing backwards. */
static void merge_back(int *out_end, const int *a, int na, const int *b, int nb)
{
    const int *pa = a + na, *pb = b + nb;

    while (pb > b)
        *--out_end = pa > a && pa[-1] > pb[-1] ? *--pa : *--pb;
    while (pa > a)
        *--out_end = *--pa;
}

static int run_length(const u8 *in, const u8 *end, u8 *out)
{
    u8 *start = out;

    while (in != end) {
        const u8 *run = in;

        while (in != end && *in == *run && in - run < 9)
            in++;
        *out++ = (u8)('0' + (in - run));
        *out++ = *run;
    }
    *out = 0;
    return (int)(out - start);
}

int main(void)
{
    int v[12], w[12], s = 0;
    char one[] = "one", three[] = "three", none[] = "", *list[5];
    static const u8 text[] = "aaabccccccccccccd";
    static const int a[] = {1, 4, 9, 16}, b[] = {2, 3, 5, 9, 30};
    int longest, k;
    u8 out[40];

    CHECK(palindrome("") && palindrome(&"level"[zero]) && palindrome("abba"));
    CHECK(!palindrome(&"abca"[zero]) && palindrome(&"ab"[1 + zero]));
    for (int i = 0; i < 12; i++)
        v[i] = i * 7 % 12 + zero;
    CHECK(span(v, v + 12, 100) == 12 && span(v, v + zero, 100) == 0);
    CHECK(span(v, v + 12, 7 + zero) == 1);
    for (int pivot = -1; pivot < 14; pivot += 2) {
        k = partition(v, v + 12, pivot + zero);
        CHECK(k == (pivot < 0 ? 0 : pivot > 12 ? 12 : pivot));
        for (int i = 0; i < 12; i++) {
            CHECK((v[i] < pivot) == (i < k));
            s = (s * 13 + v[i]) % 100003;
        }
    }
    list[0] = one;
    list[1] = none + zero;
    list[2] = three;
    list[3] = three + 2;
    list[4] = 0;
    CHECK(words(list, &longest) == 4 && longest == 5);
    CHECK(words(list + 3 + zero, &longest) == 1 && longest == 3);
    CHECK(words(list + 4, &longest) == 0 && longest == 0);
    merge_back(w + 9, a, 4, b, 5 - zero);
    CHECK(w[0] == 1 && w[1] == 2 && w[4] == 5 && w[5] == 9 && w[6] == 9);
    CHECK(w[8] == 30);
    /* In place: the first run already lies at the start of the output. */
    w[0] = 10;
    w[1] = 20 + zero;
    merge_back(w + 6, w, 2, a, 4);
    CHECK(w[0] == 1 && w[3] == 10 && w[4] == 16 && w[5] == 20);
    k = run_length(text + zero, text + sizeof text - 1, out);
    CHECK(k == 10 && out[0] == '3' && out[4] == '9' && out[6] == '3');
    CHECK(out[9] == 'd' && out[10] == 0);
    CHECK(run_length(text, text + zero, out) == 0 && out[0] == 0);
    printf("loop_pointer %d %d\n", s, k);
    return 0;
}
