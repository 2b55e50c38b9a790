/* Calls the main() of a program that was compiled in this process, and what that
 * program must not do to us: exit, abort and print go through here.
 *
 * No header is included, so that the clang wheel alone can compile it.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */

typedef unsigned long size_type;
typedef unsigned long long u64;

int vsnprintf(char *, size_type, const char *, __builtin_va_list);
size_type strlen(const char *);
int fesetenv(const void *);

enum { ABORTED = 256 };

static void *escape[5];
static volatile int status;
static u64 hash;

static void hash_bytes(const char *bytes, size_type count) {
    for (size_type k = 0; k < count; k++)
        hash = (hash ^ (unsigned char)bytes[k]) * 1099511628211ull; /* FNV-1a */
}

static __attribute__((noreturn)) void leave(int code) {
    status = code;
    __builtin_longjmp(escape, 1);
}

__attribute__((noreturn)) void irsmith_exit(int code) { leave(code & 0xff); }
__attribute__((noreturn)) void irsmith_abort(void) { leave(ABORTED); }
int irsmith_nothing(void) { return 0; }

int irsmith_vprintf(const char *format, __builtin_va_list arguments) {
    static char text[65536];
    int count = vsnprintf(text, sizeof text, format, arguments);
    if (count > 0)
        hash_bytes(text, count < (int)sizeof text ? (size_type)count : sizeof text - 1);
    return count;
}

int irsmith_printf(const char *format, ...) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int count = irsmith_vprintf(format, arguments);
    __builtin_va_end(arguments);
    return count;
}

int irsmith_puts(const char *text) {
    hash_bytes(text, strlen(text));
    hash_bytes("\n", 1);
    return 1;
}

int irsmith_putchar(int c) {
    char byte = (char)c;
    hash_bytes(&byte, 1);
    return (unsigned char)c;
}

/* Returns the exit status (0 to 255) or ABORTED; *output is the hash of what was printed. */
__attribute__((noinline)) int irsmith_call_main(int (*entry)(int, char **, char **), u64 *output) {
    static char name[] = "program";
    static char *arguments[] = {name, 0}, *environment[] = {0};
    hash = 14695981039346656037ull;
    if (__builtin_setjmp(escape) == 0)
        status = entry(1, arguments, environment) & 0xff;
    *output = hash;
    fesetenv((const void *)-1); /* FE_DFL_ENV of glibc on x86-64 and AArch64 */
    return status;
}
