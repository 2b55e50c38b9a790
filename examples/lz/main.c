// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lz: packs or unpacks standard input.

#include "lz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_INVALID = 1, EXIT_TROUBLE = 2 };

static const char usage[] = "usage: lz c [EFFORT] <RAW >PACKED\n"
                            "       lz d <PACKED >RAW\n"
                            "       lz t <PACKED\n"
                            "  c  compress; EFFORT is 1 (fast) to 9 (small)\n"
                            "  d  decompress\n"
                            "  t  test, and tell the sizes\n";

struct buffer {
    uint8_t *bytes;
    size_t count;
};

static int complain(const char *message, int result)
{
    fprintf(stderr, "lz: %s\n", message);
    return result;
}

static bool read_all(FILE *file, struct buffer *buffer)
{
    size_t capacity = 65536;
    uint8_t *larger;

    buffer->bytes = NULL;
    buffer->count = 0;
    while ((larger = realloc(buffer->bytes, capacity)) != NULL) {
        buffer->bytes = larger;
        buffer->count += fread(buffer->bytes + buffer->count, 1,
                               capacity - buffer->count, file);
        if (buffer->count < capacity)
            return !ferror(file);
        if (capacity > SIZE_MAX / 2)
            return false;
        capacity *= 2;
    }
    return false;
}

// An empty buffer is no reason for malloc to return NULL.
static bool allocate(struct buffer *buffer, size_t size)
{
    buffer->bytes = malloc(size + 1);
    buffer->count = 0;
    return buffer->bytes != NULL;
}

static int compress(const struct buffer *in, unsigned effort,
                    struct buffer *out)
{
    struct lz_state *state = malloc(sizeof *state);
    size_t bound = lz_bound(in->count);
    enum lz_status status;

    if (state == NULL || !allocate(out, bound)) {
        free(state);
        return complain("out of memory", EXIT_TROUBLE);
    }
    status = lz_compress(state, effort, in->bytes, in->count, out->bytes,
                         bound, &out->count);
    free(state);
    return status == LZ_OK ? EXIT_SUCCESS
                           : complain(lz_message(status), EXIT_INVALID);
}

static int decompress(const struct buffer *in, struct buffer *out)
{
    size_t size;
    enum lz_status status = lz_raw_size(in->bytes, in->count, &size);

    if (status == LZ_OK) {
        if (!allocate(out, size))
            return complain("out of memory", EXIT_TROUBLE);
        status = lz_decompress(in->bytes, in->count, out->bytes, size,
                               &out->count);
    }
    return status == LZ_OK ? EXIT_SUCCESS
                           : complain(lz_message(status), EXIT_INVALID);
}

static int run(char command, unsigned effort, struct buffer *in,
               struct buffer *out)
{
    int result;

    if (!read_all(stdin, in))
        return complain("cannot read standard input", EXIT_TROUBLE);
    result = command == 'c' ? compress(in, effort, out) : decompress(in, out);
    if (result != EXIT_SUCCESS)
        return result;
    if (command == 't')
        printf("%zu bytes, %zu packed\n", out->count, in->count);
    else
        fwrite(out->bytes, 1, out->count, stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        return complain("cannot write", EXIT_TROUBLE);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct buffer in = {NULL, 0};
    struct buffer out = {NULL, 0};
    unsigned effort = 6;
    bool valid = argc >= 2 && strlen(argv[1]) == 1 &&
                 strchr("cdt", argv[1][0]) != NULL;
    int result;

    if (valid && argc == 3) {
        effort = (unsigned)(argv[2][0] - '0');
        valid = argv[1][0] == 'c' && effort >= 1 && effort <= LZ_MAX_EFFORT &&
                argv[2][1] == '\0';
    }
    if (!valid || argc > 3) {
        fputs(usage, stderr);
        return EXIT_TROUBLE;
    }
    result = run(argv[1][0], effort, &in, &out);
    free(in.bytes);
    free(out.bytes);
    return result;
}
