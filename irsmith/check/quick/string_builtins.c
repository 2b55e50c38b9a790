// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C library's string and memory functions, which passes know by name, with
// constant and unknown strings: simplify-libcalls, inferattrs, memcpyopt, dse.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
typedef __SIZE_TYPE__ size_t;
size_t strlen(const char *);
int strcmp(const char *, const char *);
int strncmp(const char *, const char *, size_t);
char *strchr(const char *, int);
char *strrchr(const char *, int);
char *strcpy(char *, const char *);
char *strcat(char *, const char *);
char *strstr(const char *, const char *);
size_t strspn(const char *, const char *);
size_t strcspn(const char *, const char *);
int memcmp(const void *, const void *, size_t);
void *memchr(const void *, int, size_t);
void *memset(void *, int, size_t);
void *memcpy(void *, const void *, size_t);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

static volatile unsigned zero = 0;
static const char fixed[] = "constant\0hidden";

/* Lengths after stores that change them. */
static size_t lengths(char *buf, unsigned at)
{
    size_t n = strlen(buf);

    buf[at] = 0;
    n = n * 100 + strlen(buf);
    strcpy(buf, "abc");
    n = n * 100 + strlen(buf);
    strcat(buf, "de");
    n = n * 10 + strlen(buf);
    strcat(buf + 1, fixed + 9);
    return n * 100 + strlen(buf);
}

static int chain(const char *s)
{
    char tmp[32];

    strcpy(tmp, s);
    strcat(strcat(tmp, "-"), s);
    tmp[0] = 'X';
    return strcmp(tmp, s) < 0 ? (int)strlen(tmp) : -1;
}

static int find(const char *s, int c)
{
    const char *p = strchr(s, c);

    return p ? (int)(p - s) : -1;
}

static unsigned partial_set(unsigned n)
{
    unsigned char b[24];
    unsigned h = 0;

    memset(b, 1, sizeof b);
    memset(b + 4, 2, n);
    memset(b + 6, 3, 2);
    memcpy(b + 16, b + 3, 8);
    for (unsigned i = 0; i < sizeof b; i++)
        h = h * 5 + b[i];
    return h;
}

int main(void)
{
    char a[40] = "hello, world", b[40];
    const char *w = a + zero;
    unsigned h;

    CHECK(strlen("") == zero && strlen(fixed) == 8 && strlen(w) == 12);
    CHECK(strlen(fixed + 9 + zero) == 6 && strlen(&"xy"[zero]) == 2);
    CHECK(strcmp("a", "b") < 0 && strcmp(w, "hello, world") == 0);
    CHECK(strncmp(w, "hello there", 5) == 0
          && strncmp(w, "help", 3 + zero) == 0);
    CHECK(strncmp(w, "help", 4 + zero) < 0 && strncmp(w, "x", zero) == 0);
    CHECK(find(w, 'o') == 4 && find(w, 'z') == -1 && find(w, 0) == 12);
    CHECK(strrchr(w, 'o') == a + 8 && strrchr(w, 'q') == 0);
    CHECK(strstr(w, "world") == a + 7 && strstr(w, "worlds") == 0);
    CHECK(strstr(w, &"z"[1 + zero]) == w);
    CHECK(strspn(w, "ehlo") == 5 && strcspn(w, " ") == 6 + zero);
    CHECK(strspn(w, "") == 0 && strcspn(w, "") == 12);
    CHECK(memchr(w, 'l', 12) == a + 2 && memchr(w, 'l', 2 + zero) == 0);
    CHECK(memchr(fixed, 'h', sizeof fixed) == fixed + 9);
    CHECK(memcmp(w, "help", 3) == 0 && memcmp(w, "help", 4 + zero) < 0);
    CHECK(memcmp("\x80", &"\x7f"[zero], 1) > 0 && memcmp(w, "x", zero) == 0);
    strcpy(b, w);
    CHECK(strcmp(a, b) == 0);
    b[7] = 'W';
    CHECK(memcmp(a, b, 7) == 0 && memcmp(a, b, 8) > 0);
    b[7] = a[7];
    b[8] = 0;
    CHECK(strcmp(a, b) > 0);
    CHECK(lengths(b, 5 + zero) == 805035 * 100 + 11);
    CHECK(strcmp(b, "abcdehidden") == 0);
    CHECK(chain(w) == 25 && chain(&"zz"[zero]) == 5 && chain("A") == -1);
    h = partial_set(9 + zero);
    CHECK(h != partial_set(3 + zero) && h == partial_set(9));
    printf("string_builtins %08x %s\n", h, b);
    return 0;
}
