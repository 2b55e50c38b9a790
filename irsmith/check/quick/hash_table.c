// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An open-addressing hash table with deletion and growth on malloc, realloc
// and free, and interned strings: alias analysis of the heap, licm, gvn.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);
void *malloc(__SIZE_TYPE__);
void *calloc(__SIZE_TYPE__, __SIZE_TYPE__);
void *realloc(void *, __SIZE_TYPE__);
void free(void *);

#define CHECK(x)                                                               \
    do {                                                                       \
        if (!(x)) {                                                            \
            printf("line %d\n", __LINE__);                                     \
            abort();                                                           \
        }                                                                      \
    } while (0)

typedef unsigned u32;

struct slot {
    const char *key;
    int value;
};

struct table {
    struct slot *slots;
    u32 size, used;
};

static volatile u32 zero = 0;
static const char tombstone[] = "";

static u32 hash(const char *s)
{
    u32 h = 5381;

    while (*s)
        h = h * 33 ^ (unsigned char)*s++;
    return h;
}

static int equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static struct slot *locate(const struct table *t, const char *key)
{
    struct slot *grave = 0;

    for (u32 i = hash(key) & (t->size - 1);; i = (i + 1) & (t->size - 1)) {
        struct slot *s = &t->slots[i];

        if (!s->key)
            return grave ? grave : s;
        if (s->key == tombstone) {
            if (!grave)
                grave = s;
        } else if (equal(s->key, key)) {
            return s;
        }
    }
}

static void put(struct table *t, const char *key, int value)
{
    struct slot *s;

    if ((t->used + 1) * 4 > t->size * 3) {
        struct table bigger = {0, t->size * 2, 0};

        bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
        for (u32 i = 0; i < t->size; i++)
            if (t->slots[i].key && t->slots[i].key != tombstone) {
                *locate(&bigger, t->slots[i].key) = t->slots[i];
                bigger.used++;
            }
        free(t->slots);
        *t = bigger;
    }
    s = locate(t, key);
    if (!s->key || s->key == tombstone) {
        t->used += !s->key;
        s->key = key;
    }
    s->value = value;
}

static int get(const struct table *t, const char *key)
{
    struct slot *s = locate(t, key);

    return s->key && s->key != tombstone ? s->value : -1;
}

static int drop(struct table *t, const char *key)
{
    struct slot *s = locate(t, key);

    if (!s->key || s->key == tombstone)
        return 0;
    s->key = tombstone;
    return 1;
}

/* Text that grows by realloc; keys are offsets into it until the end. */
static char *names(u32 count, u32 *offsets)
{
    char *text = 0;
    u32 used = 0, room = 0;

    for (u32 i = 0; i < count; i++) {
        offsets[i] = used;
        for (u32 v = i * 7919 + zero + 1; v; v /= 26) {
            if (used + 2 > room)
                text = realloc(text, room = room * 2 + 8);
            text[used++] = (char)('a' + v % 26);
        }
        text[used++] = 0;
    }
    return text;
}

int main(void)
{
    struct table t = {0, 4, 0};
    u32 offsets[60], sum = 0;
    char *text = names(60, offsets);

    t.slots = calloc(t.size, sizeof *t.slots);
    for (u32 i = 0; i < 60; i++)
        put(&t, text + offsets[i], (int)i);
    CHECK(t.used == 60 && t.size == 128);
    for (u32 i = 0; i < 60; i++)
        CHECK(get(&t, text + offsets[i]) == (int)i);
    CHECK(get(&t, "nothing") == -1 && drop(&t, "nothing") == 0);
    for (u32 i = 0; i < 60; i += 3)
        CHECK(drop(&t, text + offsets[i + zero]) == 1);
    for (u32 i = 0; i < 60; i++)
        CHECK(get(&t, text + offsets[i]) == (i % 3 ? (int)i : -1));
    for (u32 i = 0; i < 60; i += 2)
        put(&t, text + offsets[i], (int)(i * 100 + zero));
    for (u32 i = 0; i < 60; i++)
        sum = sum * 31 + (u32)get(&t, text + offsets[i]);
    CHECK(get(&t, text + offsets[9]) == -1
          && get(&t, text + offsets[6]) == 600);
    free(t.slots);
    free(text);
    printf("hash_table %08x\n", sum);
    return 0;
}
