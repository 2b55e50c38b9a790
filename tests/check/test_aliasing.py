"""Programs that break what clang promises LLVM about types are found, the others are left alone."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from irsmith.check import aliasing
from irsmith.check.aliasing import UNMARKED, unclear_types, without_marks
from irsmith.check.sources import SourceProgram, quick_programs
from irsmith.parallel.local import cores
from irsmith.toolchain.find import Toolchain

CLEAN = """
extern void abort(void);
union view { int number; float real; };
static int bits(float x) { union view v; v.real = x; return v.number; }
int main(void) { if (bits(1.0f) != 0x3f800000) abort(); return 0; }
"""
# An object that changes its type by being stored to: C allows it, LLVM's marks do not.
RETYPED = """
extern void abort(void);
__attribute__((noinline)) void store(int *a, float *b, long n) {
    for (long i = 0; i < n; i++) { *a = 1; b[i] = 42; }
}
int main(void) {
    union { int i; float f; } u;
    store(&u.i, &u.f, 1);
    if (u.f != 42) abort();
    return 0;
}
"""


@pytest.fixture(autouse=True)
def runtime(toolchain: Toolchain) -> None:
    command = [toolchain.need_clang(), "-print-runtime-dir"]
    folder = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if platform.system() != "Linux" or not Path(folder, "libclang_rt.tysan.a").exists():
        pytest.skip("this clang came without the runtime of TypeSanitizer")
    if not list(Path("/usr/lib").glob("*/crt1.o")) + list(Path("/usr/lib64").glob("crt1.o")):
        pytest.skip("no C library to link with (Debian: libc6-dev)")


def program(folder: Path, name: str, text: str, *flags: str) -> SourceProgram:
    source = folder / f"{name}.c"
    source.write_text(text)
    return SourceProgram(name, source, "c", ("-std=gnu17", *flags), "here", "CC0-1.0")


def test_what_changes_its_type_is_found(toolchain, tmp_path, monkeypatch):
    monkeypatch.setattr(aliasing, "RUN_SECONDS", 1)
    programs = [
        program(tmp_path, "clean", CLEAN),
        program(tmp_path, "retyped", RETYPED),
        program(tmp_path, "unmarked", RETYPED, UNMARKED),
        program(tmp_path, "unmarked-first", RETYPED, UNMARKED, "-fstrict-aliasing"),
        program(tmp_path, "fails", "int main(void) { return 3; }"),
        program(tmp_path, "broken", "int main(void) {"),
        program(tmp_path, "endless", "int main(void) { for (volatile int i = 0;; i++); }"),
    ]
    found = unclear_types(toolchain, programs, jobs=2)
    assert found == {"retyped", "unmarked-first", "fails", "broken", "endless"}
    assert without_marks(programs[1]).flags[-1] == UNMARKED
    assert unclear_types(toolchain, [without_marks(programs[1])], jobs=1) == set()


@pytest.mark.slow
def test_our_own_programs_are_clean(toolchain):
    # The C++ ones need headers of a C++ library only to be linked; C is enough here.
    own = [p for p in quick_programs() if p.language == "c"]
    assert unclear_types(toolchain, own, cores()) == set()
