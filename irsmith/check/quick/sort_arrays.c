// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Insertion, shell, heap, quick and counting sort against each other, with
// duplicates and extremes: swap idioms, select, loop-rotate, jump-threading.

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

static volatile u32 zero = 0;

static void insertion(int *v, int n)
{
    for (int i = 1; i < n; i++) {
        int x = v[i], j = i;

        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

static void shell(int *v, int n)
{
    for (int gap = n / 2; gap > 0; gap /= 2)
        for (int i = gap; i < n; i++)
            for (int j = i - gap; j >= 0 && v[j] > v[j + gap]; j -= gap) {
                int t = v[j];

                v[j] = v[j + gap];
                v[j + gap] = t;
            }
}

static void sift(int *v, int root, int n)
{
    for (int child; (child = 2 * root + 1) < n; root = child) {
        int t;

        if (child + 1 < n && v[child] < v[child + 1])
            child++;
        if (v[root] >= v[child])
            return;
        t = v[root];
        v[root] = v[child];
        v[child] = t;
    }
}

static void heap(int *v, int n)
{
    for (int i = n / 2; i-- > 0;)
        sift(v, i, n);
    while (n-- > 1) {
        int t = v[0];

        v[0] = v[n];
        v[n] = t;
        sift(v, 0, n);
    }
}

static void quick(int *v, int low, int high)
{
    while (low < high) {
        int i = low, j = high, pivot = v[low + (high - low) / 2];

        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                int t = v[i];

                v[i++] = v[j];
                v[j--] = t;
            }
        }
        /* The shorter side by recursion, the longer by the loop. */
        if (j - low < high - i) {
            quick(v, low, j);
            low = i;
        } else {
            quick(v, i, high);
            high = j;
        }
    }
}

/* By two bytes, least significant first; the sign is flipped away. */
static void radix(u32 *v, u32 *spare, int n)
{
    for (int shift = 0; shift < 32; shift += 8) {
        int count[257] = {0};

        for (int i = 0; i < n; i++)
            count[(v[i] >> shift & 255) + 1]++;
        for (int i = 0; i < 256; i++)
            count[i + 1] += count[i];
        for (int i = 0; i < n; i++)
            spare[count[v[i] >> shift & 255]++] = v[i];
        for (int i = 0; i < n; i++)
            v[i] = spare[i];
    }
}

int main(void)
{
    int a[48], b[48], c[48], d[48];
    u32 e[48], spare[48], seed = 12345 + zero, h = 0;

    for (int n = 0; n <= 48; n += n < 3 ? 1 : 15) {
        for (int i = 0; i < n; i++) {
            seed = seed * 1103515245u + 12345u;
            a[i] = (int)(seed >> 8) % 50 - 25;
            if (i % 11 == 10)
                a[i] = i & 1 ? 2147483647 : -2147483647 - 1;
            b[i] = c[i] = d[i] = a[i];
            e[i] = (u32)a[i] ^ 0x80000000u;
        }
        insertion(a, n);
        shell(b, n);
        heap(c, n);
        quick(d, 0, n - 1);
        radix(e, spare, n);
        for (int i = 0; i < n; i++) {
            CHECK(i == 0 || a[i - 1] <= a[i]);
            CHECK(a[i] == b[i]);
            CHECK(a[i] == c[i]);
            CHECK(a[i] == d[i]);
            CHECK((u32)a[i] == (e[i] ^ 0x80000000u));
            h = h * 31 + (u32)a[i];
        }
    }
    printf("sort_arrays %08x\n", h);
    return 0;
}
