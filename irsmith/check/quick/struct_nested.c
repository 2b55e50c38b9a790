// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nested structs and arrays in structs, partial copies, assignments between
// overlapping parts, compound literals: sroa slices, memcpyopt, dse, gvn.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;

struct vec { short x, y; };
struct box { struct vec low, high; };
struct item {
    u8 tag;
    union {
        struct vec v;
        int n;
    } u;
    struct box boxes[2];
};
struct world {
    struct item items[3];
    struct { int used, limit; } count;
};

static volatile int zero = 0;

static struct box bounds(const struct vec *v, int n)
{
    struct box b = {{32767, 32767}, {-32768, -32768}};

    for (int i = 0; i < n; i++) {
        if (v[i].x < b.low.x)
            b.low.x = v[i].x;
        if (v[i].y < b.low.y)
            b.low.y = v[i].y;
        if (v[i].x > b.high.x)
            b.high.x = v[i].x;
        if (v[i].y > b.high.y)
            b.high.y = v[i].y;
    }
    return b;
}

static int area(struct box b)
{
    return (b.high.x - b.low.x) * (b.high.y - b.low.y);
}

static struct item tagged(u8 tag, struct box b)
{
    struct item it = {.tag = tag, .boxes = {[1] = b}};

    it.u.v = it.boxes[1].high;
    it.boxes[0].low = it.boxes[1].low;
    it.boxes[0].high = (struct vec){(short)(b.low.x + 1), (short)(b.low.y + 1)};
    return it;
}

static void rotate(struct world *w)
{
    struct item first = w->items[0];

    w->items[0] = w->items[1];
    w->items[1] = w->items[2];
    w->items[2] = first;
    w->items[2].tag++;
}

/* Split into scalars, but for one slice that is taken as a whole. */
static int slices(int k)
{
    struct { struct box a; int mid; struct box b; } s, t;

    s.a = (struct box){{1, 2}, {3, 4}};
    s.mid = k;
    s.b = s.a;
    s.b.low.y = (short)k;
    t = s;
    s.a.high = t.b.low;
    t.b = s.a;
    t.a = t.b;
    t.a.low.x += s.a.high.y;
    return t.a.low.x * 1000 + t.b.high.y * 100 + t.b.high.x * 10 + s.b.high.x;
}

int main(void)
{
    static const struct vec points[] = {{3, -4}, {10, 2}, {-5, 7}, {0, 0}};
    struct world w = {.count = {3, 8}};
    struct box all = bounds(points, 4 - zero), some = bounds(points, 2 + zero);
    unsigned h = 0;

    CHECK(area(all) == 15 * 11 && area(some) == 7 * 6 && all.low.x == -5);
    w.items[0] = tagged((u8)(1 + zero), all);
    w.items[1] = tagged(2, some);
    CHECK(w.items[0].u.v.x == 10 && w.items[0].boxes[0].high.x == -4);
    CHECK(area(w.items[1].boxes[0]) == 1 && w.items[1].boxes[0].low.y == -4);
    for (int i = 0; i < 7; i++) {
        rotate(&w);
        h = h * 31 + w.items[0].tag + (unsigned)area(w.items[1].boxes[1]);
        h = h * 31 + (unsigned)w.items[2].u.n;
    }
    CHECK(w.items[0].tag + w.items[1].tag + w.items[2].tag == 3 + 7);
    CHECK(w.count.used == 3 && w.count.limit == 8);
    CHECK(slices(7 + zero) == 8000 + 700 + 10 + 3);
    w.items[1].u.v = (struct vec){-1, (short)zero};
    CHECK(w.items[1].u.n == 0xffff);
    w.items[1] = w.items[0];
    w.items[0].boxes[1].low.x = 99;
    CHECK(w.items[1].boxes[1].low.x != 99);
    printf("struct_nested %08x\n", h);
    return 0;
}
