/* What the files of the guard share.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */

#ifndef IRSMITH_GUARD_H
#define IRSMITH_GUARD_H

enum { ORIGINS = 1 << 17, LARGE = 1 << 15, LARGEST = 1 << 19, OBJECT = 1024, EXACT = 1u << 31, SITES_FROM = 64 };

u64 scramble(u64);
u64 trim(u64 value, u32 width);
u64 draw_byte(u32 function);
void draws_reset(void);
void reach(u32 relation);
void suggest(u64 value, u64 wanted);
struct object *object_at(u64 address);
void learn(struct object *, u32 size, u32 signature);
void learn_together(struct object *late, struct object *early);
void missing(u64 address, u64 size);
void prepare_arena(void);

#endif
