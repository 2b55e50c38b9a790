// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the compiler of patterns hands to the machine.

#ifndef MACHINE_H
#define MACHINE_H

#include "regex.h"

#include <stdint.h>

enum op {
    OP_BYTE,       // this byte
    OP_ANY,        // any byte but a newline
    OP_CLASS,      // a byte of this class
    OP_SAVE,       // note the position in this slot
    OP_JUMP,       // go on at this distance
    OP_SPLIT,      // go on at the next instruction or else at this distance
    OP_SPLIT_BACK, // go on at this distance or else at the next instruction
    OP_START,      // only at the start of the text
    OP_END,        // only at the end of the text
    OP_EDGE,       // only at an edge of a word
    OP_NO_EDGE,    // anywhere else
    OP_MATCH       // done
};

// Distances are relative, so that code can be copied and moved.
struct instruction {
    uint8_t op;
    int16_t x;
};

struct byte_set {
    uint32_t bits[8];
};

struct regex {
    struct instruction *code;
    struct byte_set *classes;
    unsigned size;
    unsigned class_count;
    unsigned groups;
    struct machine *machine;
};

struct machine *machine_new(const struct regex *regex);

static inline bool set_has(const struct byte_set *set, unsigned byte)
{
    return set->bits[byte / 32] >> byte % 32 & 1;
}

#endif
