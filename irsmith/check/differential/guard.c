/* The checks of the guarded reference, and the values that it reads for the first time.
 *
 * Memory of an input has no content until the reference reads it: then the guard draws a
 * value of the kind that is read there (a number, a pointer to a new object of memory
 * without content, a string's byte) and writes it into the input. What cannot be known at
 * that moment (that a pointer will be called, how large an object must be) is learnt: the
 * run is given up, a hint kept for the place that made the value, and the run repeated.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "runtime.h"
#include "guard.h"

static struct { u64 low, high; } libraries[8];
static u32 library_count;
void irsmith_library(u64 low, u64 high) {
    if (library_count < 8) libraries[library_count].low = low, libraries[library_count++].high = high;
}

/* Where in the input a byte of memory stands. */
static void store_word(u64 address, int kind, int size, u64 value) {
    if (within(address, m.arena, ARENA_SIZE)) {
        add_word(ARENA, address - (u64)m.arena, kind, size, value);
    } else {
        struct symbol *s = symbol_of(address);
        m.hidden |= s->kind & INTERNAL_STATE;
        add_word(GLOBAL + s->token, address - s->address, kind, size, value);
    }
    struct word word = {0, 0, kind, size, value};
    u64 real = real_value(&word);
    memcpy((void *)address, &real, size);
    u8 *state; u16 *tag;
    state_at(address, &state, &tag);
    memset(state, SET, size);
}

static void decide(u64 address, u32 size, int what, u32 origin, u32 function, struct site *site) {
    u8 kind = RAW;
    u64 value;
    if (what == 'p' && size == 8) value = draw_pointer(origin, site && site->nonnull, 0, &kind);
    else if (what == 'f' && size == 4) value = draw_double(1);
    else if (what == 'd' && size == 8) value = draw_double(0);
    else if (size == 1 && !(site && site->ranged)) value = draw_byte(function);
    else value = draw_int(size * 8, function);
    if (site && site->ranged && kind == RAW) {
        u64 span = site->high - site->low;
        value = site->low + (span ? value % span : value);
    }
    store_word(address, kind, size, value);
}

/* Give content to what has none in a stretch of memory that is read without a type. */
static void decide_all(u64 address, u64 size, u8 *state, u32 origin, u32 function, int text) {
    for (u64 k = 0; k < size;) {
        if (state[k] != LAZY_BYTE) { k++; continue; }
        u64 same = 1, at = address + k;
        while (k + same < size && state[k + same] == LAZY_BYTE && same < 8) same++;
        if (text) decide(at, 1, 'i', 0, function, 0), k++;
        else if (same == 8 && !(at & 7)) decide(at, 8, draw() % 5 < 2 ? 'p' : 'i', origin + k * 7919, function, 0), k += 8;
        else if (same >= 4 && !(at & 3)) decide(at, 4, 'i', 0, function, 0), k += 4;
        else decide(at, 1, 'i', 0, function, 0), k++;
    }
}

/* A vector of floating-point numbers: those that have no content at all. */
static void decide_floats(u64 address, u8 *state, u32 origin, struct site *site) {
    u32 each = site->kind == 'f' ? 4 : 8;
    for (u32 at = 0; at + each <= site->size; at += each) {
        u32 lazy = 0;
        for (u32 k = 0; k < each; k++) lazy += state[at + k] == LAZY_BYTE;
        if (lazy == each) decide(address + at, each, site->kind, 0, site->function, 0);
    }
    decide_all(address, site->size, state, origin, site->function, 0);
}

/* A bit field of what is not set yet: what is stored there next is set in part. */
static u64 partly_at;
static u32 partly_size;

static inline void check_tags(u16 *tag, u32 size, u16 mine) {
    if (!mine) return;
    /* The usual case, told at once: all bytes have this tag already. */
    u64 all = mine * 0x0001000100010001ul;
    if (size == 8 && word_at(tag) == all && word_at(tag + 4) == all) return;
    if (size == 4 && word_at(tag) == all) return;
    for (u32 k = 0; k < size; k++) {
        if (!tag[k]) tag[k] = mine;
        else if (tag[k] != mine) {
            if (!m.aliasing[tag[k] * m.tags + mine]) undefined(TYPES);
        }
    }
}

/* Not memory of ours: the machine's stack and libc's tables may be read, and nothing else. What
 * else lies there is different in another process, and so would be what a run does. */
static void foreign(u64 address) {
    if (within(address, m.stack, STACK_SIZE)) return;
    for (u32 k = 0; k < library_count; k++)
        if (address >= libraries[k].low && address < libraries[k].high) return;
    undefined(OUT_OF_BOUNDS);
}

/* The usual case, told at once. */
static inline int all_set(const u8 *state, u32 size) {
    if (size == 8) return word_at(state) == SET * 0x0101010101010101ul;
    if (size == 4) {
        u32 half;
        __builtin_memcpy(&half, state, 4);
        return half == SET * 0x01010101u;
    }
    return size == 1 && *state == SET;
}

/* 0: no memory of ours; 2: every byte is set; else 1. */
static inline int access(u64 address, struct site *site, u8 **state, u16 **tag) {
    m.reason_site = site - m.sites;
    if (address < 4096) undefined(NULL_POINTER);
    if (address & ((1ul << site->align) - 1)) undefined(MISALIGNED);
    if (!state_at(address, state, tag)) {
        foreign(address);
        return 0;
    }
    if (all_set(*state, site->size)) return 2;
    for (u32 k = 0; k < site->size; k++)
        if ((*state)[k] == NOWHERE) missing(address, site->size);
    return 1;
}

void guard_load(u64 address, u32 number) {
    struct site *site = &m.sites[number];
    u8 *state; u16 *tag;
    int found = access(address, site, &state, &tag);
    if (found == 2) {
        check_tags(tag, site->size, site->tag);
    } else if (found) {
        u32 lazy = 0, unset = 0, partly = 0;
        for (u32 k = 0; k < site->size; k++)
            lazy += state[k] == LAZY_BYTE, unset += state[k] == UNSET, partly += state[k] == PARTLY;
        u32 origin = SITES_FROM + number * 8;
        u32 whole = site->kind == 'f' ? 4 : 8; /* a vector of floats is not one number */
        if (lazy == site->size && (lazy == 1 || lazy == 2 || lazy == 4 || lazy == 8) && lazy <= whole)
            decide(address, site->size, site->kind, origin, site->function, site);
        else if (lazy && (site->kind == 'f' || site->kind == 'd')) decide_floats(address, state, origin, site);
        else if (lazy) decide_all(address, site->size, state, origin, site->function, 0);
        if (unset == site->size && !site->tolerant) undefined(UNINITIALISED);
        if (site->tolerant && unset + partly) partly_at = address, partly_size = site->size;
        check_tags(tag, site->size, site->tag);
    }
    if (site->ranged && site->size <= 8) {
        u64 value = 0;
        memcpy(&value, (void *)address, site->size);
        if (value - (u64)site->low >= (u64)(site->high - site->low)) undefined(VALUE_RANGE);
    }
    if (site->nonnull && !*(u64 *)address) undefined(NULL_POINTER);
}

void guard_store(u64 address, u32 number) {
    struct site *site = &m.sites[number];
    u8 *state; u16 *tag;
    int found = access(address, site, &state, &tag);
    if (!found) return;
    for (u32 k = found == 2 ? site->size : 0; k < site->size; k++) { /* what is set stays set */
        if (state[k] == FIXED) undefined(CONSTANT);
        if (partly_at != address || partly_size != site->size) state[k] = SET;
        else if (state[k] == UNSET) state[k] = PARTLY;
    }
    partly_at = 0;
    check_tags(tag, site->size, site->tag);
}

static void read_range(u64 address, u64 size, u32 origin, u32 function, int text) {
    u8 *state; u16 *tag;
    if (!size) return;
    if (address < 4096) undefined(NULL_POINTER);
    if (size > SPACE_SIZE) undefined(OUT_OF_BOUNDS);
    if (!state_at(address, &state, &tag)) { foreign(address); return; }
    for (u64 k = 0; k < size; k++) if (state[k] == NOWHERE) missing(address, size);
    decide_all(address, size, state, origin, function, text);
}

static void write_range(u64 address, u64 size) {
    u8 *state; u16 *tag;
    if (!size) return;
    if (address < 4096) undefined(NULL_POINTER);
    if (size > SPACE_SIZE) undefined(OUT_OF_BOUNDS);
    if (!state_at(address, &state, &tag)) { foreign(address); return; }
    for (u64 k = 0; k < size; k++) {
        if (state[k] == NOWHERE) missing(address, size);
        if (state[k] == FIXED) undefined(CONSTANT);
    }
    memset(state, SET, size), memset(tag, 0, 2 * size);
}

/* A copy takes along what is not initialised. */
void guard_copy(u64 to, u64 from, u64 size, u32 number) {
    struct site *site = &m.sites[number];
    u8 *state, *target; u16 *tag;
    if (!size) return;
    if ((to | from) & ((1ul << site->align) - 1)) undefined(MISALIGNED);
    read_range(from, size, SITES_FROM + number * 8, site->function, 0);
    write_range(to, size);
    if (site->tolerant && to != from && to - from + size < 2 * size) undefined(POINTERS); /* memcpy */
    if (state_at(from, &state, &tag) && state_at(to, &target, &tag))
        for (u64 k = 0; k < size; k++) target[k] = state[k] == UNSET || state[k] == PARTLY ? state[k] : SET;
}

void guard_set(u64 to, u64 size) { write_range(to, size); }

/* Memory passed by value is read whole; where it came from is kept for the callee. */
static const u8 *passed[32];
void guard_read(u64 from, u64 size, u32 number) {
    passed[m.sites[number].align & 31] = (const u8 *)from;
    read_range(from, size, SITES_FROM + number * 8, m.sites[number].function, 0);
}

void touch_read(const void *from, u64 size) {
    if (m.guarding) read_range((u64)from, size, SITES_FROM - 8, m.function, 1);
}
void touch_write(void *to, u64 size) {
    if (m.guarding) write_range((u64)to, size);
}
/* Length of a string, given content byte by byte; at most so many bytes are looked at. */
u64 touch_string(const char *text, u64 most) {
    u64 length = 0;
    for (; length < most; length++) {
        if (m.guarding) {
            if (length == 256) undefined(OUT_OF_BOUNDS);
            read_range((u64)text + length, 1, SITES_FROM - 8, m.function, 1);
        }
        if (!text[length]) break;
    }
    return length;
}

/* How much from an address on is set, up to so many bytes. */
u64 extent(u64 address, u64 most) {
    u8 *state; u16 *tag;
    u64 length = 0;
    if (!state_at(address, &state, &tag)) return 0;
    while (length < most && (state[length] == SET || state[length] == FIXED)) length++;
    return length;
}

static int open_end(u8 state) { return state == UNSET || state == PARTLY; }
/* None of eight bytes from here on is open: nearly all are not, and this looks at all of them. */
static int all_closed(const u8 *state) {
    u64 w = word_at(state); /* UNSET and PARTLY are odd and above 1 */
    return !(w & (w >> 1 | w >> 2) & 0x0101010101010101ul);
}

/* What ends as it was never set may end as anything. */
void leave_out_unset(void) {
    u8 *state; u16 *tag;
    state_at((u64)m.arena, &state, &tag);
    for (u64 k = FIRST; k < m.used; k++) {
        while (k + 8 <= m.used && all_closed(state + k)) k += 8;
        if (k == m.used) break;
        if (!open_end(state[k])) continue;
        u64 from = k;
        while (k < m.used && open_end(state[k])) k++;
        if (m.count == MOST_WORDS) { m.count++; return; }
        add_word(GONE, from, RAW, 0, k - from);
    }
    for (u32 n = 0; n < m.symbol_count; n++) {
        struct symbol *s = &m.symbols[n];
        if (!(s->kind & VARIABLE) || !state_at(s->address, &state, &tag)) continue;
        for (u64 k = 0; k < s->size; k++) {
            while (k + 8 <= s->size && all_closed(state + k)) k += 8;
            if (k == s->size) break;
            if (!open_end(state[k])) continue;
            u64 from = k;
            while (k < s->size && open_end(state[k])) k++;
            if (m.count == MOST_WORDS) { m.count++; return; }
            add_word(GONE, from, OF_GLOBAL, 0, s->token << 32 | (k - from));
        }
    }
}

static u64 marks[512];
static u64 given[1024]; /* what functions returned as pointers to memory of its own */
static u32 given_count, given_before[512];
void guard_enter(void) {
    if (m.depth == 100) leave(TOO_LONG);
    if (!m.depth) given_count = 0;
    given_before[m.depth] = given_count;
    marks[m.depth++] = m.frames_used;
}
/* Whether a word of the input is a pointer into an object that can still be read where it stood. */
static int leads_to(struct word *w, u64 offset, u64 size) {
    if (w->segment > RESULT && w->segment < GLOBAL || w->kind != IN_ARENA || w->value - offset >= size) return 0;
    u64 at = (u64)m.arena + w->where;
    if (w->segment >= GLOBAL) {
        u32 k = m.by_token[w->segment - GLOBAL];
        at = k ? m.symbols[k - 1].address + w->where : 0;
    } else if (w->segment != ARENA) return 1;
    return at && word_at((void *)at) - (u64)m.arena - offset < size;
}

/* What a function of the module returns that promises memory which nothing else leads to. What
 * the tested function itself returns nobody looks at by another way. */
void guard_fresh(u64 pointer) {
    if (m.depth < 2 || pointer < 4096) return;
    /* What a function that it calls returned it may pass on. */
    for (u32 k = 0; k < given_before[m.depth - 1]; k++) if (given[k] == pointer) undefined(POINTERS);
    if (given_count == 1024) leave(TOO_LONG);
    given[given_count++] = pointer;
    struct object *object = within(pointer, m.arena, m.used) ? object_at(pointer) : 0;
    if (!object) return;
    u64 end = object + 1 < m.objects + m.object_count ? object[1].offset : m.used;
    u32 others = 0, answers = 0;
    for (u32 k = 0; k < m.count; k++)
        if (leads_to(&m.words[k], object->offset, end - object->offset))
            m.words[k].segment == RESULT ? answers++ : others++;
    if (others || answers > 1) undefined(POINTERS);
    if (!object->exclusive) object->exclusive = FRESH_OBJECT;
    object->reached = 0; /* its caller is promised that nobody has kept it */
}

void guard_leave(void) {
    u64 mark = marks[--m.depth];
    u8 *state; u16 *tag;
    state_at((u64)m.frames + mark, &state, &tag);
    memset(state, NOWHERE, m.frames_used - mark);
    memset(tag, 0, 2 * (m.frames_used - mark));
    m.frames_used = mark;
}

void *guard_alloca(u64 size, u64 align) {
    if (size > FRAMES_SIZE || align > 4096) leave(TOO_LONG);
    if (align < 16) align = 16;
    u64 start = (m.frames_used + 32 + align - 1) & -align;
    if (start + size + 32 > FRAMES_SIZE) leave(TOO_LONG);
    u8 *at = m.frames + start, *state; u16 *tag;
    *(u64 *)(at - 8) = size;
    m.frames_used = start + size + 32;
    memset(at, m.junk, size);
    state_at((u64)at, &state, &tag);
    memset(state, UNSET, size);
    return at;
}

void guard_lifetime(u64 at, int starts) {
    u8 *state; u16 *tag;
    if (!within(at, m.frames, FRAMES_SIZE)) return;
    u64 size = *(u64 *)(at - 8);
    if (size > FRAMES_SIZE) return;
    state_at(at, &state, &tag);
    memset(state, starts ? UNSET : NOWHERE, size), memset(tag, 0, 2 * size);
}

/* A parameter passed by value: the callee's own copy. The tested function reads the input's. */
void *guard_by_value(void *from, u64 size, u32 origin, u64 align) {
    u8 *state; u16 *tag;
    if (m.depth == 1 && m.by_value[origin & 31]) return m.by_value[origin & 31];
    void *at = guard_alloca(size, align);
    memcpy(at, from, size);
    state_at((u64)at, &state, &tag);
    memset(state, SET, size);
    const u8 *source = passed[origin & 31];
    u8 *before; u16 *other;
    passed[origin & 31] = 0;
    if (source && state_at((u64)source, &before, &other) && !memcmp(source, from, size))
        for (u64 k = 0; k < size; k++) if (before[k] == UNSET || before[k] == PARTLY) state[k] = before[k];
    return at;
}

void guard_parameter(u64 value, u32 nonnull, u32 align, u64 bytes) {
    if (!value && nonnull) undefined(NULL_POINTER);
    if (value && value & (align - 1)) undefined(MISALIGNED);
    u8 *state; u16 *tag;
    if (bytes && value && state_at(value, &state, &tag))
        for (u64 k = 0; k < bytes; k++) if (state[k] == NOWHERE) missing(value, bytes);
}

/* A pointer that may not be reached by another way, and another pointer parameter. */
void guard_apart(u64 mine, u64 other) {
    if (!mine || !other) return;
    if (within(mine, m.arena, m.used) && within(other, m.arena, m.used)) {
        if (object_at(mine) == object_at(other)) undefined(POINTERS);
    } else if (mine == other) undefined(POINTERS);
}

/* Variables start as they are; one whose bytes are all zero may start without content. */
void reset_globals(void) {
    u64 lazily = draw() % 3;
    for (u32 k = 0; k < m.symbol_count; k++) {
        struct symbol *s = &m.symbols[k];
        u8 *state; u16 *tag;
        if (s->kind & FUNCTION || !s->size || !state_at(s->address, &state, &tag)) continue;
        int lazy = s->kind & FRESH || (s->kind & LAZY && (s->kind & INTERNAL_STATE ? lazily == 2 : lazily));
        memset(state, s->kind & CONSTANT_DATA ? FIXED : lazy ? LAZY_BYTE : SET, s->size);
        memset(tag, 0, 2 * s->size);
    }
}

static u64 owner(u64 v) {
    if (within(v, m.arena, m.used)) return 0x1000 + (object_at(v) - m.objects);
    if (within(v, m.arena, SPACE_SIZE)) return within(v, m.heap, HEAP_SIZE) ? 1 : 2;
    struct symbol *s = symbol_of(v);
    return s ? s->address : 0;
}

/* Ordered or subtracted: both must point into the same thing. */
void guard_order(u64 a, u64 b) {
    if (owner(a) == owner(b)) return;
    if (within(a, m.arena, m.used) && within(b, m.arena, m.used)) {
        struct object *one = object_at(a), *two = object_at(b), *last = one > two ? one : two;
        if (one && two && !last->exclusive) learn_together(last, one > two ? two : one);
    }
    static const u32 apart[] = {1, 0, 4, 16, 60, 128};
    u64 some = apart[draws() % 6];
    suggest(b, a + some);
    suggest(a, b + some);
    undefined(POINTERS);
}

/* Code: 1 for equality, the width of the sides, the number of the comparison. How the sides
 * lie to each other, with and without sign, is new like a new edge: a wrong predicate and a
 * constant that is off by one decide differently on some of these only. */
void guard_compare(u64 a, u64 b, u32 code) {
    u64 top = 1ul << ((code >> 1 & 127) - 1);
    reach((code >> 8) * 8 + (a == b ? 4 : (a < b) | ((a ^ top) < (b ^ top)) << 1));
    suggest(a, b), suggest(b, a);
    if (code & 1) return;
    suggest(a, b + 1), suggest(a, b - 1), suggest(a, a ^ top);
}

/* A choice between many: the function's constants hold its cases. */
void guard_switch(u64 value, u32 function) {
    u32 first = m.constants_at[function], count = m.constants_at[function + 1] - first;
    for (u32 k = 0; k < 4 && count; k++) suggest(value, m.constants[first + scramble(draws() + k) % count]);
}

/* Times the size of what it counts, an index must not wrap. */
void guard_index(i64 index) {
    if (index > 1l << 40 || index < -(1l << 40)) undefined(POINTERS);
}

void guard_offset(u64 base, u64 result, u32 flags) {
    if (base == result) return;
    if (!base) undefined(NULL_POINTER);
    if (result < 4096) undefined(POINTERS);
    if (flags & 1) {
        if (within(base, m.arena, m.used) && !within(result, m.arena, ARENA_SIZE)) undefined(OUT_OF_BOUNDS);
        if (within(base, m.heap, HEAP_SIZE) && owner(base) != owner(result)) undefined(OUT_OF_BOUNDS);
        if (within(base, m.frames, FRAMES_SIZE) && !within(result, m.frames, FRAMES_SIZE)) undefined(OUT_OF_BOUNDS);
        if (base >= m.low && base < m.high) {
            struct symbol *s = symbol_of(base);
            if (s && result - s->address > s->size) undefined(OUT_OF_BOUNDS);
        }
    }
    i64 moved = result - base;
    if (moved > 1l << 40 || moved < -(1l << 40)) undefined(POINTERS);
    if (flags & 4 && moved < 0) undefined(POINTERS);
}

enum { ADD, SUB, MUL, SHL, LSHR, ASHR, UDIV, SDIV, UREM, SREM, NEG_TRUNC };

/* Two's complement numbers of so many bits, sign-extended; flags: 1 signed, 2 unsigned wrap, 4 exact. */
void guard_arithmetic(u32 code, i64 a, i64 b) {
    u32 op = code & 15, flags = code >> 4 & 15, width = code >> 8;
    u64 ua = trim(a, width), ub = trim(b, width);
    __int128 wide = 0;
    unsigned __int128 plain = 0;
    switch (op) {
    case ADD: wide = (__int128)a + b, plain = (unsigned __int128)ua + ub; break;
    case SUB: wide = (__int128)a - b; if (flags & 2 && ua < ub) undefined(OVERFLOW); break;
    case MUL: wide = (__int128)a * b, plain = (unsigned __int128)ua * ub; break;
    case SHL:
        if (ub >= width) suggest(ub, draws() % 7), undefined(SHIFT);
        wide = (__int128)a << ub, plain = (unsigned __int128)ua << ub;
        break;
    case LSHR: case ASHR:
        if (ub >= width) suggest(ub, draws() % 7), undefined(SHIFT);
        if (flags & 4 && ua & ((1ul << ub) - 1)) undefined(SHIFT);
        return;
    default:
        if (!ub) suggest(ub, 1 + draws() % 9), undefined(DIVISION);
        if ((op == SDIV || op == SREM) && b == -1 && ua == 1ul << (width - 1)) undefined(DIVISION);
        if (flags & 4 && (op == UDIV ? ua % ub : op == SDIV && b != -1 ? a % b : 0)) undefined(DIVISION);
        return;
    }
    __int128 limit = (__int128)1 << (width - 1);
    if (flags & 1 && (wide >= limit || wide < -limit)) undefined(OVERFLOW);
    if (flags & 2 && op != SUB && plain >> width) undefined(OVERFLOW);
}

void guard_float(double v) {
    if (v != v) undefined(NOT_A_NUMBER);
}
/* Conversion to an integer: the value must fit. */
void guard_convert(double v, u32 width, u32 is_signed) {
    double limit = 1;
    for (u32 k = 0; k < width - !!is_signed; k++) limit *= 2;
    if (!(v < limit && v > (is_signed ? -limit - (width < 53) : -1.0))) undefined(NOT_A_NUMBER);
}
void guard_assume(u32 holds) {
    if (!holds) undefined(ASSUMPTION);
}
void guard_nonzero(u64 v) {
    if (!v) undefined(ASSUMPTION);
}
/* What isdigit and its kin take: glibc has tables from -128 on, the standard begins at -1. */
void guard_character(i64 c) {
    if (c >= -128 && c < 256) return;
    suggest(c, scramble(draws()) & 127);
    undefined(VALUE_RANGE);
}
void guard_unreachable(void) { undefined(UNREACHABLE); }

void guard_call(u64 target, u32 signature) {
    if (target < 4096) undefined(NULL_POINTER);
    if (within(target, m.arena, m.used)) {
        struct object *object = object_at(target);
        if (object->offset + object->before != target - (u64)m.arena || object->origin < 8) undefined(CALL_TYPE);
        learn(object, 0, signature);
    }
    if (within(target, m.arena, SPACE_SIZE)) undefined(CALL_TYPE);
    for (u32 k = 0; k < m.stub_count; k++)
        if (m.stubs[k].address == target) {
            if (m.stubs[k].signature != signature) undefined(CALL_TYPE);
            return;
        }
    struct symbol *s = symbol_of(target);
    if (s && (!(s->kind & FUNCTION) || s->signature != signature || s->address != target))
        undefined(CALL_TYPE);
}
