// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lz.h"

#include <stdbool.h>
#include <string.h>

enum {
    MAGIC_SIZE = 3,
    CRC_SIZE = 4,
    MAX_LITERALS = 128,
    SHORT_MIN = 3,
    SHORT_MAX = SHORT_MIN + 15,
    SHORT_REACH = 1024,
    LONG_MIN_LENGTH = 4,
    LONG_EXTENDED = 63
};

static const uint8_t magic[MAGIC_SIZE] = {'L', 'Z', '1'};

// Four bits at a time, with a table of 64 bytes instead of the usual 1024.
static uint32_t crc32(const uint8_t *bytes, size_t count)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
        0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    uint32_t crc = 0xFFFFFFFF;

    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

// Output with a limit: what does not fit is dropped, and remembered.
struct writer {
    uint8_t *bytes;
    size_t capacity;
    size_t count;
    bool overflow;
};

static void put(struct writer *w, unsigned byte)
{
    if (w->count == w->capacity)
        w->overflow = true;
    else
        w->bytes[w->count++] = (uint8_t)byte;
}

static void put_bytes(struct writer *w, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(w, bytes[i]);
}

static void put_varint(struct writer *w, size_t value)
{
    for (; value > 127; value >>= 7)
        put(w, 128 | (value & 127));
    put(w, (unsigned)value);
}

// Input with a limit.
struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

// The next byte, or -1 at the end.
static int get(struct reader *r)
{
    return r->at == r->end ? -1 : *r->at++;
}

static bool get_varint(struct reader *r, size_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        int byte = get(r);

        if (byte < 0)
            return false;
        *value |= (size_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

// The compressor's view of its input. Positions below `hashed` are in the
// chains of the state.
struct finder {
    struct lz_state *state;
    const uint8_t *in;
    size_t size;
    size_t hashed;
    unsigned tries;
};

struct match {
    size_t length;
    size_t offset;
};

static size_t hash(const uint8_t *bytes)
{
    uint32_t three = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 |
                     bytes[2];

    return (uint32_t)(three * 2654435761u) >> (32 - LZ_HASH_BITS);
}

static void hash_up_to(struct finder *f, size_t end)
{
    for (; f->hashed < end; f->hashed++) {
        uint32_t *head;

        if (f->size - f->hashed < SHORT_MIN)
            return;
        head = &f->state->head[hash(f->in + f->hashed)];
        f->state->previous[f->hashed % LZ_WINDOW] = *head;
        *head = (uint32_t)f->hashed + 1;
    }
}

static bool is_short(struct match m)
{
    return m.length >= SHORT_MIN && m.length <= SHORT_MAX &&
           m.offset <= SHORT_REACH;
}

// The number of bytes that a match saves; negative if it costs more.
static long gain(struct match m)
{
    size_t cost = 2;

    if (!is_short(m)) {
        size_t extended = LONG_MIN_LENGTH + LONG_EXTENDED;

        cost = 3;
        if (m.length >= extended)
            for (size_t i = m.length - extended + 1; i > 0; i >>= 7)
                cost++;
    }
    return (long)m.length - (long)cost;
}

static size_t common_length(const uint8_t *a, const uint8_t *b, size_t limit)
{
    size_t length = 0;

    while (length < limit && a[length] == b[length])
        length++;
    return length;
}

// The best match for the bytes at a position; one of no length and no gain if
// there is none.
static struct match find(struct finder *f, size_t at)
{
    struct match best = {0, 0};
    size_t limit = f->size - at;
    uint32_t next;

    hash_up_to(f, at);
    if (limit < SHORT_MIN)
        return best;
    next = f->state->head[hash(f->in + at)];
    for (unsigned i = 0; i < f->tries && next != 0; i++) {
        size_t candidate = next - 1;
        struct match m = {0, at - candidate};

        if (m.offset > LZ_WINDOW)
            break;
        m.length = common_length(f->in + candidate, f->in + at, limit);
        if (gain(m) > gain(best) && (is_short(m) || m.length > SHORT_MIN))
            best = m;
        if (m.length == limit)
            break;
        next = f->state->previous[candidate % LZ_WINDOW];
    }
    return best;
}

static void put_literals(struct writer *w, const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        size_t run = count < MAX_LITERALS ? count : MAX_LITERALS;

        put(w, (unsigned)run - 1);
        put_bytes(w, bytes, run);
        bytes += run;
        count -= run;
    }
}

static void put_match(struct writer *w, struct match m)
{
    size_t distance = m.offset - 1;

    if (is_short(m)) {
        put(w, 0x80 | (unsigned)(m.length - SHORT_MIN) << 2 |
                   (unsigned)(distance >> 8));
        put(w, (unsigned)(distance & 255));
    } else {
        size_t length = m.length - LONG_MIN_LENGTH;

        put(w, 0xC0 | (unsigned)(length < LONG_EXTENDED ? length
                                                        : LONG_EXTENDED));
        put(w, (unsigned)(distance >> 8));
        put(w, (unsigned)(distance & 255));
        if (length >= LONG_EXTENDED)
            put_varint(w, length - LONG_EXTENDED);
    }
}

size_t lz_bound(size_t size)
{
    return MAGIC_SIZE + 5 + size + size / MAX_LITERALS + 1 + CRC_SIZE;
}

enum lz_status lz_compress(struct lz_state *state, unsigned effort,
                           const uint8_t *in, size_t in_size, uint8_t *out,
                           size_t capacity, size_t *out_size)
{
    struct writer w = {out, capacity, 0, false};
    struct finder f = {state, in, in_size, 0, 1u << effort};
    size_t literals = 0; // start of the bytes not written yet
    size_t at = 0;
    uint32_t crc;

    if (in_size > LZ_MAX_SIZE)
        return LZ_TOO_LARGE;
    memset(state->head, 0, sizeof state->head);
    put_bytes(&w, magic, MAGIC_SIZE);
    put_varint(&w, in_size);
    while (at < in_size) {
        struct match here = find(&f, at);

        // A better match that starts at the next byte is worth a literal.
        while (gain(here) > 0) {
            struct match next = find(&f, at + 1);

            if (gain(next) <= gain(here))
                break;
            here = next;
            at++;
        }
        if (gain(here) <= 0) {
            at++;
            continue;
        }
        put_literals(&w, in + literals, at - literals);
        put_match(&w, here);
        at += here.length;
        literals = at;
    }
    put_literals(&w, in + literals, in_size - literals);
    crc = crc32(in, in_size);
    for (int i = 0; i < CRC_SIZE; i++)
        put(&w, crc >> 8 * i & 255);
    *out_size = w.count;
    return w.overflow ? LZ_NO_ROOM : LZ_OK;
}

static enum lz_status read_header(struct reader *r, size_t *size)
{
    if (left(r) < MAGIC_SIZE || memcmp(r->at, magic, MAGIC_SIZE) != 0)
        return LZ_BAD_HEADER;
    r->at += MAGIC_SIZE;
    if (!get_varint(r, size))
        return left(r) == 0 ? LZ_TRUNCATED : LZ_BAD_HEADER;
    return *size > LZ_MAX_SIZE ? LZ_TOO_LARGE : LZ_OK;
}

enum lz_status lz_raw_size(const uint8_t *in, size_t in_size, size_t *size)
{
    struct reader r = {in, in + in_size};

    return read_header(&r, size);
}

// Reads the rest of a match, of which the first byte is given.
static enum lz_status read_match(struct reader *r, unsigned first,
                                 struct match *m)
{
    int high;
    int low;
    size_t more;

    if (first < 0xC0) {
        m->length = SHORT_MIN + (first >> 2 & 15);
        high = (int)(first & 3);
    } else {
        m->length = LONG_MIN_LENGTH + (first & LONG_EXTENDED);
        high = get(r);
    }
    low = get(r);
    if (low < 0)
        return LZ_TRUNCATED;
    m->offset = ((size_t)high << 8 | (size_t)low) + 1;
    if (m->length == LONG_MIN_LENGTH + LONG_EXTENDED) {
        if (!get_varint(r, &more))
            return left(r) == 0 ? LZ_TRUNCATED : LZ_BAD_LENGTH;
        if (more > LZ_MAX_SIZE)
            return LZ_BAD_LENGTH;
        m->length += more;
    }
    return LZ_OK;
}

enum lz_status lz_decompress(const uint8_t *in, size_t in_size, uint8_t *out,
                             size_t capacity, size_t *out_size)
{
    struct reader r = {in, in + in_size};
    size_t size;
    size_t at = 0;
    uint32_t crc;
    enum lz_status status = read_header(&r, &size);

    *out_size = 0;
    if (status != LZ_OK)
        return status;
    if (size > capacity)
        return LZ_NO_ROOM;
    while (at < size) {
        int first = get(&r);

        if (first < 0)
            return LZ_TRUNCATED;
        if (first < MAX_LITERALS) {
            size_t run = (size_t)first + 1;

            if (run > size - at)
                return LZ_BAD_LENGTH;
            if (run > left(&r))
                return LZ_TRUNCATED;
            memcpy(out + at, r.at, run);
            r.at += run;
            at += run;
        } else {
            struct match m;

            status = read_match(&r, (unsigned)first, &m);
            if (status != LZ_OK)
                return status;
            if (m.offset > at)
                return LZ_BAD_OFFSET;
            if (m.length > size - at)
                return LZ_BAD_LENGTH;
            // Byte by byte: a match may overlap what it copies.
            for (; m.length > 0; m.length--, at++)
                out[at] = out[at - m.offset];
        }
    }
    if (left(&r) < CRC_SIZE)
        return LZ_TRUNCATED;
    crc = crc32(out, size);
    for (int i = 0; i < CRC_SIZE; i++)
        if (get(&r) != (int)(crc >> 8 * i & 255))
            return LZ_BAD_CHECKSUM;
    if (left(&r) > 0)
        return LZ_TRAILING;
    *out_size = size;
    return LZ_OK;
}

const char *lz_message(enum lz_status status)
{
    static const char *const messages[] = {
        "no error",
        "no room for the output",
        "too large",
        "not a packed block",
        "truncated block",
        "a match reaches back too far",
        "a sequence is too long",
        "wrong checksum",
        "bytes after the end of the block",
    };

    return messages[status];
}
