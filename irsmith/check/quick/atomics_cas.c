// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compare-and-exchange in loops, of integers and of pointers; a lock free
// stack and counters built on it: atomic-expand, gvn, jump-threading.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

typedef unsigned char u8;
typedef unsigned u32;
typedef unsigned long long u64;

#define SEQ __ATOMIC_SEQ_CST
#define RLX __ATOMIC_RELAXED

struct node {
    struct node *next;
    int value;
};

static struct node *stack;
static volatile u32 zero = 0;

static void push(struct node *n)
{
    struct node *old = __atomic_load_n(&stack, RLX);

    do
        n->next = old;
    while (!__atomic_compare_exchange_n(&stack, &old, n, 1, SEQ, RLX));
}

static struct node *pop(void)
{
    struct node *old = __atomic_load_n(&stack, __ATOMIC_ACQUIRE);

    while (
        old
        && !__atomic_compare_exchange_n(&stack, &old, old->next, 0, SEQ, SEQ))
        ;
    return old;
}

/* Operations that have no instruction of their own. */
static u32 atomic_multiply(u32 *p, u32 by)
{
    u32 old = __atomic_load_n(p, RLX), tries = 0;

    while (!__atomic_compare_exchange_n(p, &old, old * by, 0, SEQ, RLX))
        tries++;
    return old + tries;
}

static u8 saturating_increment(u8 *p)
{
    u8 old = __atomic_load_n(p, RLX);

    while (old != 255
           && !__atomic_compare_exchange_n(p, &old, (u8)(old + 1), 1, SEQ, SEQ))
        ;
    return old;
}

int main(void)
{
    struct node n[6], *p, *other = &n[5];
    u32 m = 3 + zero;
    u8 s = (u8)(250 + zero);
    u64 cell = zero;
    int i, order = 0;

    for (i = 0; i < 6; i++) {
        n[i].value = i + 1;
        push(&n[i]);
    }
    p = pop();
    CHECK(p == &n[5] && p->value == 6);
    CHECK(pop() == &n[4]);
    push(p);
    while ((p = pop()) != 0)
        order = order * 10 + p->value;
    CHECK(order == 64321 && stack == 0 && pop() == 0);
    CHECK(!__atomic_compare_exchange_n(&stack, &other, &n[0], 0, SEQ, RLX));
    CHECK(other == 0 && stack == 0);
    for (i = 0; i < 5; i++)
        CHECK(atomic_multiply(&m, 7) == (i == 0 ? 3u : i == 1 ? 21u : m / 7));
    CHECK(m == 50421);
    for (i = 0; i < 9; i++)
        CHECK(saturating_increment(&s) == (i < 5 ? 250 + i : 255));
    printf("atomics_cas %u %llx\n", m, cell);
    return 0;
}
