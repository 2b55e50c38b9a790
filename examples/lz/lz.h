// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A byte-oriented LZ77 compressor and a bounds-checked decompressor. Neither
// allocates anything.
//
// A packed block is
//
//     "LZ1"  size of the raw data (varint)  sequences  CRC-32 of the raw data
//
// and a sequence is one of
//
//     0nnnnnnn  bytes                n + 1 literal bytes
//     10nnnndd  dddddddd             copy n + 3 bytes from d + 1 bytes back
//     11nnnnnn  dddddddd dddddddd    copy n + 4 bytes from d + 1 bytes back;
//                                    n = 63: a varint follows, to be added
//
// with the high bits of d first. A varint holds seven bits a byte, low bits
// first, with 128 added to all but its last byte. The CRC is little-endian.

#ifndef LZ_H
#define LZ_H

#include <stddef.h>
#include <stdint.h>

enum {
    LZ_WINDOW = 65536,         // matches reach this far back; a power of two
    LZ_HASH_BITS = 13,         // log2 of the number of chains
    LZ_MAX_SIZE = 1073741824,  // no block unpacks to more than this
    LZ_MAX_EFFORT = 9
};

enum lz_status {
    LZ_OK,
    LZ_NO_ROOM,      // the output does not fit where it should go
    LZ_TOO_LARGE,    // raw data above LZ_MAX_SIZE
    LZ_BAD_HEADER,   // not a packed block
    LZ_TRUNCATED,    // the block ends too early
    LZ_BAD_OFFSET,   // a match reaches back before the first byte
    LZ_BAD_LENGTH,   // a sequence runs past the size in the header
    LZ_BAD_CHECKSUM, // the CRC is not that of the data
    LZ_TRAILING      // bytes follow the block
};

// What the compressor has to remember.
struct lz_state {
    uint32_t head[1 << LZ_HASH_BITS]; // newest position of a chain, plus 1
    uint32_t previous[LZ_WINDOW];     // next older position, plus 1
};

// No data of this size packs to more than this.
size_t lz_bound(size_t size);

// effort goes from 1 (fast) to LZ_MAX_EFFORT (small).
enum lz_status lz_compress(struct lz_state *state, unsigned effort,
                           const uint8_t *in, size_t in_size, uint8_t *out,
                           size_t capacity, size_t *out_size);

// The raw size that a block's header announces.
enum lz_status lz_raw_size(const uint8_t *in, size_t in_size, size_t *size);

// Whatever the input is, reads only in[0..in_size) and writes only
// out[0..capacity).
enum lz_status lz_decompress(const uint8_t *in, size_t in_size, uint8_t *out,
                             size_t capacity, size_t *out_size);

const char *lz_message(enum lz_status status);

#endif
