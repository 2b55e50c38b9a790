"""In process equals clang; options can be taken back; bad input is one line."""

import subprocess

import pytest
from shared_source import SOURCE

from irsmith.records import Candidate
from irsmith.sandbox.worker import Worker
from irsmith.toolchain import codegen, elf
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode
from irsmith.toolchain.compile import Compiler, Job, compiler
from irsmith.toolchain.llvm import load
from irsmith.toolchain.pipelines import LEVELS, clang_pipeline

TRIPLE = DEFAULT_TARGETS["X86"]

CPP = """
struct Shape { virtual ~Shape() {} virtual int area() const = 0; };
struct Square : Shape {
    int s;
    Square(int x) : s(x) {}
    int area() const override { return s * s; }
};
int total(const Shape *const *all, int n) {
    int t = 0;
    for (int i = 0; i < n; i++) { if (!all[i]) throw i; t += all[i]->area(); }
    return t;
}
Shape *make(int x) { return new Square(x); }
"""

TABLES = """
static const char *const names[] = {"alpha", "beta", "gamma"};
int counters[64]; double weights[3] = {1.5, 2.5, 3.5};
const char *name(unsigned k) { return k < 3 ? names[k] : 0; }
double weigh(int k) { counters[k & 63]++; return weights[k % 3] * counters[(k + 1) & 63]; }
"""


def alloc_sections(data):
    return sorted((s.name, s.size) for s in elf.sections(data) if s.flags & 2)


def in_worker(toolchain, *jobs):
    with Worker(compiler(toolchain.library("X86").path)) as worker:
        return list(worker.map(jobs))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "text,language,flags",
    [
        (SOURCE, "c", ()),
        (SOURCE, "c", ("-fno-pic", "-fno-pie")),
        (SOURCE, "c", ("-mcmodel=large",)),
        (CPP, "c++", ()),
        (TABLES, "c", ("-march=x86-64-v3",)),
    ],
)
def test_the_baseline_is_clangs_own_object(toolchain, tmp_path, level, text, language, flags):
    source = tmp_path / "x.src"
    source.write_text(text)
    command = [toolchain.need_clang(), f"-{level}", "-c", *flags, "-x", language, source, "-o", "-"]
    clang = subprocess.run(command, capture_output=True, check=True).stdout
    bitcode = subprocess.run(
        [*command[:1], f"-{level}", "-Xclang", "-disable-llvm-passes", "-emit-llvm", *command[2:]],
        capture_output=True,
        check=True,
    ).stdout
    passes = clang_pipeline(toolchain.version, TRIPLE, level)
    depth = {"O1": 1, "O3": 3}.get(level, 2)
    job = Job(bitcode, TRIPLE, Candidate(passes), depth, "object", direct=True)
    (outcome,) = in_worker(toolchain, job)
    assert alloc_sections(outcome.value.output) == alloc_sections(clang)


def test_options_are_taken_back(toolchain, bitcode):
    passes = clang_pipeline(toolchain.version, TRIPLE)
    plain = Job(bitcode, TRIPLE, Candidate(passes), output="object", direct=True)
    jobs = [plain]
    for option in codegen.OPTIONS:
        jobs += [Job(bitcode, TRIPLE, Candidate(passes, (option.text,))), plain]
    outcomes = in_worker(toolchain, *jobs)
    assert all(not outcome.failure for outcome in outcomes)
    assert len({outcome.value.output for outcome in outcomes[::2]}) == 1


def test_an_unknown_option_does_not_kill_the_worker(toolchain, bitcode):
    (outcome,) = in_worker(toolchain, Job(bitcode, TRIPLE, Candidate("", ("-no-such",))))
    assert outcome.failure == "refused" and "-no-such" in outcome.detail


def test_equal_ir_is_emitted_once_and_has_one_hash(toolchain, bitcode):
    def prepare(_):
        compile_ = Compiler(load(toolchain.library("X86").path))

        def handle(_):
            first = compile_(Job(bitcode, TRIPLE, Candidate("default<Oz>")))
            again = compile_(Job(bitcode, TRIPLE, Candidate("default<Oz>,globaldce")))
            other = compile_(Job(bitcode, TRIPLE, Candidate("")))
            return first, again, other, len(compile_._sizes)

        return handle

    with Worker(prepare) as worker:
        first, again, other, emitted = worker.call(0).value
    assert first.ir_hash == again.ir_hash != other.ir_hash
    assert first.size == again.size
    assert emitted == 2


def test_a_list_that_comes_again_runs_its_passes_once(toolchain, bitcode):
    def prepare(_):
        compile_ = Compiler(load(toolchain.library("X86").path))

        def handle(_):
            lists = [Candidate("default<O2>"), Candidate("default<Oz>")]
            lists += [Candidate("default<O2>", ("-disable-lsr",)), *lists]
            sizes = [compile_(Job(bitcode, TRIPLE, one)).size for one in lists]
            kept = [passes for passes, *_ in compile_._made]
            compile_(Job(bitcode, TRIPLE.replace("unknown", "pc"), lists[0]))
            return sizes, kept, len(compile_._made)

        return handle

    with Worker(prepare) as worker:
        sizes, kept, of_another = worker.call(0).value
    assert sizes[3:] == sizes[:2]
    assert kept == ["default<O2>", "default<Oz>"] and of_another == 1


def test_outputs_of_one_job_agree(toolchain, bitcode):
    jobs = [
        Job(bitcode, TRIPLE, Candidate("default<Oz>"), output=kind)
        for kind in ("", "object", "assembly", "ir", "bitcode")
    ]
    outcomes = [outcome.value for outcome in in_worker(toolchain, *jobs)]
    assert len({outcome.size for outcome in outcomes}) == 1
    assert elf.loaded_size(outcomes[1].output).total == outcomes[0].size.total
    assert b"sum:" in outcomes[2].output
    assert b"define" in outcomes[3].output
    assert outcomes[4].output[:2] == b"BC"
    # The IR that is shown is the IR that was measured.
    (emitted,) = in_worker(toolchain, Job(outcomes[4].output, TRIPLE, Candidate("")))
    assert emitted.value.size.total == outcomes[0].size.total


@pytest.mark.parametrize(
    "data", [b"BC\xc0\xde", b"define i32 @f( {", b"\x7fELF", b"BC\xc0\xde" * 9]
)
def test_what_is_no_ir_is_refused(toolchain, data):
    (outcome,) = in_worker(toolchain, Job(data, TRIPLE, Candidate("")))
    assert outcome.failure == "refused"


def test_truncated_bitcode_is_refused(toolchain, bitcode):
    jobs = [
        Job(bitcode[:keep], TRIPLE, Candidate(""))
        for keep in (len(bitcode) // 2, len(bitcode) - 8, 100)
    ]
    assert [outcome.failure for outcome in in_worker(toolchain, *jobs)] == ["refused"] * 3


def test_an_unknown_pass_is_named(toolchain, bitcode):
    (outcome,) = in_worker(toolchain, Job(bitcode, TRIPLE, Candidate("function(no-such-pass)")))
    assert "no-such-pass" in outcome.detail


def test_aarch64_is_compiled_by_the_library_that_knows_it(toolchain):
    triple = DEFAULT_TARGETS["AArch64"]
    bitcode = to_bitcode(toolchain, SOURCE.encode(), "c", triple)
    passes = clang_pipeline(toolchain.version, triple)
    with Worker(compiler(toolchain.library("AArch64").path)) as worker:
        outcome = worker.call(Job(bitcode, triple, Candidate(passes), output="object", direct=True))
    assert outcome.value.size.text > 50
    assert outcome.value.output[18:20] == b"\xb7\x00"  # EM_AARCH64


def test_function_sizes_name_functions(toolchain, bitcode):
    (outcome,) = in_worker(
        toolchain, Job(bitcode, TRIPLE, Candidate("default<Oz>"), output="object")
    )
    sizes = elf.function_sizes(outcome.value.output)
    assert {"sum", "insert", "hash"} <= set(sizes)
    assert sum(sizes.values()) <= outcome.value.size.text
