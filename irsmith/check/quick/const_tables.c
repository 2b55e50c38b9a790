// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constant tables of many shapes, indexed by constants and by variables, with
// pointers into each other: constant folding of loads, globalopt, jump tables.

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

static int depth(const struct entry *e)
{
    return e->parent ? 1 + depth(e->parent) : 0;
}

static int letters(const struct entry *e)
{
    int n = 0;

    for (const char *p = e->name; *p; p++)
        n = n * 3 + *p - 'a';
    return n;
}

/* Knight moves from a corner, counted by breadth. */
static int knight(int from, int to)
{
    i8 steps[64];
    u8 queue[64];
    int head = 0, tail = 0;

    for (int i = 0; i < 64; i++)
        steps[i] = -1;
    steps[from] = 0;
    queue[tail++] = (u8)from;
    while (head < tail) {
        int at = queue[head++];

        if (at == to)
            break;
        for (u32 m = 0; m < sizeof moves / sizeof *moves; m++) {
            int x = at % 8 + moves[m][0], y = at / 8 + moves[m][1];

            if (x >= 0 && x < 8 && y >= 0 && y < 8 && steps[y * 8 + x] < 0) {
                steps[y * 8 + x] = (i8)(steps[at] + 1);
                queue[tail++] = (u8)(y * 8 + x);
            }
        }
    }
    return steps[to];
}

static u32 roman(const char *s)
{
    static const u32 value[] = {['C' - 'C'] = 100, ['D' - 'C'] = 500,
                                ['I' - 'C'] = 1,   ['L' - 'C'] = 50,
                                ['M' - 'C'] = 1000, ['V' - 'C'] = 5,
                                ['X' - 'C'] = 10};
    u32 sum = 0;

    for (; *s; s++) {
        u32 v = value[*s - 'C'];

        if (s[1] && v < value[s[1] - 'C'])
            sum -= v;
        else
            sum += v;
    }
    return sum;
}

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
    /* And this does not. */
    for (int i = 0; i < 4; i++) {
        h = h * 31 + (u32)letters(&entries[i + z])
            + entries[i].flags[(i + z) % 3];
        h = h * 31 + (u32)(halves[i + z] * 2 < 0) + (u32)(wide[i] >> 33);
        CHECK(depth(&entries[i + z]) == (i + 1) / 2);
    }
    for (int i = 0; i < 15; i++)
        CHECK(squares[(i + z) / 5][i % 5] == (u8)(i * i));
    for (int i = 0; i < 40; i++)
        n += sparse[(i + z) * 7 % 40];
    CHECK(n == 0x80000000u + 40);
    for (const char *const *w = words + z; *w; w++)
        h = h * 31 + (u8)(*w)[2];
    CHECK(rows[z][4] == 196 && rows[1 + z][2] == 4);
    CHECK(knight(0, 63 + z) == 6 && knight(0, 9 + z) == 4
          && knight(27, 27) == 0);
    CHECK(roman(&"MCMXCIV"[z]) == 1994 && roman("CDXLIV") == 444);
    printf("const_tables %08x\n", h);
    return 0;
}
