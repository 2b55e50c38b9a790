// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SHA-256 of short messages, with the schedule in an array and rotates by
// constants: rotate and bswap matching, slp-vectorizer, unrolling, scheduling.

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

static volatile u32 zero = 0;

static const u32 k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static u32 rotr(u32 x, int n)
{
    return x >> n | x << (32 - n);
}

static u32 load(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void block(u32 *state, const u8 *p)
{
    u32 w[64], s[8];

    for (int i = 0; i < 16; i++)
        w[i] = load(p + 4 * i);
    for (int i = 16; i < 64; i++) {
        u32 a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + (rotr(a, 7) ^ rotr(a, 18) ^ a >> 3) + w[i - 7]
               + (rotr(b, 17) ^ rotr(b, 19) ^ b >> 10);
    }
    for (int i = 0; i < 8; i++)
        s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        u32 e = s[4], a = s[0];
        u32 t1 = s[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25))
                 + ((e & s[5]) ^ (~e & s[6])) + k[i] + w[i];
        u32 t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22))
                 + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

        for (int j = 7; j > 0; j--)
            s[j] = s[j - 1];
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static void sha256(const u8 *p, u32 n, u32 *state)
{
    static const u32 start[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    u8 last[128] = {0};
    u32 rest, blocks, i;

    for (i = 0; i < 8; i++)
        state[i] = start[i];
    for (rest = n; rest >= 64; rest -= 64, p += 64)
        block(state, p);
    for (i = 0; i < rest; i++)
        last[i] = p[i];
    last[rest] = 0x80;
    blocks = rest < 56 ? 1 : 2;
    for (i = 0; i < 4; i++)
        last[blocks * 64 - 1 - i] = (u8)(n * 8 >> 8 * i);
    for (i = 0; i < blocks; i++)
        block(state, last + i * 64);
}

int main(void)
{
    static const u8 two[] =
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    u8 data[130];
    u32 s[8], h = 0;

    sha256((const u8 *)"abc", 3 + zero, s);
    CHECK(s[0] == 0xba7816bfu && s[3] == 0x5dae2223u && s[7] == 0xf20015adu);
    sha256(two, zero, s);
    CHECK(s[0] == 0xe3b0c442u && s[4] == 0x27ae41e4u && s[7] == 0x7852b855u);
    sha256(two, 56 + zero, s);
    CHECK(s[0] == 0x248d6a61u && s[5] == 0x64ff2167u && s[7] == 0x19db06c1u);
    for (u32 i = 0; i < 130; i++)
        data[i] = (u8)(i * 3 + zero);
    for (u32 n = 54; n < 130; n += 25) {
        sha256(data, n, s);
        for (int i = 0; i < 8; i++)
            h = h * 31 + s[i];
    }
    printf("sha256 %08x\n", h);
    return 0;
}
