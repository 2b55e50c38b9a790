// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Flexible array members, joined copies and lists threaded through members:
// GEP folding, alias analysis, object sizes.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
void *malloc(__SIZE_TYPE__);
void free(void *);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef __SIZE_TYPE__ size;

static volatile int zero = 0;

struct text {
    int length;
    u8 kind;
    char data[];
};

struct matrix {
    int rows, columns;
    double cell[];
};

struct link {
    struct link *next;
};

struct job {
    int id;
    char name[5];
    struct link link;
    long cost;
};

static struct text *make(const char *s, u8 kind)
{
    int n = 0;
    struct text *t;

    while (s[n])
        n++;
    t = malloc(sizeof *t + (size)n + 1);
    t->length = n;
    t->kind = kind;
    for (int i = 0; i <= n; i++)
        t->data[i] = s[i];
    return t;
}

static struct text *join(const struct text *a, const struct text *b)
{
    struct text *t = malloc(sizeof *t + (size)(a->length + b->length) + 1);

    t->length = 0;
    t->kind = (u8)(a->kind + b->kind);
    for (int i = 0; i < a->length; i++)
        t->data[t->length++] = a->data[i];
    for (int i = 0; i < b->length; i++)
        t->data[t->length++] = b->data[i];
    t->data[t->length] = 0;
    return t;
}

static struct matrix *identity(int n)
{
    struct matrix *m = malloc(sizeof *m + (size)(n * n) * sizeof m->cell[0]);

    m->rows = m->columns = n;
    for (int i = 0; i < n * n; i++)
        m->cell[i] = i % (n + 1) == 0;
    return m;
}

int main(void)
{
    struct text *a = make(&"flexible"[zero], 3), *b = make(" array", 4), *c;
    struct matrix *m = identity(4 + zero);
    struct job jobs[4];
    int sum = 0;

    c = join(a, b);
    CHECK(c->length == 14 && c->kind == 7 && c->data[8] == ' ');
    CHECK(c->data[13] == 'y' && c->data[14] == 0 && a->data[8] == 0);
    c->data[0] = 'F';
    CHECK(a->data[0] == 'f' && c->length == 14);
    for (int i = 0; i < c->length; i++)
        sum = sum * 3 % 10007 + c->data[i];
    CHECK(m->cell[1] == 0);
    m->cell[5] = 3 + zero;
    CHECK(m->rows == 4);
    m->columns = 0;
    for (int i = 0; i < 4; i++) {
        jobs[i].id = i;
        jobs[i].name[4] = (char)('a' + i);
        jobs[i].cost = 5 - i + zero;
        jobs[i].link.next = i < 3 ? &jobs[i + 1].link : 0;
    }
    jobs[3].link.next = &jobs[0].link;
    jobs[1].link.next = 0;
    jobs[0].name[4] = 'z';
    printf("flex_array %d %s\n", sum, c->data);
    free(a);
    free(b);
    free(c);
    free(m);
    return 0;
}
