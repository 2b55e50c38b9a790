"""ELF files read whole: what is no such file is told in a line."""

from pathlib import Path

import pytest

from irsmith.sandbox.worker import Limits, Worker
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode
from irsmith.toolchain.elf import ObjectError
from irsmith.toolchain.elf_object import read_object
from irsmith.toolchain.llvm import load

SOURCE = b"""
int seen; static int own = 3; extern int far(int) __attribute__((visibility("hidden")));
__attribute__((weak)) int maybe(int x) { own += x; return far(x) + seen; }
"""


@pytest.mark.parametrize("arch", ["X86", "AArch64"])
def test_an_object_has_sections_symbols_and_relocations(toolchain, arch):
    bitcode = to_bitcode(toolchain, SOURCE, "c", DEFAULT_TARGETS[arch])

    def prepare(_):
        llvm = load(toolchain.library(arch).path)

        def handle(data):
            with llvm.context() as context:
                return context.parse(data).emit()

        return handle

    with Worker(prepare, Limits()) as worker:
        read = read_object(worker.call(bitcode).value)
    assert (read.arch, read.kind) == (arch, "relocatable")
    sections = {section.name: section for section in read.sections}
    assert sections[".bss"].size == 4 and sections[".bss"].data == b""
    assert sections[".data"].data == b"\3\0\0\0"
    symbols = {symbol.name: symbol for symbol in read.symbols}
    assert (symbols["maybe"].binding, symbols["maybe"].section) == (2, sections[".text"].number)
    assert symbols["own"].binding == 0 and symbols["far"].section == 0
    assert symbols["far"].hidden and not symbols["seen"].hidden
    named = {relocation.symbol.name for relocation in sections[".text"].relocations}
    assert "far" in named


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a 64-bit little-endian ELF file"),
        (b"\x7fELF\x02\x01" + bytes(58), "another machine"),
        (b"\x7fELF\x02\x01" + bytes(10) + b"\x01\x00\x3e\x00", "damaged"),
    ],
)
def test_other_files_are_told_apart(data, why):
    with pytest.raises(ObjectError, match=why):
        read_object(data)


def test_an_executable_has_its_symbols_by_section():
    read = read_object(Path("/proc/self/exe").read_bytes())
    assert read.kind in ("executable", "shared") and read.arch in ("X86", "AArch64")
    for symbol in read.symbols[:200]:
        section = next((s for s in read.sections if s.number == symbol.section), None)
        if section is not None and symbol.type == 2:
            assert 0 <= symbol.value < section.size
