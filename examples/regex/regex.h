// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Regular expressions without backtracking: a pattern becomes a program for a
// small machine, and all of its threads walk through the text side by side
// (Pike's way), so that a search takes time in proportion to the length of the
// text times that of the program, whatever the pattern.
//
//     x              a byte; \ takes the meaning from one that has one
//     . [abc] [^a-z] any byte but a newline; a class; its complement
//     [[:alpha:]]    the classes of ctype.h, within a class
//     \d \w \s       a digit, letter digit or _, white space; \D \W \S: others
//     \n \t \r \f \v \xHH  bytes
//     xy x|y (x) (?:x)     sequence, alternatives, group, group not numbered
//     x* x+ x? x{m} x{m,} x{m,n}  repetition; as rarely as can be with ? after it
//     ^ $ \b \B      start and end of the text, edge of a word, anything else
//
// Of several matches the leftmost counts, and of these the one that the first
// alternative, or the greedier repetition, leads to, as in Perl; only that a
// repetition never goes around once more without reading a byte.

#ifndef REGEX_H
#define REGEX_H

#include <stdbool.h>
#include <stddef.h>

enum {
    REGEX_MAX_CODE = 16384,
    REGEX_MAX_REPEAT = 1000,
    REGEX_MAX_DEPTH = 100,
    REGEX_MAX_GROUPS = 32 // with the whole match as group 0
};

enum regex_status {
    REGEX_OK,
    REGEX_NO_MEMORY,
    REGEX_TOO_LARGE,
    REGEX_TOO_DEEP,
    REGEX_TOO_MANY_GROUPS,
    REGEX_OPEN_GROUP,
    REGEX_STRAY_PARENTHESIS,
    REGEX_BAD_GROUP,
    REGEX_OPEN_CLASS,
    REGEX_BAD_RANGE,
    REGEX_BAD_CLASS_NAME,
    REGEX_BAD_ESCAPE,
    REGEX_BAD_REPEAT,
    REGEX_NOTHING_TO_REPEAT
};

enum regex_flags {
    REGEX_FOLD = 1, // letters match in either case
    REGEX_WHOLE = 2 // only the whole text matches
};

// Where a group starts and ends; both are REGEX_NONE if it took no part.
#define REGEX_NONE ((size_t)-1)

struct regex_span {
    size_t start;
    size_t end;
};

struct regex;

// On failure returns NULL and sets *status and *position, an offset into the
// pattern.
struct regex *regex_compile(const char *pattern, size_t length, unsigned flags,
                            enum regex_status *status, size_t *position);

// The number of groups, with the whole match as the first.
size_t regex_groups(const struct regex *regex);

// Looks for the leftmost match that starts at or after from. Fills in one span
// for each group. A regex serves one search at a time.
bool regex_search(struct regex *regex, const char *text, size_t length,
                  size_t from, struct regex_span *groups);

void regex_free(struct regex *regex);

const char *regex_message(enum regex_status status);

#endif
