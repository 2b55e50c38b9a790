"""``irsmith cc`` in the place of a compiler: what the build sees, and what the object keeps."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from planted import UNIT, irsmith

from irsmith.toolchain.elf_object import read_object

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
FAST = {"IRSMITH_EFFORT": "fast", "IRSMITH_CHECK": "list"}


def cc(folder, *words, name="cc", real="gcc", **more):
    """Compile; what became of it, or None if nobody looked."""
    log = folder / "log"
    log.unlink(missing_ok=True)
    env = {**os.environ, **FAST, "IRSMITH_LOG": str(log), **more}
    if real:
        env |= {"IRSMITH_CC": real, "IRSMITH_CXX": real}
    done = irsmith(folder, name, *words, env=env)
    lines = log.read_text().splitlines() if log.exists() else []
    return done, json.loads(lines[-1]) if lines else None


@pytest.fixture
def unit(tmp_path):
    (tmp_path / "a.c").write_text(UNIT % {"n": 1})
    return tmp_path


def test_the_build_sees_the_real_compiler(unit):
    (unit / "w.c").write_text('#include "w.h"\nint f(int x) { int unused; return x; }\n')
    (unit / "w.h").write_text("int f(int);\n")
    words = ["-O2", "-Wall", "-MMD", "-MF", "w.d", "-c", "w.c", "-o", "w.o"]
    plain = subprocess.run(["gcc", *words], cwd=unit, capture_output=True, text=True)
    dependencies = (unit / "w.d").read_text()
    (unit / "w.d").unlink()
    done, record = cc(unit, *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, plain.stdout, plain.stderr)
    assert (unit / "w.d").read_text() == dependencies and record
    done, record = cc(unit, "-O2", "-c", "nosuch.c")
    plain = subprocess.run(
        ["gcc", "-O2", "-c", "nosuch.c"], cwd=unit, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (plain.returncode, plain.stderr) and not record


def test_the_object_is_smaller_keeps_its_time_and_mode_and_is_the_same_again(unit):
    before = os.umask(0o027)
    try:
        done, record = cc(unit, "-O2", "-c", "a.c")
        again, _ = cc(unit, "-O2", "-c", "a.c", "-o", "b.o")
    finally:
        os.umask(before)
    assert done.returncode == again.returncode == 0 and done.stderr == ""
    assert record["outcome"] == "optimised" and record["ours"] <= record["oz"] < record["real"]
    assert (unit / "a.o").read_bytes() == (unit / "b.o").read_bytes()
    status = (unit / "a.o").stat()
    assert status.st_mode & 0o777 == 0o640
    assert {path.name for path in unit.iterdir()} == {"a.c", "a.o", "b.o", "log"}


@pytest.mark.parametrize("real", ["gcc", ""])
def test_cxx_mixes_with_the_systems(tmp_path, real):
    if not shutil.which("g++"):
        pytest.skip("needs g++")
    (tmp_path / "a.cc").write_text(
        "#include <string>\n#include <vector>\n#include <stdexcept>\n"
        "std::string join(const std::vector<std::string> &all) {\n"
        "  std::string out; for (auto &one : all) out += one + ',';\n"
        '  if (out.empty()) throw std::runtime_error("empty"); return out; }\n'
    )
    (tmp_path / "b.cc").write_text(
        "#include <iostream>\n#include <string>\n#include <vector>\n#include <stdexcept>\n"
        "std::string join(const std::vector<std::string> &all);\n"
        'int main() { std::cout << join({"x", "y"}) << "\\n";\n'
        "  try { join({}); } catch (const std::runtime_error &e) { std::cout << e.what(); } }\n"
    )
    done, record = cc(tmp_path, "-O2", "-c", "a.cc", name="c++", real=real and "g++")
    assert done.returncode == 0 and record["outcome"] == "optimised", record
    subprocess.run(["g++", "a.o", "b.cc", "-o", "prog"], cwd=tmp_path, check=True)
    out = subprocess.run([tmp_path / "prog"], capture_output=True, text=True, check=True).stdout
    assert out == "x,y,\nempty"


def test_without_a_compiler_of_ones_own_the_program_links_and_runs(tmp_path):
    (tmp_path / "a.c").write_text('#include <stdio.h>\nint main(void) { puts("hi"); return 0; }\n')
    done, record = cc(tmp_path, "-O2", "-Wall", "-Werror", "-c", "a.c", real="")
    assert done.returncode == 0 and done.stderr == "" and record
    done, _ = cc(tmp_path, "a.o", "-o", "prog", real="")
    assert done.returncode == 0, done.stderr
    assert subprocess.run([tmp_path / "prog"], capture_output=True).stdout == b"hi\n"


def test_hardening_stays(unit):
    (unit / "s.c").write_text(
        "#include <string.h>\n#include <stdio.h>\nvoid use(char *);\nextern int v;\n"
        "int f(const char *s, int (*g)(int)) { char b[64]; strcpy(b, s); use(b); return g(v); }\n"
        + UNIT
        % {"n": 7}
    )
    flags = ["-O2", "-fstack-protector-strong", "-fcf-protection=full", "-fPIC", "-c", "s.c"]
    flags += ["-ffunction-sections", "-fvisibility=hidden", "-g"]
    done, record = cc(unit, *flags)
    assert done.returncode == 0 and record["outcome"] == "optimised", record
    made = read_object((unit / "s.o").read_bytes())
    names = {symbol.name: symbol for symbol in made.symbols}
    assert "__stack_chk_fail" in names and names["f"].hidden
    text = [section for section in made.sections if section.name == ".text.f"]
    assert text and text[0].data.startswith(b"\xf3\x0f\x1e\xfa")  # endbr64
    assert any(section.name == ".note.gnu.property" for section in made.sections)
    assert b".debug_info" in (unit / "s.o").read_bytes()


@pytest.mark.parametrize(
    ("source", "flags", "reason"),
    [
        # GCC drops the call, clang's shorter lists may not; then the link would fail.
        ("void never_defined(void); static int no(int x) { return x * 0 + (x - x); }\n"
         "int f(int x) { if (__builtin_constant_p(x) || no(x)) never_defined();"
         " return x; }", "", None),
        ("struct s { int x; } __attribute__((scalar_storage_order(\"big-endian\")));\n"
         "int f(struct s *p) { return p->x; }", "", "scalar_storage_order"),
        ("int f(int x) { int g(int y) { return x + y; } return g(3); }", "", "clang refuses it"),
        ('__asm__(".symver old, f@V1"); int old(int x) { return x + 1; }', "-fPIC", None),
        ("int f(int x) { return x; }", "-fcallgraph-info", None),
        ("int common; int f(void) { return common++ * 3; }", "-fcommon", None),
    ],
)  # fmt: skip
def test_what_does_not_fit_stays_the_compilers(tmp_path, source, flags, reason):
    """Whatever becomes of the object: it defines and needs what the compiler's does."""
    (tmp_path / "a.c").write_text(source + "\n")
    words = ["-O2", *flags.split(), "-c", "a.c"]
    subprocess.run(["gcc", *words, "-o", "real.o"], cwd=tmp_path, check=True)
    done, record = cc(tmp_path, *words)
    assert done.returncode == 0
    real, made = ((tmp_path / name).read_bytes() for name in ("real.o", "a.o"))
    if reason:
        assert record["outcome"] == "passed" and reason in record["reason"] and real == made

    def seen(data):
        return {(s.name, s.section == 0, s.binding) for s in read_object(data).symbols if s.binding}

    assert {s for s in seen(made) if s[1]} <= {s for s in seen(real) if s[1]}
    assert {s for s in seen(made) if not s[1]} == {s for s in seen(real) if not s[1]}


def test_a_bad_setting_is_said_and_costs_nothing(unit):
    done, record = cc(unit, "-O2", "-c", "a.c", IRSMITH_EFFORT="huge")
    assert done.returncode == 0 and not record and (unit / "a.o").exists()
    assert done.stderr == (
        "irsmith: IRSMITH_EFFORT=huge is none of fast, balanced, max: nothing is optimised\n"
    )
    done, _ = cc(unit, "-O2", "-c", "a.c", real="nosuchcompiler")
    assert done.returncode == 127 and "nosuchcompiler cannot be run" in done.stderr


def test_irsmith_behind_irsmith_ends(unit):
    itself = f"{sys.executable} -m irsmith cc"
    done, record = cc(unit, "-O2", "-c", "a.c", real=itself)
    assert done.returncode == 0 and record["outcome"] in ("optimised", "kept")


def test_a_lock_file_that_many_write_loses_nothing(tmp_path):
    for number in range(4):
        (tmp_path / f"a{number}.c").write_text(UNIT % {"n": number})
    env = {**os.environ, **FAST, "IRSMITH_CC": "gcc", "IRSMITH_LOCK": "irsmith.lock"}
    command = [sys.executable, "-m", "irsmith", "cc", "-O2", "-c"]
    running = [
        subprocess.Popen([*command, f"a{number}.c"], cwd=tmp_path, env=env) for number in range(4)
    ]
    assert [one.wait() for one in running] == [0] * 4
    data = json.loads((tmp_path / "irsmith.lock").read_text())
    assert sorted(unit["source"] for unit in data["units"].values()) == [
        f"a{number}.c" for number in range(4)
    ]
    made = (tmp_path / "a2.o").read_bytes()
    _, record = cc(tmp_path, "-O2", "-c", "a2.c", IRSMITH_LOCK="irsmith.lock", IRSMITH_LOCKED="1")
    assert record["origin"] == "lock" and (tmp_path / "a2.o").read_bytes() == made


def test_help_names_every_setting():
    done = subprocess.run(
        [sys.executable, "-m", "irsmith", "cc", "--irsmith-help"], capture_output=True, text=True
    )
    assert done.returncode == 0 and "IRSMITH_LOCKED" in done.stdout
