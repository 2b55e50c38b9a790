"""Constructors of objects emitted in process end up where clang puts them."""

from __future__ import annotations

import subprocess

import pytest

from irsmith.toolchain.elf import sections
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.init_array import with_init_arrays

MODULE = """
@llvm.global_ctors = appending global [5 x { i32, ptr, ptr }] [
  { i32, ptr, ptr } { i32 65535, ptr @a, ptr null },
  { i32, ptr, ptr } { i32 65535, ptr @b, ptr null },
  { i32, ptr, ptr } { i32 200, ptr @c, ptr null },
  { i32, ptr, ptr } { i32 101, ptr @a, ptr null },
  { i32, ptr, ptr } { i32 200, ptr @b, ptr null }]
@llvm.global_dtors = appending global [2 x { i32, ptr, ptr }] [
  { i32, ptr, ptr } { i32 65535, ptr @b, ptr null },
  { i32, ptr, ptr } { i32 65535, ptr @c, ptr null }]
define internal void @a() { ret void }
define internal void @b() { ret void }
define void @c() { ret void }
"""


def emit(triple: str, *options: str, text: str = MODULE) -> bytes:
    llc = [find_toolchain().tool("llc"), f"-mtriple={triple}", "-filetype=obj", *options, "-o", "-"]
    return subprocess.run(llc, input=text.encode(), capture_output=True, check=True).stdout


def arrays(data: bytes) -> dict[str, tuple[int, int, bytes]]:
    return {
        one.name: (one.type, one.flags, data[one.offset : one.offset + one.size])
        for one in sections(data)
        if "_array" in one.name or "tors" in one.name
    }


@pytest.mark.parametrize("triple", ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"])
def test_as_clang_would_have_it(triple: str) -> None:
    old, new = emit(triple, "-use-ctors"), emit(triple)
    assert ".ctors" in arrays(old)
    assert {".init_array", ".init_array.101", ".fini_array"} <= set(arrays(new))
    turned = with_init_arrays(old)
    assert arrays(turned) == arrays(new)
    assert with_init_arrays(turned) == turned
    assert with_init_arrays(new) is new


def test_a_name_in_a_string_is_not_a_section() -> None:
    text = '@text = global [7 x i8] c".ctors\\00"'
    data = emit("x86_64-unknown-linux-gnu", text=text)
    assert b".ctors" in data
    assert with_init_arrays(data) is data


@pytest.mark.parametrize("name", [".ctors.odd", ".ctors.99999", ".dtors.-1", ".ctorsy"])
def test_a_section_of_the_programs_own_stays(name: str) -> None:
    data = emit("x86_64-unknown-linux-gnu", text=f'@x = global i64 7, section "{name}"')
    assert with_init_arrays(data) is data
