"""Programs to unoptimised bitcode; a bad one is a result."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from irsmith.check import compile_suite, debian
from irsmith.check.compile_suite import compile_programs
from irsmith.check.debian import MissingError
from irsmith.check.sources import SourceProgram, quick_programs
from irsmith.toolchain.find import find_toolchain

X86 = "x86_64-unknown-linux-gnu"
ARM = "aarch64-unknown-linux-gnu"


def program(folder: Path, name: str, text: str, *flags: str) -> SourceProgram:
    folder.mkdir(parents=True, exist_ok=True)
    suffix, language = (".cpp", "c++") if name.startswith("cxx") else (".c", "c")
    source = folder / f"{name}{suffix}"
    source.write_text(text)
    return SourceProgram(name, source, language, flags, "here", "MIT")


def disassembled(file: Path) -> str:
    tool = find_toolchain().tool("llvm-dis")
    return subprocess.run(
        [tool, "-o", "-", file], capture_output=True, text=True, check=True
    ).stdout


def test_good_and_bad_programs(tmp_path: Path) -> None:
    here = tmp_path / "in"
    programs = [
        program(here, "good", "int f(int a) { return a; } int main() { return f(VALUE); }",
                "-std=gnu89", "-DVALUE=77"),
        program(here, "bad", "int main() { return nothing_here; }"),
        program(here, "cxx_throw", "int main() { try { throw 1; } catch (int) { return 3; } }",
                "-fexceptions"),
        program(here, "odd_flag", "int main() {}", "-fno-such-option"),
    ]  # fmt: skip
    (here / "beside.h").write_text("int from_header(void) { return 1; }\n")
    programs.append(program(here, "includes", '#include "beside.h"\nint main() { return 0; }'))
    seen: list[str] = []
    results = compile_programs(
        programs, tmp_path / "out", find_toolchain(), X86, 2, lambda one: seen.append(one.name)
    )
    assert seen == [one.name for one in results] == [one.name for one in programs]
    by_name = {one.name: one for one in results}
    assert "nothing_here" in by_name["bad"].error
    assert by_name["bad"].bitcode is None
    assert "no-such-option" in by_name["odd_flag"].error
    for name in ("good", "cxx_throw", "includes"):
        one = by_name[name]
        assert one.error == ""
        assert one.bitcode is not None
        assert hashlib.sha256(one.bitcode.read_bytes()).hexdigest() == one.sha256
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cxx_throw.bc", "good.bc", "includes.bc"]  # fmt: skip

    text = disassembled(tmp_path / "out/good.bc")
    assert "minsize" in text
    assert "optnone" not in text
    assert "77" in text
    assert "alloca" in text
    assert "llvm.ident" not in text


def test_bitcode_does_not_know_where_it_was_made(tmp_path: Path) -> None:
    digests = set()
    for folder in ("one", "two/three"):
        made = program(
            tmp_path / folder, "p",
            "void __assert_fail(char *, char *); int main() { __assert_fail(__FILE__, 0); }",
            "-std=gnu89",
        )  # fmt: skip
        (result,) = compile_programs([made], tmp_path / folder, find_toolchain(), X86, 1)
        digests.add(result.sha256)
    assert len(digests) == 1
    assert digests != {""}


def test_a_compiler_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_suite, "COMPILE_SECONDS", 0.001)
    programs = [program(tmp_path / "in", "slow", "int main() { return 0; }")]
    (result,) = compile_programs(programs, tmp_path / "out", find_toolchain(), X86, 1)
    assert "took over" in result.error
    assert list((tmp_path / "out").iterdir()) == []


def test_a_source_that_is_gone(tmp_path: Path) -> None:
    gone = SourceProgram("gone", tmp_path / "no/gone.c", "c", (), "here", "MIT")
    (result,) = compile_programs([gone], tmp_path / "out", find_toolchain(), X86, 1)
    assert result.error


def test_our_own_programs_compile(tmp_path: Path) -> None:
    results = compile_programs(quick_programs(), tmp_path, find_toolchain(), X86, 2)
    assert [(one.name, one.error) for one in results if one.error] == []


@pytest.mark.skipif(debian.is_native(ARM), reason="AArch64 is this machine's own architecture")
def test_headers_of_another_architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "#include <limits.h>\n#include <stdio.h>\n#include <stddef.h>\nint main() { return 0; }"
    programs = [program(tmp_path / "in", "p", text)]
    if debian.cross_headers(ARM) is not None:
        (result,) = compile_programs(programs, tmp_path / "out", find_toolchain(), ARM, 1)
        assert result.error == ""
        assert f'target triple = "{ARM}"' in disassembled(tmp_path / "out/p.bc")
    monkeypatch.setattr(debian, "cross_headers", lambda _: None)
    with pytest.raises(MissingError, match="libc6-dev-arm64-cross"):
        compile_programs(programs, tmp_path / "out", find_toolchain(), ARM, 1)
