// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CRC-32, CRC-64 and Adler-32, bit by bit, by tables made at run time and by
// slices of four: loop-unroll, constant tables, hash-recognize, load-combine.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned char u8;
typedef unsigned u32;
typedef unsigned long long u64;

static volatile u32 zero = 0;
static u32 table[4][256];

static u32 bitwise(u32 crc, const u8 *p, u32 n)
{
    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}

static void make_tables(void)
{
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;

        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
        table[0][i] = c;
    }
    for (u32 i = 0; i < 256; i++)
        for (int s = 1; s < 4; s++)
            table[s][i] =
                table[s - 1][i] >> 8 ^ table[0][table[s - 1][i] & 255];
}

static u32 by_table(u32 crc, const u8 *p, u32 n)
{
    crc = ~crc;
    while (n-- > 0)
        crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
    return ~crc;
}

static u32 sliced(u32 crc, const u8 *p, u32 n)
{
    crc = ~crc;
    for (; n >= 4; n -= 4, p += 4) {
        crc ^= p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
        crc = table[3][crc & 255] ^ table[2][crc >> 8 & 255]
              ^ table[1][crc >> 16 & 255] ^ table[0][crc >> 24];
    }
    while (n--)
        crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
    return ~crc;
}

/* Four bits at a time, with a table that is a constant. */
static u32 nibbles(const u8 *p, u32 n)
{
    static const u32 t[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    u32 crc = ~0u;

    for (const u8 *end = p + n; p < end; p++) {
        crc = crc >> 4 ^ t[(crc ^ *p) & 15];
        crc = crc >> 4 ^ t[(crc ^ (u32)*p >> 4) & 15];
    }
    return ~crc;
}

static u64 crc64(const u8 *p, u32 n)
{
    u64 crc = 0;

    while (n--) {
        crc ^= (u64)*p++ << 56;
        for (int k = 0; k < 8; k++)
            crc = (long long)crc < 0 ? crc << 1 ^ 0x42f0e1eba9ea3693ULL
                                     : crc << 1;
    }
    return crc;
}

static u32 adler(const u8 *p, u32 n)
{
    u32 a = 1, b = 0;

    for (u32 i = 0; i < n; i++) {
        a = (a + p[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

int main(void)
{
    static const u8 digits[] = "123456789";
    u8 data[100];
    u32 crc;

    make_tables();
    CHECK(table[0][255] == 0x2d02ef8du && table[0][128] == 0xedb88320u);
    CHECK(bitwise(0, digits, 9 + zero) == 0xcbf43926u);
    CHECK(by_table(0, digits, 9 + zero) == 0xcbf43926u);
    CHECK(sliced(0, digits, 9 + zero) == 0xcbf43926u);
    CHECK(nibbles(digits, 9 + zero) == 0xcbf43926u);
    CHECK(crc64(digits, 9 + zero) == 0x6c40df5f0b497347ULL);
    CHECK(adler((const u8 *)"Wikipedia", 9 + zero) == 0x11e60398u);
    CHECK(bitwise(zero, digits, 0) == 0 && adler(digits, zero) == 1);
    for (u32 i = 0; i < 100; i++)
        data[i] = (u8)(i * i * 7 + zero);
    for (u32 n = 0; n < 30; n += 7) {
        crc = bitwise(0, data, 40 + n);
        CHECK(by_table(0, data, 40 + n) == crc);
        CHECK(sliced(0, data, 40 + n) == crc);
        CHECK(nibbles(data, 40 + n) == crc);
        /* In two pieces. */
        CHECK(sliced(by_table(0, data, n), data + n, 40) == crc);
    }
    crc = sliced(0, data, 100);
    printf("crc_tables %08x %08x %016llx\n", crc, adler(data, 100),
           crc64(data, 100));
    return 0;
}
