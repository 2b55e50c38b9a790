// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869).

#ifndef SHA256_H
#define SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHA256_BLOCK = 64,
    SHA256_DIGEST = 32,
    HKDF_MAX = 255 * SHA256_DIGEST
};

struct sha256 {
    uint32_t state[8];
    uint64_t count; // bytes so far
    uint8_t block[SHA256_BLOCK];
};

void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *bytes, size_t count);
void sha256_end(struct sha256 *s, uint8_t digest[SHA256_DIGEST]);

struct hmac {
    struct sha256 inner;
    struct sha256 outer;
};

void hmac_begin(struct hmac *h, const void *key, size_t count);
void hmac_add(struct hmac *h, const void *bytes, size_t count);
void hmac_end(struct hmac *h, uint8_t digest[SHA256_DIGEST]);

// Derives length bytes, at most HKDF_MAX, from a key; false if length is above.
bool hkdf(const void *key, size_t key_count, const void *salt,
          size_t salt_count, const void *info, size_t info_count,
          uint8_t *bytes, size_t length);

// Whether two digests are equal, in a time that does not tell where they
// differ.
bool digest_equal(const uint8_t *a, const uint8_t *b);

#endif
