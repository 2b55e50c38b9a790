// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sha256: prints or checks digests as sha256sum does; with a key, HMACs.

#include "sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_MISMATCH = 1, EXIT_TROUBLE = 2 };

static const char usage[] =
    "usage: sha256 [-c] [-k KEY] [FILE]...\n"
    "       sha256 -d LENGTH -k KEY [-s SALT] [-i INFO]\n"
    "  -c         read digests and names from the files, and check them\n"
    "  -k KEY     HMAC with this key\n"
    "  -d LENGTH  derive so many bytes from the key by HKDF\n"
    "  -s SALT, -i INFO  the salt and the context of the derivation\n"
    "KEY, SALT and INFO are in hexadecimal. No FILE, or -, is standard input.\n";

struct blob {
    uint8_t *bytes;
    size_t count;
};

struct options {
    bool check;
    bool keyed;
    bool derive;
    size_t length;
    struct blob key;
    struct blob salt;
    struct blob info;
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// Reads count bytes of two digits each.
static bool parse_hex(const char *text, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int high = hex_value(text[2 * i]);
        int low = high < 0 ? -1 : hex_value(text[2 * i + 1]);

        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void print_hex(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%02x", bytes[i]);
}

static bool parse_blob(const char *text, struct blob *blob)
{
    size_t length = strlen(text);

    free(blob->bytes);
    blob->count = length / 2;
    blob->bytes = malloc(blob->count + 1);
    return blob->bytes != NULL && length % 2 == 0 &&
           parse_hex(text, blob->bytes, blob->count);
}

// The digest or, with a key, the HMAC of all that can be read.
static bool digest_stream(FILE *file, const struct options *o,
                          uint8_t digest[SHA256_DIGEST])
{
    struct hmac h;
    uint8_t buffer[4096];
    size_t count;

    if (o->keyed)
        hmac_begin(&h, o->key.bytes, o->key.count);
    else
        sha256_begin(&h.inner);
    while ((count = fread(buffer, 1, sizeof buffer, file)) > 0)
        sha256_add(&h.inner, buffer, count);
    if (o->keyed)
        hmac_end(&h, digest);
    else
        sha256_end(&h.inner, digest);
    return !ferror(file);
}

static FILE *open_file(const char *name)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");

    if (file == NULL)
        fprintf(stderr, "sha256: cannot open %s\n", name);
    return file;
}

static bool digest_file(const char *name, const struct options *o,
                        uint8_t digest[SHA256_DIGEST])
{
    FILE *file = open_file(name);
    bool good;

    if (file == NULL)
        return false;
    good = digest_stream(file, o, digest);
    if (!good)
        fprintf(stderr, "sha256: cannot read %s\n", name);
    if (file != stdin)
        fclose(file);
    return good;
}

// A name with a backslash or a line end in it is written with escapes, and a
// backslash at the start of its line.
static void print_line(const uint8_t *digest, const char *name)
{
    bool escape = strpbrk(name, "\\\n\r") != NULL;

    if (escape)
        putchar('\\');
    print_hex(digest, SHA256_DIGEST);
    fputs("  ", stdout);
    for (; *name != '\0'; name++) {
        if (*name == '\\')
            fputs("\\\\", stdout);
        else if (*name == '\n')
            fputs("\\n", stdout);
        else if (*name == '\r')
            fputs("\\r", stdout);
        else
            putchar(*name);
    }
    putchar('\n');
}

static bool unescape(char *name)
{
    char *out = name;

    for (; *name != '\0'; name++, out++) {
        *out = *name;
        if (*name == '\\') {
            name++;
            if (*name == '\\')
                *out = '\\';
            else if (*name == 'n')
                *out = '\n';
            else if (*name == 'r')
                *out = '\r';
            else
                return false;
        }
    }
    *out = '\0';
    return true;
}

// Splits a line as print_line writes it; between digest and name there are two
// blanks, or a blank and a star.
static bool parse_line(char *line, uint8_t digest[SHA256_DIGEST], char **name)
{
    bool escaped = *line == '\\';

    line += escaped;
    if (!parse_hex(line, digest, SHA256_DIGEST))
        return false;
    line += 2 * SHA256_DIGEST;
    if (line[0] != ' ' || (line[1] != ' ' && line[1] != '*') || line[2] == '\0')
        return false;
    *name = line + 2;
    return !escaped || unescape(*name);
}

// Reads a line without its end. Returns false at the end of the file and where
// there is no memory.
static bool read_line(FILE *file, char **line, size_t *capacity)
{
    size_t count = 0;
    int c;

    while ((c = getc(file)) != EOF && c != '\n') {
        if (count + 1 >= *capacity) {
            size_t larger = *capacity * 2 + 128;
            char *moved = realloc(*line, larger);

            if (moved == NULL)
                return false;
            *line = moved;
            *capacity = larger;
        }
        (*line)[count++] = (char)c;
    }
    if (count > 0)
        (*line)[count] = '\0';
    else if (*line != NULL)
        **line = '\0';
    return c != EOF || count > 0;
}

static int check_file(const char *list, const struct options *o)
{
    FILE *file = open_file(list);
    char *line = NULL;
    size_t capacity = 0;
    size_t good = 0;
    size_t wrong = 0;
    size_t malformed = 0;

    if (file == NULL)
        return EXIT_TROUBLE;
    while (read_line(file, &line, &capacity)) {
        uint8_t expected[SHA256_DIGEST];
        uint8_t actual[SHA256_DIGEST];
        char *name;

        if (line == NULL || !parse_line(line, expected, &name)) {
            malformed++;
        } else if (!digest_file(name, o, actual)) {
            printf("%s: FAILED open or read\n", name);
            wrong++;
        } else if (!digest_equal(expected, actual)) {
            printf("%s: FAILED\n", name);
            wrong++;
        } else {
            printf("%s: OK\n", name);
            good++;
        }
    }
    free(line);
    if (file != stdin)
        fclose(file);
    if (malformed > 0)
        fprintf(stderr, "sha256: %s: malformed lines: %zu\n", list, malformed);
    if (wrong > 0)
        fprintf(stderr, "sha256: %s: files that failed: %zu\n", list, wrong);
    return wrong == 0 && good > 0 ? EXIT_SUCCESS : EXIT_MISMATCH;
}

static int derive(const struct options *o)
{
    uint8_t bytes[HKDF_MAX];

    if (!hkdf(o->key.bytes, o->key.count, o->salt.bytes, o->salt.count,
              o->info.bytes, o->info.count, bytes, o->length)) {
        fprintf(stderr, "sha256: at most %d bytes can be derived\n", HKDF_MAX);
        return EXIT_TROUBLE;
    }
    print_hex(bytes, o->length);
    putchar('\n');
    return EXIT_SUCCESS;
}

// Leaves *argv at the first file.
static bool parse_options(char ***argv, struct options *o)
{
    char **at = *argv + 1;

    for (; *at != NULL && at[0][0] == '-' && at[0][1] != '\0'; at++) {
        char option = at[0][1];

        if (at[0][2] != '\0')
            return false;
        if (option == 'c') {
            o->check = true;
            continue;
        }
        if (*++at == NULL)
            return false;
        if (option == 'k') {
            o->keyed = true;
            if (!parse_blob(*at, &o->key))
                return false;
        } else if (option == 's') {
            if (!parse_blob(*at, &o->salt))
                return false;
        } else if (option == 'i') {
            if (!parse_blob(*at, &o->info))
                return false;
        } else if (option == 'd') {
            char *end;

            o->derive = true;
            o->length = strtoul(*at, &end, 10);
            if (at[0][0] < '0' || at[0][0] > '9' || *end != '\0')
                return false;
        } else {
            return false;
        }
    }
    *argv = at;
    if (o->derive)
        return o->keyed && !o->check && *at == NULL;
    return o->salt.bytes == NULL && o->info.bytes == NULL;
}

static int run(char **files, const struct options *o)
{
    static char *standard_input[] = {"-", NULL};
    int result = EXIT_SUCCESS;

    if (o->derive)
        return derive(o);
    for (files = *files == NULL ? standard_input : files; *files; files++) {
        uint8_t digest[SHA256_DIGEST];
        int one = EXIT_SUCCESS;

        if (o->check)
            one = check_file(*files, o);
        else if (digest_file(*files, o, digest))
            print_line(digest, *files);
        else
            one = EXIT_TROUBLE;
        if (one > result)
            result = one;
    }
    return result;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    int result = EXIT_TROUBLE;

    if (argc < 1 || !parse_options(&argv, &options))
        fputs(usage, stderr);
    else
        result = run(argv, &options);
    free(options.key.bytes);
    free(options.salt.bytes);
    free(options.info.bytes);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("sha256: cannot write\n", stderr);
        result = EXIT_TROUBLE;
    }
    return result;
}
