"""What the recorder understands of compilers' command lines."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith.corpus import recorder
from irsmith.corpus.recorder import clang_flags, is_probe, parse_call, real_compiler, unfold

HOME = "x86_64-unknown-linux-gnu"


@pytest.mark.parametrize(
    ("name", "line", "sources", "flags"),
    [
        ("gcc", "-c a.c -o a.o", [("a.c", "c")], ""),
        ("gcc", "-O2 -g -Wall -Werror=x -Wp,-DX -flto=auto -I inc -DA=1 -c a.c", [("a.c", "c")],
         "-I inc -DA=1"),
        ("cc", "-MD -MF a.d -MT a.o -MP -fPIC -std=gnu99 -c -o a.o a.c", [("a.c", "c")],
         "-fPIC -std=gnu99"),
        ("g++-12", "x.c y.cc -o prog -lm -L. z.o", [("x.c", "c++"), ("y.cc", "c++")], ""),
        ("gcc", "-x c++ strange.txt -c", [("strange.txt", "c++")], ""),
        ("gcc", "-xc strange -x none b.cpp -c", [("strange", "c"), ("b.cpp", "c++")], ""),
        ("gcc", "-specs=/usr/share/pie.specs -fstack-protector-strong -include config.h a.c -c",
         [("a.c", "c")], "-include config.h"),
        ("gcc", "-shared -Wl,-soname,x.so -o x.so a.o b.o", [], ""),
        ("gcc", "-E a.c", [], ""),
        ("gcc", "-", [], ""),
        ("gcc", "-c boot.S", [], "-c"[2:]),
        ("cc", "--version", [], ""),
        ("cc", "-o", [], ""),
    ],
)  # fmt: skip
def test_command_lines(name, line, sources, flags):
    call = parse_call(name, line.split())
    assert list(call.sources) == sources
    if sources:
        assert " ".join(call.flags) == flags


@given(st.lists(st.text(max_size=12), max_size=12))
def test_any_command_line_is_read(words):
    call = parse_call("gcc", words)
    assert all(language in ("c", "c++") for _, language in call.sources)
    assert not any(flag.startswith(("-O", "-g", "-W", "-flto")) for flag in call.flags[:1])


def test_response_files_are_unfolded(tmp_path):
    (tmp_path / "inner").write_text("-DX='a b' c.c")
    (tmp_path / "outer").write_text(f"-c @{tmp_path}/inner")
    assert unfold([f"@{tmp_path}/outer", "@missing"]) == ["-c", "-DX=a b", "c.c", "@missing"]
    assert unfold(["@outer"], base=str(tmp_path))[:1] == ["-c"]
    (tmp_path / "loop").write_text(f"@{tmp_path}/loop")
    assert unfold([f"@{tmp_path}/loop"]) == [f"@{tmp_path}/loop"]


@pytest.mark.parametrize(
    ("source", "folder", "probe"),
    [
        ("conftest.c", "/b", True),
        ("/b/CMakeFiles/CMakeScratch/TryCompile-x/testCCompiler.c", "/b", True),
        ("../CMakeCCompilerId.c", "/b/CMakeFiles/3.25.1/CompilerIdC", True),
        ("testfile.c", "/b/meson-private/tmpa", True),
        ("src/contest.c", "/b", False),
        ("lib/try.h.c", "/b/CMakeLists", False),
    ],
)
def test_probes_are_known(source, folder, probe):
    assert is_probe(source, folder) is probe


def test_flags_fit_language_and_target():
    call = parse_call("gcc", ["-std=c99", "-msse2", "-mcmodel=large", "-DX", "-fodd", "a.c", "-c"])
    flags = clang_flags(call, "c", HOME, HOME, {"-fodd"})
    assert flags == ["-std=c99", "-msse2", "-mcmodel=large", "-DX"]
    foreign = clang_flags(call, "c++", "aarch64-unknown-linux-gnu", HOME, set())
    assert foreign == ["-mcmodel=large", "-DX", "-fodd"]


def test_the_real_compiler_is_the_next_on_path(tmp_path, monkeypatch):
    for name in ("own", "real"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "gcc"
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/own:{tmp_path}/real")
    assert Path(real_compiler("gcc", f"{tmp_path}/own")) == tmp_path / "real" / "gcc"
    assert real_compiler("g++", f"{tmp_path}/own") == ""


def test_a_link_to_the_recorder_is_not_the_real_compiler(tmp_path, monkeypatch):
    """Debian's pari puts one first on PATH; it called itself until memory was full."""
    for folder in ("own", "links", "real"):
        (tmp_path / folder).mkdir()
    for folder in ("own", "real"):
        (tmp_path / folder / "gcc").write_text("")
        (tmp_path / folder / "gcc").chmod(0o755)
    (tmp_path / "links" / "gcc").symlink_to(tmp_path / "own" / "gcc")
    monkeypatch.setenv("PATH", ":".join(f"{tmp_path}/{name}" for name in ("links", "own", "real")))
    assert Path(real_compiler("gcc", f"{tmp_path}/own")) == tmp_path / "real" / "gcc"


def test_the_recorder_starts_without_what_is_slow_to_import():
    """Each compilation of a build starts it: ``re`` and the like would cost more than clang."""
    script = Path(recorder.__file__)
    code = (
        f"import sys; sys.path.insert(0, {str(script.parent)!r}); before = set(sys.modules); "
        "import recorder; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True)
    loaded = set(done.stdout.decode().split())
    assert "recorder" in loaded, done.stderr
    cheap = {"recorder", "_blake2", "marshal", "os", "posixpath", "stat", "_stat", "genericpath"}
    assert loaded <= cheap | {"_collections_abc", "abc", "_abc", "os.path"}
