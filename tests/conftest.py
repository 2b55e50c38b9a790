"""What tests share: the toolchain, a cache of their own, small sources."""

import pytest
from hypothesis import settings

from irsmith.toolchain.find import find_toolchain

# A busy machine is no reason to fail.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

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


@pytest.fixture(scope="session")
def toolchain():
    return find_toolchain()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Nothing that was kept on this machine may make a test pass."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRSMITH_CACHE", str(folder))
        yield folder


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "sample.c"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="session")
def bitcode(toolchain):
    from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

    return to_bitcode(toolchain, SOURCE.encode(), "c", DEFAULT_TARGETS["X86"])
