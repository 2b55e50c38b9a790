// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small LZ77 with overlapping matches, move-to-front and run lengths, packed
// and unpacked again: byte copies that may overlap, data-dependent loops.

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

static u32 pack(const u8 *in, u32 n, u8 *out)
{
    u32 at = 0, used = 0, literals = 0, mark = 0;

    while (at < n) {
        u32 best = 0, where = 0, from = at > 100 ? at - 100 : 0;

        for (u32 p = from; p < at; p++) {
            u32 k = 0;

            while (at + k < n && k < 100 && in[p + k] == in[at + k])
                k++;
            if (k > best) {
                best = k;
                where = at - p;
            }
        }
        if (best > 2) {
            out[used++] = (u8)(128 + best);
            out[used++] = (u8)where;
            at += best;
            literals = 0;
        } else {
            if (literals == 0) {
                mark = used++;
                out[mark] = 0;
            }
            out[used++] = in[at++];
            out[mark]++;
            literals = out[mark] < 127;
        }
    }
    return used;
}

static u32 unpack(const u8 *in, u32 n, u8 *out)
{
    const u8 *end = in + n;
    u8 *to = out;

    while (in < end) {
        u32 k = *in++;

        if (k > 128) {
            const u8 *from = to - *in++;

            /* Source and target may overlap: a run repeats itself. */
            for (k -= 128; k; k--)
                *to++ = *from++;
        } else {
            while (k--)
                *to++ = *in++;
        }
    }
    return (u32)(to - out);
}

static void move_to_front(u8 *data, u32 n, int undo)
{
    u8 list[256];

    for (u32 i = 0; i < 256; i++)
        list[i] = (u8)i;
    for (u32 i = 0; i < n; i++) {
        u32 k = data[i];
        u8 c;

        if (!undo)
            for (k = 0; list[k] != data[i]; k++)
                ;
        c = list[k];
        data[i] = undo ? c : (u8)k;
        for (; k > 0; k--)
            list[k] = list[k - 1];
        list[0] = c;
    }
}

static u32 adler(const u8 *p, u32 n)
{
    u32 a = 1, b = 0;

    while (n--) {
        a = (a + *p++) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static u32 round_trip(const u8 *data, u32 n)
{
    u8 packed[220], back[200];
    u32 k = pack(data, n, packed);

    CHECK(k < 220 && unpack(packed, k, back) == n);
    for (u32 i = 0; i < n; i++)
        CHECK(back[i] == data[i]);
    move_to_front(back, n, 0);
    CHECK(n == 0 || back[0] == data[0]);
    move_to_front(back, n, 1);
    for (u32 i = 0; i < n; i++)
        CHECK(back[i] == data[i]);
    return adler(packed, k) * 31 + k;
}

int main(void)
{
    static const u8 text[] = "how much wood would a woodchuck chuck if a "
                             "woodchuck could chuck wood";
    static const u8 golden[] = {2, 'a', 'b', 128 + 7, 2, 1, 'c', 128 + 4, 1};
    u8 data[200];
    u32 n = sizeof text - 1, h, i;

    CHECK(unpack(golden, 9 - zero, data) == 14);
    for (i = 0; i < 14; i++)
        CHECK(data[i] == "ababababaccccc"[i]);
    CHECK(pack(data, 14 - zero, data + 20) == 9);
    for (i = 0; i < 9; i++)
        CHECK(data[20 + i] == golden[i]);
    h = round_trip(text, n - zero);
    h = h * 31 + round_trip(text, zero);
    for (i = 0; i < 120; i++)
        data[i] = (u8)(i / 40 * (i % (3 + i / 40)) + zero);
    h = h * 31 + round_trip(data, 120);
    for (i = 0; i < 70; i++)
        data[i] = (u8)(i * i + (i >> 3) + zero);
    h = h * 31 + round_trip(data, 70);
    printf("lz_window %08x\n", h);
    return 0;
}
