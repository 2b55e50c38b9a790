"""A whole build: smaller, checked, repeated from its lock file, bisected by its tests."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from planted import irsmith, make_project, oz_size, picky_test

from irsmith.cc import build
from irsmith.cc.settings import Settings
from irsmith.cc.state import State

pytestmark = pytest.mark.skipif(
    not (shutil.which("make") and shutil.which("gcc")), reason="needs make and gcc"
)
FAST = ("--effort", "fast", "--json")
LIST = ("--check", "list")


def objects(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*.o")}


def test_a_build_is_smaller_and_its_lock_file_repeats_it(tmp_path):
    project = make_project(tmp_path / "here")
    subprocess.run(["make", "CC=gcc"], cwd=project, check=True, capture_output=True)
    plain = subprocess.run([project / "prog"], capture_output=True, text=True, check=True).stdout
    real = objects(project)
    subprocess.run(["make", "clean"], cwd=project, check=True, capture_output=True)
    words = ("--lock", "irsmith.lock", "--", "make", "-j4", "CC=gcc")
    done = irsmith(project, "build", *FAST, *words)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)  # what make says went to stderr
    assert "ar rcs" in done.stderr
    assert report["units"] == 5 and report["optimised"] == 4
    assert report["passed"] == {"compiled without optimisation (-O0)": 1}
    assert report["bytes"]["ours"] < report["bytes"]["oz"] < report["bytes"]["real"]
    assert all(unit["verdict"]["module"] == "passed" for unit in report["by_unit"][:4])
    made = objects(project)
    assert made["main.o"] == real["main.o"] and made["a3.o"] != real["a3.o"]
    out = subprocess.run([project / "prog"], capture_output=True, text=True, check=True).stdout
    assert out == plain
    # Nothing is out of date, for make and for us.
    again = subprocess.run(["make", "-q", "CC=gcc"], cwd=project, check=False)
    assert again.returncode == 0

    lock = (project / "irsmith.lock").read_bytes()
    elsewhere = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(project, elsewhere)
    subprocess.run(["make", "clean"], cwd=elsewhere, check=True, capture_output=True)
    done = irsmith(elsewhere, "build", "--locked", *FAST, *words)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert objects(elsewhere) == made
    assert {unit["source_of_candidate"] for unit in report["by_unit"][:4]} == {"lock"}
    assert report["candidates"] == 0 and report["compilations"] == 4
    assert (elsewhere / "irsmith.lock").read_bytes() == lock

    # A unit that the lock file does not know stays the compiler's, and is named.
    (elsewhere / "a1.c").write_text((project / "a2.c").read_text().replace("hash2", "hash1") + "\n")
    source = (elsewhere / "a1.c").read_text()
    (elsewhere / "a1.c").write_text(source.replace("5381", "5387"))
    done = irsmith(elsewhere, "build", "--locked", "--lock", "irsmith.lock", "--", "make", "CC=gcc")
    assert done.returncode == 0 and "not in irsmith.lock: a1.c" in done.stderr, done.stderr
    assert "units, 0 of them smaller" in done.stderr


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n{}", '{"format": 1}', '{"format": 99}', ""])
def test_a_damaged_lock_file_costs_one_line(tmp_path, text):
    project = make_project(tmp_path / "here")
    (project / "irsmith.lock").write_text(text)
    words = ("--lock", "irsmith.lock", "--", "make", "CC=gcc", "CFLAGS=-O0")
    done = irsmith(project, "build", *words)
    assert done.returncode == 0 and (project / "prog").exists()
    lines = [line for line in done.stderr.splitlines() if line.startswith("irsmith: irsmith.lock:")]
    assert len(lines) == 1, done.stderr
    assert (project / "irsmith.lock").read_text() == text  # a person has to look at it


def test_another_toolchains_lock_file_is_written_anew(tmp_path):
    project = make_project(tmp_path / "here")
    text = '{"format": 1, "toolchain": "llvm-1.0", "units": {}}'
    (project / "irsmith.lock").write_text(text)
    words = ("--lock", "irsmith.lock", "--", "make", "CC=gcc", "a1.o")
    done = irsmith(project, "build", "--effort", "fast", *words)
    assert done.returncode == 0 and "written with llvm-1.0" in done.stderr
    data = json.loads((project / "irsmith.lock").read_text())
    assert data["toolchain"] != "llvm-1.0" and len(data["units"]) == 1


def test_exactly_the_guilty_unit_falls_back(tmp_path):
    """The tests fail whenever one optimised function is in the program."""
    project = make_project(tmp_path / "here")
    command = picky_test(project, {3: oz_size(3)})
    words = (*LIST, "--lock", "irsmith.lock", "--test", command, "--", "make", "CC=gcc")
    done = irsmith(project, "build", *FAST, *words)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["tests"]["state"] == "passed", done.stderr
    assert report["tests"]["blamed"] == ["sub/a3.c"] and report["tests"]["fixed"] == []
    placed = {unit["source"]: unit["placed"] for unit in report["by_unit"]}
    assert placed == {
        "a1.c": "ours", "a2.c": "ours", "a4.c": "ours", "sub/a3.c": "oz", "main.c": "real",
    }  # fmt: skip
    # The tree is what was tested, and the next build knows what not to do.
    assert subprocess.run(command, shell=True, cwd=project, capture_output=True).returncode == 0
    assert subprocess.run(["make", "-q", "CC=gcc"], cwd=project, check=False).returncode == 0
    subprocess.run(["make", "clean"], cwd=project, check=True, capture_output=True)
    done = irsmith(project, "build", *FAST, *words)
    report = json.loads(done.stdout)
    assert report["tests"] == {"state": "passed", "runs": 1, "blamed": [], "fixed": []}


def test_where_no_code_of_clang_passes_the_compilers_own_stays(tmp_path):
    project = make_project(tmp_path / "here")
    command = picky_test(project, {2: oz_size(2) + 1})
    words = (*LIST, "--lock", "irsmith.lock", "--test", command, "--", "make", "CC=gcc")
    done = irsmith(project, "build", *FAST, *words)
    report = json.loads(done.stdout)
    assert report["tests"]["blamed"] == ["a2.c"], done.stderr
    placed = {unit["source"]: unit["placed"] for unit in report["by_unit"]}
    assert placed["a2.c"] == "real" and placed["a1.c"] == placed["a4.c"] == "ours"
    lock = json.loads((project / "irsmith.lock").read_text())
    kept = {unit["source"]: unit["keep"] for unit in lock["units"].values()}
    assert kept["a2.c"] == "real" and kept["a1.c"] == "candidate"


def test_tests_that_always_fail_say_nothing(tmp_path):
    project = make_project(tmp_path / "here")
    words = ("--check", "list", "--test", "exit 1", "--", "make", "CC=gcc", "a1.o", "main.o")
    done = irsmith(project, "build", *FAST, *words)
    report = json.loads(done.stdout)
    assert report["tests"]["state"] == "unknown" and report["tests"]["blamed"] == []
    assert {unit["placed"] for unit in report["by_unit"]} == {"ours", "real"}


def test_objects_that_are_gone_are_said_to_be(tmp_path):
    project = make_project(tmp_path / "here")
    script = "gcc -O2 -c a1.c && ar rcs liby.a a1.o && rm a1.o"
    words = ("--check", "list", "--test", "exit 1", "--", "sh", "-c", script)
    report = json.loads(irsmith(project, "build", *FAST, *words).stdout)
    assert report["tests"]["fixed"] == ["a1.c"] and report["tests"]["state"] == "failed"


def test_after_an_interruption_the_compilers_own_objects_are_there(tmp_path):
    project = make_project(tmp_path / "here")
    subprocess.run(["gcc", "-O2", "-c", "a1.c", "-o", "real.o"], cwd=project, check=True)
    command = [sys.executable, "-m", "irsmith", "build", "--effort", "fast", "--check", "list"]
    command += ["--test", "touch testing; exec sleep 60", "--", "gcc", "-O2", "-c", "a1.c"]
    running = subprocess.Popen(
        command, cwd=project, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not (project / "testing").exists():
        assert running.poll() is None
        time.sleep(0.05)
    assert (project / "a1.o").read_bytes() != (project / "real.o").read_bytes()
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and "the compiler's own objects are back" in said
    assert (project / "a1.o").read_bytes() == (project / "real.o").read_bytes()


def test_without_the_library_the_names_come_first_on_path(tmp_path, toolchain, monkeypatch):
    """As on a C library that cannot load it."""
    monkeypatch.setattr(build, "preload_library", lambda _: None)
    project = make_project(tmp_path / "here")
    state = State(tmp_path / "state")
    build.prepare(state)
    settings = Settings(effort="fast", check="none")
    environment = build.environment_of(toolchain, state, settings, project)
    assert build.run(["make", "-C", str(project), "CC=gcc", "a1.o"], environment, True) == 0
    (record,) = build.gather(state, project).units
    assert record.outcome == "optimised" and record.in_place < record.real


def test_irsmith_cc_within_irsmith_build_works_once(tmp_path):
    project = make_project(tmp_path / "here")
    compiler = f"CC={sys.executable} -m irsmith cc"
    words = ("--check", "none", "--", "make", compiler, "a1.o")
    report = json.loads(irsmith(project, "build", *FAST, *words).stdout)
    assert report["units"] == 1 and report["candidates"] == 2


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ninja"), reason="needs ninja")
def test_ninja_that_compiles_exchanged_objects_again(tmp_path):
    """An object newer than its notes counts as out of date: what is chosen comes out again."""
    project = make_project(tmp_path / "here")
    rules = "rule cc\n  command = gcc -O2 -I. -MMD -MF $out.d -c $in -o $out\n"
    rules += "  depfile = $out.d\n  deps = gcc\nrule link\n  command = gcc -o $out $in\n"
    names = ["main", "a1", "a2", "sub/a3", "a4"]
    rules += "".join(f"build {name}.o: cc {name}.c\n" for name in names)
    rules += f"build prog: link {' '.join(name + '.o' for name in names)}\n"
    (project / "build.ninja").write_text(rules)
    command = picky_test(project, {3: oz_size(3)})
    done = irsmith(project, "build", *LIST, *FAST, "--test", command, "--", "ninja")
    report = json.loads(done.stdout)
    assert report["tests"]["state"] == "passed", done.stderr
    assert report["tests"]["blamed"] == ["sub/a3.c"]
    done = subprocess.run(["ninja", "-n"], cwd=project, capture_output=True, text=True)
    assert "no work to do" in done.stdout
