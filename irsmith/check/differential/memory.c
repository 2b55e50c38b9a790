/* Memory of tested code, and what a word of it means whatever its address.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "runtime.h"
#include "guard.h"

struct machine m;
static u8 *states;
static u16 *tags;
static u8 *global_states;
static u16 *global_tags;
static u64 global_low, global_high;

static struct block { u64 start, size; u32 seen, freed, reached; } blocks[4096];
static u32 block_count, seen_count;
static u32 seen_order[4096];
enum { BLOCKS = 4096, MOST_HASHED = 512, HEADER = 16, GAP = 64 };

void irsmith_shadows(u8 *state, u16 *tag) { states = state; tags = tag; }

void irsmith_global_shadows(u64 low, u64 high, u8 *state, u16 *tag) {
    global_low = low, global_high = high, global_states = state, global_tags = tag;
}

/* Where the guard keeps what it knows of an address; 0 if that is not memory of ours. */
int state_at(u64 address, u8 **state, u16 **tag) {
    if (within(address, m.arena, SPACE_SIZE)) {
        *state = states + (address - (u64)m.arena), *tag = tags + (address - (u64)m.arena);
        return 1;
    }
    if (address >= global_low && address < global_high) {
        *state = global_states + (address - global_low), *tag = global_tags + (address - global_low);
        return 1;
    }
    return 0;
}

static struct block *block_of(u64 v) {
    u32 low = 0, high = block_count;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (blocks[middle].start <= v) low = middle + 1; else high = middle;
    }
    return low && v <= blocks[low - 1].start + blocks[low - 1].size ? &blocks[low - 1] : 0;
}

u64 block_start(u64 v) {
    struct block *block = block_of(v);
    return block ? block->start : 1;
}

void *heap_allocate(u64 size, int set) {
    if (size > HEAP_SIZE / 2 || m.heap_used + size + GAP + HEADER > HEAP_SIZE || block_count == BLOCKS)
        leave(TOO_LONG);
    u8 *start = m.heap + m.heap_used + HEADER;
    m.heap_used += (HEADER + size + GAP + 15) & ~15ul;
    blocks[block_count++] = (struct block){(u64)start, size, 0, 0, 0};
    memset(start, set ? 0 : m.junk, size);
    if (m.guarding) memset(states + (start - m.arena), set ? SET : UNSET, size);
    return start;
}

u64 heap_size(void *p) {
    struct block *block = block_of((u64)p);
    return block ? block->size : 0;
}

void heap_free(void *p) {
    if (!p) return;
    struct block *block = block_of((u64)p);
    if (!block || block->start != (u64)p || block->freed) {
        if (m.guarding && !free_object((u64)p)) undefined(FREED);
        return;
    }
    block->freed = 1;
    if (m.guarding) memset(states + (block->start - (u64)m.arena), NOWHERE, block->size);
}

void heap_reset(void) {
    if (m.heap_used) { /* in a replay too: the next run under guard finds none of it */
        memset(states + (m.heap - m.arena), NOWHERE, m.heap_used);
        memset(tags + (m.heap - m.arena), 0, 2 * m.heap_used);
    }
    m.heap_used = block_count = seen_count = 0;
}

struct symbol *symbol_of(u64 v) {
    u32 low = 0, high = m.symbol_count;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (m.symbols[middle].address <= v) low = middle + 1; else high = middle;
    }
    /* A pointer one past the end counts, unless another symbol starts there. */
    return low && v <= m.symbols[low - 1].address + m.symbols[low - 1].size ? &m.symbols[low - 1] : 0;
}

/* Passes merge equal constants, so a pointer to one counts by what it points to; pointers in
 * there count as some pointer. */
static u64 text_token(u64 v, struct symbol *s) {
    u64 hash = 0x77, end = s->address + s->size, most = end - v < 256 ? end - v : 256, k = 0;
    for (; k + 8 <= most; k += 8) {
        u64 word = *(u64 *)(v + k);
        int pointer = (word + (1 << 20) > m.low && word < m.high + (1 << 20))
                   || (word >= m.stub_low && word <= m.stub_high);
        mix(&hash, pointer ? 0x77 : word);
    }
    for (; k < most; k++) mix(&hash, ((u8 *)v)[k]);
    return hash | 7ul << 60;
}

/* A number that is the same in every run for pointers to the same thing. */
u64 canonical(u64 v) {
    if (v < 4096) return v;
    if (within(v, m.arena, ARENA_SIZE)) return 0xa1ul << 56 | (v - (u64)m.arena);
    if (within(v, m.heap, HEAP_SIZE)) {
        struct block *block = block_of(v);
        if (!block) return 0xa2ul << 56;
        if (!block->seen && seen_count < BLOCKS) {
            seen_order[seen_count++] = block - blocks;
            block->seen = seen_count;
        }
        return 0xa3ul << 56 | (u64)block->seen << 32 | (v - block->start);
    }
    if (within(v, m.frames, FRAMES_SIZE) || within(v, m.stack, STACK_SIZE)) return 0xa4ul << 56;
    if (v >= m.stub_low && v <= m.stub_high)
        for (u32 k = 0; k < m.stub_count; k++)
            if (m.stubs[k].address == v) return 0xa5ul << 56 | k;
    if (v + (1 << 20) < m.low || v > m.high + (1 << 20)) return v;
    struct symbol *s = symbol_of(v);
    if (!s || s->kind & INTERNAL_STATE) return 0xa6ul << 56;
    if (s->kind & CONSTANT_DATA) return text_token(v, s);
    return 0xa7ul << 56 | s->token << 32 | (v - s->address);
}

/* A hash of memory: pointers by what they point to, bytes never set as zero. */
u64 canonical_bytes(const void *start, u64 count) {
    u64 hash = count;
    const u8 *p = start;
    for (; count >= 8; p += 8, count -= 8) {
        u64 v = *(const u64 *)p, c = canonical(v);
        if (c == v) {
            u8 *bytes = (u8 *)&c;
            for (int k = 0; k < 8; k++) if (bytes[k] == m.junk) bytes[k] = 0;
        }
        mix(&hash, c);
    }
    for (; count; p++, count--) mix(&hash, *p == m.junk ? 0 : *p);
    return hash;
}

/* What of the heap ends as it was never set; blocks are named by the order they are found in. */
void leave_out_unset_blocks(void) {
    for (u32 k = 0; k < seen_count && k < MOST_HASHED; k++) {
        struct block *block = &blocks[seen_order[k]];
        u8 *state = states + (block->start - (u64)m.arena);
        for (u64 at = 0; at < block->size && !block->freed; at++) {
            if (state[at] != UNSET && state[at] != PARTLY) continue;
            u64 from = at;
            while (at < block->size && (state[at] == UNSET || state[at] == PARTLY)) at++;
            if (m.count == MOST_WORDS) { m.count++; return; }
            add_word(GONE, from, OF_HEAP, 0, (u64)k << 32 | (at - from));
        }
    }
}

enum { UNREACHED, TO_LOOK_AT, LOOKED_AT };

/* A pointer that somebody holds who may follow it after the run. */
void mark_reached(u64 v) {
    struct object *object = within(v, m.arena, m.used) ? object_at(v) : 0;
    struct block *block = within(v, m.heap, HEAP_SIZE) ? block_of(v) : 0;
    if (object && object->exclusive == FRESH_OBJECT && !object->reached) object->reached = TO_LOOK_AT;
    if (block && !block->freed && !block->reached) block->reached = TO_LOOK_AT;
}

void look_for_pointers(const void *memory, u64 size) {
    const u8 *start = memory;
    for (u64 k = 0; k + 8 <= size; k += 8) {
        u64 v = word_at(start + k);
        if (within(v, m.arena, ARENA_SIZE + HEAP_SIZE)) mark_reached(v);
    }
}

/* What only a call's result led to, and nothing does at the end: nobody sees what was written. */
void leave_out_unreached(int ended) {
    int fresh = 0, again = 1;
    for (u32 k = 0; k < m.object_count; k++) fresh |= m.objects[k].exclusive == FRESH_OBJECT;
    if (!fresh) return;
    for (u32 k = 0; k < m.symbol_count; k++)
        if (m.symbols[k].kind & VARIABLE) look_for_pointers((void *)m.symbols[k].address, m.symbols[k].size);
    for (u32 k = 0; k < m.object_count; k++) {
        struct object *object = &m.objects[k];
        if (states[object->offset] == NOWHERE) object->reached = LOOKED_AT; /* freed */
        else if (!object->exclusive || (object->exclusive == ALONE && !ended)) object->reached = TO_LOOK_AT;
    }
    while (again) {
        again = 0;
        for (u32 k = 0; k < m.object_count; k++) {
            struct object *object = &m.objects[k];
            if (object->reached != TO_LOOK_AT) continue;
            object->reached = LOOKED_AT, again = 1;
            look_for_pointers(m.arena + object->offset, object->size);
        }
        for (u32 k = 0; k < block_count; k++) {
            if (blocks[k].reached != TO_LOOK_AT) continue;
            blocks[k].reached = LOOKED_AT, again = 1;
            look_for_pointers((void *)blocks[k].start, blocks[k].size);
        }
    }
    for (u32 k = 0; k < m.object_count; k++) {
        if (m.objects[k].reached || m.objects[k].exclusive != FRESH_OBJECT) continue;
        if (m.count == MOST_WORDS) { m.count++; return; }
        add_word(GONE, m.objects[k].offset, RAW, 0, m.objects[k].size);
    }
}

static void clear_unset(u32 k, struct block *block) {
    for (u32 n = 0; n < m.count; n++) {
        struct word *w = &m.words[n];
        if (w->segment == GONE && w->kind == OF_HEAP && w->value >> 32 == k && w->where + (u32)w->value <= block->size)
            memset((u8 *)block->start + w->where, 0, (u32)w->value);
    }
}

/* What changed in a piece of memory, and where. */
static void changes(u64 *hash, u8 *now, u8 *before, u64 count, u64 name, const char *what) {
    for (u64 at = 0; at < count; at += 8) {
        while (at + 256 <= count && !memcmp(now + at, before + at, 256)) at += 256;
        if (at == count) return;
        u64 left = count - at < 8 ? count - at : 8;
        if (left == 8 ? word_at(now + at) == word_at(before + at) : !memcmp(now + at, before + at, left)) continue;
        mix(hash, name + at);
        mix(hash, canonical_bytes(now + at, left));
        if (m.logging) {
            u64 v = 0;
            memcpy(&v, now + at, left);
            note("%s%lu+0x%lx = 0x%lx\n", what, name >> 32, at, canonical(v));
        }
    }
}

void hash_memory(struct outcome *out, u8 *pristine, u64 arena_bytes, u8 **snapshots) {
    out->memory = out->internal = 0;
    changes(&out->memory, m.arena, pristine, arena_bytes, 0, "memory ");
    for (int inner = 0; inner < 2; inner++)
        for (u32 token = 0; token < m.token_count; token++) {
            u32 k = m.by_token[token] - 1;
            if (k == -1u) continue;
            struct symbol *s = &m.symbols[k];
            if (!(s->kind & VARIABLE) || !snapshots[k] || !!(s->kind & INTERNAL_STATE) != inner) continue;
            if (memcmp((u8 *)s->address, snapshots[k], s->size)) {
                u64 *hash = inner ? &out->internal : &out->memory;
                changes(hash, (u8 *)s->address, snapshots[k], s->size, s->token << 32, "global ");
            }
        }
    for (u32 k = 0; k < seen_count && k < MOST_HASHED; k++) {
        struct block *block = &blocks[seen_order[k]];
        if (block->freed) { mix(&out->memory, 0xdead); continue; }
        clear_unset(k, block);
        mix(&out->memory, canonical_bytes((void *)block->start, block->size));
        mix(&out->memory, block->size);
        if (m.logging) note("heap block %u: %lu bytes, hash %lx\n", k, block->size, out->memory);
    }
}
