"""Which functions get a frame pointer, and what they weigh."""

import shutil
import subprocess

import pytest

from irsmith.records import Candidate
from irsmith.sandbox.worker import Worker
from irsmith.toolchain import codegen, elf
from irsmith.toolchain.clang import to_bitcode
from irsmith.toolchain.compile import Compiler, Job
from irsmith.toolchain.elf_object import read_object
from irsmith.toolchain.frames import function_bytes
from irsmith.toolchain.llvm import load
from irsmith.toolchain.pipelines import clang_pipeline

TRIPLE = "x86_64-unknown-linux-gnu"
SOURCE = b"""
int use(int *), more(int, int, int);
int leaf(int a, int b) { return a * 3 + b; }
int pushes(int a, int b, int c, int d) {
  int x[8] = {a, b, c, d};
  int e = use(x), f = use(x + 1), g = use(x + 2);
  return more(e, f, g) + more(g, a, b) + more(c, d, x[5]) + e + f + g + a + b + c + d;
}
"""
THROWS = b"""
#define APART __attribute__((noinline))
APART int inner(int a) { if (a > 3) throw a; return a; }
APART int use(int *p) { return *p; }
APART int deep(int a) {
  int x[6] = {a, a + 1, a + 2}, b = use(x), c = use(x + 1);
  return inner(a + b - b) + b + c + use(x + 2) + use(x + 3);
}
int main(int n, char **) {
  try { return deep(n + 4); } catch (int a) { return a == 5 ? 0 : 2; }
}
"""
PASSES = clang_pipeline("22.1.8", TRIPLE, "Oz")
FRAMED = (codegen.FRAMES,)


@pytest.fixture(scope="module")
def bitcode(toolchain):
    return to_bitcode(toolchain, SOURCE, "c", TRIPLE)


def compiled(toolchain, bitcode, options, output="object"):
    def prepare(_):
        compile_ = Compiler(load(toolchain.library("X86").path))
        return lambda job: compile_(job)

    with Worker(prepare) as worker:
        job = Job(bitcode, TRIPLE, Candidate(PASSES, options), output=output)
        outcome = worker.call(job)
        assert outcome.value is not None, outcome.detail
        return outcome.value


def test_each_function_keeps_what_is_smaller(toolchain, bitcode):
    plain, framed = (compiled(toolchain, bitcode, options) for options in ((), FRAMED))
    text = compiled(toolchain, bitcode, FRAMED, "ir").output.decode()
    groups = dict(line.split(" = ", 1) for line in text.splitlines() if line[:11] == "attributes ")
    of = {
        name: next(line for line in text.splitlines() if f"@{name}(" in line and "define" in line)
        for name in ("leaf", "pushes")
    }
    has = {
        name: any(
            f"{group.split()[1]} " in line + " " and "frame-pointer" in groups[group]
            for group in groups
        )
        for name, line in of.items()
    }
    assert has == {"leaf": False, "pushes": True}
    before, after = (function_bytes(read_object(made.output)) for made in (plain, framed))
    assert before["leaf"] == after["leaf"] and after["pushes"] < before["pushes"]
    assert framed.size.total < plain.size.total and framed.size.unwind < plain.size.unwind


def test_functions_weigh_what_their_sections_do(toolchain, bitcode):
    code = compiled(toolchain, bitcode, ()).output
    size = elf.loaded_size(code)
    (table,) = [each for each in read_object(code).sections if each.name == ".eh_frame"]
    common = int.from_bytes(table.data[:4], "little") + 4
    assert sum(function_bytes(read_object(code)).values()) == size.text + size.unwind - common


def test_the_module_carries_what_was_decided(toolchain, bitcode):
    """Whoever compiles the optimised module gets the code that was measured."""
    made = compiled(toolchain, bitcode, FRAMED)
    again = compiled(toolchain, bitcode, FRAMED, "bitcode").output
    assert again == made.optimised

    def prepare(_):
        llvm = load(toolchain.library("X86").path)

        def emit(code):
            with llvm.context() as context:
                return context.parse(code).emit(2)

        return emit

    with Worker(prepare) as worker:
        assert worker.call(made.optimised).value == made.output


def test_equal_ir_is_decided_once(toolchain, bitcode):
    """Other passes that gave the same IR get the same decision, without another emission."""

    def prepare(_):
        compiler = Compiler(load(toolchain.library("X86").path))
        count, finish = [0], codegen.finish

        def counted(*given):
            count[0] += 1
            return finish(*given)

        codegen.finish = counted

        def measure(lists):
            made = [
                compiler(Job(bitcode, TRIPLE, Candidate(passes, FRAMED), output="object"))
                for passes in lists
            ]
            return [each.output for each in made], count[0]

        return measure

    with Worker(prepare) as worker:
        (first, second, other), count = worker.call(
            ["default<Oz>", "default<Oz>,globaldce", "function(mem2reg)"]
        ).value
    assert first == second != other
    assert count == 2


def test_exceptions_find_their_way_through_both_kinds(toolchain, tmp_path):
    """A mixture unwinds: frames with and without a pointer, one in the other."""
    if not shutil.which("g++"):
        pytest.skip("needs a C++ library to link with")
    code = to_bitcode(toolchain, THROWS, "c++", TRIPLE, ["-stdlib=libstdc++"])
    made = compiled(toolchain, code, FRAMED)
    (tmp_path / "a.o").write_bytes(made.output)
    subprocess.run(["g++", "a.o", "-o", "a"], cwd=tmp_path, check=True)
    assert subprocess.run([str(tmp_path / "a")]).returncode == 0
