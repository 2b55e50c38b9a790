// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "sha256.h"

#include <string.h>

enum { INNER_PAD = 0x36, OUTER_PAD = 0x5C };

static void begin_padded(struct sha256 *s, const uint8_t key[SHA256_BLOCK],
                         uint8_t pad)
{
    uint8_t block[SHA256_BLOCK];

    for (int i = 0; i < SHA256_BLOCK; i++)
        block[i] = key[i] ^ pad;
    sha256_begin(s);
    sha256_add(s, block, sizeof block);
}

void hmac_begin(struct hmac *h, const void *key, size_t count)
{
    uint8_t block[SHA256_BLOCK] = {0};

    if (count > SHA256_BLOCK) {
        sha256_begin(&h->inner);
        sha256_add(&h->inner, key, count);
        sha256_end(&h->inner, block);
    } else if (count > 0) {
        memcpy(block, key, count);
    }
    begin_padded(&h->inner, block, INNER_PAD);
    begin_padded(&h->outer, block, OUTER_PAD);
}

void hmac_add(struct hmac *h, const void *bytes, size_t count)
{
    sha256_add(&h->inner, bytes, count);
}

void hmac_end(struct hmac *h, uint8_t digest[SHA256_DIGEST])
{
    sha256_end(&h->inner, digest);
    sha256_add(&h->outer, digest, SHA256_DIGEST);
    sha256_end(&h->outer, digest);
}

bool hkdf(const void *key, size_t key_count, const void *salt,
          size_t salt_count, const void *info, size_t info_count,
          uint8_t *bytes, size_t length)
{
    struct hmac h;
    uint8_t secret[SHA256_DIGEST];
    uint8_t block[SHA256_DIGEST];
    size_t block_count = 0;

    if (length > HKDF_MAX)
        return false;
    hmac_begin(&h, salt, salt_count);
    hmac_add(&h, key, key_count);
    hmac_end(&h, secret);
    for (uint8_t i = 1; length > 0; i++) {
        size_t part = length < sizeof block ? length : sizeof block;

        hmac_begin(&h, secret, sizeof secret);
        hmac_add(&h, block, block_count);
        hmac_add(&h, info, info_count);
        hmac_add(&h, &i, 1);
        hmac_end(&h, block);
        block_count = sizeof block;
        memcpy(bytes, block, part);
        bytes += part;
        length -= part;
    }
    return true;
}

bool digest_equal(const uint8_t *a, const uint8_t *b)
{
    unsigned difference = 0;

    for (int i = 0; i < SHA256_DIGEST; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}
