// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packed structs and bit-fields that cross bytes and words, with misaligned
// members: byte layout, load/store merging, bdce, memcpyopt on such objects.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;

struct __attribute__((packed)) header {
    unsigned version : 4;
    unsigned length : 11;
    unsigned flags : 3;
    signed int offset : 13;
    unsigned last : 1;
    unsigned long long stamp : 47;
    unsigned tail : 17;
};

struct __attribute__((packed)) odd {
    char tag;
    int value;
    short half;
    long long wide;
    char end;
};

static volatile unsigned zero = 0;

/* The same layout done by hand (little endian, from bit 0 upwards). */
static unsigned long long bits(const u8 *p, unsigned at, unsigned n)
{
    unsigned long long r = 0;
    unsigned i;

    for (i = 0; i < n; i++)
        r |= (unsigned long long)((p[(at + i) / 8] >> ((at + i) % 8)) & 1) << i;
    return r;
}

static __attribute__((noinline)) void fill(struct header *h, unsigned k)
{
    h->version = k & 15;
    h->length = (k * 37) & 0x7ff;
    h->flags = (k >> 1) & 7;
    h->offset = (int)(k % 8000) - 4000;
    h->last = k & 1;
    h->stamp = (k * 0x123456789ULL) & 0x7fffffffffffULL;
    h->tail = (k * 12345) & 0x1ffff;
}

static __attribute__((noinline)) struct odd spin(struct odd o, int by)
{
    o.value += by;
    o.half = (short)(o.half - by);
    o.wide = o.wide * 3 + o.value;
    o.end = (char)(o.tag + 1);
    return o;
}

int main(void)
{
    struct header h, copy;
    struct odd list[3], o = {'x', -1, 2, -3, 'y'};
    u8 raw[sizeof h];
    unsigned k, i, hash = 1;

    CHECK(sizeof(struct header) == 12 && sizeof(struct odd) == 16);
    for (k = 0; k < 12; k++) {
        unsigned v = k * 777 + zero;

        for (i = 0; i < sizeof h; i++)
            ((u8 *)&h)[i] = (u8)(k & 1 ? 0xff : 0);
        fill(&h, v);
        __builtin_memcpy(raw, &h, sizeof h);
        CHECK(bits(raw, 0, 4) == (v & 15) && h.version == (v & 15));
        CHECK(bits(raw, 4, 11) == ((v * 37) & 0x7ff));
        CHECK(bits(raw, 15, 3) == ((v >> 1) & 7));
        CHECK(bits(raw, 18, 13) == ((v % 8000 - 4000) & 0x1fff));
        CHECK(h.offset == (int)(v % 8000) - 4000);
        CHECK(bits(raw, 31, 1) == (v & 1));
        CHECK(bits(raw, 32, 47) == h.stamp);
        CHECK(bits(raw, 79, 17) == ((v * 12345) & 0x1ffff));
        copy = h;
        copy.length ^= 0x7ff;
        copy.tail = copy.tail + 1;
        h.length = (~h.length) & 0x7ff;
        h.tail++;
        for (i = 0; i < sizeof h; i++) {
            CHECK(((u8 *)&h)[i] == ((u8 *)&copy)[i]);
            hash = hash * 31 + ((u8 *)&h)[i];
        }
    }
    for (i = 0; i < 3; i++)
        list[i] = spin(o, (int)(i * 1000 + zero));
    CHECK(list[2].value == 1999 && list[2].half == -1998);
    CHECK(list[1].wide == 990 && list[1].end == 'y' && list[2].tag == 'x');
    list[1].wide = 0x0102030405060708LL + zero;
    CHECK(((u8 *)&list[1])[7] == 8 && ((u8 *)list)[16 + 14] == 1);
    CHECK(list[2].tag == 'x' && list[1].half == -998);
    printf("bitfield_packed %08x\n", hash);
    return 0;
}
