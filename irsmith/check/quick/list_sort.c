// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Linked lists: building, reversing, merge sort, and removal through a
// pointer to the link: pointer phis, gvn-pre, licm, tailcallelim.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

struct node {
    struct node *next;
    int key, order;
};

static volatile int zero = 0;

static struct node *reverse(struct node *p)
{
    struct node *done = 0;

    while (p) {
        struct node *next = p->next;

        p->next = done;
        done = p;
        p = next;
    }
    return done;
}

static struct node *merge(struct node *a, struct node *b)
{
    struct node head, *tail = &head;

    while (a && b) {
        struct node **from = b->key < a->key ? &b : &a;

        tail->next = *from;
        tail = *from;
        *from = tail->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct node *sort(struct node *p)
{
    struct node *slow = p, *fast;

    if (!p || !p->next)
        return p;
    for (fast = p->next; fast && fast->next; fast = fast->next->next)
        slow = slow->next;
    fast = slow->next;
    slow->next = 0;
    return merge(sort(p), sort(fast));
}

/* Removes by a pointer to the link: no case for the first one. */
static int remove_all(struct node **link, int modulo)
{
    int n = 0;

    while (*link) {
        if ((*link)->key % modulo == 0) {
            *link = (*link)->next;
            n++;
        } else {
            link = &(*link)->next;
        }
    }
    return n;
}

static void insert_sorted(struct node **link, struct node *n)
{
    while (*link && (*link)->key < n->key)
        link = &(*link)->next;
    n->next = *link;
    *link = n;
}

static int length(const struct node *p)
{
    return p ? 1 + length(p->next) : 0;
}

int main(void)
{
    struct node n[50], *list = 0, *p, extra;
    unsigned h = 0;
    int i;

    for (i = 0; i < 50; i++) {
        n[i].key = (i * 31 + zero) % 17;
        n[i].order = i;
        n[i].next = list;
        list = &n[i];
    }
    CHECK(length(list) == 50 && list->order == 49);
    list = reverse(list);
    CHECK(list->order == 0 && length(list) == 50);
    list = sort(list);
    CHECK(length(list) == 50);
    for (p = list; p->next; p = p->next) {
        /* Sorted, and stable. */
        CHECK(p->key <= p->next->key);
        CHECK(p->key != p->next->key || p->order < p->next->order);
        h = h * 31 + (unsigned)p->order;
    }
    CHECK(remove_all(&list, 4 + zero) == 15 && length(list) == 35);
    CHECK(list->key == 1 && remove_all(&list, 100 + zero) == 0);
    extra.key = 4 + zero;
    insert_sorted(&list, &extra);
    CHECK(extra.next->key == 5 && length(list) == 36);
    CHECK(remove_all(&list, 1) == 36 && list == 0 && sort(list) == 0);
    insert_sorted(&list, &extra);
    printf("list_sort %08x\n", h);
    return 0;
}
