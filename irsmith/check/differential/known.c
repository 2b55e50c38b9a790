/* Functions of libc that tested code may really call, on memory that is really there.
 *
 * Passes turn one of them into another (printf into puts, strcpy into memcpy, malloc and
 * memset into calloc), so none is recorded as a call: what is printed goes to a stream's
 * hash, memory and strings work as they do. While the reference is guarded, what they
 * read and write is checked first.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "runtime.h"

typedef __builtin_va_list list;
int vsnprintf(char *, u64, const char *, list);
u64 strlen(const char *);
u64 strnlen(const char *, u64);
int strcmp(const char *, const char *);
int strncmp(const char *, const char *, u64);
int strcasecmp(const char *, const char *);
int strncasecmp(const char *, const char *, u64);
int strcoll(const char *, const char *);
char *strchr(const char *, int);
char *strrchr(const char *, int);
char *strstr(const char *, const char *);
char *strpbrk(const char *, const char *);
u64 strspn(const char *, const char *);
u64 strcspn(const char *, const char *);
void *memchr(const void *, int, u64);
void *memrchr(const void *, int, u64);
i64 strtol(const char *, char **, int);
u64 strtoul(const char *, char **, int);
double strtod(const char *, char **);
double frexp(double, int *);
double modf(double, double *);

enum { LONG = 1ul << 62 };
static int error_number;
int *known___errno_location(void) { return &error_number; }

void *known_malloc(u64 n) { return heap_allocate(n, 0); }
void *known_calloc(u64 a, u64 b) {
    if (b && a > HEAP_SIZE / b) leave(TOO_LONG);
    return heap_allocate(a * b, 1);
}
void known_free(void *p) { heap_free(p); }
void *known_realloc(void *p, u64 n) {
    void *q = heap_allocate(n, 0);
    u64 old = p ? heap_size(p) : 0, count = old < n ? old : n;
    if (p) {
        u8 *from, *to; u16 *tag;
        memcpy(q, p, count);
        if (m.guarding && state_at((u64)p, &from, &tag) && state_at((u64)q, &to, &tag)) memcpy(to, from, count);
        heap_free(p);
    }
    return q;
}
void *known_aligned_alloc(u64 align, u64 n) {
    u64 p = (u64)heap_allocate(n + align, 0);
    return (void *)((p + align - 1) & -align);
}
void *known__Znwm(u64 n) { return heap_allocate(n, 0); }
void *known__Znam(u64 n) { return heap_allocate(n, 0); }
void known__ZdlPv(void *p) { heap_free(p); }
void known__ZdaPv(void *p) { heap_free(p); }
void known__ZdlPvm(void *p, u64 n) { (void)n; heap_free(p); }
int known___cxa_guard_acquire(u8 *g) { touch_read(g, 1); return !*g; }
void known___cxa_guard_release(u8 *g) { touch_write(g, 1); *g = 1; }

void *known_memcpy(void *d, const void *s, u64 n) { touch_read(s, n), touch_write(d, n); return memcpy(d, s, n); }
void *known_memmove(void *d, const void *s, u64 n) { touch_read(s, n), touch_write(d, n); return memmove(d, s, n); }
void *known_memset(void *d, int c, u64 n) { touch_write(d, n); return memset(d, c, n); }
void *known_mempcpy(void *d, const void *s, u64 n) { return (u8 *)known_memcpy(d, s, n) + n; }
/* glibc answers with the difference at one place or another; only its sign is promised. */
static int sign(int v) { return v < 0 ? -1 : v > 0; }
int known_memcmp(const void *a, const void *b, u64 n) { touch_read(a, n), touch_read(b, n); return sign(memcmp(a, b, n)); }
int known_bcmp(const void *a, const void *b, u64 n) { return known_memcmp(a, b, n) != 0; }
void *known_memchr(const void *a, int c, u64 n) {
    /* Memory behind the byte that is found need not be there. */
    for (u64 k = 0; k < n; k++) {
        touch_read((const u8 *)a + k, 1);
        if (((const u8 *)a)[k] == (u8)c) return (u8 *)a + k;
    }
    return 0;
}
void *known_memrchr(const void *a, int c, u64 n) { touch_read(a, n); return memrchr(a, c, n); }
u64 known_strlen(const char *s) { touch_string(s, LONG); return strlen(s); }
u64 known_strnlen(const char *s, u64 n) { touch_string(s, n); return strnlen(s, n); }
int known_strcmp(const char *a, const char *b) { touch_string(a, LONG), touch_string(b, LONG); return sign(strcmp(a, b)); }
int known_strcoll(const char *a, const char *b) { return known_strcmp(a, b); }
int known_strncmp(const char *a, const char *b, u64 n) { touch_string(a, n), touch_string(b, n); return sign(strncmp(a, b, n)); }
int known_strcasecmp(const char *a, const char *b) { touch_string(a, LONG), touch_string(b, LONG); return sign(strcasecmp(a, b)); }
int known_strncasecmp(const char *a, const char *b, u64 n) { touch_string(a, n), touch_string(b, n); return sign(strncasecmp(a, b, n)); }
char *known_strchr(const char *s, int c) { touch_string(s, LONG); return strchr(s, c); }
char *known_index(const char *s, int c) { return known_strchr(s, c); }
char *known_strchrnul(const char *s, int c) { char *found = known_strchr(s, c); return found ? found : (char *)s + strlen(s); }
char *known_strrchr(const char *s, int c) { touch_string(s, LONG); return strrchr(s, c); }
char *known_rindex(const char *s, int c) { return known_strrchr(s, c); }
char *known_strstr(const char *a, const char *b) { touch_string(a, LONG), touch_string(b, LONG); return strstr(a, b); }
char *known_strpbrk(const char *a, const char *b) { touch_string(a, LONG), touch_string(b, LONG); return strpbrk(a, b); }
u64 known_strspn(const char *a, const char *b) { touch_string(a, LONG), touch_string(b, LONG); return strspn(a, b); }
u64 known_strcspn(const char *a, const char *b) { touch_string(a, LONG), touch_string(b, LONG); return strcspn(a, b); }
char *known_stpcpy(char *d, const char *s) {
    u64 n = touch_string(s, LONG);
    touch_write(d, n + 1);
    memmove(d, s, n + 1);
    return d + n;
}
char *known_strcpy(char *d, const char *s) { known_stpcpy(d, s); return d; }
char *known_strncpy(char *d, const char *s, u64 n) {
    u64 length = touch_string(s, n);
    touch_write(d, n);
    memmove(d, s, length), memset(d + length, 0, n - length);
    return d;
}
char *known_strcat(char *d, const char *s) { known_stpcpy(d + touch_string(d, LONG), s); return d; }
char *known_strncat(char *d, const char *s, u64 n) {
    u64 at = touch_string(d, LONG), length = touch_string(s, n);
    touch_write(d + at, length + 1);
    memmove(d + at, s, length), d[at + length] = 0;
    return d;
}
u64 known_strlcpy(char *d, const char *s, u64 size) {
    u64 length = touch_string(s, LONG), n = length < size ? length : size ? size - 1 : 0;
    if (size) { touch_write(d, n + 1); memmove(d, s, n), d[n] = 0; }
    return length;
}
u64 known_strlcat(char *d, const char *s, u64 size) {
    u64 at = touch_string(d, size);
    return at + known_strlcpy(d + at, s, size - at);
}
void *known_memccpy(void *d, const void *s, int c, u64 n) {
    for (u64 k = 0; k < n; k++) {
        touch_read((const u8 *)s + k, 1), touch_write((u8 *)d + k, 1);
        if ((((u8 *)d)[k] = ((const u8 *)s)[k]) == (u8)c) return (u8 *)d + k + 1;
    }
    return 0;
}
char *known_strdup(const char *s) {
    u64 n = touch_string(s, LONG) + 1;
    return known_memcpy(heap_allocate(n, 0), s, n);
}
char *known_strndup(const char *s, u64 most) {
    u64 n = touch_string(s, most);
    char *d = known_memcpy(heap_allocate(n + 1, 0), s, n);
    touch_write(d + n, 1), d[n] = 0;
    return d;
}
i64 known_strtol(const char *s, char **end, int base) {
    touch_string(s, LONG);
    if (end) touch_write(end, 8);
    return strtol(s, end, base);
}
u64 known_strtoul(const char *s, char **end, int base) {
    touch_string(s, LONG);
    if (end) touch_write(end, 8);
    return strtoul(s, end, base);
}
i64 known_strtoll(const char *s, char **end, int base) { return known_strtol(s, end, base); }
u64 known_strtoull(const char *s, char **end, int base) { return known_strtoul(s, end, base); }
double known_strtod(const char *s, char **end) {
    touch_string(s, LONG);
    if (end) touch_write(end, 8);
    return strtod(s, end);
}
i64 known_atol(const char *s) { return known_strtol(s, 0, 10); }
i64 known_atoll(const char *s) { return known_strtol(s, 0, 10); }
int known_atoi(const char *s) { return (int)known_strtol(s, 0, 10); }
double known_atof(const char *s) { return known_strtod(s, 0); }
double known_frexp(double v, int *e) { touch_write(e, 4); return frexp(v, e); }
double known_modf(double v, double *whole) { touch_write(whole, 8); return modf(v, whole); }

/* With _FORTIFY_SOURCE; a size that does not do ends the program. */
static void fits(u64 n, u64 size) { if (n > size) { if (m.guarding) undefined(OUT_OF_BOUNDS); leave(ENDED); } }
void *known___memcpy_chk(void *d, const void *s, u64 n, u64 size) { fits(n, size); return known_memcpy(d, s, n); }
void *known___memmove_chk(void *d, const void *s, u64 n, u64 size) { fits(n, size); return known_memmove(d, s, n); }
void *known___mempcpy_chk(void *d, const void *s, u64 n, u64 size) { fits(n, size); return known_mempcpy(d, s, n); }
void *known___memset_chk(void *d, int c, u64 n, u64 size) { fits(n, size); return known_memset(d, c, n); }
char *known___strcpy_chk(char *d, const char *s, u64 size) { fits(touch_string(s, LONG) + 1, size); return known_strcpy(d, s); }
char *known___stpcpy_chk(char *d, const char *s, u64 size) { fits(touch_string(s, LONG) + 1, size); return known_stpcpy(d, s); }
char *known___strncpy_chk(char *d, const char *s, u64 n, u64 size) { fits(n, size); return known_strncpy(d, s, n); }
char *known___strcat_chk(char *d, const char *s, u64 size) { fits(touch_string(d, LONG) + touch_string(s, LONG) + 1, size); return known_strcat(d, s); }
char *known___strncat_chk(char *d, const char *s, u64 n, u64 size) { (void)size; return known_strncat(d, s, n); }

u64 known___strlcpy_chk(char *d, const char *s, u64 n, u64 size) { fits(n, size); return known_strlcpy(d, s, n); }
u64 known___strlcat_chk(char *d, const char *s, u64 n, u64 size) { fits(n, size); return known_strlcat(d, s, n); }

/* libc would make two gigabytes of text for one number, and nothing would stop it. */
static void wide(i64 n) { if (n > 4096 || n < -4096) leave(TOO_LONG); }

/* The strings that a format names are given content; a format that writes is refused. */
static void touch_format(const char *format, list arguments) {
    if (!m.guarding) return;
    touch_string(format, LONG);
    list a;
    __builtin_va_copy(a, arguments);
    for (const char *p = format; *p; p++) {
        if (*p != '%') continue;
        u64 most = LONG, longs = 0;
        for (p++; *p && !strchr("diouxXcsfFeEgGaApn%m", *p); p++) {
            if (*p == '*') {
                int n = __builtin_va_arg(a, int);
                wide(n);
                if (p[-1] == '.' && n >= 0) most = n;
            }
            if (*p >= '0' && *p <= '9') wide(strtol(p, 0, 10));
            if (*p == '.' && p[1] >= '0' && p[1] <= '9') most = strtol(p + 1, 0, 10);
            longs += *p == 'l' || *p == 'z' || *p == 'j' || *p == 't';
            if (*p == 'L') undefined(CALL_TYPE);
        }
        if (!*p) undefined(CALL_TYPE);
        if (*p == '%' || *p == 'm') continue;
        if (*p == 'n' || *p == 'p') undefined(CALL_TYPE);
        if (*p == 's') { const char *s = __builtin_va_arg(a, const char *); if (longs) undefined(CALL_TYPE); touch_string(s, most); }
        else if (strchr("fFeEgGaA", *p)) (void)__builtin_va_arg(a, double);
        else if (longs) (void)__builtin_va_arg(a, i64);
        else (void)__builtin_va_arg(a, int);
    }
    __builtin_va_end(a);
}

static char text[1 << 16];
static int print(const void *stream, const char *format, list arguments) {
    touch_format(format, arguments);
    int count = vsnprintf(text, sizeof text, format, arguments);
    if (count > 0) stream_write(stream, text, count < (int)sizeof text ? (u64)count : sizeof text - 1);
    return count;
}
static int print_to(char *to, u64 size, const char *format, list arguments) {
    touch_format(format, arguments);
    int count = vsnprintf(text, sizeof text, format, arguments);
    if (count < 0 || count >= (int)sizeof text) leave(TOO_LONG);
    u64 n = (u64)count < size ? (u64)count : size ? size - 1 : 0;
    if (size) { touch_write(to, n + 1); memcpy(to, text, n), to[n] = 0; }
    return count;
}
/* What stdout holds (expose.py); printf and fprintf(stdout) may become each other. */
static void *output(void) { return (void *)0x5f0000001000ul; }

#define PRINT(name, fixed, before, stream, format) \
    int known_##name fixed { list a; __builtin_va_start(a, format); before; int n = print(stream, format, a); __builtin_va_end(a); return n; }
PRINT(printf, (const char *format, ...), , output(), format)
PRINT(__printf_chk, (int flag, const char *format, ...), (void)flag, output(), format)
PRINT(fprintf, (void *stream, const char *format, ...), , stream, format)
PRINT(__fprintf_chk, (void *stream, int flag, const char *format, ...), (void)flag, stream, format)
PRINT(fiprintf, (void *stream, const char *format, ...), , stream, format)
int known_vprintf(const char *format, list a) { return print(output(), format, a); }
int known_vfprintf(void *stream, const char *format, list a) { return print(stream, format, a); }
int known___vfprintf_chk(void *stream, int flag, const char *format, list a) { (void)flag; return print(stream, format, a); }
#define FORMAT(name, fixed, size) \
    int known_##name fixed { list a; __builtin_va_start(a, format); int n = print_to(to, size, format, a); __builtin_va_end(a); return n; }
FORMAT(sprintf, (char *to, const char *format, ...), LONG)
FORMAT(siprintf, (char *to, const char *format, ...), LONG)
FORMAT(__sprintf_chk, (char *to, int flag, u64 limit, const char *format, ...), ((void)flag, limit))
FORMAT(snprintf, (char *to, u64 size, const char *format, ...), size)
FORMAT(__snprintf_chk, (char *to, u64 size, int flag, u64 limit, const char *format, ...), ((void)flag, size < limit ? size : limit))
int known_vsnprintf(char *to, u64 size, const char *format, list a) { return print_to(to, size, format, a); }
int known_vsprintf(char *to, const char *format, list a) { return print_to(to, LONG, format, a); }
int known___vsnprintf_chk(char *to, u64 size, int flag, u64 limit, const char *format, list a) {
    (void)flag;
    return print_to(to, size < limit ? size : limit, format, a);
}
int known___vsprintf_chk(char *to, int flag, u64 limit, const char *format, list a) { (void)flag; return print_to(to, limit, format, a); }

int known_fputs(const char *s, void *stream) { touch_string(s, LONG); stream_write(stream, s, strlen(s)); return 1; }
int known_puts(const char *s) { known_fputs(s, output()); stream_write(output(), "\n", 1); return 1; }
int known_fputc(int c, void *stream) { u8 byte = c; stream_write(stream, &byte, 1); return byte; }
int known_putc(int c, void *stream) { return known_fputc(c, stream); }
int known__IO_putc(int c, void *stream) { return known_fputc(c, stream); }
int known_putc_unlocked(int c, void *stream) { return known_fputc(c, stream); }
int known_fputc_unlocked(int c, void *stream) { return known_fputc(c, stream); }
int known_putchar(int c) { return known_fputc(c, output()); }
int known_putchar_unlocked(int c) { return known_fputc(c, output()); }
u64 known_fwrite(const void *from, u64 size, u64 count, void *stream) {
    if (size && count > SPACE_SIZE / size) leave(TOO_LONG);
    touch_read(from, size * count);
    stream_write(stream, from, size * count);
    return size ? count : 0;
}
u64 known_fwrite_unlocked(const void *from, u64 size, u64 count, void *stream) { return known_fwrite(from, size, count, stream); }
int known_fputs_unlocked(const char *s, void *stream) { return known_fputs(s, stream); }
int known_fflush(void *stream) { (void)stream; return 0; }
