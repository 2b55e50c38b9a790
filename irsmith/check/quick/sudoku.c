// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A sudoku solver with candidate masks and the fewest-candidates rule, and the
// knapsack and edit-distance tables: bit masks, min/max, nested table loops.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned u32;

static volatile int zero = 0;
static int tries;

struct board {
    unsigned char cell[81];
    u32 row[9], column[9], box[9];
};

static void set(struct board *b, int at, int digit)
{
    int r = at / 9, c = at % 9;
    u32 bit = 1u << digit;

    b->cell[at] = (unsigned char)digit;
    b->row[r] |= bit;
    b->column[c] |= bit;
    b->box[r / 3 * 3 + c / 3] |= bit;
}

static void unset(struct board *b, int at)
{
    int r = at / 9, c = at % 9;
    u32 keep = ~(1u << b->cell[at]);

    b->cell[at] = 0;
    b->row[r] &= keep;
    b->column[c] &= keep;
    b->box[r / 3 * 3 + c / 3] &= keep;
}

static int solve(struct board *b)
{
    int best = -1, fewest = 10;
    u32 choices = 0;

    tries++;
    for (int at = 0; at < 81; at++) {
        int r = at / 9, c = at % 9, n = 0;
        u32 free;

        if (b->cell[at])
            continue;
        free = 0x3fe & ~(b->row[r] | b->column[c] | b->box[r / 3 * 3 + c / 3]);
        for (u32 m = free; m; m &= m - 1)
            n++;
        if (n < fewest) {
            fewest = n;
            best = at;
            choices = free;
            if (n == 0)
                return 0;
        }
    }
    if (best < 0)
        return 1;
    for (int d = 1; d <= 9; d++)
        if (choices >> d & 1) {
            set(b, best, d);
            if (solve(b))
                return 1;
            unset(b, best);
        }
    return 0;
}

static int read(struct board *b, const char *text)
{
    struct board empty = {{0}, {0}, {0}, {0}};
    int given = 0;

    *b = empty;
    for (int i = 0; i < 81; i++)
        if (text[i] != '.') {
            set(b, i, text[i] - '0' + zero);
            given++;
        }
    return given;
}

static int distance(const char *a, const char *b)
{
    int row[24], n = 0;

    while (b[n]) {
        row[n] = n;
        n++;
    }
    row[n] = n;
    for (int i = 0; a[i]; i++) {
        int diagonal = row[0];

        row[0] = i + 1;
        for (int j = 0; j < n; j++) {
            int cost = diagonal + (a[i] != b[j]);

            diagonal = row[j + 1];
            if (row[j] + 1 < cost)
                cost = row[j] + 1;
            row[j + 1] = diagonal + 1 < cost ? diagonal + 1 : cost;
        }
    }
    return row[n];
}

int main(void)
{
    static const char puzzle[] = "53..7....6..195....98....6.8...6...34..8.3.."
                                 "17...2...6.6....28....419..5"
                                 "....8..79";
    static const char solved[] = "534678912672195348198342567859761423426853791"
                                 "713924856961537284287419635"
                                 "345286179";
    struct board b;
    u32 h = 0;

    CHECK(read(&b, puzzle) == 30 && b.row[0] == (1u << 5 | 1u << 3 | 1u << 7));
    CHECK(solve(&b) == 1 && tries == 52);
    for (int i = 0; i < 81; i++) {
        CHECK(b.cell[i] == solved[i] - '0');
        h = h * 31 + b.cell[i];
    }
    for (int i = 0; i < 9; i++)
        CHECK(b.row[i] == 0x3fe && b.column[i] == 0x3fe && b.box[i] == 0x3fe);
    read(&b, puzzle);
    set(&b, 2, 2 + zero);
    CHECK(solve(&b) == 0 && b.cell[2] == 2 && b.cell[3] == 0);
    CHECK(distance("kitten", &"sitting"[zero]) == 3);
    CHECK(distance("", &"abc"[zero]) == 3 && distance("abc", "") == 3);
    CHECK(distance("intention", &"execution"[zero]) == 5);
    printf("sudoku %08x %d\n", h, tries);
    return 0;
}
