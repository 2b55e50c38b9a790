// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "machine.h"

#include <stdlib.h>
#include <string.h>

// The threads that wait at one position of the text, first the one that counts
// most; for each its instruction and what it has saved.
struct threads {
    unsigned count;
    unsigned *at;
    size_t *saved;
};

// Work left while a thread is being followed: an instruction to go to or, if
// the slot is not negative, a slot to set back.
struct task {
    int slot;
    unsigned at;
    size_t old;
};

struct machine {
    const struct regex *regex;
    size_t slots;
    struct threads now;
    struct threads next;
    size_t *stamps; // when an instruction was last reached
    size_t stamp;
    size_t *saved; // of the thread that is being followed
    struct task *tasks;
    const char *text;
    size_t length;
};

// Everything lies in one block. An instruction is reached once at a position,
// and leaves at most one task.
struct machine *machine_new(const struct regex *regex)
{
    size_t size = regex->size;
    size_t slots = (size_t)2 * regex->groups;
    struct machine *m =
        malloc(sizeof *m + (size + 1) * sizeof *m->tasks +
               (2 * size * slots + slots + size) * sizeof(size_t) +
               2 * size * sizeof(unsigned));

    if (m == NULL)
        return NULL;
    m->regex = regex;
    m->slots = slots;
    m->tasks = (struct task *)(m + 1);
    m->stamps = (size_t *)(m->tasks + size + 1);
    m->saved = m->stamps + size;
    m->now.saved = m->saved + slots;
    m->next.saved = m->now.saved + size * slots;
    m->now.at = (unsigned *)(m->next.saved + size * slots);
    m->next.at = m->now.at + size;
    return m;
}

static bool is_word(const struct machine *m, size_t position)
{
    unsigned char c;

    if (position >= m->length)
        return false;
    c = (unsigned char)m->text[position];
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '_';
}

static bool holds(const struct machine *m, enum op op, size_t position)
{
    bool edge;

    if (op == OP_START)
        return position == 0;
    if (op == OP_END)
        return position == m->length;
    edge = is_word(m, position) != (position > 0 && is_word(m, position - 1));
    return edge == (op == OP_EDGE);
}

// Follows a thread through everything that reads no byte, and adds the threads
// that it becomes.
static void follow(struct machine *m, struct threads *threads, unsigned at,
                   size_t position)
{
    struct task *top = m->tasks;

    *top++ = (struct task){-1, at, 0};
    while (top > m->tasks) {
        struct task task = *--top;

        if (task.slot >= 0) {
            m->saved[task.slot] = task.old;
            continue;
        }
        at = task.at;
        while (m->stamps[at] != m->stamp) {
            struct instruction i = m->regex->code[at];
            unsigned far = at + (unsigned)i.x;

            m->stamps[at] = m->stamp;
            if (i.op == OP_JUMP) {
                at = far;
            } else if (i.op == OP_SPLIT) {
                *top++ = (struct task){-1, far, 0};
                at++;
            } else if (i.op == OP_SPLIT_BACK) {
                *top++ = (struct task){-1, at + 1, 0};
                at = far;
            } else if (i.op == OP_SAVE) {
                *top++ = (struct task){i.x, 0, m->saved[i.x]};
                m->saved[i.x] = position;
                at++;
            } else if (i.op >= OP_START && i.op <= OP_NO_EDGE) {
                if (!holds(m, i.op, position))
                    break;
                at++;
            } else {
                memcpy(threads->saved + threads->count * m->slots, m->saved,
                       m->slots * sizeof *m->saved);
                threads->at[threads->count++] = at;
                break;
            }
        }
    }
}

static bool reads(const struct regex *regex, struct instruction i,
                  unsigned char byte)
{
    switch (i.op) {
    case OP_BYTE:
        return byte == i.x;
    case OP_ANY:
        return byte != '\n';
    default:
        return set_has(&regex->classes[i.x], byte);
    }
}

// Moves every thread over the byte at a position. One that matches ends all
// that count less.
static bool step(struct machine *m, size_t position, struct regex_span *groups)
{
    struct threads swap;
    bool matched = false;

    m->stamp++;
    m->next.count = 0;
    for (unsigned t = 0; t < m->now.count && !matched; t++) {
        unsigned at = m->now.at[t];
        size_t *saved = m->now.saved + t * m->slots;
        struct instruction i = m->regex->code[at];

        if (i.op == OP_MATCH) {
            for (size_t group = 0; group < m->slots / 2; group++) {
                groups[group].start = saved[2 * group];
                groups[group].end = saved[2 * group + 1];
            }
            matched = true;
        } else if (position < m->length &&
                   reads(m->regex, i, (unsigned char)m->text[position])) {
            memcpy(m->saved, saved, m->slots * sizeof *saved);
            follow(m, &m->next, at + 1, position + 1);
        }
    }
    swap = m->now;
    m->now = m->next;
    m->next = swap;
    return matched;
}

bool regex_search(struct regex *regex, const char *text, size_t length,
                  size_t from, struct regex_span *groups)
{
    struct machine *m = regex->machine;
    bool matched = false;

    m->text = text;
    m->length = length;
    m->now.count = 0;
    m->stamp = 1;
    memset(m->stamps, 0, regex->size * sizeof *m->stamps);
    for (size_t position = from; position <= length; position++) {
        if (!matched) {
            for (size_t slot = 0; slot < m->slots; slot++)
                m->saved[slot] = REGEX_NONE;
            follow(m, &m->now, 0, position);
        } else if (m->now.count == 0) {
            break;
        }
        if (step(m, position, groups))
            matched = true;
    }
    return matched;
}

size_t regex_groups(const struct regex *regex)
{
    return regex->groups;
}
