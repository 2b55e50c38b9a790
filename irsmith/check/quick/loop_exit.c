// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Searches with early exits, several exits with different values, breaks out
// of nests and values live out of loops: loop-rotate, lcssa, indvars, deletion.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned u32;

static volatile int zero = 0;

static int find(const int *v, int n, int what)
{
    for (int i = 0; i < n; i++)
        if (v[i] == what)
            return i;
    return -1;
}

static int find_last(const int *v, int n, int what)
{
    int at = -1;

    for (int i = 0; i < n; i++)
        if (v[i] == what)
            at = i;
    return at;
}

static int first_pair(const int *v, int n, int sum, int *second)
{
    int i, j = -1;

    for (i = 0; i < n; i++)
        for (j = i + 1; j < n; j++)
            if (v[i] + v[j] == sum)
                goto out;
out:
    *second = j;
    return i;
}

/* Three exits, each with another result. */
static int three_ways(const int *v, int n, int *last)
{
    int i = 0, sum = 0;

    for (;;) {
        *last = i;
        if (i == n)
            return sum;
        sum += v[i];
        if (sum > 100)
            return -i;
        if (v[i] < 0)
            break;
        i++;
    }
    return 1000 * i + sum;
}

/* The computation is dead, but the loop's exit value is not. */
static u32 exit_value(u32 n)
{
    u32 i = 3, waste = 1;

    while (i < n) {
        waste = waste * 5 + i;
        i += 4;
    }
    (void)waste;
    return i;
}

static int compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int main(void)
{
    static const int v[] = {5, 12, 7, 30, 7, 41, 5, -2, 60};
    int second, last, h = 0;

    CHECK(find(v, 9, 7 + zero) == 2 && find(v, 9, 6 + zero) == -1);
    CHECK(find(v, zero, 5) == -1 && find(v, 9, 60 + zero) == 8);
    CHECK(find_last(v, 9, 7 + zero) == 4 && find_last(v, 9, 99) == -1);
    CHECK(first_pair(v, 9, 37 + zero, &second) == 2 && second == 3);
    CHECK(first_pair(v, 9, 58 + zero, &second) == 7 && second == 8);
    CHECK(first_pair(v, 9, 1000 + zero, &second) == 9 && second == 9);
    CHECK(first_pair(v, zero, 1, &second) == 0 && second == -1);
    CHECK(three_ways(v, 4 + zero, &last) == 54 && last == 4);
    CHECK(three_ways(v, 9 + zero, &last) == -5 && last == 5);
    CHECK(three_ways(v + 6, 3 + zero, &last) == 1003 && last == 1);
    CHECK(exit_value((u32)zero) == 3 && exit_value(4 + (u32)zero) == 7);
    CHECK(exit_value(1000 + (u32)zero) == 1003 && exit_value(999) == 999);
    CHECK(compare("abc", &"abc"[zero]) == 0 && compare("abd", "abc") == 1);
    CHECK(compare("ab", &"abc"[zero]) == -'c'
          && compare(&"b"[zero], "") == 'b');
    CHECK(compare("\xff", &"\x01"[zero]) == 254);
    for (int i = 0; i < 9; i++)
        h = h * 11 + find_last(v, i + zero, v[i / 2]);
    printf("loop_exit %d\n", h);
    return 0;
}
