"""What is understood of compilers' command lines, without any cost."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith.apps.optimize import EFFORTS
from irsmith.cc.call import Call, Unit, read_call
from irsmith.cc.flags import NotForUsError, for_clang, for_probe
from irsmith.cc.settings import CHECKS, Settings
from irsmith.cc.settings import EFFORTS as NAMED
from irsmith.cc.settings import OBJECTIVES as WANTED
from irsmith.check.accept import CHECKS as KNOWN
from irsmith.records import OBJECTIVES


@pytest.mark.parametrize(
    ("line", "units"),
    [
        ("-O2 -c a.c", [("a.c", "c", "a.o")]),
        ("-c -O s/a.c -o b/a.o -MMD -MF a.d", [("s/a.c", "c", "b/a.o")]),
        ("-Os -c a.c b.cc", [("a.c", "c", "a.o"), ("b.cc", "c++", "b.o")]),
        ("-O3 -x c++ -c strange", [("strange", "c++", "strange.o")]),
        ("-O0 -O2 -flto -fno-lto -oa.o -c a.c", [("a.c", "c", "a.o")]),
        ("-O2 -g -Wp,-MD,x -Wa,--noexecstack -mcmodel=small -c a.i", [("a.i", "c", "a.o")]),
    ],
)
def test_what_is_for_us(line, units):
    assert read_call(False, line.split()) == Call(tuple(Unit(*unit) for unit in units))


@pytest.mark.parametrize(
    "line",
    ["a.o -o prog", "-E -O2 a.c", "-O2 -S a.c", "--version", "-O2 -c -xc -", "-c boot.S -O2",
     "-M a.c", "-print-search-dirs", "-O2 -c -x c-header a.h", "-O2 -c", ""],
)  # fmt: skip
def test_what_compiles_nothing(line):
    assert read_call(False, line.split()) == Call()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-c a.c", "compiled without -O"),
        ("-O2 -O0 -c a.c", "compiled without optimisation (-O0)"),
        ("-Og -c a.c", "compiled without optimisation (-Og)"),
        ("-O2 a.c -o prog", "compiled and linked in one call"),
        ("-O2 -flto=auto -c a.c", "link-time optimisation"),
        ("-O2 -fsanitize=address -c a.c", "sanitizers"),
        ("-O2 --coverage -c a.c", "instrumented or profiled code (--coverage)"),
        ("-O2 -pg -c a.c", "instrumented or profiled code (-pg)"),
        ("-O2 -fprofile-use -c a.c", "instrumented or profiled code (-fprofile-use)"),
        ("-O2 -g -gsplit-dwarf -c a.c", "debug information in files of its own (-gsplit-dwarf)"),
        ("-O2 -m32 -c a.c", "another machine (-m32)"),
        ("-O2 -fopenmp -c a.c", "OpenMP and its like (GCC's runtime is not clang's)"),
        ("-O2 -mcmodel=kernel -c a.c",
         "code of a kernel, or for no C library (-mcmodel=kernel)"),
        ("-O2 -fplugin=x.so -c a.c", "a plug-in of the compiler (-fplugin=x.so)"),
        ("-O2 -Wa,-al -c a.c", "options for one part of the compiler (-Wa,-al)"),
        ("-O2 -fno-toplevel-reorder -c a.c",
         "a property that only GCC gives (-fno-toplevel-reorder)"),
    ],
)  # fmt: skip
def test_what_is_left_to_the_real_compiler(line, reason):
    call = read_call(False, line.split())
    assert not call.units and call.reason == reason and call.outputs


def test_a_cxx_compiler_takes_c_for_cxx():
    assert read_call(True, ["-O2", "-c", "a.c"]).units[0].language == "c++"


@given(st.lists(st.text(max_size=12), max_size=12))
def test_any_command_line_is_read(words):
    call = read_call(False, words)
    assert not (call.units and call.reason)


def test_flags_for_clang():
    line = (
        "-O2 -g3 -Wall -Wp,-D_FORTIFY_SOURCE=2,-MMD,x.d -I inc -Iother -DA=1 -include c.h -fPIC "
        "-fno-tree-vectorize -fstack-protector-strong -fno-strict-aliasing -march=native "
        "-MF x -pipe -fvisibility=hidden -specs=/x -ffunction-sections -L. -lm "
        "-Wl,-z,now -std=c99 -pthread"
    )
    assert " ".join(for_clang(line.split())) == (
        "-g3 -D_FORTIFY_SOURCE=2 -I inc -Iother -DA=1 -include c.h -fno-strict-aliasing "
        "-march=native -fvisibility=hidden -ffunction-sections -std=c99 -pthread"
    )
    asked = for_probe(line.split())
    assert "-specs=/x" in asked and "-fPIC" in asked and "-O2" in asked and "-MF" not in asked
    assert "-I" not in asked and "-include" not in asked
    for word in ("-Wp,-something", "-include/dev/stdin"):
        with pytest.raises(NotForUsError):
            for_clang([word])


def test_settings_are_those_of_optimize():
    assert set(NAMED) == set(EFFORTS) and set(CHECKS) == set(KNOWN) and WANTED == OBJECTIVES
    assert Settings.read({"IRSMITH_LOCKED": "1", "IRSMITH_JOBS": "3"}).jobs == 3
    for name in ("IRSMITH_EFFORT", "IRSMITH_CHECK", "IRSMITH_OBJECTIVE", "IRSMITH_JOBS"):
        with pytest.raises(ValueError, match=f"{name}=huge"):
            Settings.read({name: "huge"})


def test_the_driver_imports_next_to_nothing():
    code = "import sys; import irsmith.cc.driver; print(*sorted(sys.modules))"
    root = __import__("irsmith").__path__[0].rpartition("/")[0]
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({root!r}); {code}"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    heavy = {"re", "subprocess", "pathlib", "json", "hashlib", "dataclasses", "argparse", "ctypes"}
    assert not heavy & set(names)
    assert [n for n in names if n.startswith("irsmith.")] == [
        "irsmith.cc", "irsmith.cc.call", "irsmith.cc.driver", "irsmith.cc.settings",
        "irsmith.version",
    ]  # fmt: skip
