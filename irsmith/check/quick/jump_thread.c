// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Branches whose outcome an earlier branch has fixed, on some paths only, with
// phis in between: jump-threading, correlated-propagation, gvn, simplifycfg.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned u32;

static volatile int zero = 0;
static int trace[64], traced;

static __attribute__((noinline)) void mark(int what)
{
    trace[traced++ & 63] = what;
}

static int threaded(int a, int b)
{
    int state, r = 0;

    if (a > 3)
        state = 1;
    else if (b > 3)
        state = 2;
    else
        state = 0;
    mark(state);
    if (state == 1)
        r += 10;
    if (state == 2) {
        r += 20;
        state = 0;
    }
    if (!state)
        r += a;
    else
        r += b;
    return state ? r * 2 : r;
}

static int correlated(int x)
{
    int r = 0;

    if (x == 7)
        r = x * 3;
    if (x > 5)
        r += x != 7 ? 100 : 200;
    if (x > 5 && x < 8) {
        switch (x) {
        case 5: r += 1000; break;
        case 6: r += 2000; break;
        case 7: r += 3000; break;
        case 8: r += 4000; break;
        }
    }
    return r;
}

/* Two loops glued by a flag that picks the entry. */
static u32 resumable(u32 *place, u32 *value, u32 fuel)
{
    u32 v = *value;

    while (fuel--) {
        if (*place == 0) {
            v += 3;
            if (v % 4 == 0)
                *place = 1;
        } else if (*place == 1) {
            v = v * 5 % 1009;
            *place = v & 1 ? 2 : 0;
        } else {
            v ^= 9;
            *place = 0;
        }
        mark((int)*place);
    }
    *value = v;
    return *place * 10000 + v;
}

int main(void)
{
    int h = 0;
    u32 place = 0, value = 1, whole, p2 = 0, v2 = 1, piece = 0;

    CHECK(threaded(5 + zero, 1) == 22 && threaded(1 + zero, 9) == 21);
    CHECK(threaded(2 + zero, 2) == 2 && threaded(-1, zero) == -1);
    CHECK(traced == 4 && trace[0] == 1 && trace[1] == 2 && trace[3] == 0);
    CHECK(correlated(7 + zero) == 3221 && correlated(6 + zero) == 2100);
    CHECK(correlated(8 + zero) == 100 && correlated(5 + zero) == 0);
    traced = 0;
    whole = resumable(&place, &value, 40 + (u32)zero);
    traced = 0;
    for (u32 i = 0; i < 8; i++)
        piece = resumable(&p2, &v2, 5 + (u32)zero);
    CHECK(piece == whole && p2 == place && v2 == value);
    for (int i = 39; i >= 0; i--)
        h = h * 3 % 100003 + trace[i];
    printf("jump_thread %d %u\n", h, whole);
    return 0;
}
