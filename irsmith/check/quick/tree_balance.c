// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A balanced (AA) tree with deletion, kept in an array by indices, with shared
// sentinel 0: recursion and dependent loads and stores for gvn, dse, licm.

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

struct node {
    u8 left, right, level;
    int key;
};

static struct node tree[64];
static int used;
static volatile int zero = 0;

static u8 skew(u8 t)
{
    u8 l = tree[t].left;

    if (t && tree[l].level == tree[t].level) {
        tree[t].left = tree[l].right;
        tree[l].right = t;
        return l;
    }
    return t;
}

static u8 split(u8 t)
{
    u8 r = tree[t].right;

    if (t && tree[tree[r].right].level == tree[t].level && r) {
        tree[t].right = tree[r].left;
        tree[r].left = t;
        tree[r].level++;
        return r;
    }
    return t;
}

static u8 insert(u8 t, int key)
{
    if (!t) {
        t = (u8)++used;
        tree[t].key = key;
        tree[t].level = 1;
        tree[t].left = tree[t].right = 0;
        return t;
    }
    if (key < tree[t].key)
        tree[t].left = insert(tree[t].left, key);
    else if (key > tree[t].key)
        tree[t].right = insert(tree[t].right, key);
    return split(skew(t));
}

static u8 erase(u8 t, int key)
{
    u8 lowest;

    if (!t)
        return 0;
    if (key < tree[t].key) {
        tree[t].left = erase(tree[t].left, key);
    } else if (key > tree[t].key) {
        tree[t].right = erase(tree[t].right, key);
    } else if (!tree[t].left) {
        return tree[t].right;
    } else {
        u8 p = tree[t].left;

        while (tree[p].right)
            p = tree[p].right;
        tree[t].key = tree[p].key;
        tree[t].left = erase(tree[t].left, tree[p].key);
    }
    lowest = tree[tree[t].left].level;
    if (tree[tree[t].right].level < lowest)
        lowest = tree[tree[t].right].level;
    if (lowest + 1 < tree[t].level) {
        tree[t].level = (u8)(lowest + 1);
        if (tree[tree[t].right].level > tree[t].level)
            tree[tree[t].right].level = tree[t].level;
    }
    t = skew(t);
    tree[t].right = skew(tree[t].right);
    tree[tree[t].right].right = skew(tree[tree[t].right].right);
    t = split(t);
    tree[t].right = split(tree[t].right);
    return t;
}

/* Checks order and levels; gives the number of keys. */
static int verify(u8 t, int low, int high)
{
    int n;

    if (!t)
        return 0;
    CHECK(tree[t].key > low && tree[t].key < high);
    CHECK(tree[tree[t].left].level + 1 == tree[t].level);
    n = tree[t].level - tree[tree[t].right].level;
    CHECK(n == 0 || n == 1);
    CHECK(tree[tree[tree[t].right].right].level < tree[t].level);
    n = verify(tree[t].left, low, tree[t].key);
    return n + 1 + verify(tree[t].right, tree[t].key, high);
}

int main(void)
{
    u8 root = 0;
    int i, n = 0, deep = 0;
    unsigned h = 0;

    for (i = 0; i < 40; i++) {
        root = insert(root, (i * 17 + zero) % 41);
        CHECK(tree[0].level == 0 && tree[0].left == 0 && tree[0].right == 0);
    }
    CHECK(verify(root, -1, 41) == 40 && used == 40);
    root = insert(root, 7 + zero);
    CHECK(used == 40);
    deep = tree[root].level;
    CHECK(deep >= 4 && deep <= 6);
    for (i = 0; i < 41; i += 3) {
        int before = verify(root, -1, 41);

        root = erase(root, (i + zero) % 41);
        tree[0].level = tree[0].left = tree[0].right = 0;
        n = verify(root, -1, 41);
        CHECK(n == before - (i != 24));
        h = h * 31 + (unsigned)tree[root].key + tree[root].level;
    }
    CHECK(n == 27 && erase(0, 5) == 0);
    printf("tree_balance %08x %d\n", h, deep);
    return 0;
}
