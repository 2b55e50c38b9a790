"""Functions of two optimised modules that are the same IR; no changed one may pass for one."""

import random
import re
from pathlib import Path

import pytest

from irsmith.check.differential.mutate import mutants
from irsmith.records import Candidate
from irsmith.search.evaluate import Evaluator
from irsmith.toolchain.alike import Alike, alike, outline
from irsmith.toolchain.clang import to_bitcode
from irsmith.toolchain.compile import Job

TRIPLE = "x86_64-unknown-linux-gnu"
EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCE = b"""
static const int table[4] = {3, 11, 7, 29};
int limit = 100;
__attribute__((noinline)) static int pick(int x) { return table[x & 3] * 5; }
int twice(int x) { return pick(x) + pick(x + 1); }
int other(const char *s) { int n = 0; while (*s) n = n * 31 + *s++; return n; }
const char *text(int x) { return x > limit ? "#1 \\"a, !dbg !2\\" !3" : "#2"; }
"""


@pytest.fixture(scope="module")
def evaluator(toolchain):
    with Evaluator(toolchain, TRIPLE) as made:
        yield made


@pytest.fixture(scope="module")
def text(toolchain, evaluator):
    bitcode = to_bitcode(toolchain, SOURCE, "c", TRIPLE)
    job = Job(bitcode, TRIPLE, Candidate("default<Oz>"), output="ir")
    return evaluator.compile(job).output.decode()


def compare(first, second):
    return alike(outline(first), outline(second))


EVERY = frozenset({"pick", "twice", "other", "text"})


def test_a_module_is_like_itself(text):
    assert compare(text, text) == Alike(EVERY, whole=True)


CHANGES = {
    "a constant": (r", 31\b", ", 33", EVERY - {"other"}),
    "what a function calls": (r", 5\n", ", 6\n", EVERY - {"pick", "twice"}),
    "its data": ("i32 11", "i32 12", EVERY - {"pick", "twice"}),
    "a variable that others see": ("global i32 100", "global i32 101", EVERY - {"text"}),
    "a number in a string": ("#1 ", "#0 ", EVERY - {"text"}),
    "what looks like debug information in a string": ("!dbg !2", "!dbg !1", EVERY - {"text"}),
    "what looks like metadata in a string": (r" !3\\00", r" !4\\00", EVERY - {"text"}),
    "an attribute of one call": (r"call (?!void)(.*?)\) #\d+", r"call \1)", None),
    "the target": ("target triple = .*", 'target triple = "x86_64-apple-macosx"', frozenset()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_is_seen_and_all_that_refers_to_it(text, change):
    pattern, other, left = CHANGES[change]
    changed, count = re.subn(pattern, other, text, count=1)
    if not count:
        assert change == "an attribute of one call"  # none had any
        return
    found = compare(text, changed)
    assert not found.whole
    if left is not None:
        assert found.functions == left
    assert compare(changed, text) == found


def test_numbers_mean_nothing(text):
    """Attribute groups and metadata are numbered as they come."""
    groups = len(re.findall("(?m)^attributes #", text))
    moved = re.sub(r'("[^"]*")|#(\d+)', lambda m: m[1] or f"#{groups - int(m[2])}", text)
    moved = re.sub(r'("[^"]*")|!(\d+)', lambda m: m[1] or f"!{int(m[2]) + 7}", moved)
    assert moved != text
    assert compare(text, moved) == Alike(EVERY, whole=True)


def test_a_frame_pointer_is_no_difference(text):
    other = text.replace('"frame-pointer"="all"', '"frame-pointer"="none"')
    added = re.sub(r"(?m)^(attributes #\d+ = \{)", r'\1 "frame-pointer"="all"', other)
    assert compare(other, added).whole
    assert not compare(text, text.replace(" minsize", "")).whole


TWO_SCOPES = """
define void @copy(ptr %0, ptr %1) {
  %3 = load i32, ptr %0, align 4, !alias.scope !0
  store i32 %3, ptr %1, align 4, !noalias !0
  ret void
}
!0 = !{!1}
!1 = distinct !{!1, !2}
!2 = distinct !{!2}
!3 = !{!4}
!4 = distinct !{!4, !2}
"""


def test_which_scopes_are_the_same_one_counts():
    other = TWO_SCOPES.replace("!noalias !0", "!noalias !3")
    assert compare(TWO_SCOPES, TWO_SCOPES).whole
    assert not compare(TWO_SCOPES, other).functions


def test_metadata_in_circles_is_not_called_equal():
    circles = TWO_SCOPES.replace("!2 = distinct !{!2}", "!2 = distinct !{!4}")
    assert not compare(circles, circles).functions


def test_data_alone_and_nothing_at_all():
    data = "@a = global i32 1\n"
    assert compare(data, data) == Alike(frozenset(), whole=True)
    assert not compare(data, data.replace("1", "2")).whole
    assert not compare(data, "@a = external global i32\n").whole
    assert not compare("declare void @f()\n", "declare void @f()\n").whole


@pytest.mark.parametrize("source", ["lz/lz.c", "json/json.c", "regex/machine.c", "sha256/hmac.c"])
def test_clang_s_own_levels_and_no_planted_fault(toolchain, evaluator, source):
    """-O2 of functions that are to be small is what -Oz gives; a fault in it is always seen."""
    path = EXAMPLES / source
    flags = (f"-I{path.parent}", "-g")
    bitcode = to_bitcode(toolchain, path.read_bytes(), "c", TRIPLE, flags)
    plain, level = (
        evaluator.compile(Job(bitcode, TRIPLE, candidate, output="bitcode")).output
        for candidate in (evaluator.baseline_candidate, Candidate("default<O2>"))
    )
    assert evaluator.alike(plain, level).whole
    job = Job(bitcode, TRIPLE, Candidate("default<O2>"), output="ir")
    text = evaluator.compile(job).output.decode()
    whole = outline(text)
    planted = list(mutants(text, 100, random.Random(0)))
    assert len(planted) > 30
    for mutant in planted:
        seen = alike(whole, outline(mutant.text))
        assert mutant.function not in seen.functions and not seen.whole, mutant.line


def test_what_cannot_be_read_is_not_alike(evaluator, text):
    assert evaluator.alike(text.encode(), b"BC\xc0\xdebroken") == Alike()
