// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// malloc, calloc, realloc and free in patterns that passes know: growth,
// pools and free lists: dse, instcombine, gvn.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
void *malloc(__SIZE_TYPE__);
void *calloc(__SIZE_TYPE__, __SIZE_TYPE__);
void *realloc(void *, __SIZE_TYPE__);
void free(void *);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef __SIZE_TYPE__ size;

static volatile unsigned zero = 0;

struct vector {
    int *v;
    size used, room;
};

static void push(struct vector *a, int x)
{
    if (a->used == a->room) {
        a->room = a->room ? a->room * 2 : 1;
        a->v = realloc(a->v, a->room * sizeof *a->v);
    }
    a->v[a->used++] = x;
}

/* A pool with a free list through its own cells. */
union cell {
    union cell *next;
    struct { short a, b; int c; } data;
};

struct pool {
    union cell *cells, *free;
    size next, count;
};

static union cell *take(struct pool *p)
{
    union cell *c = p->free;

    if (c)
        p->free = c->next;
    else if (p->next < p->count)
        c = &p->cells[p->next++];
    return c;
}

static void give(struct pool *p, union cell *c)
{
    c->next = p->free;
    p->free = c;
}

int main(void)
{
    struct vector v = {0, 0, 0};
    struct pool p = {0, 0, 0, 5};
    union cell *c[6];
    int sum = 0;

    for (unsigned i = 0; i < 100; i++)
        push(&v, (int)(i * i + zero));
    CHECK(v.used == 100 && v.room == 128 && v.v[99] == 9801);
    for (size i = 0; i < v.used; i++)
        sum = (sum * 3 + v.v[i]) % 1000003;
    while (v.used > 10)
        v.used--;
    push(&v, -1);
    CHECK(v.v[10] == -1 && v.v[11] == 121 && v.v[9] == 81);
    free(v.v);
    p.cells = calloc(p.count, sizeof *p.cells);
    for (int i = 0; i < 5; i++) {
        c[i] = take(&p);
        CHECK(c[i] == &p.cells[i] && c[i]->data.c == 0);
        c[i]->data.a = (short)i;
        c[i]->data.b = (short)(i * 2);
        c[i]->data.c = i * 1000 + (int)zero;
    }
    CHECK(take(&p) == 0);
    give(&p, c[1]);
    give(&p, c[3]);
    CHECK(take(&p) == c[3] && p.free == c[1]);
    CHECK(take(&p) == c[1] && take(&p) == 0 && p.free == 0);
    c[1]->data.a = 11;
    c[3]->data.a = 33;
    for (int i = 0; i < 5; i++)
        sum += c[i]->data.a;
    CHECK(c[2]->data.b == 4 && c[4]->data.c == 4000);
    free(p.cells);
    printf("heap_realloc %d\n", sum);
    return 0;
}
