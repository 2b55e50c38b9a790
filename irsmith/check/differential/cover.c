/* What runs reach: edges between blocks and how often, so that a search knows what is new.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "runtime.h"
#include "guard.h"

static u8 *seen;                       /* features of the function seen in good runs */
static u32 touched[8192], touched_count, previous, reached[8192], reached_count;
static u16 counts[FEATURES];

void guard_reset(u8 *features) {
    draws_reset(), previous = 0, seen = features, m.hidden = 0;
    for (u32 k = 0; k < touched_count; k++) counts[touched[k]] = 0;
    touched_count = reached_count = 0;
}

static u32 bucket(u32 n) { return n < 4 ? n - 1 : n < 8 ? 3 : n < 16 ? 4 : n < 64 ? 5 : 6; }

/* How many features of this run are new; with keep they are known from now on. */
u32 new_features(int keep) {
    u32 fresh = 0;
    /* Inputs that the real module cannot be given do not stand for those that it can. */
    u8 *known = seen + (m.hidden ? FEATURES : 0);
    for (u32 k = 0; k < touched_count; k++) {
        u8 bit = 1 << bucket(counts[touched[k]]);
        if (!(known[touched[k]] & bit)) {
            fresh++;
            if (keep) known[touched[k]] |= bit;
        }
    }
    for (u32 k = 0; keep && k < reached_count; k++) m.covered[reached[k]] = 1;
    return fresh;
}

/* A relation between two sides of a comparison, however often it holds. */
void reach(u32 relation) {
    u32 feature = (relation * 2654435761u >> 8) % FEATURES;
    if (counts[feature]) return;
    if (touched_count < 8192) touched[touched_count++] = feature;
    counts[feature] = 1;
}

void guard_block(u32 id) {
    if (!m.fuel--) leave(TOO_LONG);
    u32 feature = (previous * 40503u + id) % FEATURES;
    if (!counts[feature] && touched_count < 8192) touched[touched_count++] = feature;
    if (counts[feature] < 65535) counts[feature]++;
    previous = id + 1;
    if (!m.covered[id] && reached_count < 8192) reached[reached_count++] = id;
}
