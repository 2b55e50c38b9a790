"""Where programs come from: GCC's tests, Csmith, our own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes import FAKE_CSMITH, make_csmith
from hypothesis import given
from hypothesis import strategies as st

from irsmith.check import sources
from irsmith.check.dejagnu import holds, read_side_file, read_test, words
from irsmith.check.sources import (
    SourceError,
    csmith_programs,
    programs_in,
    quick_programs,
    torture_programs,
)

X86 = "x86_64-unknown-linux-gnu"
ARM = "aarch64-linux-gnu"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        ("a b", ["a", "b"]),
        ('"-O2 -Wall" { target x }', ["-O2 -Wall", " target x "]),
        ("{ a { b c } } d", [" a { b c } ", "d"]),
        (r'"say \"x\"" y', [r"say \"x\"", "y"]),
        ("run { target { ! ia32 } }", ["run", " target { ! ia32 } "]),
        ('} a " b', ["a", "b"]),
    ],
)
def test_tcl_words(text: str, wanted: list[str]) -> None:
    assert words(text) == wanted


@given(st.text(alphabet='ab {}"\\!&-*\t', max_size=40))
def test_any_text_is_split_and_judged(text: str) -> None:
    words(text)
    holds(text, X86)
    read_test("/* { dg-do run { " + text + " } } */", X86, "run")


@pytest.mark.parametrize(
    ("selector", "x86", "arm"),
    [
        ("x86_64-*-*", True, False),
        ("i?86-*-* x86_64-*-*", True, False),
        ("{ i?86-*-* x86_64-*-* } && { ! ia32 }", True, False),
        ("! { i?86-*-* x86_64-*-* }", False, True),
        ("*-*-linux* *-*-gnu*", True, True),
        ("*-*-*", True, True),
        ('"*-*-darwin*"', False, False),
        ("aarch64*-*-* || arm*-*-*", False, True),
        ("ia32 || lp64 || ilp32", True, True),
        ("! run_expensive_tests", True, True),
        ("__float128", True, False),
        ("{ { *-*-linux* *-*-uclinux* } && mmap }", True, True),
    ],
)
def test_selectors(selector: str, x86: bool, arm: bool) -> None:
    assert holds(selector, X86) is x86
    assert holds(selector, ARM) is arm


@pytest.mark.parametrize(
    ("lines", "flags"),
    [
        ('/* { dg-options "-O2 -fwrapv" } */', ("-fwrapv",)),
        # The last dg-options counts; dg-additional-options adds.
        ('{ dg-options "-ftrapv" }\n{ dg-options "-fwrapv" }', ("-fwrapv",)),
        ('{ dg-additional-options "-DA" }\n{ dg-options "-DB" }', ("-DB", "-DA")),
        ('{ dg-options "-DX86" { target x86_64-*-* } }', ("-DX86",)),
        ('{ dg-options "-DARM" { target arm*-*-* } }', ()),
        ('{ dg-options "-DSLOW" { target run_expensive_tests } }', ()),
        ('{ dg-options { "-fwrapv" } }', ("-fwrapv",)),
        # What only steers GCC's optimiser goes.
        ('{ dg-options "-fno-tree-dce -fipa-pta --param=x=1 -std=c99 -Wall" }', ("-std=c99",)),
        ('{ dg-options "-fno-inline-functions -fno-inline" }', ("-fno-inline",)),
        ("{dg-options -DNOT_A_DIRECTIVE }", ()),
    ],
)
def test_options(lines: str, flags: tuple[str, ...]) -> None:
    reading = read_test(lines, X86, "run")
    assert reading.flags == flags
    assert reading.excluded == ""


@pytest.mark.parametrize(
    ("line", "out_of_x86", "out_of_arm"),
    [
        ("{ dg-do run }", False, False),
        ("{ dg-do compile }", True, True),
        ("{ dg-do run { target i?86-*-* x86_64-*-* } }", False, True),
        ("{ dg-do run { xfail powerpc*-*-* } }", False, False),
        ("{ dg-do run { xfail *-*-* } }", True, True),
        ("{ dg-do run { target *-*-* xfail aarch64-*-* } }", False, True),
        ("{ dg-require-effective-target trampolines }", True, True),
        ("{ dg-require-effective-target int32plus }", False, False),
        ("{ dg-require-effective-target ia32 { target arm*-*-* } }", False, False),
        ('{ dg-skip-if "why" { *-*-* } }', True, True),
        ('{ dg-skip-if "why" { *-*-* } { "*" } { "" } }', True, True),
        # Left out at some levels only: the levels will tell.
        ('{ dg-skip-if "" { *-*-* } { "-O0" } { "" } }', False, False),
        ('{ dg-skip-if "" { ! run_expensive_tests } { "*" } { "-O2" } }', False, False),
        ('{ dg-skip-if "" { ! { i?86-*-* x86_64-*-* } } }', False, True),
        ('{ dg-xfail-run-if "" { aarch64-*-* } }', False, True),
        ('{ dg-additional-sources "two.c" }', True, True),
    ],
)
def test_exclusions(line: str, out_of_x86: bool, out_of_arm: bool) -> None:
    assert bool(read_test(f"/* {line} */", X86, "run").excluded) is out_of_x86
    assert bool(read_test(f"/* {line} */", ARM, "run").excluded) is out_of_arm


def test_side_file() -> None:
    text = (
        'if { [istarget "avr-*-*"] } {\n    lappend additional_flags "-DNO"\n}\n'
        'lappend additional_flags "-fno-trapping-math" "-fno-ivopts"\nreturn 0\n'
    )
    assert read_side_file(text) == ("-fno-trapping-math",)


def test_torture_programs(tmp_path: Path) -> None:
    root = tmp_path / "gcc/testsuite"
    files = {
        "gcc.c-torture/execute/one.c": "main() { exit(0); }\n",
        "gcc.c-torture/execute/two.c": '/* { dg-options "-std=c99" } */\nint main(void) {}\n',
        "gcc.c-torture/execute/nested.c": "/* { dg-require-effective-target trampolines } */\n",
        "gcc.c-torture/execute/builtins/lib/no.c": "not a test\n",
        "gcc.c-torture/execute/ieee/one.c": "main() { exit(0); }\n",
        "gcc.c-torture/execute/ieee/one.x": 'lappend additional_flags "-fno-trapping-math"\n',
        "gcc.dg/torture/run.c": "/* { dg-do run } */\n",
        "gcc.dg/torture/run86.c": "/* { dg-do run { target x86_64-*-* } } */\n",
        "gcc.dg/torture/look.c": "int x;\n",
        "gcc.dg/torture/latin.c": "/* { dg-do run } \u00e9 */\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="latin-1")
    (tmp_path / "gcc/BASE-VER").write_text("12.2.0\n")

    found = {program.name: program for program in torture_programs(root, X86)}
    assert list(found) == [
        "dg-latin", "dg-run", "dg-run86", "ieee-one", "torture-one", "torture-two"]  # fmt: skip
    assert "dg-run86" not in {program.name for program in torture_programs(root, ARM)}
    assert "-std=gnu89" in found["torture-one"].flags
    assert "-std=c99" in found["torture-two"].flags
    assert "-std=gnu89" not in found["torture-two"].flags
    assert "-std=gnu17" in found["dg-run"].flags
    assert "-fno-trapping-math" in found["ieee-one"].flags
    assert found["ieee-one"].origin == "GCC 12.2.0, gcc.c-torture/execute/ieee/one.c"
    assert {program.licence for program in found.values()} == {"GPL-3.0-or-later"}

    (root / sources.ORIGIN_FILE).write_text("gcc-12-source 12.2.0-14\n")
    assert torture_programs(root, X86)[0].origin.startswith("gcc-12-source 12.2.0-14, gcc.dg/")


def test_a_folder_without_tests_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="--gcc-testsuite"):
        torture_programs(tmp_path)


def test_csmith_programs(tmp_path: Path) -> None:
    csmith = make_csmith(tmp_path / "prefix")
    folder = tmp_path / "programs"
    programs = csmith_programs(folder, [1, 3, 4, 2], csmith)
    assert [program.name for program in programs] == ["csmith-1", "csmith-2"]
    assert programs[0].origin.startswith("csmith 9.9 seed 1 with --max-funcs 4 ")
    assert (folder / "runtime/csmith.h").exists()
    text = programs[0].source.read_text()

    # What is there is taken; what was made with other options, or cut off, is made again.
    runs = Path(f"{csmith}.runs")
    before = runs.read_text()
    assert csmith_programs(folder, [1, 2], csmith) == [programs[0], programs[1]]
    assert runs.read_text() == before
    programs[0].source.write_text("/* half")
    csmith_programs(folder, [1, 2], csmith)
    assert programs[0].source.read_text() == text
    assert len(runs.read_text()) > len(before)
    assert not list(folder.glob("*.tmp"))


def test_a_csmith_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    csmith = make_csmith(tmp_path / "prefix")
    slow = FAKE_CSMITH.replace('[ "$2" = 3 ] && exit 1', '[ "$2" = 3 ] && exec sleep 60')
    csmith.write_text(slow)
    monkeypatch.setattr(sources, "CSMITH_SECONDS", 0.3)
    assert csmith_programs(tmp_path / "programs", [3], csmith) == []


def test_a_csmith_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not run"):
        csmith_programs(tmp_path, [1], tmp_path / "nowhere")
    csmith = make_csmith(tmp_path / "prefix")
    shutil.rmtree(tmp_path / "prefix/include")
    with pytest.raises(SourceError, match="libcsmith-dev"):
        csmith_programs(tmp_path, [1], csmith)


def test_our_own_programs(tmp_path: Path) -> None:
    for name in ("b.c", "a.cpp", "notes.txt", "part.h"):
        (tmp_path / name).write_text("")
    first, second = programs_in(tmp_path)
    assert (first.name, first.language) == ("quick-a", "c++")
    assert {"-std=c++17", "-fexceptions"} <= set(first.flags)
    assert (second.name, second.language) == ("quick-b", "c")
    shipped = quick_programs()
    assert len({program.name for program in shipped}) == len(shipped) > 0
