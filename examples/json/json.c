// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const unsigned char *at;
    const unsigned char *end;
    struct json_arena *arena;
    unsigned depth_left;
    enum json_status status;
};

static struct json_node *parse_value(struct parser *p);

// Every function that returns bool returns false, and every one that returns a
// node returns NULL, once p->status has been set; p->at then stays where it is.
static bool fail(struct parser *p, enum json_status status)
{
    p->status = status;
    return false;
}

static bool unexpected(struct parser *p, enum json_status status)
{
    return fail(p, p->at == p->end ? JSON_UNEXPECTED_END : status);
}

static int peek(const struct parser *p)
{
    return p->at < p->end ? *p->at : -1;
}

static int skip_space(struct parser *p)
{
    int c = peek(p);

    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        p->at++;
        c = peek(p);
    }
    return c;
}

static struct json_node *new_node(struct parser *p, enum json_type type)
{
    struct json_arena *arena = p->arena;
    size_t left = arena->size - arena->used;
    size_t over = (uintptr_t)(arena->memory + arena->used) %
                  _Alignof(struct json_node);
    size_t pad = over == 0 ? 0 : _Alignof(struct json_node) - over;
    struct json_node *node;

    if (left < pad + sizeof *node) {
        fail(p, JSON_NO_MEMORY);
        return NULL;
    }
    node = (struct json_node *)(void *)(arena->memory + arena->used + pad);
    arena->used += pad + sizeof *node;
    *node = (struct json_node){.type = type};
    return node;
}

static bool put(struct parser *p, unsigned byte)
{
    if (p->arena->used == p->arena->size)
        return fail(p, JSON_NO_MEMORY);
    p->arena->memory[p->arena->used++] = (unsigned char)byte;
    return true;
}

static bool put_utf8(struct parser *p, uint32_t code)
{
    if (code < 0x80)
        return put(p, code);
    if (code < 0x800)
        return put(p, 0xC0 | code >> 6) && put(p, 0x80 | (code & 0x3F));
    if (code < 0x10000)
        return put(p, 0xE0 | code >> 12) &&
               put(p, 0x80 | (code >> 6 & 0x3F)) &&
               put(p, 0x80 | (code & 0x3F));
    return put(p, 0xF0 | code >> 18) && put(p, 0x80 | (code >> 12 & 0x3F)) &&
           put(p, 0x80 | (code >> 6 & 0x3F)) && put(p, 0x80 | (code & 0x3F));
}

// Copies one UTF-8 sequence of two to four bytes, if it is well formed: no
// overlong form, no surrogate, nothing above U+10FFFF.
static bool copy_utf8(struct parser *p)
{
    unsigned lead = *p->at;
    unsigned low = 0x80;
    unsigned high = 0xBF;
    int more;

    if (lead < 0xC2 || lead > 0xF4)
        return fail(p, JSON_BAD_UTF8);
    if (lead < 0xE0) {
        more = 1;
    } else if (lead < 0xF0) {
        more = 2;
        if (lead == 0xE0)
            low = 0xA0;
        else if (lead == 0xED)
            high = 0x9F;
    } else {
        more = 3;
        if (lead == 0xF0)
            low = 0x90;
        else if (lead == 0xF4)
            high = 0x8F;
    }
    if (!put(p, lead))
        return false;
    p->at++;
    for (; more > 0; more--) {
        int c = peek(p);

        if (c < (int)low || c > (int)high)
            return unexpected(p, JSON_BAD_UTF8);
        if (!put(p, (unsigned)c))
            return false;
        p->at++;
        low = 0x80;
        high = 0xBF;
    }
    return true;
}

static bool parse_hex4(struct parser *p, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(p);

        if (c >= '0' && c <= '9')
            c -= '0';
        else if (c >= 'a' && c <= 'f')
            c -= 'a' - 10;
        else if (c >= 'A' && c <= 'F')
            c -= 'A' - 10;
        else
            return unexpected(p, JSON_BAD_ESCAPE);
        *code = *code << 4 | (uint32_t)c;
        p->at++;
    }
    return true;
}

// What follows "\u". A code outside the basic plane is written as two escapes,
// a high and a low surrogate; neither may stand alone.
static bool parse_unicode(struct parser *p)
{
    const unsigned char *escape = p->at - 2;
    uint32_t code;
    uint32_t low;

    if (!parse_hex4(p, &code))
        return false;
    if (code >= 0xD800 && code <= 0xDFFF) {
        if (code >= 0xDC00 || p->end - p->at < 2 || p->at[0] != '\\' ||
            p->at[1] != 'u') {
            p->at = escape;
            return fail(p, JSON_LONE_SURROGATE);
        }
        p->at += 2;
        if (!parse_hex4(p, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF) {
            p->at = escape;
            return fail(p, JSON_LONE_SURROGATE);
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    return put_utf8(p, code);
}

static bool parse_escape(struct parser *p)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *found;
    int c = peek(p);

    if (c == 'u') {
        p->at++;
        return parse_unicode(p);
    }
    found = c < 0 ? NULL : memchr(letters, c, sizeof letters - 1);
    if (found == NULL)
        return unexpected(p, JSON_BAD_ESCAPE);
    p->at++;
    return put(p, (unsigned char)meanings[found - letters]);
}

static struct json_node *parse_string(struct parser *p)
{
    struct json_node *node = new_node(p, JSON_STRING);
    size_t start = p->arena->used;

    if (node == NULL)
        return NULL;
    p->at++;
    for (;;) {
        int c = peek(p);
        bool good;

        if (c == '"')
            break;
        if (c < ' ') {
            unexpected(p, JSON_CONTROL_BYTE);
            return NULL;
        }
        if (c >= 0x80) {
            good = copy_utf8(p);
        } else {
            p->at++;
            good = c == '\\' ? parse_escape(p) : put(p, (unsigned)c);
        }
        if (!good)
            return NULL;
    }
    p->at++;
    node->text = (const char *)p->arena->memory + start;
    node->length = p->arena->used - start;
    return put(p, 0) ? node : NULL;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool skip_digits(struct parser *p)
{
    if (!is_digit(peek(p)))
        return unexpected(p, JSON_BAD_NUMBER);
    while (is_digit(peek(p)))
        p->at++;
    return true;
}

static bool skip_number(struct parser *p)
{
    if (peek(p) == '-')
        p->at++;
    if (peek(p) == '0')
        p->at++;
    else if (!skip_digits(p))
        return false;
    if (is_digit(peek(p)))
        return fail(p, JSON_BAD_NUMBER);
    if (peek(p) == '.') {
        p->at++;
        if (!skip_digits(p))
            return false;
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->at++;
        if (peek(p) == '+' || peek(p) == '-')
            p->at++;
        return skip_digits(p);
    }
    return true;
}

static struct json_node *parse_number(struct parser *p)
{
    const unsigned char *start = p->at;
    struct json_node *node = new_node(p, JSON_NUMBER);

    if (node == NULL || !skip_number(p))
        return NULL;
    node->length = (size_t)(p->at - start);
    node->text = (const char *)p->arena->memory + p->arena->used;
    while (start < p->at)
        if (!put(p, *start++))
            return NULL;
    return put(p, 0) ? node : NULL;
}

static struct json_node *parse_word(struct parser *p, const char *word,
                                    enum json_type type)
{
    for (; *word != '\0'; word++) {
        if (peek(p) != *word) {
            unexpected(p, JSON_UNEXPECTED_BYTE);
            return NULL;
        }
        p->at++;
    }
    return new_node(p, type);
}

static struct json_node *parse_member(struct parser *p)
{
    struct json_node *key;

    if (peek(p) != '"') {
        unexpected(p, JSON_UNEXPECTED_BYTE);
        return NULL;
    }
    key = parse_string(p);
    if (key == NULL)
        return NULL;
    if (skip_space(p) != ':') {
        unexpected(p, JSON_UNEXPECTED_BYTE);
        return NULL;
    }
    p->at++;
    key->child = parse_value(p);
    return key->child == NULL ? NULL : key;
}

static struct json_node *parse_container(struct parser *p, enum json_type type)
{
    int close = type == JSON_ARRAY ? ']' : '}';
    struct json_node *node = new_node(p, type);
    struct json_node **link;

    if (node == NULL)
        return NULL;
    if (p->depth_left == 0) {
        fail(p, JSON_TOO_DEEP);
        return NULL;
    }
    p->depth_left--;
    p->at++;
    link = &node->child;
    if (skip_space(p) == close) {
        p->at++;
    } else {
        int c;

        do {
            skip_space(p);
            *link = type == JSON_ARRAY ? parse_value(p) : parse_member(p);
            if (*link == NULL)
                return NULL;
            link = &(*link)->next;
            node->length++;
            c = skip_space(p);
            if (c != ',' && c != close) {
                unexpected(p, JSON_UNEXPECTED_BYTE);
                return NULL;
            }
            p->at++;
        } while (c == ',');
    }
    p->depth_left++;
    return node;
}

static struct json_node *parse_value(struct parser *p)
{
    int c = skip_space(p);

    switch (c) {
    case 'n':
        return parse_word(p, "null", JSON_NULL);
    case 'f':
        return parse_word(p, "false", JSON_FALSE);
    case 't':
        return parse_word(p, "true", JSON_TRUE);
    case '"':
        return parse_string(p);
    case '[':
        return parse_container(p, JSON_ARRAY);
    case '{':
        return parse_container(p, JSON_OBJECT);
    default:
        if (c == '-' || is_digit(c))
            return parse_number(p);
        unexpected(p, JSON_UNEXPECTED_BYTE);
        return NULL;
    }
}

struct json_node *json_parse(struct json_arena *arena, const char *bytes,
                             size_t count, unsigned depth_limit,
                             enum json_status *status, size_t *position)
{
    const unsigned char *start = (const unsigned char *)bytes;
    struct parser p = {start, start + count, arena, depth_limit, JSON_OK};
    struct json_node *root = parse_value(&p);

    if (root != NULL && skip_space(&p) >= 0) {
        fail(&p, JSON_TRAILING_BYTE);
        root = NULL;
    }
    *status = p.status;
    *position = (size_t)(p.at - start);
    return root;
}

struct printer {
    const struct json_format *format;
    json_write *write;
    void *context;
};

static void emit(const struct printer *out, const char *text)
{
    out->write(out->context, text, strlen(text));
}

static void new_line(const struct printer *out, unsigned depth)
{
    if (out->format->indent == 0)
        return;
    emit(out, "\n");
    for (unsigned i = 0; i < depth * out->format->indent; i++)
        emit(out, " ");
}

static void print_unicode(const struct printer *out, unsigned code)
{
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u'};

    for (int i = 0; i < 4; i++)
        escape[2 + i] = digits[code >> (12 - 4 * i) & 15];
    out->write(out->context, escape, sizeof escape);
}

// The text of a node is well-formed UTF-8, so the lead byte alone tells the
// length.
static const char *print_wide(const struct printer *out, const char *at)
{
    unsigned lead = (unsigned char)*at++;
    int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    uint32_t code = lead & (0x3Fu >> more);

    for (; more > 0; more--)
        code = code << 6 | ((unsigned char)*at++ & 0x3Fu);
    if (code >= 0x10000) {
        print_unicode(out, 0xD800 + ((code - 0x10000) >> 10));
        code = 0xDC00 + (code & 0x3FF);
    }
    print_unicode(out, code);
    return at;
}

static void print_string(const struct printer *out, const char *at,
                         size_t length)
{
    static const char special[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *end = at + length;
    const char *plain = at; // what has been read but not written yet

    emit(out, "\"");
    while (at < end) {
        unsigned char c = (unsigned char)*at;
        const char *found = memchr(special, c, sizeof special - 1);

        if (found == NULL && c >= ' ' && (c < 0x80 || !out->format->ascii)) {
            at++;
            continue;
        }
        out->write(out->context, plain, (size_t)(at - plain));
        if (found != NULL) {
            char escape[2] = {'\\', letters[found - special]};

            out->write(out->context, escape, sizeof escape);
            at++;
        } else if (c < ' ') {
            print_unicode(out, c);
            at++;
        } else {
            at = print_wide(out, at);
        }
        plain = at;
    }
    out->write(out->context, plain, (size_t)(end - plain));
    emit(out, "\"");
}

// The shortest text that reads back as the same double. A number too large for
// a double is left as it was written.
static void print_number(const struct printer *out,
                         const struct json_node *node)
{
    char text[32];
    int64_t integer;
    double value;

    if (!out->format->normal_numbers || json_integer(node, &integer)) {
        emit(out, node->text);
        return;
    }
    value = json_double(node);
    if (!isfinite(value)) {
        emit(out, node->text);
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    emit(out, text);
}

static void print_value(const struct printer *out, const struct json_node *node,
                        unsigned depth)
{
    static const char *const words[] = {"null", "false", "true"};
    bool array = node->type == JSON_ARRAY;

    switch (node->type) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        emit(out, words[node->type]);
        return;
    case JSON_NUMBER:
        print_number(out, node);
        return;
    case JSON_STRING:
        print_string(out, node->text, node->length);
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    emit(out, array ? "[" : "{");
    for (const struct json_node *i = node->child; i != NULL; i = i->next) {
        new_line(out, depth + 1);
        if (array) {
            print_value(out, i, depth + 1);
        } else {
            print_string(out, i->text, i->length);
            emit(out, out->format->indent == 0 ? ":" : ": ");
            print_value(out, i->child, depth + 1);
        }
        if (i->next != NULL)
            emit(out, ",");
    }
    if (node->child != NULL)
        new_line(out, depth);
    emit(out, array ? "]" : "}");
}

void json_print(const struct json_node *node, const struct json_format *format,
                json_write *write, void *context)
{
    const struct printer out = {format, write, context};

    print_value(&out, node, 0);
}

// Compares a key with one step of a pointer, in which ~0 stands for ~ and ~1
// for /.
static bool key_equals(const struct json_node *key, const char *step,
                       size_t length)
{
    size_t k = 0;

    for (size_t i = 0; i < length; i++, k++) {
        char c = step[i];

        if (c == '~') {
            i++;
            if (i == length || (step[i] != '0' && step[i] != '1'))
                return false;
            c = step[i] == '0' ? '~' : '/';
        }
        if (k == key->length || key->text[k] != c)
            return false;
    }
    return k == key->length;
}

static const struct json_node *find_item(const struct json_node *array,
                                         const char *step, size_t length)
{
    const struct json_node *item = array->child;
    size_t index = 0;

    if (length == 0 || (length > 1 && step[0] == '0'))
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(step[i]) || index > array->length)
            return NULL;
        index = index * 10 + (size_t)(step[i] - '0');
    }
    while (item != NULL && index-- > 0)
        item = item->next;
    return item;
}

const struct json_node *json_find(const struct json_node *node,
                                  const char *pointer)
{
    while (node != NULL && *pointer != '\0') {
        const struct json_node *found = NULL;
        size_t length;

        if (*pointer++ != '/')
            return NULL;
        length = strcspn(pointer, "/");
        if (node->type == JSON_ARRAY)
            found = find_item(node, pointer, length);
        else if (node->type == JSON_OBJECT)
            for (const struct json_node *i = node->child; i; i = i->next)
                if (key_equals(i, pointer, length))
                    found = i->child;
        pointer += length;
        node = found;
    }
    return node;
}

double json_double(const struct json_node *node)
{
    return strtod(node->text, NULL);
}

bool json_integer(const struct json_node *node, int64_t *value)
{
    bool negative = node->text[0] == '-';
    int64_t sum = 0; // kept negative: there is one more negative number

    for (size_t i = negative; i < node->length; i++) {
        int digit = node->text[i] - '0';

        if (!is_digit(node->text[i]) || sum < (INT64_MIN + digit) / 10)
            return false;
        sum = sum * 10 - digit;
    }
    if (!negative && sum == INT64_MIN)
        return false;
    *value = negative ? sum : -sum;
    return true;
}

const char *json_message(enum json_status status)
{
    static const char *const messages[] = {
        "no error",
        "not enough memory",
        "unexpected end of input",
        "unexpected character",
        "malformed number",
        "malformed escape",
        "half a surrogate pair",
        "malformed UTF-8",
        "control character in a string",
        "nested too deeply",
        "text after the end of the value",
    };

    return messages[status];
}

void json_locate(const char *bytes, size_t offset, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++) {
        ++*column;
        if (bytes[i] == '\n') {
            ++*line;
            *column = 1;
        }
    }
}
