// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structs of 3 to 40 bytes passed and returned by value, in registers and in
// memory, of mixed classes: argpromotion, sroa, deadargelim, memcpyopt (sret).

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;

struct s3 { u8 a[3]; };
struct s8 { int a, b; };
struct s12 { int a, b, c; };
struct s16 { long a; double b; };
struct f2 { float x, y; };
struct s40 { int id; short list[14]; long tail; };

static volatile int zero = 0;

static __attribute__((noinline)) struct s3 roll3(struct s3 s)
{
    struct s3 r = {{s.a[2], s.a[0], s.a[1]}};

    return r;
}

static __attribute__((noinline)) struct s8 swap8(struct s8 s, int plus)
{
    struct s8 r;

    r.a = s.b + plus;
    r.b = s.a - plus;
    return r;
}

static __attribute__((noinline)) struct s12 add12(struct s12 p, struct s12 q)
{
    p.a += q.a;
    p.b -= q.b;
    p.c *= q.c;
    return p;
}

static __attribute__((noinline)) struct s16 mix16(int k, struct s16 s, u8 c)
{
    s.a = s.a * k + c;
    s.b = s.b / 2 + (double)s.a;
    return s;
}

static __attribute__((noinline)) struct f2 turn(struct f2 v)
{
    struct f2 r = {-v.y, v.x};

    return r;
}

static __attribute__((noinline)) struct s40 make40(int id)
{
    struct s40 s;

    s.id = id;
    for (int i = 0; i < 14; i++)
        s.list[i] = (short)(id * i);
    s.tail = -id;
    return s;
}

/* The callee's changes to its copy must not be seen by the caller. */
static __attribute__((noinline)) long scribble(struct s40 s)
{
    long r = 0;

    for (int i = 0; i < 14; i++) {
        r += s.list[i];
        s.list[i] = -1;
    }
    s.tail += r;
    s.id = 0;
    return s.tail;
}

/* Result and argument are the same variable. */
static __attribute__((noinline)) struct s40 reversed(const struct s40 *s)
{
    struct s40 r;

    for (int i = 0; i < 14; i++)
        r.list[i] = s->list[13 - i];
    r.id = s->id + 1;
    r.tail = s->tail * 2;
    return r;
}

/* More arguments than registers, structs among them. */
static __attribute__((noinline)) long many(struct s8 a, int b, struct s12 c,
                                           double d, struct s3 e, struct s16 f,
                                           struct s40 g, struct f2 h, int i)
{
    return a.a + 2 * a.b + 3 * b + 4 * c.c + (long)d + 6 * e.a[2]
           + 7 * f.a + (long)(f.b * 8) + 9 * g.list[13] + (long)h.y + 11 * i;
}

int main(void)
{
    struct s3 b = {{1, 2, (u8)(3 + zero)}};
    struct s8 c = {10, 20 + zero};
    struct s12 d = {1, 2, 3 + zero}, e = {10, 20, 30};
    struct s16 f = {5 + zero, 0.5};
    struct f2 g = {1.5f, -2.0f + (float)zero};
    struct s40 big = make40(3 + zero), copy = big;
    long total;

    b = roll3(roll3(b));
    CHECK(b.a[0] == 2 && b.a[1] == 3 && b.a[2] == 1);
    c = swap8(swap8(c, 1), 5);
    CHECK(c.a == 14 && c.b == 16);
    d = add12(add12(d, e), d);
    CHECK(d.a == 12 && d.b == -20 && d.c == 270);
    f = mix16(3, mix16(-2, f, 200), 7);
    CHECK(f.a == 577 && f.b == 672.125);
    g = turn(turn(turn(g)));
    CHECK(g.x == -2.0f && g.y == -1.5f);
    CHECK(scribble(big) == 3 * 91 - 3 && scribble(big) == 270 && big.id == 3);
    big = reversed(&big);
    big = reversed(&big);
    CHECK(big.id == 5 && big.tail == -12 && big.list[13] == 39);
    CHECK(copy.tail == -3 && make40(7).list[2 + zero] == 14);
    total = many(c, 4, d, 2.5, b, f, big, g, 9 + zero);
    CHECK(total == 14 + 32 + 12 + 1080 + 2 + 6 + 4039 + 5377 + 351 - 1 + 99);
    printf("struct_value %ld\n", total);
    return 0;
}
