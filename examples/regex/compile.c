// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "machine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { UNLIMITED = -1, FIRST_CODE = 32, MAX_CLASSES = 1024 };

struct compiler {
    const char *at;
    const char *end;
    struct regex *regex;
    unsigned capacity;
    unsigned depth;
    bool fold;
    enum regex_status status;
};

static bool parse_alternatives(struct compiler *c);

// The functions below return false once c->status has been set; c->at is then
// where the trouble was found.
static bool fail(struct compiler *c, enum regex_status status)
{
    c->status = status;
    return false;
}

static int peek(const struct compiler *c)
{
    return c->at < c->end ? (unsigned char)*c->at : -1;
}

static bool accept(struct compiler *c, char wanted)
{
    if (peek(c) != wanted)
        return false;
    c->at++;
    return true;
}

// Makes room for count instructions at an index, and shifts what is there.
static bool open_gap(struct compiler *c, unsigned index, unsigned count)
{
    struct regex *r = c->regex;

    if (count > REGEX_MAX_CODE - r->size)
        return fail(c, REGEX_TOO_LARGE);
    if (r->code == NULL || r->size + count > c->capacity) {
        unsigned larger = c->capacity + FIRST_CODE;
        struct instruction *moved;

        while (larger < r->size + count)
            larger *= 2;
        moved = realloc(r->code, larger * sizeof *moved);
        if (moved == NULL)
            return fail(c, REGEX_NO_MEMORY);
        r->code = moved;
        c->capacity = larger;
    }
    memmove(r->code + index + count, r->code + index,
            (r->size - index) * sizeof *r->code);
    r->size += count;
    return true;
}

static bool insert(struct compiler *c, unsigned index, enum op op, int x)
{
    if (!open_gap(c, index, 1))
        return false;
    c->regex->code[index] = (struct instruction){(uint8_t)op, (int16_t)x};
    return true;
}

static bool emit(struct compiler *c, enum op op, int x)
{
    return insert(c, c->regex->size, op, x);
}

static void set_add(struct byte_set *set, unsigned byte)
{
    set->bits[byte / 32] |= UINT32_C(1) << byte % 32;
}

static void set_invert(struct byte_set *set)
{
    for (int i = 0; i < 8; i++)
        set->bits[i] = ~set->bits[i];
}

static void set_unite(struct byte_set *set, const struct byte_set *other)
{
    for (int i = 0; i < 8; i++)
        set->bits[i] |= other->bits[i];
}

static void set_fold(struct byte_set *set)
{
    for (unsigned upper = 'A'; upper <= 'Z'; upper++) {
        unsigned lower = upper - 'A' + 'a';

        if (set_has(set, upper))
            set_add(set, lower);
        else if (set_has(set, lower))
            set_add(set, upper);
    }
}

// Equal classes are kept once.
static bool emit_class(struct compiler *c, const struct byte_set *set)
{
    struct regex *r = c->regex;
    unsigned i = 0;

    while (i < r->class_count &&
           memcmp(&r->classes[i], set, sizeof *set) != 0)
        i++;
    if (i == r->class_count) {
        struct byte_set *moved;

        if (i == MAX_CLASSES)
            return fail(c, REGEX_TOO_LARGE);
        moved = realloc(r->classes, (i + 1) * sizeof *moved);
        if (moved == NULL)
            return fail(c, REGEX_NO_MEMORY);
        r->classes = moved;
        r->classes[i] = *set;
        r->class_count++;
    }
    return emit(c, OP_CLASS, (int)i);
}

static bool emit_byte(struct compiler *c, unsigned byte)
{
    struct byte_set both = {{0}};

    if (!c->fold || !isalpha((int)byte))
        return emit(c, OP_BYTE, (int)byte);
    set_add(&both, byte);
    set_fold(&both);
    return emit_class(c, &both);
}

// The class that a letter after a backslash stands for: d, w, s or the
// complement of one of these.
static bool class_of_letter(int letter, struct byte_set *set)
{
    *set = (struct byte_set){{0}};
    if (letter <= 0 || strchr("dwsDWS", letter) == NULL)
        return false;
    for (int byte = 0; byte < 128; byte++) {
        bool is_member;

        switch (letter) {
        case 'd':
        case 'D':
            is_member = isdigit(byte);
            break;
        case 'w':
        case 'W':
            is_member = isalnum(byte) || byte == '_';
            break;
        default:
            is_member = isspace(byte);
        }
        if (is_member)
            set_add(set, (unsigned)byte);
    }
    if (isupper(letter))
        set_invert(set);
    return true;
}

static int hex_value(int digit)
{
    if (digit < 0 || !isxdigit(digit))
        return -1;
    return isdigit(digit) ? digit - '0' : tolower(digit) - 'a' + 10;
}

// The byte that the escape at c->at, past the backslash, stands for.
static bool parse_escaped_byte(struct compiler *c, unsigned *byte)
{
    static const char letters[] = "ntrfv";
    static const char meanings[] = "\n\t\r\f\v";
    int letter = peek(c);
    const char *found;

    if (letter < 0)
        return fail(c, REGEX_BAD_ESCAPE);
    if (letter == 'x') {
        *byte = 0;
        c->at++;
        for (int i = 0; i < 2; i++) {
            int digit = hex_value(peek(c));

            if (digit < 0)
                return fail(c, REGEX_BAD_ESCAPE);
            *byte = *byte << 4 | (unsigned)digit;
            c->at++;
        }
        return true;
    }
    found = memchr(letters, letter, sizeof letters - 1);
    if (found == NULL && isalnum(letter))
        return fail(c, REGEX_BAD_ESCAPE);
    *byte = (unsigned char)(found == NULL ? letter : meanings[found - letters]);
    c->at++;
    return true;
}

// [:name:], of which "[:" has been read.
static bool parse_class_name(struct compiler *c, struct byte_set *set)
{
    static const struct {
        const char *name;
        int (*holds)(int);
    } names[] = {
        {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank},
        {"cntrl", iscntrl}, {"digit", isdigit}, {"graph", isgraph},
        {"lower", islower}, {"print", isprint}, {"punct", ispunct},
        {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i].name);

        if ((size_t)(c->end - c->at) < length + 2 ||
            memcmp(c->at, names[i].name, length) != 0 ||
            memcmp(c->at + length, ":]", 2) != 0)
            continue;
        for (int byte = 0; byte < 128; byte++)
            if (names[i].holds(byte))
                set_add(set, (unsigned)byte);
        c->at += length + 2;
        return true;
    }
    return fail(c, REGEX_BAD_CLASS_NAME);
}

// One end of a range.
static bool parse_member(struct compiler *c, unsigned *byte)
{
    int next = peek(c);

    if (next < 0)
        return fail(c, REGEX_OPEN_CLASS);
    c->at++;
    if (next == '\\')
        return parse_escaped_byte(c, byte);
    *byte = (unsigned)next;
    return true;
}

// A class, of which "[" has been read.
static bool parse_class(struct compiler *c)
{
    struct byte_set set = {{0}};
    bool invert = accept(c, '^');
    bool first = true;

    for (; first || !accept(c, ']'); first = false) {
        struct byte_set named;
        unsigned low;
        unsigned high;

        if (c->end - c->at >= 2 && c->at[0] == '[' && c->at[1] == ':') {
            c->at += 2;
            if (!parse_class_name(c, &set))
                return false;
            continue;
        }
        if (c->end - c->at >= 2 && c->at[0] == '\\' &&
            class_of_letter((unsigned char)c->at[1], &named)) {
            c->at += 2;
            set_unite(&set, &named);
            continue;
        }
        if (!parse_member(c, &low))
            return false;
        high = low;
        if (c->end - c->at >= 2 && c->at[0] == '-' && c->at[1] != ']') {
            c->at++;
            if (!parse_member(c, &high))
                return false;
            if (high < low)
                return fail(c, REGEX_BAD_RANGE);
        }
        for (; low <= high; low++)
            set_add(&set, low);
    }
    if (c->fold)
        set_fold(&set);
    if (invert)
        set_invert(&set);
    return emit_class(c, &set);
}

// A group, of which "(" has been read.
static bool parse_group(struct compiler *c)
{
    int slot = 0;

    if (accept(c, '?')) {
        if (!accept(c, ':'))
            return fail(c, REGEX_BAD_GROUP);
    } else {
        if (c->regex->groups == REGEX_MAX_GROUPS)
            return fail(c, REGEX_TOO_MANY_GROUPS);
        slot = (int)(2 * c->regex->groups++);
    }
    if (c->depth == REGEX_MAX_DEPTH)
        return fail(c, REGEX_TOO_DEEP);
    c->depth++;
    if ((slot != 0 && !emit(c, OP_SAVE, slot)) || !parse_alternatives(c))
        return false;
    c->depth--;
    if (!accept(c, ')'))
        return fail(c, REGEX_OPEN_GROUP);
    return slot == 0 || emit(c, OP_SAVE, slot + 1);
}

static bool parse_escape(struct compiler *c)
{
    struct byte_set set;
    unsigned byte;

    if (accept(c, 'b'))
        return emit(c, OP_EDGE, 0);
    if (accept(c, 'B'))
        return emit(c, OP_NO_EDGE, 0);
    if (class_of_letter(peek(c), &set)) {
        c->at++;
        return emit_class(c, &set);
    }
    return parse_escaped_byte(c, &byte) && emit_byte(c, byte);
}

static bool parse_atom(struct compiler *c)
{
    int next = peek(c);

    if (next == '*' || next == '+' || next == '?' || next == '{')
        return fail(c, REGEX_NOTHING_TO_REPEAT);
    c->at++;
    switch (next) {
    case '.':
        return emit(c, OP_ANY, 0);
    case '^':
        return emit(c, OP_START, 0);
    case '$':
        return emit(c, OP_END, 0);
    case '[':
        return parse_class(c);
    case '(':
        return parse_group(c);
    case '\\':
        return parse_escape(c);
    default:
        return emit_byte(c, (unsigned)next);
    }
}

static bool parse_number(struct compiler *c, int *number)
{
    const char *start = c->at;

    *number = 0;
    while (peek(c) >= '0' && peek(c) <= '9') {
        *number = *number * 10 + (peek(c) - '0');
        if (*number > REGEX_MAX_REPEAT)
            return fail(c, REGEX_BAD_REPEAT);
        c->at++;
    }
    return c->at != start || fail(c, REGEX_BAD_REPEAT);
}

// What follows "{".
static bool parse_counts(struct compiler *c, int *min, int *max)
{
    if (!parse_number(c, min))
        return false;
    *max = *min;
    if (accept(c, ',')) {
        *max = UNLIMITED;
        if (peek(c) != '}' && !parse_number(c, max))
            return false;
    }
    if (*max != UNLIMITED && *max < *min)
        return fail(c, REGEX_BAD_REPEAT);
    return accept(c, '}') || fail(c, REGEX_BAD_REPEAT);
}

static bool emit_copy(struct compiler *c, unsigned start, unsigned length)
{
    unsigned end = c->regex->size;

    if (!open_gap(c, end, length))
        return false;
    memcpy(c->regex->code + end, c->regex->code + start,
           length * sizeof *c->regex->code);
    return true;
}

// Repeats the code from start on:
//
//     x{2}    x x                       x{2,}  x L: x, back to L or on
//     x{0,2}  on or to E, x, on or to E, x, E:
//     x{0,}   L: on or to E, x, jump to L, E:
//
// A lazy repetition prefers the other way at every choice.
static bool repeat(struct compiler *c, unsigned start, int min, int max,
                   bool lazy)
{
    enum op enter = lazy ? OP_SPLIT_BACK : OP_SPLIT;
    enum op again = lazy ? OP_SPLIT : OP_SPLIT_BACK;
    unsigned length = c->regex->size - start;
    unsigned body = start;
    unsigned end;

    if (max == 0) {
        c->regex->size = start;
        return true;
    }
    if (min == 0) {
        if (!insert(c, start, enter, 0))
            return false;
        body++;
    }
    for (int i = 1; i < min; i++)
        if (!emit_copy(c, body, length))
            return false;
    if (max == UNLIMITED) {
        if (min > 0)
            return emit(c, again, -(int)length);
        if (!emit(c, OP_JUMP, (int)start - (int)c->regex->size))
            return false;
        c->regex->code[start].x = (int16_t)(c->regex->size - start);
        return true;
    }
    // Where the optional copies start, each with a split in front of it.
    start = min == 0 ? start : c->regex->size;
    for (int i = min == 0 ? 1 : min; i < max; i++)
        if (!emit(c, enter, 0) || !emit_copy(c, body, length))
            return false;
    end = c->regex->size;
    for (; start < end; start += length + 1)
        c->regex->code[start].x = (int16_t)(end - start);
    return true;
}

static bool parse_piece(struct compiler *c)
{
    unsigned start = c->regex->size;
    int min;
    int max;

    if (!parse_atom(c))
        return false;
    for (;;) {
        if (accept(c, '*')) {
            min = 0;
            max = UNLIMITED;
        } else if (accept(c, '+')) {
            min = 1;
            max = UNLIMITED;
        } else if (accept(c, '?')) {
            min = 0;
            max = 1;
        } else if (!accept(c, '{')) {
            return true;
        } else if (!parse_counts(c, &min, &max)) {
            return false;
        }
        if (!repeat(c, start, min, max, accept(c, '?')))
            return false;
    }
}

static bool parse_sequence(struct compiler *c)
{
    while (c->at < c->end && *c->at != '|' && *c->at != ')')
        if (!parse_piece(c))
            return false;
    return true;
}

// x|y: on or to Y, x, jump to E, Y: y, E:
static bool parse_alternatives(struct compiler *c)
{
    unsigned start = c->regex->size;
    unsigned jump;

    if (!parse_sequence(c))
        return false;
    while (accept(c, '|')) {
        int to_right = (int)(c->regex->size - start) + 2;

        if (!insert(c, start, OP_SPLIT, to_right))
            return false;
        jump = c->regex->size;
        if (!emit(c, OP_JUMP, 0) || !parse_sequence(c))
            return false;
        c->regex->code[jump].x = (int16_t)(c->regex->size - jump);
    }
    return true;
}

static bool parse_pattern(struct compiler *c, bool whole)
{
    if (!emit(c, OP_SAVE, 0) || (whole && !emit(c, OP_START, 0)) ||
        !parse_alternatives(c))
        return false;
    if (c->at < c->end)
        return fail(c, REGEX_STRAY_PARENTHESIS);
    if ((whole && !emit(c, OP_END, 0)) || !emit(c, OP_SAVE, 1) ||
        !emit(c, OP_MATCH, 0))
        return false;
    c->regex->machine = machine_new(c->regex);
    return c->regex->machine != NULL || fail(c, REGEX_NO_MEMORY);
}

struct regex *regex_compile(const char *pattern, size_t length, unsigned flags,
                            enum regex_status *status, size_t *position)
{
    struct compiler c = {
        .at = pattern,
        .end = pattern + length,
        .regex = calloc(1, sizeof *c.regex),
        .fold = (flags & REGEX_FOLD) != 0,
    };

    *status = REGEX_NO_MEMORY;
    *position = 0;
    if (c.regex == NULL)
        return NULL;
    c.regex->groups = 1;
    if (!parse_pattern(&c, (flags & REGEX_WHOLE) != 0)) {
        regex_free(c.regex);
        c.regex = NULL;
    }
    *status = c.status;
    *position = (size_t)(c.at - pattern);
    return c.regex;
}

void regex_free(struct regex *regex)
{
    if (regex != NULL) {
        free(regex->code);
        free(regex->classes);
        free(regex->machine);
        free(regex);
    }
}

const char *regex_message(enum regex_status status)
{
    static const char *const messages[] = {
        "no error",
        "not enough memory",
        "pattern too large",
        "groups nested too deeply",
        "too many groups",
        "group without an end",
        "parenthesis without a group",
        "malformed group",
        "class without an end",
        "malformed range",
        "unknown class name",
        "malformed escape",
        "malformed repetition",
        "nothing to repeat",
    };

    return messages[status];
}
