"""Code from text: the same from IR and from assembly, and nothing that kills us."""

from dataclasses import replace

import pytest

from irsmith.records import Candidate
from irsmith.sandbox.worker import Limits, Worker
from irsmith.tasks.objects import code_of
from irsmith.tasks.render import RenderWorker, Request, at_level
from irsmith.tasks.text import AssemblyText, IRText, check_text
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.codegen import FRAMES
from irsmith.toolchain.compile import Compiler, Job
from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.llvm import LLVMError, load


def _object(toolchain, bitcode, triple, passes=""):
    def prepare(_):
        return Compiler(load(toolchain.library("X86").path))

    with Worker(prepare) as worker:
        outcome = worker.call(Job(bitcode, triple, Candidate(passes), output="object"))
    return outcome.value.output


def test_ir_and_assembly_give_the_same_code(workers, units, functions, toolchain, arch):
    worker = workers[arch]
    for module in (units[arch], functions[arch]):
        source = worker.render(Request(module, ir=True, normal=True))
        assert source.faithful and source.size.instructions > 10
        assert worker.render(Request(source.normal)).code == source.code
        for level in ("O0", "Os", "Oz"):
            made = worker.render(at_level(source.ir, toolchain.version, level))
            assert made.faithful and made.ir.header.level == ("" if level == "O0" else level)
            again = worker.render(Request(made.ir, level=0 if level == "O0" else 2))
            assert (again.code, again.size) == (made.code, made.size)
            assembled = worker.render(Request(made.assembly))
            assert assembled.size.text == made.size.text
            if level == "Oz":  # without size marks, padding depends on the tuning target
                assert assembled.code.code == made.code.code
            assert assembled.size.unwind == 0 < made.size.unwind


@pytest.mark.parametrize("options", [(), (FRAMES,), (FRAMES, "-stress-regalloc=9")])
def test_options_that_the_text_does_not_hold_are_decided_again(workers, units, arch, options):
    made = workers[arch].render(
        Request(units[arch], candidate=Candidate("default<Oz>", options), ir=True)
    )
    assert made.ir is not None and made.faithful


def test_code_differs_where_the_program_does(workers, sources, arch):
    source = sources[arch]
    code = workers[arch].render(Request(source)).code
    for old, new in (
        ("@weigh", "@weighs"),
        ("i32 0", "i32 1"),
        ("@total", "@totals"),
        ("@report", "@reports"),
    ):
        assert old in source.text
        other = IRText(source.header, source.text.replace(old, new))
        assert workers[arch].render(Request(other)).code.code != code.code, old
    tables = replace(source.header, unwind="", flags=source.header.flags[:3])
    without = workers[arch].render(Request(IRText(tables, source.text))).code
    assert without.code == code.code and without.unwind != code.unwind


def test_damaged_objects_are_refused(toolchain, units):
    whole = _object(toolchain, units["X86"], DEFAULT_TARGETS["X86"])
    assert code_of(whole) == code_of(bytes(whole))
    for length in range(0, len(whole) - 64, 97):
        with pytest.raises(ObjectError):
            code_of(whole[:length])
    changed = bytearray(whole)
    changed[0x40] ^= 1  # the first byte of .text
    assert code_of(bytes(changed)).code != code_of(whole).code


HOSTILE = (
    "define i32 @f( {",
    "(" * 100_000,
    "@a = external global " + "{" * 300_000,
    "@a = global i64 " + "add (" * 50_000,
    "@a = global <{ i32, [90000000 x i64] }> <{ i32 1, [90000000 x i64] zeroinitializer }>",
    "define void @f() { ret i32 0 }",
    "define void @f() {\nbr label %1\n1:\nbr label %9\n}",
    'define i32 @f() { call void asm sideeffect "nonsense", ""() ret i32 0 }',
    'module asm ".incbin \\22/etc/passwd\\22"',
    'module asm ".inc\\62in \\22/etc/passwd\\22"',
    "define void @f() {\n" + "%1 = alloca i8\n" * 3 + "}",
    "@a = alias i32, ptr @a",
    "\0",
    "\ud800",
    "@a = global [999999999999999999999999 x i8] zeroinitializer",
    '!llvm.module.flags = !{!0}\n!0 = !{i32 9, !"a", i32 1}',
)


def test_hostile_ir_is_an_error_and_the_worker_goes_on(toolchain, sources):
    limits = Limits(cpu_seconds=3, memory_bytes=1 << 29)
    with RenderWorker(toolchain, DEFAULT_TARGETS["X86"], limits) as worker:
        whole = worker.render(Request(sources["X86"])).code
        for text in HOSTILE:
            with pytest.raises(LLVMError) as caught:
                worker.render(Request(IRText(sources["X86"].header, text)))
            assert str(caught.value)
        assert worker.render(Request(sources["X86"])).code == whole


def test_names_that_no_compiler_makes_are_an_error(workers, sources, arch):
    name = 'define void @"\\FF"() { ret void }'
    with pytest.raises(LLVMError, match="out of the ordinary"):
        workers[arch].render(Request(IRText(sources[arch].header, name), assembly=True))


def test_hostile_assembly_is_an_error(toolchain, arch):
    triple = DEFAULT_TARGETS[arch]
    limits = Limits(cpu_seconds=0.5, memory_bytes=1 << 30)
    with RenderWorker(toolchain, triple, limits) as worker:
        for text in (
            "nonsense r1\n",
            "f:\nf:\nret\n",
            '.incbin "/etc/passwd"\n',
            ".rept 100000000\nret\n.endr\n",
            '.ascii "open\n',
        ):
            with pytest.raises(LLVMError):
                worker.render(Request(AssemblyText(triple, text)))
        assert worker.render(Request(AssemblyText(triple, "f:\nret\n"))).size.text


def test_text_that_llvm_should_not_see():
    check_text("é is fine, and so is .includes_this")
    with pytest.raises(LLVMError, match="too many"):
        check_text("a" * ((4 << 20) + 1))
