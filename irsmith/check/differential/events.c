/* What tested code calls and we do not run: recorded, answered the same way every time.
 *
 * The harness has a function of the right type for each; it puts its arguments, cut to
 * their width, into slots and calls irsmith_event. A guarded run draws the answer and
 * keeps it in the input, a replay gives the answers of the input in their order.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "runtime.h"

enum { PURE_RESULT = 1u << 31, VISIBLE = 64, FILLED = 256 };

static void fill(u8 *to, u64 count, u64 mode) {
    for (u64 k = 0; k < count; k++) {
        switch (mode & 3) {
        case 0: to[k] = 0; break;
        case 1: to[k] = k % 4 ? 0 : 1 + (mode >> 8) % 7 + k / 4 % 5; break;
        case 2: to[k] = (k + 1) % 8 ? 'a' + (k + (mode >> 8)) % 26 : 0; break;
        default: to[k] = k % 8 ? 0 : (mode >> 8) % 200; break;
        }
    }
}

static int ours(u64 v) {
    return within(v, m.arena, SPACE_SIZE) || within(v, m.stack, STACK_SIZE);
}

static int constant(u64 v) {
    struct symbol *s = v >= m.low && v < m.high ? symbol_of(v) : 0;
    return s && s->kind & CONSTANT_DATA;
}

/* Where only the content counts, a local array may have become a constant. */
static u64 quiet_token(u64 v) {
    int local = within(v, m.frames, FRAMES_SIZE) || within(v, m.stack, STACK_SIZE);
    return local || constant(v) ? 0xa8ul << 56 : canonical(v);
}

/* What an external function sees behind its pointers, and what it writes there. */
static void look(u32 event, u32 k, u64 v, int writable, int quiet, int kept) {
    if (!within(v, m.arena, SPACE_SIZE) && !(quiet && constant(v))) return;
    u64 seen = extent(v, VISIBLE);
    if (seen) {
        add_word(SEEN, event, RAW, k, seen);
        if (kept) look_for_pointers((void *)v, seen);
        mix(&m.trace, canonical_bytes((void *)v, seen));
    }
    u8 *state; u16 *tag;
    if (!writable || !state_at(v, &state, &tag)) return;
    u64 count = 0, r = draw(), most = *state == UNSET ? FILLED : 16;
    if (*state != UNSET && r >> 32 & 3) return;
    while (count < most && state[count] == *state && (*state == UNSET || *state == SET)) count++;
    if (!count) return;
    if (count == 1 || count == 2 || count == 4 || count == 8) {
        /* As large as a number: one that comparisons may ask for. */
        u64 value = draw_int(8 * count, m.function);
        add_word(FILL, event | count << 16, EXACTLY, k, value);
        memcpy((u8 *)v, &value, count);
    } else {
        add_word(FILL, event, RAW, k, count << 32 | (r & 0xffff));
        fill((u8 *)v, count, r & 0xffff);
    }
    memset(state, SET, count), memset(tag, 0, 2 * count);
}

static u64 answer(struct stub *s, u32 id, u32 k, u32 event, u64 *arguments) {
    u8 kind = RAW;
    u64 value;
    if (s->result_kind[k] == 'p')
        value = draw_pointer(1 << 16 | id * 8, s->nonnull, s->fresh ? FRESH_OBJECT : 0, &kind);
    else if (s->result_kind[k] == 'f' || s->result_kind[k] == 'd')
        value = draw_double(s->result_kind[k] == 'f');
    else
        value = draw_int(s->result_width[k], m.function);
    (void)arguments;
    add_word(RESULT, event, kind, k, value);
    return real_value(&m.words[m.count - 1]);
}

/* A function without side effects: the answer follows from the arguments. */
static void pure(struct stub *s, u32 id, u64 *slots) {
    u64 hash = id;
    for (u32 k = 0; k < s->count; k++) mix(&hash, s->kind[k] == 'p' ? canonical(slots[k]) : slots[k]);
    for (u32 k = 0; k < s->results; k++) {
        u8 kind = s->result_kind[k];
        if (kind != 'p') {
            double d = (double)(hash % 17);
            float f = (float)(hash % 17);
            u64 v = hash % 5 ? hash >> 8 & 7 : 0;
            slots[k] = 0;
            if (kind == 'd') memcpy(&slots[k], &d, 8);
            else if (kind == 'f') memcpy(&slots[k], &f, 4);
            else slots[k] = s->result_width[k] == 1 ? hash >> 9 & 1 : v;
            continue;
        }
        u32 at = 0;
        while (at < m.count && !(m.words[at].segment == RESULT && m.words[at].where == (PURE_RESULT | id))) at++;
        if (at == m.count) {
            if (!m.guarding) { slots[k] = 0; continue; }
            u8 what;
            u64 value = draw_pointer(1 << 16 | id * 8, 1, 0, &what);
            add_word(RESULT, PURE_RESULT | id, what, k, value);
        }
        slots[k] = real_value(&m.words[at]);
    }
}

static struct word *recorded(u32 segment, u32 event, u32 k) {
    for (u32 at = m.cursor; at < m.count; at++) {
        struct word *w = &m.words[at];
        if (w->segment < RESULT || w->segment >= GLOBAL || w->where & PURE_RESULT) continue;
        u32 number = w->where & 0xffff;
        if (w->segment == GONE) continue;
        if (number > event) break;
        m.cursor = number < event ? at : m.cursor;
        if (number == event && w->segment == segment && w->size == k) return w;
    }
    return 0;
}

void irsmith_event(u32 id, u64 *slots) {
    struct stub *s = &m.stubs[id];
    if (s->pure) { pure(s, id, slots); return; }
    u32 event = m.events++;
    if (event == MOST_EVENTS) leave(TOO_LONG);
    mix(&m.trace, s->name);
    note("call %u (", id);
    for (u32 k = 0; k < s->count; k++) {
        if (s->dropped >> k & 1) continue;
        u64 v = s->kind[k] != 'p' ? slots[k]
              : s->quiet >> k & 1 ? quiet_token(slots[k]) : canonical(slots[k]);
        if (s->kind[k] == 'd' || s->kind[k] == 'f') {
            double d; float f; u32 low = v;
            memcpy(&d, &v, 8), memcpy(&f, &low, 4);
            if (s->kind[k] == 'd' ? d != d : f != f) v = 1;
        }
        if (m.guarding && s->kind[k] == 'p' && s->kept >> k & 1) mark_reached(slots[k]);
        mix(&m.trace, v);
        note("%s0x%lx", k ? ", " : "", v);
    }
    note(")\n");
    u64 returned = s->returned ? slots[s->returned - 1] : 0;
    for (u32 k = 0, place = 0; k < s->count; k++) {
        if (s->dropped >> k & 1) continue;
        place++;
        if (s->kind[k] != 'p') continue;
        if (m.guarding) { look(event, place, slots[k], s->writes >> k & 1, s->quiet >> k & 1, s->kept >> k & 1); continue; }
        struct word *seen = recorded(SEEN, event, place), *filled = recorded(FILL, event, place);
        if (seen && (ours(slots[k]) || (s->quiet >> k & 1 && constant(slots[k])))) {
            u64 hash = canonical_bytes((void *)slots[k], seen->value);
            note("  argument %u points to bytes with hash %lx\n", k, hash);
            mix(&m.trace, hash);
        }
        if (filled && ours(slots[k]) && filled->kind == EXACTLY)
            memcpy((u8 *)slots[k], &filled->value, filled->where >> 16);
        else if (filled && ours(slots[k])) fill((u8 *)slots[k], filled->value >> 32, filled->value & 0xffff);
    }
    if (s->noreturn) leave(ENDED);
    for (u32 k = 0; k < s->results; k++) {
        if (m.guarding) { slots[k] = answer(s, id, k, event, slots); continue; }
        struct word *word = recorded(RESULT, event, k);
        slots[k] = word ? real_value(word) : 0;
    }
    if (s->returned && s->results) slots[0] = returned;
}

/* Everything written to one stream, however it is cut into calls. */
static const void *last_stream;
void streams_reset(void) { last_stream = 0; }
void stream_write(const void *stream, const void *bytes, u64 count) {
    if (!count) return;
    u64 name = canonical((u64)stream);
    if (last_stream != stream) mix(&m.trace, 0x10000 + name);
    last_stream = stream;
    if (m.events + count / 16 > 100 * MOST_EVENTS) leave(TOO_LONG);
    for (u64 k = 0; k < count; k++) mix(&m.trace, ((const u8 *)bytes)[k]);
    if (m.logging) note("write to 0x%lx: %.*s\n", name, (int)(count < 200 ? count : 200), (const char *)bytes);
}

/* In the place of an external function whose type the harness cannot pass. */
void irsmith_unsupported(void) { leave(UNSUPPORTED); }
