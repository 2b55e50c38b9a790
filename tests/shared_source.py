"""A small C source that several tests compile."""

SOURCE = """
struct node { int key; struct node *next; };
static int classify(int x) {
    switch (x) {
    case 0: return 7; case 1: return 9; case 2: return 12; case 3: return 5;
    case 9: return 1; case 40: return 3; default: return x * 3;
    }
}
int sum(const int *a, int n) {
    int s = 0;
    for (int i = 0; i < n; i++) s += classify(a[i]) + (a[i] > 4 ? a[i] * 2 : a[i] + 1);
    return s;
}
struct node *insert(struct node *list, struct node *made) {
    struct node **at = &list;
    while (*at && (*at)->key < made->key) at = &(*at)->next;
    made->next = *at;
    *at = made;
    return list;
}
unsigned hash(const char *text) {
    unsigned h = 2166136261u;
    while (*text) h = (h ^ (unsigned char)*text++) * 16777619u;
    return h;
}
"""
