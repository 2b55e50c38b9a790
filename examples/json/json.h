// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A JSON (RFC 8259) parser and printer that allocates nothing: the caller
// lends it one block of memory, and the whole document lives in there.

#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

enum json_status {
    JSON_OK,
    JSON_NO_MEMORY,
    JSON_UNEXPECTED_END,
    JSON_UNEXPECTED_BYTE,
    JSON_BAD_NUMBER,
    JSON_BAD_ESCAPE,
    JSON_LONE_SURROGATE,
    JSON_BAD_UTF8,
    JSON_CONTROL_BYTE,
    JSON_TOO_DEEP,
    JSON_TRAILING_BYTE
};

struct json_node {
    enum json_type type;
    size_t length;           // bytes of text, or number of items or members
    const char *text;        // number: as written; string: decoded, in UTF-8
    struct json_node *child; // array: first item; object: first key; key: value
    struct json_node *next;  // the item or key that follows
};

struct json_arena {
    unsigned char *memory;
    size_t size;
    size_t used;
};

struct json_format {
    unsigned indent;     // spaces per level; 0 prints everything on one line
    bool ascii;          // write \uXXXX for everything outside ASCII
    bool normal_numbers; // the shortest text for the same double: 1e2 as 100
};

typedef void json_write(void *context, const char *bytes, size_t count);

// Parses one document. On failure returns NULL and sets *status and *position,
// the offset of the byte that could not be accepted (count at the end).
struct json_node *json_parse(struct json_arena *arena, const char *bytes,
                             size_t count, unsigned depth_limit,
                             enum json_status *status, size_t *position);

void json_print(const struct json_node *node, const struct json_format *format,
                json_write *write, void *context);

// Follows a JSON pointer (RFC 6901); NULL where it leads nowhere. Of equal keys
// the last counts.
const struct json_node *json_find(const struct json_node *node,
                                  const char *pointer);

// The value of a number node. json_integer tells whether it is written as an
// integer and fits.
double json_double(const struct json_node *node);
bool json_integer(const struct json_node *node, int64_t *value);

const char *json_message(enum json_status status);

// Line and column (both from 1, columns in bytes) of an offset.
void json_locate(const char *bytes, size_t offset, size_t *line,
                 size_t *column);

#endif
