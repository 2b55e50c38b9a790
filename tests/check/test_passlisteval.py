"""PassListEval accepts what is good and refuses what is planted: lists and modules."""

import json
import re
from pathlib import Path

import pytest

from irsmith.check import passlisteval
from irsmith.check.passlisteval import ListVerdict, PassListEval
from irsmith.check.suite import LEVELS, Program, Suite, load_suite, save
from irsmith.check.suites import get_suite
from irsmith.passlist import PassList
from irsmith.records import Candidate, IrsmithError
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.codegen import OPTIONS, one_value
from irsmith.toolchain.compile import Job, compiler
from irsmith.toolchain.llvm import load

TRIPLE = DEFAULT_TARGETS["X86"]
PLANTED_LISTS = json.loads((Path(__file__).parent / "planted_lists.json").read_text())


@pytest.fixture(scope="module")
def suite(toolchain):
    return get_suite("quick", toolchain, TRIPLE)


@pytest.fixture(scope="module")
def judge(toolchain, suite):
    with PassListEval(toolchain, suite, jobs=2, cached=False, stop_after=2) as judge:
        yield judge


def test_the_suite_is_large_and_both_languages(suite):
    assert len(suite.programs) >= 60
    sources = {path.name for path in (Path(passlisteval.__file__).parent / "quick").iterdir()}
    names = {program.name.removeprefix("quick-") for program in suite.programs}
    assert sum(f"{name}.cpp" in sources for name in names) >= 10
    assert len(suite.dropped) <= 3, suite.dropped
    # A list costs 2 s at most; what a program costs goes with its size.
    assert sum(len(program.bitcode) for program in suite.programs) < 750_000


@pytest.mark.parametrize("passes", ["", *LEVELS])
def test_the_levels_pass(judge, passes):
    verdict = judge.judge(Candidate(passes))
    assert verdict.state == "passed", verdict.failures
    assert verdict.programs == len(judge.suite.programs)


@pytest.mark.parametrize("order", [1, -1])
def test_all_code_generation_options_pass(judge, order):
    """All at once; where an option has several values, the last and then the first."""
    verdict = judge.judge(Candidate("default<Oz>", one_value(o.text for o in OPTIONS[::order])))
    assert verdict.state == "passed", verdict.failures


@pytest.mark.parametrize("passes", PLANTED_LISTS, ids=range(len(PLANTED_LISTS)))
def test_planted_bad_lists_are_caught(judge, passes):
    verdict = judge.judge(Candidate(passes))
    assert verdict.state == "failed"
    assert all(failure.what for failure in verdict.failures)


def test_there_are_enough_planted_lists():
    assert len(set(PLANTED_LISTS)) >= 20


def test_the_smallest_list_is_found_and_still_fails(toolchain, suite):
    bad = "globalopt,function(sroa,gvn),structurizecfg,function(adce),default<Oz>"
    one = [p for p in suite.programs if p.name == "quick-switch_dense"]
    with PassListEval(toolchain, Suite.of("one", TRIPLE, one), cached=False) as judge:
        verdict = judge.judge(Candidate(bad), reduce=True)
        assert verdict.smallest == "structurizecfg"
        assert judge.judge(Candidate(verdict.smallest)).state == "failed"


# Miscompiled modules: each rewrites one instruction of a program's IR, as a wrong pass would.
MUTATIONS = [
    (
        "predicate flipped",
        r"icmp (slt|sgt|ult|ugt) ",
        {"slt": "sge", "sgt": "sle", "ult": "uge", "ugt": "ule"},
    ),
    ("equality flipped", r"icmp (eq|ne) ", {"eq": "ne", "ne": "eq"}),
    ("add becomes sub", r"= (add|sub) (?:nuw |nsw )*i32 ", {"add": "sub", "sub": "add"}),
    ("xor becomes or", r"= (xor|and) i32 ", {"xor": "or", "and": "or"}),
    ("shift direction", r"= (shl|lshr|ashr) ", {"shl": "lshr", "lshr": "shl", "ashr": "shl"}),
    ("sign lost", r"= (sext|zext) i8 ", {"sext": "zext", "zext": "sext"}),
]


def textual(toolchain, bitcodes):
    with Worker(compiler(toolchain.library("X86").path)) as worker:
        jobs = [Job(b, TRIPLE, Candidate(""), output="ir") for b in bitcodes]
        return [outcome.value.output.decode() for outcome in worker.map(jobs)]


def mutants(text, pattern, table):
    """The module with each of the first instructions that match changed, one at a time."""
    for match in list(re.finditer(pattern, text))[:6]:
        word = table[match[1]]
        yield text[: match.start(1)] + word + text[match.end(1) :]


def test_planted_miscompiled_modules_are_caught(toolchain, suite):
    programs = [p for p in suite.programs if "printf" not in p.name][:12]
    texts = textual(toolchain, [p.bitcode for p in programs])
    planted: list[Program] = []
    kinds: list[str] = []
    for program, text in zip(programs, texts, strict=True):
        for kind, pattern, table in MUTATIONS:
            body = text.find("define")
            for number, changed in enumerate(mutants(text[body:], pattern, table)):
                name = f"{program.name}-{kind}-{number}"
                whole = (text[:body] + changed).encode()
                planted.append(Program(name, whole, program.output))
                kinds.append(kind)
    wrong = Suite.of("planted", TRIPLE, planted)
    with PassListEval(toolchain, wrong, jobs=2, cached=False, stop_after=10**6) as judge:
        verdict = judge.judge(Candidate(""))
    caught = {failure.program for failure in verdict.failures}
    by_kind = dict.fromkeys(kinds, 0)
    for program, kind in zip(planted, kinds, strict=True):
        by_kind[kind] += program.name in caught
    # A mutation may hit dead code or change nothing that can be seen, but most must show,
    # and each kind of wrong code must be caught.
    assert verdict.state == "failed"
    assert len(caught) >= 10 and all(by_kind.values()), by_kind
    assert len(caught) / len(planted) > 0.5, (len(caught), len(planted))


def test_a_wrong_answer_of_the_suite_itself_is_noticed(toolchain, suite):
    program = suite.programs[0]
    lying = Program(program.name, program.bitcode, program.output ^ 1)
    with PassListEval(toolchain, Suite.of("lie", TRIPLE, [lying]), cached=False) as judge:
        verdict = judge.judge(Candidate(""))
    assert [failure.what for failure in verdict.failures] == ["wrong output"]


def test_verdicts_are_kept_by_list_toolchain_and_suite(toolchain, suite, own_cache):
    small = Suite.of("small", TRIPLE, suite.programs[:3])
    other = Suite.of("small", TRIPLE, suite.programs[1:4])
    folder = own_cache / "verdicts"
    with PassListEval(toolchain, small) as judge:
        first = judge.judge(Candidate("default<O1>"))
        count = len(list(folder.iterdir()))
        assert judge.judge(Candidate("default<O1>")) == first
        judge.judge(Candidate("default<O1>", ("-disable-lsr",)))
    with PassListEval(toolchain, other) as judge:
        judge.judge(Candidate("default<O1>"))
    assert len(list(folder.iterdir())) == count + 2
    assert ListVerdict.from_json(json.loads(json.dumps(first.to_json()))) == first


def test_a_suite_that_was_tampered_with_is_refused(suite, tmp_path):
    small = Suite.of("small", TRIPLE, suite.programs[:3])
    save(small, tmp_path)
    assert load_suite(tmp_path) == small
    victim = next((tmp_path / "programs").iterdir())
    victim.write_bytes(victim.read_bytes() + b"x")
    with pytest.raises(IrsmithError, match="changed after it was made"):
        load_suite(tmp_path)
    (tmp_path / "suite.json").write_text("{")
    with pytest.raises(IrsmithError, match="cannot be read"):
        load_suite(tmp_path)


def test_planted_lists_are_pass_lists():
    for text in PLANTED_LISTS:
        assert PassList.parse(text).text == text
    assert load  # the door stays closed: no test here loads LLVM in its own process
