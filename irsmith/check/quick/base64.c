// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Base64, hexadecimal and quoted-printable both ways, with errors: table
// lookups, bit packing over byte borders, remainders of three, state in loops.

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

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static volatile u32 zero = 0;

static u32 encode(const u8 *in, u32 n, char *out)
{
    char *start = out;
    u32 i;

    for (i = 0; i + 2 < n; i += 3) {
        u32 v = (u32)in[i] << 16 | (u32)in[i + 1] << 8 | in[i + 2];

        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = alphabet[v >> 6 & 63];
        *out++ = alphabet[v & 63];
    }
    if (i < n) {
        u32 v = (u32)in[i] << 16 | (i + 1 < n ? (u32)in[i + 1] << 8 : 0);

        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
        *out++ = '=';
    }
    *out = 0;
    return (u32)(out - start);
}

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Accepts blanks between; -1 for anything else that is wrong. */
static int decode(const char *in, u8 *out)
{
    u32 bits = 0, have = 0;
    int n = 0, pad = 0;

    for (; *in; in++) {
        int d;

        if (*in == ' ' || *in == '\n')
            continue;
        if (*in == '=') {
            if (++pad > 2)
                return -1;
            continue;
        }
        d = digit(*in);
        if (d < 0 || pad)
            return -1;
        bits = bits << 6 | (u32)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (u8)(bits >> have);
        }
    }
    return (n + pad) % 3 == 0 ? n : -1;
}

static int same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Bytes to digits in any power-of-two base, most significant bit first. */
static u32 digits(const u8 *in, u32 n, u32 width, char *out)
{
    u32 acc = 0, have = 0, count = 0;

    for (u32 i = 0; i < n; i++) {
        acc = (acc << 8 | in[i]) & 0xffff;
        for (have += 8; have >= width; have -= width)
            out[count++] = "0123456789abcdefghijklmnopqrstuv"
                [acc >> (have - width) & ((1u << width) - 1)];
    }
    if (have)
        out[count++] = "0123456789abcdefghijklmnopqrstuv"
            [acc << (width - have) & ((1u << width) - 1)];
    out[count] = 0;
    return count;
}

int main(void)
{
    static const char *const rfc[] = {
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
    };
    u8 raw[48], back[48];
    char text[100];
    u32 n, i, h = 0;

    for (n = 0; n <= 6; n++) {
        CHECK(encode((const u8 *)"foobar", n + zero, text) == (n + 2) / 3 * 4);
        CHECK(same(text, rfc[n]));
        CHECK(decode(rfc[n], back) == (int)n);
        for (i = 0; i < n; i++)
            CHECK(back[i] == "foobar"[i]);
    }
    for (n = 0; n < 48; n += 5) {
        for (i = 0; i < n; i++)
            raw[i] = (u8)(i * 37 + n + zero);
        encode(raw, n, text);
        CHECK(decode(text, back) == (int)n);
        for (i = 0; i < n; i++)
            CHECK(back[i] == raw[i]);
        h = h * 31 + digits(raw, n, 5 + zero, text) + (u8)text[n / 2];
    }
    CHECK(decode(&" Zm 9v\nYg= ="[zero], back) == 4 && back[3] == 'b');
    CHECK(decode(&"Zm9*"[zero], back) == -1 && decode("Zg=", back) == -1);
    CHECK(decode(&"Zg==Z"[zero], back) == -1 && decode("====", back) == -1);
    raw[0] = (u8)(0xa5 + zero);
    raw[1] = 0x3c;
    CHECK(digits(raw, 2, 1 + zero, text) == 16
          && same(text, "1010010100111100"));
    CHECK(digits(raw, 2, 4 + zero, text) == 4 && same(text, "a53c"));
    CHECK(digits(raw, 2, 3 + zero, text) == 6 && same(text, "512360"));
    printf("base64 %08x\n", h);
    return 0;
}
