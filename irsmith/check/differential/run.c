/* One run of one function on one input, on a stack of its own.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "runtime.h"
#include "guard.h"

struct action { void *handler; u64 mask[16]; int flags; void *restorer; };
struct stack { void *start; int flags; u64 size; };
struct timer { i64 interval[2], value[2]; };
int sigaction(int, const struct action *, struct action *);
int sigaltstack(const struct stack *, struct stack *);
int setitimer(int, const struct timer *, struct timer *);
int fesetenv(const void *);
int vsnprintf(char *, u64, const char *, __builtin_va_list);

enum { ON_STACK = 0x08000000, NODEFER = 0x40000000, FIXED_MAP = 0x4012, TRACE_START = 17 };
/* Time of the program alone; the worker's own limit is kept by another timer. */
enum { VIRTUAL_TIMER = 1, SIGNAL_TIMER = 26, JUNK_STACK = 32768 };

void hash_memory(struct outcome *, u8 *, u64, u8 **);
void heap_reset(void);
void guard_reset(u8 *);
u32 new_features(int);
void reset_globals(void);
void forget_parameters(void);
void leave_out_unset(void);
int *known___errno_location(void);
void irsmith_shadows(u8 *, u16 *);

static void *escape[5];
static volatile int running;
static u8 *spaces[2], *stacks[2], *pristine, *features;
static u16 *shadow_tags;
static u8 *shadow_states;
static u8 **snapshots, **edited;
static char log_text[1 << 16];
static u32 log_length;

__attribute__((noreturn)) void leave(int status) {
    running = status + 1;
    __builtin_longjmp(escape, 1);
}
__attribute__((noreturn)) void undefined(int reason) {
    m.reason = reason;
    leave(UNDEFINED);
}

static void on_signal(int number) {
    if (!running) { /* not ours: die of it */
        struct action plain = {0};
        sigaction(number, &plain, 0);
        return;
    }
    m.reason = number;
    leave(number == SIGNAL_TIMER ? TIMED_OUT : SIGNALLED);
}

void note(const char *format, ...) {
    if (!m.logging || log_length > sizeof log_text - 512) return;
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    log_length += vsnprintf(log_text + log_length, 500, format, arguments);
    __builtin_va_end(arguments);
}
const char *irsmith_log(int on) {
    m.logging = on, log_length = 0;
    return log_text;
}
u32 irsmith_log_length(void) { return log_length; }

static void *map(u64 at, u64 size, int access) {
    return mmap((void *)at, size, access, at ? FIXED_MAP | 0x20 : 0x4022, -1, 0);
}

/* Once a process. The second space and stack lie elsewhere, at another distance from a page. */
void irsmith_start(void) {
    if (pristine) return;
    for (int k = 0; k < 2; k++) {
        u64 at = k ? 0x2b5600000000ul : 0x200000000000ul;
        spaces[k] = (u8 *)map(at, SPACE_SIZE + (1 << 20), 3) + (k ? 0x7350 : 0x1000);
        u64 top = k ? 0x2d3000000000ul : 0x210000000000ul;
        map(top, STACK_SIZE, 3); /* nothing is mapped on either side */
        stacks[k] = (u8 *)top;
    }
    pristine = map(0, ARENA_SIZE, 3);
    features = map(0, 2 * FEATURES, 3);
    shadow_states = map(0, SPACE_SIZE + 65536, 3);
    shadow_tags = map(0, 2 * (SPACE_SIZE + 65536), 3);
    irsmith_shadows(shadow_states, shadow_tags);
    struct stack other = {map(0, 65536, 3), 0, 65536};
    sigaltstack(&other, 0);
}

static void catch_signals(void) {
    static const int numbers[] = {11, 7, 8, 4, 5, 6, SIGNAL_TIMER};
    struct action action = {0};
    action.handler = (void *)on_signal;
    action.flags = ON_STACK | NODEFER;
    for (int k = 0; k < 7; k++) sigaction(numbers[k], &action, 0);
}

void irsmith_module(struct site *sites, u32 site_count, u8 *aliasing, u32 tags, u64 *constants,
                    u32 *constants_at, struct stub *stubs, u32 stub_count) {
    m.sites = sites, m.site_count = site_count, m.aliasing = aliasing, m.tags = tags;
    m.constants = constants, m.constants_at = constants_at;
    m.stubs = stubs, m.stub_count = stub_count, m.stub_low = -1ul, m.stub_high = 0;
    for (u32 k = 0; k < stub_count; k++) {
        if (stubs[k].address < m.stub_low) m.stub_low = stubs[k].address;
        if (stubs[k].address > m.stub_high) m.stub_high = stubs[k].address;
    }
}

/* The build that runs from now on; its variables were copied to the snapshots. */
void irsmith_build(struct symbol *symbols, u32 count, u32 *by_token, u32 tokens, u8 **copies, u8 **scratch) {
    catch_signals();
    m.symbols = symbols, m.symbol_count = count, m.by_token = by_token, m.token_count = tokens;
    m.low = count ? symbols[0].address : 0, m.high = m.low;
    for (u32 k = 0; k < count; k++)
        if (symbols[k].address + symbols[k].size > m.high) m.high = symbols[k].address + symbols[k].size;
    snapshots = copies, edited = scratch;
}

static struct symbol *variable(u32 token, u32 *index) {
    if (token >= m.token_count || !m.by_token[token]) return 0;
    *index = m.by_token[token] - 1;
    return &m.symbols[*index];
}

u64 real_value(const struct word *word) {
    switch (word->kind) {
    case IN_ARENA: return (u64)m.arena + word->value;
    case THUNK: return m.stubs[word->value].address;
    }
    return word->value;
}

void add_word(u32 segment, u32 where, int kind, int size, u64 value) {
    if (m.count == MOST_WORDS) leave(TOO_LONG);
    m.draw_of[m.count] = draws() - 1;
    m.words[m.count++] = (struct word){where, segment, kind, size, value};
}

/* What memory holds before the run: junk, and over it the words of the input. */
static void apply_words(int to_memory) {
    if (!to_memory) memset(pristine, m.junk, m.used + SLACK);
    for (u32 k = 0; k < m.count; k++) {
        struct word *word = &m.words[k];
        if (word->segment != ARENA && word->segment < GLOBAL) continue;
        u64 value = real_value(word);
        u32 index;
        if (word->segment == ARENA) {
            if (!to_memory) memcpy(pristine + word->where, &value, word->size);
        } else if (word->segment >= GLOBAL) {
            struct symbol *s = variable(word->segment - GLOBAL, &index);
            if (!s || !edited[index]) continue;
            memcpy(edited[index] + word->where, &value, word->size);
            if (to_memory) memcpy((void *)(s->address + word->where), &value, word->size);
        }
    }
    if (to_memory) memcpy(m.arena, pristine, m.used + SLACK);
}

static void restore_globals(void) {
    for (u32 k = 0; k < m.symbol_count; k++)
        if (snapshots[k]) {
            memcpy((void *)m.symbols[k].address, snapshots[k], m.symbols[k].size);
            memcpy(edited[k], snapshots[k], m.symbols[k].size);
        }
}

typedef void wrapper(void *function, u64 *in, u64 *out);

static __attribute__((noinline)) void on_stack(u8 *top, wrapper *call, void *function, u64 *in, u64 *out) {
#if defined(__x86_64__)
    __asm__ volatile(
        "movq %%rsp, %%rbx\n\tmovq %[top], %%rsp\n\tcall *%[call]\n\tmovq %%rbx, %%rsp"
        : "+D"(function), "+S"(in), "+d"(out)
        : [top] "r"(top), [call] "r"(call)
        : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "memory", "cc", "st", "st(1)", "st(2)",
          "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
          "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#else
    (void)top;
    call(function, in, out);
#endif
}

static void run(wrapper *call, void *function, u64 *in, u32 results, const u8 *kinds, int other,
                u64 microseconds, struct outcome *out) {
    static u64 values[16];
    struct timer limit = {{0, 0}, {microseconds / 1000000, microseconds % 1000000}}, off = {{0, 0}, {0, 0}};
    u8 *top = stacks[other] + STACK_SIZE - (other ? 4096 + 528 : 4096);
    memset(values, 0, sizeof values);
    if (!m.guarding) memset(top - JUNK_STACK, m.junk, JUNK_STACK); /* under guard frames lie elsewhere */
    m.events = m.depth = m.reason = 0, m.trace = TRACE_START, m.cursor = 0;
    if (m.guarding) m.frames_used = 0; /* a replay uses none, and the next reset must know */
    *known___errno_location() = 0;
    streams_reset();
    if (microseconds) setitimer(VIRTUAL_TIMER, &limit, 0);
    running = 1;
    if (__builtin_setjmp(escape) == 0) on_stack(top, call, function, in, values);
    if (microseconds) setitimer(VIRTUAL_TIMER, &off, 0);
    int status = running - 1;
    running = 0;
    fesetenv((const void *)-1); /* FE_DFL_ENV of glibc */
    out->status = status, out->reason = m.reason, out->events = m.events;
    out->result = 0;
    if (status == RETURNED)
        for (u32 k = 0; k < results; k++) {
            u64 v = values[k];
            double d; float f; u32 low = v;
            memcpy(&d, &v, 8), memcpy(&f, &low, 4);
            if (kinds[k] == 'd' && d != d) v = 0x7ff8ul << 48;
            if (kinds[k] == 'f' && f != f) v = 0x7fc0ul << 16;
            if (m.guarding) mark_reached(v);
            if (kinds[k] == 'p') v = canonical(v);
            if (m.logging) note("returned 0x%lx\n", v);
            mix(&out->result, v);
        }
    out->trace = m.trace;
}

static void finish(struct outcome *out) {
    out->memory = out->internal = 0;
    for (u32 k = 0; k < m.count && k < MOST_WORDS; k++) {
        struct word *w = &m.words[k];
        u64 at = w->where, size = 0;
        u32 index;
        if (w->segment == GONE && w->kind == OF_GLOBAL) {
            struct symbol *s = variable(w->value >> 32, &index);
            if (s && edited[index]) memcpy((u8 *)s->address + at, edited[index] + at, (u32)w->value);
            continue;
        }
        if (w->segment == GONE && w->kind == OF_HEAP) continue;
        if (w->segment == GONE) size = w->value;
        if (w->segment == ARGUMENT && out->status == ENDED && w->where >> 8)
            at = w->value, size = (u64)(w->where >> 8) << 6;
        memcpy(m.arena + at, pristine + at, size);
    }
    if (out->status == RETURNED || out->status == ENDED)
        hash_memory(out, pristine, m.used + SLACK, edited);
}

/* Bytes of the first space that runs since the last reset may have changed, and that were junk at
 * any reset or later: behind them nothing was ever written. */
static u64 changed, prepared;

static void now_spans(u64 used) {
    if (used + SLACK > changed) changed = used + SLACK;
    m.used = used;
}

/* Run a function on an input. Returns how it ended. */
u32 irsmith_replay(wrapper *call, void *function, u32 results, const u8 *kinds, const struct word *words,
                   u32 count, u64 used, int other, u64 microseconds, struct outcome *out) {
    static u64 in[64];
    m.guarding = 0, m.junk = other ? 0x53 : 0xa7;
    m.arena = spaces[other], m.heap = m.arena + ARENA_SIZE, m.frames = m.heap + HEAP_SIZE;
    m.stack = stacks[other];
    now_spans(m.used), now_spans(used);
    memcpy(m.words, words, count * sizeof *words);
    m.count = count;
    heap_reset();
    restore_globals();
    apply_words(0), apply_words(1);
    memset(in, 0, sizeof in);
    for (u32 k = 0; k < count; k++)
        if (words[k].segment == ARGUMENT) in[words[k].where & 255] = real_value(&words[k]);
    run(call, function, in, results, kinds, other, microseconds, out);
    finish(out);
    return out->status;
}

struct parameter { u8 kind, width, nonnull, exclusive; u32 by_value, align; };

static void fill_parameters(u64 *in, const struct parameter *parameters, u32 count) {
    for (u32 k = 0; k < count; k++) {
        const struct parameter *p = &parameters[k];
        u8 kind = RAW;
        u64 value = 0;
        switch (p->kind) {
        case 'p':
            value = draw_pointer(k < 32 ? 8 + k : 40, p->nonnull || p->by_value, p->exclusive || p->by_value ? ALONE : 0, &kind);
            break;
        case 'f': case 'd': value = draw_double(p->kind == 'f'); break;
        default: value = draw_int(p->width, m.function);
        }
        /* Memory that only this argument leads to: nobody sees it if the call does not return. */
        u32 alone = kind == IN_ARENA && p->exclusive ? m.objects[m.object_count - 1].size >> 6 : 0;
        add_word(ARGUMENT, k | alone << 8, kind, 8, value);
        struct word *word = &m.words[m.count - 1];
        in[k] = real_value(word);
        m.by_value[k & 31] = p->by_value && k < 32 ? (void *)in[k] : 0;
    }
}

/* The input under guard has grown: what is new of it is junk too, as in any replay. */
void prepare_arena(void) {
    u64 end = m.used + SLACK;
    if (end <= prepared) return;
    memset(m.arena + prepared, m.junk, end - prepared);
    prepared = end;
}

static void reset_guard(void) {
    now_spans(m.used);
    memset(shadow_states, NOWHERE, changed);
    memset(shadow_tags, 0, 2 * changed);
    memset(m.arena, m.junk, changed);
    if (changed > prepared) prepared = changed;
    changed = 0;
    u64 frames = m.frames - m.arena;
    memset(shadow_states + frames, NOWHERE, m.frames_used + 4096);
    memset(shadow_tags + frames, 0, 2 * (m.frames_used + 4096));
    m.used = FIRST, m.count = m.object_count = m.suggestion_count = 0;
    prepare_arena();
}

/* Run the guarded reference: makes the input while it runs. */
u32 irsmith_explore(wrapper *call, void *function, u32 index, u32 results, const u8 *kinds,
                    const struct parameter *parameters, u32 count, u64 fuel, struct outcome *out) {
    static u64 in[64];
    for (int attempt = 0; attempt < 24; attempt++) {
        m.guarding = 1, m.junk = 0xa7, m.function = index, m.fuel = fuel;
        m.arena = spaces[0], m.heap = m.arena + ARENA_SIZE, m.frames = m.heap + HEAP_SIZE;
        m.stack = stacks[0];
        reset_guard();
        heap_reset();
        restore_globals();
        guard_reset(features);
        running = 1;
        out->status = TOO_LONG;
        if (__builtin_setjmp(escape)) { running = 0; return out->status; } /* too many parameters to make */
        reset_globals();
        fill_parameters(in, parameters, count);
        run(call, function, in, results, kinds, 0, 0, out); /* the fuel is its limit */
        out->draws = draws();
        if (out->status != LEARNT) break;
    }
    m.guarding = 0;
    if (out->status == RETURNED || out->status == ENDED) {
        leave_out_unreached(out->status == ENDED);
        leave_out_unset();
        apply_words(0);
        finish(out); /* finds the blocks of the heap that can be reached */
        leave_out_unset_blocks();
        if (m.count > MOST_WORDS) return out->status = TOO_LONG;
        finish(out);
    }
    return out->status;
}

u32 irsmith_new_features(int keep) { return new_features(keep); }
/* Before a function's own search; covered: one byte a block of the module. */
void irsmith_forget_features(u8 *covered) {
    memset(features, 0, 2 * FEATURES);
    m.covered = covered;
    forget_parameters();
    m.largest = LARGE;
}
u32 irsmith_input(struct word *words, u64 *used) {
    memcpy(words, m.words, m.count * sizeof *words);
    *used = m.used;
    return m.count;
}

/* Values of draws that would have made comparisons of the last run come out otherwise. */
u32 irsmith_suggestions(struct suggestion *to) {
    memcpy(to, m.suggestions, m.suggestion_count * sizeof *to);
    return m.suggestion_count;
}

int irsmith_hidden(void) { return !!m.hidden; }

/* A function that finds nothing good may need objects that are expensive to try. */
void irsmith_largest(void) { m.largest = LARGEST; }

/* Bytes of memory that the last guarded run spanned. */
u64 irsmith_used(void) { return m.used; }
