// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// regex: prints the lines that match a pattern, as grep does.

#include "regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_NO_MATCH = 1, EXIT_TROUBLE = 2 };

static const char usage[] =
    "usage: regex [-chilnoqvx] [-g GROUP] PATTERN [FILE]...\n"
    "  -i        letters match in either case\n"
    "  -x        the whole line must match\n"
    "  -v        lines that do not match\n"
    "  -o        print what matched, not the line\n"
    "  -g GROUP  print what this group matched\n"
    "  -c        print how many lines there are\n"
    "  -l        print the names of the files\n"
    "  -q        print nothing\n"
    "  -n        with the number of the line\n"
    "  -h        without the name of the file\n";

struct options {
    bool fold;
    bool whole;
    bool invert;
    bool only;
    bool count;
    bool list;
    bool quiet;
    bool number;
    bool no_name;
    size_t group;
};

struct line {
    char *bytes;
    size_t count;
    size_t capacity;
};

enum reading { READ_LINE, READ_END, READ_TROUBLE };

// The last line may lack its end.
static enum reading read_line(FILE *file, struct line *line)
{
    int c;

    line->count = 0;
    while ((c = getc(file)) != EOF && c != '\n') {
        if (line->count == line->capacity) {
            size_t larger = line->capacity * 2 + 256;
            char *moved = realloc(line->bytes, larger);

            if (moved == NULL)
                return READ_TROUBLE;
            line->bytes = moved;
            line->capacity = larger;
        }
        line->bytes[line->count++] = (char)c;
    }
    if (ferror(file))
        return READ_TROUBLE;
    return c == EOF && line->count == 0 ? READ_END : READ_LINE;
}

static void print(const struct options *o, const char *name, size_t number,
                  const char *bytes, size_t count)
{
    if (name != NULL)
        printf("%s:", name);
    if (o->number)
        printf("%zu:", number);
    fwrite(bytes, 1, count, stdout);
    putchar('\n');
}

// Prints every match that is not empty, or a group of every match.
static void print_matches(struct regex *regex, const struct options *o,
                          const char *name, size_t number,
                          const char *text, size_t count)
{
    struct regex_span groups[REGEX_MAX_GROUPS];
    size_t from = 0;

    while (from <= count &&
           regex_search(regex, text, count, from, groups)) {
        struct regex_span wanted = groups[o->group];

        if (wanted.start != REGEX_NONE &&
            (wanted.end > wanted.start || o->group > 0))
            print(o, name, number, text + wanted.start,
                  wanted.end - wanted.start);
        from = groups[0].end + (groups[0].end == groups[0].start);
    }
}

static int search_file(struct regex *regex, const struct options *o,
                       const char *name, bool show_name)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
    const char *shown = show_name ? name : NULL;
    struct regex_span groups[REGEX_MAX_GROUPS];
    struct line line = {NULL, 0, 0};
    enum reading reading = READ_TROUBLE;
    size_t number = 0;
    size_t selected = 0;

    while (file != NULL && (reading = read_line(file, &line)) == READ_LINE) {
        const char *text = line.count == 0 ? "" : line.bytes;

        number++;
        if (regex_search(regex, text, line.count, 0, groups) == o->invert)
            continue;
        selected++;
        if (o->quiet || o->list) {
            reading = READ_END;
            break;
        }
        if (o->count)
            continue;
        if (!o->only)
            print(o, shown, number, text, line.count);
        else if (!o->invert)
            print_matches(regex, o, shown, number, text, line.count);
    }
    free(line.bytes);
    if (file != NULL && file != stdin)
        fclose(file);
    if (reading == READ_TROUBLE) {
        fprintf(stderr, "regex: cannot read %s\n", name);
        return EXIT_TROUBLE;
    }
    if (o->list && selected > 0 && !o->quiet)
        puts(name);
    else if (o->count && !o->list && !o->quiet)
        printf("%s%s%zu\n", show_name ? name : "", show_name ? ":" : "",
               selected);
    return selected > 0 ? EXIT_SUCCESS : EXIT_NO_MATCH;
}

static bool parse_letters(const char *letters, struct options *o)
{
    for (; *letters != '\0'; letters++) {
        switch (*letters) {
        case 'i': o->fold = true; break;
        case 'x': o->whole = true; break;
        case 'v': o->invert = true; break;
        case 'o': o->only = true; break;
        case 'c': o->count = true; break;
        case 'l': o->list = true; break;
        case 'q': o->quiet = true; break;
        case 'n': o->number = true; break;
        case 'h': o->no_name = true; break;
        default: return false;
        }
    }
    return true;
}

// Leaves *argv at the pattern.
static bool parse_options(char ***argv, struct options *o)
{
    char **at = *argv + 1;

    for (; *at != NULL && at[0][0] == '-' && at[0][1] != '\0'; at++) {
        if (strcmp(*at, "--") == 0) {
            at++;
            break;
        }
        if (strcmp(*at, "-g") == 0) {
            char *end;

            if (*++at == NULL)
                return false;
            o->only = true;
            o->group = strtoul(*at, &end, 10);
            if (at[0][0] < '0' || at[0][0] > '9' || *end != '\0')
                return false;
        } else if (!parse_letters(*at + 1, o)) {
            return false;
        }
    }
    *argv = at;
    return *at != NULL;
}

static int run(char **argv, const struct options *o)
{
    static char *standard_input[] = {"-", NULL};
    const char *pattern = argv[0];
    char **files = argv[1] == NULL ? standard_input : argv + 1;
    bool show_name = files[1] != NULL && !o->no_name;
    unsigned flags = (o->fold ? REGEX_FOLD : 0u) |
                     (o->whole ? REGEX_WHOLE : 0u);
    enum regex_status status;
    size_t position;
    struct regex *regex = regex_compile(pattern, strlen(pattern), flags,
                                        &status, &position);
    int result = EXIT_NO_MATCH;
    bool trouble = false;

    if (regex == NULL) {
        fprintf(stderr, "regex: %s at %zu\n", regex_message(status), position);
        return EXIT_TROUBLE;
    }
    if (o->group >= regex_groups(regex)) {
        fprintf(stderr, "regex: no group %zu\n", o->group);
        trouble = true;
    } else {
        for (; *files != NULL; files++) {
            int one = search_file(regex, o, *files, show_name);

            if (one == EXIT_SUCCESS)
                result = EXIT_SUCCESS;
            else if (one == EXIT_TROUBLE)
                trouble = true;
        }
    }
    regex_free(regex);
    return trouble ? EXIT_TROUBLE : result;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    int result;

    if (argc < 1 || !parse_options(&argv, &options)) {
        fputs(usage, stderr);
        return EXIT_TROUBLE;
    }
    result = run(argv, &options);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("regex: cannot write\n", stderr);
        return EXIT_TROUBLE;
    }
    return result;
}
