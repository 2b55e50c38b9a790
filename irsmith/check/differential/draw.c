/* The values that the guard draws for an input, and what it learns of the places that ask.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "runtime.h"
#include "guard.h"

/* Learnt of the place that makes a pointer: how large its object is, what lies before the
 * address, the type of the function behind it, the place whose objects it points into. */
static struct { u32 size, before, signature, twin, suspect; } hints[ORIGINS];

static u64 seed;
static struct { u32 at; u64 value; } overrides[MOST_OVERRIDES];
static u32 override_count, drawn;

void irsmith_hints_reset(void) {
    memset(hints, 0, sizeof hints);
}

/* What was learnt of a function's own parameters says nothing of another's. */
void forget_parameters(void) { memset(hints, 0, SITES_FROM * sizeof *hints); }

void irsmith_draws(u64 from, u32 count, const u32 *at, const u64 *value) {
    seed = from, override_count = count;
    for (u32 k = 0; k < count; k++) overrides[k].at = at[k], overrides[k].value = value[k];
}

u64 scramble(u64 z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebul;
    return z ^ (z >> 31);
}

u64 draw(void) {
    u32 at = drawn++;
    for (u32 k = 0; k < override_count; k++)
        if (overrides[k].at == at) return overrides[k].value;
    return scramble(seed + at * 0x9e3779b97f4a7c15ul);
}

/* Whether the next number is given exactly: what a comparison of another run asked for. */
static int forced(u64 *value) {
    for (u32 k = 0; k < override_count; k++)
        if (overrides[k].at == (drawn | EXACT)) {
            *value = overrides[k].value;
            drawn++;
            return 1;
        }
    return 0;
}

u32 draws(void) { return drawn; }
void draws_reset(void) { drawn = 0; }

/* Where the system maps libraries and linked code: elsewhere in another process. */
static int elsewhere(u64 v) { return v >= 0x7d0000000000ul && v < 0x800000000000ul; }

/* The words that hold a value: they decide a comparison with it. */
void suggest(u64 value, u64 wanted) {
    if (value == wanted || elsewhere(value) || elsewhere(wanted)) return;
    u32 taken = 0;
    for (u32 k = m.count; k-- && taken < 2 && m.suggestion_count < 32;) {
        struct word *w = &m.words[k];
        int number = w->segment == FILL && w->kind == EXACTLY;
        if (w->segment > RESULT && w->segment < GLOBAL && !number) continue;
        if (w->kind == THUNK || w->where & EXACT) continue;
        u64 answer = wanted;
        if (w->kind == IN_ARENA && !number) {
            if ((u64)m.arena + w->value != value) continue;
            if (wanted) {
                if (!within(wanted, m.arena, m.used)) continue;
                answer = wanted - (u64)m.arena;
            }
        } else if (w->value != value) continue;
        m.suggestions[m.suggestion_count++] = (struct suggestion){m.draw_of[k], 0, answer};
        taken++;
    }
}

u64 trim(u64 v, u32 width) { return width >= 64 ? v : v & ((1ul << width) - 1); }

/* An integer worth trying: small, near a constant of the function, or anything. */
u64 draw_int(u32 width, u32 function) {
    u64 r, v;
    if (forced(&v)) return trim(v, width);
    r = draw(), v = r >> 8;
    u32 first = m.constants_at[function], count = m.constants_at[function + 1] - first;
    if (width == 1) return v & 1;
    switch (r & 15) {
    case 0: case 1: v = 0; break;
    case 2: v = 1; break;
    case 3: case 4: case 5: v %= 17; break;
    case 6: case 7: case 8: case 9:
        if (!count) { v %= 9; break; }
        v = m.constants[first + (v >> 8) % count] + ((v & 7) == 0) - ((v & 7) == 1);
        break;
    case 10: v = (1ul << (v >> 8) % (width < 64 ? width : 64)) - (v & 1); break;
    case 11: v = -(v % 17); break;
    case 12: v &= 255; break;
    case 13: v = 32 + v % 95; break;
    case 14: v = width > 16 ? v & 0xffff : v; break;
    }
    return trim(v, width);
}

u64 draw_byte(u32 function) {
    u64 r, v;
    if (forced(&v)) return v & 255;
    r = draw(), v = r >> 8;
    u32 first = m.constants_at[function], count = m.constants_at[function + 1] - first;
    switch (r & 15) {
    case 0: case 1: case 2: return 0;
    case 3: case 4: case 5: case 6: if (count) return m.constants[first + v % count] & 255; /* fall through */
    case 7: return '0' + v % 10;
    case 8: return v & 255;
    case 9: return " \t\n.,:;/-+*%=\"'\\()[]{}<>#"[v % 26];
    default: return 'a' + v % 26 - (v & 1 << 16 ? 32 : 0);
    }
}

u64 draw_double(int single) {
    static const double values[] = {0, 1, -1, 2, 0.5, -1.5, 3.25, 10, 100, 1e-3, 1e6, 255, -0.25, 1e10};
    u64 r = draw(), v = r >> 8, bits = 0;
    double d = (r & 7) < 5 ? values[v % 14] : (r & 7) == 5 ? (double)(i64)(v % 2001) - 1000
             : (double)(v % 1000003) / 1000.0 - ((v >> 32) & 1 ? 500 : 0);
    float f = (float)d;
    if (single) memcpy(&bits, &f, 4); else memcpy(&bits, &d, 8);
    return bits;
}

struct object *object_at(u64 address) {
    u64 offset = address - (u64)m.arena;
    for (u32 k = m.object_count; k; k--)
        if (m.objects[k - 1].offset <= offset) return &m.objects[k - 1];
    return 0;
}

static u32 origin_number(u32 origin) { return origin % ORIGINS; }

/* A pointer: none, to an object that is there, or to a new one without content. */
u64 draw_pointer(u32 origin, int nonnull, int exclusive, u8 *kind) {
    u64 r;
    u32 hint = origin_number(origin);
    *kind = RAW;
    if (forced(&r)) {
        if (!r && !nonnull) return 0;
        *kind = IN_ARENA;
        /* What only one pointer may lead to is no answer for another. */
        struct object *there = r >= FIRST && r < m.used && !exclusive ? object_at((u64)m.arena + r) : 0;
        if (there && !there->exclusive) return r;
    }
    *kind = RAW;
    r = draw();
    if (hints[hint].signature) {
        for (u32 k = 0; k < m.stub_count; k++)
            if (m.stubs[k].indirect && m.stubs[k].signature == hints[hint].signature) {
                if (!nonnull && r % 16 == 0) return 0;
                *kind = THUNK;
                return k;
            }
    }
    if (!nonnull && r % 11 == 0) return 0;
    *kind = IN_ARENA;
    if (!exclusive && m.object_count && (r % 8 == 1 || m.object_count == MOST_OBJECTS)) {
        u32 k = (r >> 8) % m.object_count;
        /* An object that the same place made is of the right type. */
        for (u32 n = 0; n < m.object_count; n++, k = (k + 1) % m.object_count)
            if (m.objects[k].origin == hint && !m.objects[k].exclusive) return m.objects[k].offset + m.objects[k].before;
        if (r % 3 == 0 && !m.objects[k].exclusive) return m.objects[k].offset + m.objects[k].before;
    }
    if (hints[hint].twin && !exclusive && r % 8 != 2) {
        static const u32 apart[] = {0, 240, 16, 480, 48, 8, 720, 64};
        for (u32 k = m.object_count; k; k--) {
            struct object *o = &m.objects[k - 1];
            if (o->origin == hints[hint].twin - 1 && !o->exclusive) return o->offset + o->before + apart[(r >> 8) % 8];
        }
    }
    if (m.object_count == MOST_OBJECTS) leave(TOO_LONG);
    u32 before = hints[hint].before, size = before + (hints[hint].size ? hints[hint].size : OBJECT);
    if (m.used + size + OBJECT > ARENA_SIZE - SLACK) leave(TOO_LONG);
    u32 offset = m.used;
    m.objects[m.object_count++] = (struct object){offset, size, hint, exclusive, before, 0};
    m.used += size + OBJECT;
    prepare_arena();
    u8 *state; u16 *tag;
    state_at((u64)m.arena + offset, &state, &tag);
    memset(state, LAZY_BYTE, size);
    return offset + before;
}

/* An object of the input that is freed: nobody may look at it any more. */
int free_object(u64 address) {
    if (!within(address, m.arena, m.used)) return 0;
    struct object *object = object_at(address);
    u8 *state; u16 *tag;
    if (!object || object->offset + object->before != address - (u64)m.arena || object->exclusive == ALONE) return 0;
    state_at((u64)m.arena + object->offset, &state, &tag);
    if (*state == NOWHERE) return 0;
    memset(state, NOWHERE, object->size);
    add_word(GONE, object->offset, RAW, 0, object->size);
    return 1;
}

void learn(struct object *object, u32 size, u32 signature) {
    if (size) {
        u32 wanted = OBJECT;
        while (wanted < size && wanted < LARGEST) wanted *= 2;
        if (wanted <= hints[object->origin].size) undefined(OUT_OF_BOUNDS);
        hints[object->origin].size = wanted;
    } else {
        if (hints[object->origin].signature == signature) undefined(CALL_TYPE);
        hints[object->origin].signature = signature;
    }
    leave(LEARNT);
}

void missing(u64 address, u64 size) {
    if (address < 4096) undefined(NULL_POINTER);
    if (within(address, m.arena, m.used + LARGEST)) {
        u64 offset = address - (u64)m.arena;
        struct object *object = object_at(address), *next = object ? object + 1 : m.objects;
        int near = next < m.objects + m.object_count && next->offset - offset <= OBJECT / 2;
        /* Too far behind one object or before the next? The first is tried first. */
        if (near && object && !hints[next->origin].suspect) hints[next->origin].suspect = 1;
        else if (near) {
            u32 *before = &hints[next->origin].before;
            if (*before >= m.largest / 4) undefined(OUT_OF_BOUNDS);
            *before = *before ? 4 * *before : 256;
            leave(LEARNT);
        }
        u64 end = object ? offset + size - object->offset - object->before : 0;
        if (object && end <= m.largest) learn(object, end, 0);
    }
    undefined(within(address, m.heap, m.heap_used) ? FREED : OUT_OF_BOUNDS);
}

/* Two pointers that are compared point into one thing: the later made one into the earlier's. */
void learn_together(struct object *late, struct object *early) {
    if (hints[late->origin].twin) return;
    hints[late->origin].twin = 1 + early->origin;
    leave(LEARNT);
}
