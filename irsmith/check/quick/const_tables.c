// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constant tables of many shapes, indexed by constants and by variables, with
// pointers into each other: constant folding of loads, globalopt, jump tables.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef signed char i8;
typedef unsigned u32;

static volatile int zero = 0;

struct entry {
    const char *name;
    short code;
    u8 flags[3];
    const struct entry *parent;
};

static const struct entry entries[] = {
    {"root", -1, {1, 2, 3}, 0},
    {"left", 100, {4, 5, 6}, &entries[0]},
    {"right", 200, {7, 8, 9}, &entries[0]},
    {"leaf", 32767, {255, 0, 128}, &entries[2]},
};

static const u8 squares[3][5] = {
    {0, 1, 4, 9, 16}, {25, 36, 49, 64, 81}, {100, 121, 144, 169, 196},
};
static const i8 moves[][2] = {{1, 2}, {2, 1}, {2, -1}, {1, -2},
                              {-1, -2}, {-2, -1}, {-2, 1}, {-1, 2}};
static const float halves[] = {0.5f, -1.5f, 2.5f, 1e10f};
static const unsigned long long wide[] = {1, ~0ULL, 1ULL << 63, 0x123456789ULL};
static const char *const words[] = {"zero", "one", "two", 0};
static const u32 sparse[40] = {[3] = 33, [17] = 0x80000000u, [39] = 7};
static int (*const *const no_table)(void) = 0;
/* Two dimensions of pointers into the same data. */
static const u8 *const rows[] = {squares[2], squares[0], squares[1] + 2};

int main(void)
{
    u32 h = 0, n = 0;
    int z = zero;

    /* All of this folds. */
    CHECK(entries[3].parent->code == 200 && entries[2].flags[1] == 8);
    CHECK(squares[1][4] == 81 && rows[2][1] == 64 && wide[1] + wide[0] == 0);
    CHECK(sparse[17] >> 31 == 1 && sparse[16] == 0 && halves[3] > 9e9f);
    CHECK(words[2][1] == 'w' && words[3] == 0 && no_table == 0);
    CHECK(moves[5][0] * moves[5][1] == 2 && entries[0].parent == 0);
    for (int i = 0; i < 15; i++)
        CHECK(squares[(i + z) / 5][i % 5] == (u8)(i * i));
    for (int i = 0; i < 40; i++)
        n += sparse[(i + z) * 7 % 40];
    CHECK(n == 0x80000000u + 40);
    for (const char *const *w = words + z; *w; w++)
        h = h * 31 + (u8)(*w)[2];
    CHECK(rows[z][4] == 196 && rows[1 + z][2] == 4);
    printf("const_tables %08x\n", h);
    return 0;
}
