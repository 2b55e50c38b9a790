// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "sha256.h"

#include <string.h>

enum { LENGTH_FIELD = 8 };

// The first 32 bits of the fractional parts of the cube roots of the first 64
// primes.
static const uint32_t constants[64] = {
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1,
    0x923F82A4, 0xAB1C5ED5, 0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3,
    0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174, 0xE49B69C1, 0xEFBE4786,
    0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147,
    0x06CA6351, 0x14292967, 0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13,
    0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85, 0xA2BFE8A1, 0xA81A664B,
    0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A,
    0x5B9CCA4F, 0x682E6FF3, 0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208,
    0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
};

static uint32_t rotate(uint32_t x, unsigned count)
{
    return x >> count | x << (32 - count);
}

static uint32_t load(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store(uint8_t *bytes, uint32_t x)
{
    bytes[0] = (uint8_t)(x >> 24);
    bytes[1] = (uint8_t)(x >> 16);
    bytes[2] = (uint8_t)(x >> 8);
    bytes[3] = (uint8_t)x;
}

// The message schedule: word i of 64, of which only the last 16 are kept.
static uint32_t schedule(uint32_t w[16], const uint8_t *block, unsigned i)
{
    uint32_t *word = &w[i % 16];

    if (i < 16) {
        *word = load(block + (size_t)4 * i);
    } else {
        uint32_t x = w[(i + 1) % 16];
        uint32_t y = w[(i + 14) % 16];

        *word += w[(i + 9) % 16] +
                 (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
                 (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
    }
    return *word;
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t v[8]; // a to h
    uint32_t w[16];

    memcpy(v, state, sizeof v);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t e = v[4];
        uint32_t a = v[0];
        uint32_t one = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                       ((e & v[5]) ^ (~e & v[6])) + constants[i] +
                       schedule(w, block, i);
        uint32_t two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                       ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += one;
        v[0] = one + two;
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

void sha256_begin(struct sha256 *s)
{
    static const uint32_t initial[8] = {
        0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
        0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
    };

    memcpy(s->state, initial, sizeof s->state);
    s->count = 0;
}

void sha256_add(struct sha256 *s, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;

    while (count > 0) {
        size_t used = s->count % SHA256_BLOCK;
        size_t part = SHA256_BLOCK - used;

        if (part > count)
            part = count;
        memcpy(s->block + used, at, part);
        at += part;
        count -= part;
        s->count += part;
        if (s->count % SHA256_BLOCK == 0)
            compress(s->state, s->block);
    }
}

void sha256_end(struct sha256 *s, uint8_t digest[SHA256_DIGEST])
{
    static const uint8_t padding[SHA256_BLOCK] = {0x80};
    uint8_t length[LENGTH_FIELD];
    size_t used = s->count % SHA256_BLOCK;
    size_t room = SHA256_BLOCK - LENGTH_FIELD;

    store(length, (uint32_t)(s->count >> 29));
    store(length + 4, (uint32_t)(s->count << 3));
    sha256_add(s, padding, used < room ? room - used
                                       : room + SHA256_BLOCK - used);
    sha256_add(s, length, sizeof length);
    for (int i = 0; i < 8; i++)
        store(digest + 4 * i, s->state[i]);
}
