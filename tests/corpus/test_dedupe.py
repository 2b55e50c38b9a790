"""Duplicates are found whatever things are called, and near ones whatever else is there."""

import random

import pytest

from irsmith.corpus.cut import cut_each
from irsmith.corpus.dedupe import (
    PERMUTATIONS,
    cross_split,
    exact_key,
    near_pairs,
    renamed,
    representatives,
    signature,
)
from irsmith.corpus.function_facts import function_facts
from irsmith.corpus.normalise import ir_text
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode
from irsmith.toolchain.llvm import load

np = pytest.importorskip("numpy")
pytest.importorskip("rensa")
TRIPLE = DEFAULT_TARGETS["X86"]
LIBRARY = b"""
int printf(const char *, ...); int puts(const char *);
struct pair { int a, b; };
static int unused_before(int x) { return puts("other") + x; }
%s int report(struct pair *p, int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) {
        if (p[i].a > p[i].b) sum += p[i].a * 3; else sum -= p[i].b;
        printf("%%d of %%d\\n", i, sum);
    }
    if (sum < 0) { puts("negative"); return -1; }
    if (sum > 10000) { puts("too large"); return 10000; }
    return sum / 7 + %s;
}
int first(struct pair *p) { return unused_before(report(p, 2)); }
"""


@pytest.fixture(scope="module")
def texts(toolchain):
    """Normalised texts of the functions of a C source, by name."""
    library = toolchain.library("X86").path

    def prepare(_):
        llvm = load(library)

        def handle(bitcode):
            with llvm.context() as context:
                return {n: ir_text(m)[1] for n, _, m in cut_each(context.parse(bitcode))}

        return handle

    with Worker(prepare) as worker:
        yield lambda source: worker.call(to_bitcode(toolchain, source, "c", TRIPLE, ["-w"])).value


def test_names_do_not_hide_a_copy(texts):
    one = texts(LIBRARY % (b"", b"1"))["report"]
    copy = LIBRARY.replace(b"report", b"summary").replace(b"pair", b"couple")
    other = texts(copy.replace(b'puts("other")', b'puts("more") * puts("yet")') % (b"static", b"1"))
    assert other["summary"] != one and exact_key(other["summary"]) == exact_key(one)
    assert signature(other["summary"]) == signature(one)
    changed = texts(LIBRARY % (b"", b"2"))["report"]
    assert exact_key(changed) != exact_key(one)
    # what is called carries meaning
    called = texts((LIBRARY % (b"", b"1")).replace(b"puts(", b"perror("))["report"]
    assert exact_key(called) != exact_key(one)
    pairs = near_pairs([signature(t) for t in (one, changed, other["first"])])
    assert pairs.tolist() == [[0, 1]]


def test_renaming_follows_use_and_leaves_strings_alone():
    text = """%struct.b = type { i8 }
%struct.a = type { ptr, %struct.b }
@z = private unnamed_addr constant [9 x i8] c"@y %x $z\\00"
@y = internal constant ptr @z
@x = dso_local global i32 3
declare void @callee(ptr)
define dso_local void @"odd name"() {
call void @callee(ptr @y)
%1 = getelementptr %struct.a, ptr @"odd name", i32 1
ret void
}
"""
    assert renamed(text) == (
        "define void @<0>() {\ncall void @callee(ptr @<1>)\n"
        "%1 = getelementptr %<2>, ptr @<0>, i32 1\nret void\n}\n"
        "@<1> = constant ptr @<3>\n%<2> = type { ptr, %<4> }\n"
        '@<3> = unnamed_addr constant [9 x i8] c"@y %x $z\\00"\n%<4> = type { i8 }\n'
        "@<5> = global i32 3"
    )


def _rows(seed, count):
    """Random signatures, some of them with 5 to 40 of their hashes changed."""
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        row = bytearray(rng.randbytes(PERMUTATIONS))
        if rows and rng.random() < 0.6:
            row = bytearray(rng.choice(rows))
            for at in rng.sample(range(PERMUTATIONS), rng.choice([0, 5, 12, 18, 40])):
                row[at] = rng.randrange(256)
        rows.append(bytes(row))
    return rows


def test_near_pairs_are_those_that_comparing_all_finds():
    rows = _rows(1, 300)
    found = {tuple(pair) for pair in near_pairs(rows).tolist()}
    first = {row: rows.index(row) for row in rows}
    matrix = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)
    expected = set()
    for low in range(len(rows)):
        for high in range(low + 1, len(rows)):
            if rows[low] == rows[high]:
                if first[rows[low]] == low:
                    expected.add((low, high))
            elif (
                first[rows[low]] == low
                and first[rows[high]] == high
                and (matrix[low] == matrix[high]).sum() >= 96
            ):
                expected.add((low, high))
    # 3 in 1,000 pairs at the threshold share no band
    assert found <= expected and len(found) >= 0.99 * len(expected) > 100
    assert near_pairs([]).tolist() == [] and near_pairs(rows[:1]).tolist() == []


def test_one_row_stands_for_those_near_it():
    base, far = bytes(PERMUTATIONS), bytes([9]) * PERMUTATIONS
    near = bytes([1] * 12) + base[12:]
    chained = near[:100] + bytes([1] * 20)
    rows = [base, near, far, chained, base]
    pairs = near_pairs(rows)
    assert pairs.tolist() == [[0, 1], [0, 4], [1, 3]]
    assert representatives(len(rows), pairs) == [0, 0, 2, 3, 0]


def test_rows_leave_for_the_split_that_is_measured():
    base, far = bytes(PERMUTATIONS), bytes([9]) * PERMUTATIONS
    near = bytes([1] * 12) + base[12:]
    splits = ["train", "test", "validation", "train", "train", "validation", "train"]
    rows = [base, near, base, far, bytes([7]) * PERMUTATIONS, far, bytes([8]) * PERMUTATIONS]
    keys = ["a", "b", "c", "d", "e", "f", "b"]
    leaves = cross_split(splits, keys, rows)
    assert leaves == {0: 2, 2: 1, 3: 5, 6: 1}
    # once they are gone, nothing is left to find
    kept = [k for k in range(len(rows)) if k not in leaves]
    assert not cross_split(*([x[k] for k in kept] for x in (splits, keys, rows)))
    everything = _rows(3, 400)
    rng = random.Random(4)
    splits = [rng.choice(["train", "train", "validation", "test"]) for _ in everything]
    keys = [str(k) for k in range(len(everything))]
    leaves = cross_split(splits, keys, everything)
    kept = [k for k in range(len(everything)) if k not in leaves]
    assert 50 < len(leaves) < 350
    assert not cross_split(*([x[k] for k in kept] for x in (splits, keys, everything)))
    assert all(splits[k] != "test" for k in leaves)


def test_facts_of_functions_are_those_of_their_texts(toolchain, texts):
    source = LIBRARY % (b"", b"1")
    unit = to_bitcode(toolchain, source, "c", TRIPLE, ["-w"])
    with Worker(function_facts(toolchain.library("X86").path)) as worker:
        facts = worker.call(unit).value
    expected = texts(source)
    assert [f.name for f in facts] == list(expected)
    for one in facts:
        text = expected[one.name]
        assert (one.characters, one.failure) == (len(text), "") and one.instructions > 3
        assert (one.key, one.signature) == (exact_key(text), signature(text))
