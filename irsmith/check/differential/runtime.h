/* What the parts of the runtime share: memory that tested code works on, inputs, outcomes.
 *
 * Tested code runs in this process, on memory at addresses that we choose. A *guarded* run
 * (the reference with a check before whatever may be undefined) makes an input while it
 * reads it; a *replay* runs any version on an input that was made. No header of libc is
 * included, so that the clang wheel alone can compile this.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */

#ifndef IRSMITH_RUNTIME_H
#define IRSMITH_RUNTIME_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;

void *memcpy(void *, const void *, u64);
void *memmove(void *, const void *, u64);
void *memset(void *, int, u64);
int memcmp(const void *, const void *, u64);
void *mmap(void *, u64, int, int, int, i64);
int snprintf(char *, u64, const char *, ...);

/* How a run ended; irsmith.check.differential.runtime has the same numbers. */
enum { RETURNED, ENDED, SIGNALLED, TIMED_OUT, TOO_LONG, UNDEFINED, LEARNT, UNSUPPORTED };

/* Why a guarded run was undefined. */
enum {
    OVERFLOW = 1, SHIFT, DIVISION, MISALIGNED, UNINITIALISED, OUT_OF_BOUNDS, NULL_POINTER,
    TYPES, UNREACHABLE, NOT_A_NUMBER, ASSUMPTION, CALL_TYPE, POINTERS, VALUE_RANGE, CONSTANT,
    FREED, REASONS
};

enum { RAW, IN_ARENA, THUNK, OF_GLOBAL = 1, OF_HEAP, EXACTLY = 1 }; /* what a word of an input holds */
enum { ARENA, ARGUMENT, RESULT, FILL, SEEN, GONE, GLOBAL = 8 }; /* where a word of an input goes */

/* One piece of an input. RESULT, FILL and SEEN stand in the order in which they came up:
 * what an external call returned, what it wrote, how much of its argument it may see; GONE
 * is memory that was freed. */
struct word {
    u32 where;   /* offset; number of the argument or of the event */
    u16 segment; /* ARENA, ARGUMENT, ..., GLOBAL + index of a global */
    u8 kind, size;
    u64 value;
};

struct outcome {
    u32 status, reason, events, draws;
    u64 result, trace, memory, internal;
};

/* A load, store, copy or call of the guarded reference. */
struct site {
    u32 size, function;
    u16 tag;
    u8 kind, align;    /* kind: 'i', 'p', 'f' (float), 'd' (double), 'c' (string byte) */
    u8 tolerant, atomic, nonnull, ranged;
    i64 low, high;     /* if ranged: low <= value < high, unsigned if low <= high */
};

/* An external function, or a signature that is called through pointers. */
struct stub {
    u8 count, results, noreturn, pure;
    u8 returned, nonnull, fresh, indirect; /* returned: argument + 1 */
    u32 signature, writes;                 /* writes: bit k: may write through argument k */
    u32 name, dropped;                     /* dropped: bit k: argument k counts for nothing */
    u32 quiet, kept;                       /* quiet: bit k: only what argument k points to counts */
                                           /* kept: bit k: argument k may be looked at after the call */
    u8 kind[24], width[24], result_kind[8], result_width[8];
    u64 address;
};

/* A global variable or function of a linked build. */
struct symbol {
    u64 address, size, token;
    u32 kind, signature;
};
enum { VARIABLE = 1, CONSTANT_DATA = 2, FUNCTION = 4, LAZY = 8, INTERNAL_STATE = 16, FRESH = 32 };

enum {
    ARENA_SIZE = 8 << 20, HEAP_SIZE = 2 << 20, FRAMES_SIZE = 4 << 20,
    SPACE_SIZE = ARENA_SIZE + HEAP_SIZE + FRAMES_SIZE,
    STACK_SIZE = 8 << 20, SLACK = 4096, MOST_WORDS = 4096, MOST_OBJECTS = 256,
    MOST_EVENTS = 2000, MOST_OVERRIDES = 64
};

enum { FEATURES = 1 << 16 };
enum { FIRST = 4096 }; /* where the arena's objects start */
enum { NOWHERE, LAZY_BYTE, SET, UNSET, FIXED, PARTLY }; /* what the guard knows of a byte; PARTLY: some bits */

/* A pointer to it: offset + before. Exclusive: no other pointer may lead there but those made of
 * one parameter (ALONE), or of what one call returned (FRESH). */
enum { ALONE = 1, FRESH_OBJECT = 2 };
struct object { u32 offset, size, origin, exclusive, before, reached; };

struct machine {
    int guarding, logging;
    int hidden;                            /* the input sets variables that only this module sees */
    u8 junk;
    u8 *arena, *heap, *frames, *stack;
    u64 used, heap_used, frames_used;      /* bytes */
    struct word words[MOST_WORDS];
    u32 draw_of[MOST_WORDS];               /* the draw that decided a word */
    u32 count, cursor;
    struct suggestion { u32 draw, spare; u64 value; } suggestions[32];
    u32 suggestion_count;
    u32 events, depth, reason, reason_site;
    u64 fuel, trace;
    struct object objects[MOST_OBJECTS];
    u32 object_count;
    struct site *sites;
    u32 site_count;
    struct stub *stubs;
    u32 stub_count;
    u64 stub_low, stub_high;
    struct symbol *symbols;                /* of the build that runs, by address */
    u32 *by_token, token_count;            /* index of a token's symbol + 1 */
    u32 symbol_count;
    u32 largest;                           /* bytes that an object may grow to */
    u64 low, high;                         /* span of the build's symbols */
    u8 *aliasing;
    u32 tags;
    u64 *constants;                        /* interesting numbers, by function */
    u32 *constants_at;
    u32 function;                          /* the one under test */
    u8 *covered;                           /* blocks that a good run reached */
    void *by_value[32];                    /* arguments of its that are passed by value */
};
extern __attribute__((visibility("hidden"))) struct machine m;

__attribute__((noreturn)) void leave(int status);
__attribute__((noreturn)) void undefined(int reason);
u64 draw(void);
u32 draws(void);
u64 draw_int(u32 width, u32 function);
u64 draw_double(int single);
u64 draw_pointer(u32 origin, int nonnull, int exclusive, u8 *kind);
void add_word(u32 segment, u32 where, int kind, int size, u64 value);
u64 real_value(const struct word *);
void touch_read(const void *, u64);
void touch_write(void *, u64);
u64 touch_string(const char *, u64);
int state_at(u64 address, u8 **state, u16 **tag);
u64 extent(u64 address, u64 most);
u64 canonical(u64 value);
u64 canonical_bytes(const void *, u64);
void *heap_allocate(u64, int set);
void heap_free(void *);
int free_object(u64 address);
void leave_out_unset_blocks(void);
void leave_out_unreached(int ended);
void mark_reached(u64);
void look_for_pointers(const void *, u64);
u64 heap_size(void *);
u64 block_start(u64);
void note(const char *, ...);
void streams_reset(void);
void stream_write(const void *stream, const void *bytes, u64 count);
struct symbol *symbol_of(u64 address);
static inline void mix(u64 *h, u64 v) {
    *h = (*h ^ v) * 0x9e3779b97f4a7c15ul;
    *h ^= *h >> 29;
}
static inline u64 word_at(const void *p) {
    u64 v;
    __builtin_memcpy(&v, p, 8);
    return v;
}
static inline int within(u64 v, const void *start, u64 size) { return v - (u64)start < size; }

#endif
