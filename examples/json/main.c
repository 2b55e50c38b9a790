// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// json: pretty-prints or minifies the JSON document on standard input.

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_INVALID = 1, EXIT_TROUBLE = 2 };

static const char usage[] =
    "usage: json [-m] [-a] [-n] [-i SPACES] [-d DEPTH] [-g POINTER] <INPUT\n"
    "  -m          minify\n"
    "  -a          print ASCII only\n"
    "  -n          print numbers as the shortest text for the same double\n"
    "  -i SPACES   indent by so much (2)\n"
    "  -d DEPTH    refuse deeper nesting (200)\n"
    "  -g POINTER  print only what this JSON pointer leads to\n";

struct options {
    struct json_format format;
    unsigned depth_limit;
    const char *pointer;
};

static bool parse_count(const char *text, unsigned limit, unsigned *value)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > limit)
        return false;
    *value = (unsigned)number;
    return true;
}

static bool parse_options(char **argv, struct options *o)
{
    for (argv++; *argv != NULL; argv++) {
        if (strcmp(*argv, "-m") == 0) {
            o->format.indent = 0;
        } else if (strcmp(*argv, "-a") == 0) {
            o->format.ascii = true;
        } else if (strcmp(*argv, "-n") == 0) {
            o->format.normal_numbers = true;
        } else if (strcmp(*argv, "-i") == 0 && argv[1] != NULL) {
            if (!parse_count(*++argv, 16, &o->format.indent))
                return false;
        } else if (strcmp(*argv, "-d") == 0 && argv[1] != NULL) {
            if (!parse_count(*++argv, 10000, &o->depth_limit))
                return false;
        } else if (strcmp(*argv, "-g") == 0 && argv[1] != NULL) {
            o->pointer = *++argv;
        } else {
            return false;
        }
    }
    return true;
}

static char *read_all(FILE *file, size_t *count)
{
    size_t capacity = 4096;
    char *bytes = malloc(capacity);

    *count = 0;
    while (bytes != NULL) {
        char *larger;

        *count += fread(bytes + *count, 1, capacity - *count, file);
        if (*count < capacity) {
            if (!ferror(file))
                return bytes;
            break;
        }
        larger = capacity > SIZE_MAX / 2 ? NULL : realloc(bytes, capacity * 2);
        if (larger == NULL)
            break;
        bytes = larger;
        capacity *= 2;
    }
    free(bytes);
    return NULL;
}

static void write_file(void *context, const char *bytes, size_t count)
{
    fwrite(bytes, 1, count, context);
}

// A document needs more memory than its text, but rarely more than this; where
// it does, the parser says so and is given twice as much.
static int process(const char *bytes, size_t count, const struct options *o)
{
    struct json_arena arena = {NULL, 1024 + 8 * count, 0};
    const struct json_node *root;
    enum json_status status;
    size_t position;
    int result = EXIT_INVALID;

    do {
        free(arena.memory);
        arena.size *= 2;
        arena.used = 0;
        arena.memory = malloc(arena.size);
        if (arena.memory == NULL) {
            fputs("json: out of memory\n", stderr);
            return EXIT_TROUBLE;
        }
        root = json_parse(&arena, bytes, count, o->depth_limit, &status,
                          &position);
    } while (status == JSON_NO_MEMORY);

    if (root == NULL) {
        size_t line;
        size_t column;

        json_locate(bytes, position, &line, &column);
        fprintf(stderr, "json: line %zu, column %zu: %s\n", line, column,
                json_message(status));
    } else if ((root = json_find(root, o->pointer)) == NULL) {
        fprintf(stderr, "json: nothing at %s\n", o->pointer);
    } else {
        json_print(root, &o->format, write_file, stdout);
        putchar('\n');
        result = EXIT_SUCCESS;
    }
    free(arena.memory);
    return result;
}

int main(int argc, char **argv)
{
    struct options options = {{2, false, false}, 200, ""};
    size_t count;
    char *bytes;
    int result;

    if (argc < 1 || !parse_options(argv, &options)) {
        fputs(usage, stderr);
        return EXIT_TROUBLE;
    }
    bytes = read_all(stdin, &count);
    if (bytes == NULL) {
        fputs("json: cannot read standard input\n", stderr);
        return EXIT_TROUBLE;
    }
    result = process(bytes, count, &options);
    free(bytes);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("json: cannot write\n", stderr);
        return EXIT_TROUBLE;
    }
    return result;
}
