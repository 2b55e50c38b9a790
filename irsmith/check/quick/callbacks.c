// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Callbacks with context pointers, tree visitors and generic containers:
// inliner, argpromotion, function attributes.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
void *malloc(__SIZE_TYPE__);
void free(void *);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef __SIZE_TYPE__ size;
typedef unsigned char u8;

static volatile int zero = 0;

typedef int visit(void *context, int key, int depth);

struct tree {
    struct tree *left, *right;
    int key;
};

static struct tree *insert(struct tree *t, int key)
{
    if (!t) {
        t = malloc(sizeof *t);
        t->left = t->right = 0;
        t->key = key;
    } else if (key < t->key) {
        t->left = insert(t->left, key);
    } else if (key > t->key) {
        t->right = insert(t->right, key);
    }
    return t;
}

static int walk(const struct tree *t, visit *f, void *context, int depth)
{
    int r;

    if (!t)
        return 0;
    if ((r = walk(t->left, f, context, depth + 1)) != 0)
        return r;
    if ((r = f(context, t->key, depth)) != 0)
        return r;
    return walk(t->right, f, context, depth + 1);
}

static void release(struct tree *t)
{
    if (t) {
        release(t->left);
        release(t->right);
        free(t);
    }
}

struct stats {
    int count, deepest, last, sorted;
};

static int collect(void *context, int key, int depth)
{
    struct stats *s = context;

    if (s->count++ && key <= s->last)
        s->sorted = 0;
    s->last = key;
    if (depth > s->deepest)
        s->deepest = depth;
    return 0;
}

/* A generic insertion sort with a comparison function. */
static void sort(void *base, size n, size width,
                 int (*less)(const void *, const void *))
{
    u8 *p = base, t;

    for (size i = 1; i < n; i++)
        for (size j = i; j > 0; j--) {
            u8 *a = p + (j - 1) * width, *b = a + width;

            if (!less(b, a))
                break;
            for (size k = 0; k < width; k++) {
                t = a[k];
                a[k] = b[k];
                b[k] = t;
            }
        }
}

static int int_less(const void *a, const void *b)
{
    return *(const int *)a < *(const int *)b;
}

static int double_more(const void *a, const void *b)
{
    return *(const double *)a > *(const double *)b;
}

int main(void)
{
    struct tree *t = 0;
    struct stats s = {0, 0, 0, 1};
    int v[9], i;
    double d[5] = {1.5, -2, 99, 0, 7};

    for (i = 0; i < 40; i++)
        t = insert(t, (i * 73 + zero) % 211);
    t = insert(t, 73);
    CHECK(walk(t, collect, &s, zero) == 0);
    CHECK(s.count == 40 && s.sorted == 1 && s.last == 210 && s.deepest < 40);
    release(t);
    for (i = 0; i < 9; i++)
        v[i] = (i * 5 + zero) % 9;
    sort(v, 9, sizeof v[0], int_less);
    for (i = 0; i < 9; i++)
        CHECK(v[i] == i);
    sort(d, 5 - (size)zero, sizeof d[0], double_more);
    printf("callbacks %d\n", s.deepest);
    return 0;
}
