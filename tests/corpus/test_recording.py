"""A build is recorded and does not notice."""

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time

import pytest

from irsmith.corpus.preload import preload_library
from irsmith.corpus.recording import Origin, collect, prepare_recording, recording_environment
from irsmith.corpus.rows import read_rows
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.llvm import arch_of

pytest.importorskip("pyarrow")
COMPILER = "gcc" if shutil.which("gcc") else "clang"
PLUS = "g++" if COMPILER == "gcc" else "clang++"
BUILD = f"""set -e
echo 'int main(void) {{ return 0; }}' > conftest.c
{COMPILER} -c conftest.c -o conftest.o
{COMPILER} -O2 -g -Wall -DN=3 -Iinc -c src/a.c -o a.o
{COMPILER} -O2 -g -fPIC -DN=3 -Iinc -c src/a.c -o a.pic.o
{COMPILER} -c src/empty.c -o empty.o
{PLUS} -c src/b.cpp -o b.o
{COMPILER} -Iinc src/c.c a.o -o prog
echo built
"""


@pytest.fixture
def project(tmp_path):
    """A small package with a build script, two licences and a probe."""
    root = tmp_path / "package"
    for folder in ("src", "inc", "debian"):
        (root / folder).mkdir(parents=True)
    (root / "inc" / "a.h").write_text("int twice(int x);\n")
    (root / "src" / "a.c").write_text('#include "a.h"\nint twice(int x) { return x * 2 + N; }\n')
    (root / "src" / "b.cpp").write_text(
        "// SPDX-License-Identifier: BSL-1.0\nint thrice(int x) { return x * 3; }\n"
    )
    (root / "src" / "c.c").write_text(
        '#include "a.h"\nint main() { return old(twice(2)); }\nint old(int x) { return x - 7; }\n'
    )
    (root / "src" / "empty.c").write_text("typedef int nothing;\n")
    (root / "debian" / "copyright").write_text(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: 2020 Someone\nLicense: Expat\n\n"
        "Files: src/c.c\nCopyright: 2020 Someone\nLicense: GPL-2+\n"
    )
    (root / "build.sh").write_text(BUILD)
    return root


def record(root, *words, timeout=120):
    command = [sys.executable, "-m", "irsmith", "corpus", "record", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=timeout)


def test_a_build_is_recorded(project, tmp_path):
    out = tmp_path / "out.parquet"
    done = record(project, "-o", str(out), "--package", "tiny", "--json", "--", "sh", "build.sh")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    report = json.loads(lines[-1])
    assert lines[0] == "built" and report["failed"] == [] and report["doubles"] == 1
    rows = list(read_rows(out))
    assert [row.file for row in rows] == ["src/a.c", "src/b.cpp", "src/c.c"]
    assert [row.language for row in rows] == ["c", "c++", "c"]
    assert [row.license_expression for row in rows] == ["MIT", "BSL-1.0", "GPL-2.0-or-later"]
    assert rows[0].flags == "-DN=3 -Iinc" and rows[0].package == "tiny"
    assert all(row.functions and row.instructions and row.sha256 for row in rows)
    # The build's own results are those of its own compiler.
    assert (project / "prog").exists() and (project / "conftest.o").exists()
    again = tmp_path / "again.parquet"
    assert (
        record(project, "-o", str(again), "--package", "tiny", "--", "sh", "build.sh").returncode
        == 0
    )
    assert again.read_bytes() == out.read_bytes()


def test_a_build_that_fails_keeps_its_status_and_what_was_compiled(project, tmp_path):
    (project / "build.sh").write_text(
        BUILD.replace("echo built", f"{COMPILER} -c nosuch.c; exit 9")
    )
    out = tmp_path / "out.parquet"
    done = record(project, "-o", str(out), "--", "sh", "build.sh")
    assert done.returncode != 0 and "nosuch.c" in done.stderr
    assert len(list(read_rows(out))) == 3
    (project / "build.sh").write_text("exit 9")
    done = record(project, "-o", str(out), "--", "sh", "build.sh")
    assert done.returncode == 9 and "nothing was compiled" in done.stderr


def test_the_recorder_never_breaks_a_build(project, tmp_path):
    """Whatever happens to the recording: the compiler's own word counts."""
    folder = tmp_path / "recording"
    script = BUILD.replace(
        "echo built",
        f"echo junk > {folder}/settings; rm -rf {folder}/units\n"
        f"{COMPILER} -c src/b.cpp -o again.o; echo built",
    )
    (project / "build.sh").write_text(script)
    done = record(project, "-o", str(tmp_path / "o"), "--keep", str(folder), "--", "sh", "build.sh")
    assert done.returncode == 0 and "built" in done.stdout
    assert (project / "again.o").exists()


def test_what_clang_refuses_is_reported(project, tmp_path):
    if COMPILER != "gcc":
        pytest.skip("needs a compiler that takes what clang does not")
    (project / "src" / "a.c").write_text(
        "int twice(int x) { int nested(void) { return x; } return nested(); }\n"
    )
    out = tmp_path / "out.parquet"
    done = record(project, "-o", str(out), "--", "sh", "build.sh")
    assert done.returncode == 0
    assert (
        "src/a.c: src/a.c:1" in done.stderr and "1 failed" in done.stderr
    ) or "2 failed" in done.stderr
    assert [row.file for row in read_rows(out)] == ["src/b.cpp", "src/c.c"]


def test_flags_that_only_gcc_knows_are_left_out(project, tmp_path):
    if COMPILER != "gcc":
        pytest.skip("needs gcc")
    (project / "build.sh").write_text(
        "gcc -flive-patching=inline-clone -fno-tree-slp-vectorize -Iinc -DN=1 -c src/a.c\n"
    )
    out = tmp_path / "out.parquet"
    done = record(project, "-o", str(out), "--", "sh", "build.sh")
    assert done.returncode == 0, done.stderr
    (row,) = read_rows(out)
    assert row.flags == "-fno-tree-slp-vectorize -Iinc -DN=1"


def test_what_gcc_only_warns_of_is_recorded(tmp_path):
    (tmp_path / "a.c").write_text("long *f(int *p) { long *q = p; return q; }\n")
    (tmp_path / "b.cc").write_text("int g(int x) { register int y = x; return y; }\n")
    line = f"{COMPILER} -w -c a.c; {PLUS} -w -c -std=c++17 b.cc; true"
    done = record(tmp_path, "-o", "out.parquet", "--", "sh", "-c", line)
    assert done.returncode == 0 and "0 failed" in done.stderr
    assert [row.file for row in read_rows(tmp_path / "out.parquet")] == ["a.c", "b.cc"]


def test_what_was_not_recorded_to_the_end_is_said(project, tmp_path):
    """As with a full disk: the file that clang writes to is there, its notes are not."""
    folder = tmp_path / "recording"
    script = f"touch {folder}/units/0123.77.tmp {folder}/units/0123.77-ffed.tmp.tmp; exit 0"
    (project / "build.sh").write_text(script)
    done = record(project, "-o", str(tmp_path / "o"), "--keep", str(folder), "--", "sh", "build.sh")
    assert done.returncode == 0 and "1 file was not recorded to the end" in done.stderr
    assert "nothing was compiled" not in done.stderr


def test_a_disk_that_is_full_at_the_start_is_one_line(project, tmp_path):
    command = [sys.executable, "-m", "irsmith", "corpus", "record", "-o", "o.parquet", "--", "true"]
    line = "ulimit -f 8; exec " + " ".join(command)
    done = subprocess.run(["sh", "-c", line], cwd=project, capture_output=True, text=True)
    assert done.returncode == 2 and "cannot be written: File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not (project / "o.parquet").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "x.parquet"], "no build to record"),
        (["-o", "nosuch/x.parquet", "--", "true"], "the folder does not exist"),
        (["-o", "x.parquet", "--", "nosuchcommand"], "cannot be run"),
        (["-o", "x.parquet", "--root", "nosuch", "--", "true"], "no such folder"),
        (["-o", "x.parquet", "--target", "riscv", "--", "true"], "unknown target"),
    ],
)
def test_misuse_is_one_line(project, words, message):
    done = record(project, *words)
    assert done.returncode == 2 and message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_keeps_what_was_compiled(project, tmp_path):
    (project / "build.sh").write_text(f"{COMPILER} -Iinc -DN=1 -c src/a.c; touch ready; sleep 60\n")
    out = tmp_path / "out.parquet"
    command = [
        sys.executable,
        "-m",
        "irsmith",
        "corpus",
        "record",
        "-o",
        str(out),
        "--",
        "sh",
        "build.sh",
    ]
    process = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (project / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0 and b"Traceback" not in errors
    assert [row.file for row in read_rows(out)] == ["src/a.c"]


STARTS = """
import os, subprocess, sys
gcc = {compiler!r}
def child(start):
    if not os.fork():
        start()
    os.wait()
words = lambda k: [gcc, "-c", f"s{{k}}.c"]
for k, start in enumerate((
    lambda: os.waitpid(os.posix_spawn(gcc, words(0), os.environ), 0),
    lambda: os.waitpid(os.posix_spawnp(os.path.basename(gcc), words(1), os.environ), 0),
    lambda: subprocess.run(words(2), check=True),
    lambda: os.system(" ".join(words(3))),
    lambda: child(lambda: os.execv(gcc, words(4))),
    lambda: child(lambda: os.execvp(os.path.basename(gcc), words(5))),
    lambda: subprocess.run(["sh", "-c", "env " + " ".join(words(6))], check=True),
)):
    open(f"s{{k}}.c", "w").write(f"int f{{k}}(int x) {{{{ return x + {{k}}; }}}}\\n")
    start()
    assert os.path.exists(f"s{{k}}.o"), k
try:
    subprocess.run(["nosuch-" + gcc])
except FileNotFoundError:
    print("as always")
"""


def test_compilers_are_found_however_they_are_started(tmp_path):
    compiler = shutil.which(COMPILER)
    (tmp_path / "starts.py").write_text(STARTS.format(compiler=compiler))
    out = tmp_path / "out.parquet"
    done = record(tmp_path, "-o", str(out), "--", sys.executable, "starts.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "as always\n"
    assert [row.file for row in read_rows(out)] == [f"s{k}.c" for k in range(7)]


def test_a_compiler_that_cmake_wrote_down_is_seen(tmp_path):
    if not shutil.which("cmake"):
        pytest.skip("needs cmake")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.5)\nproject(x C)\nadd_executable(x a.c)\n"
    )
    (tmp_path / "a.c").write_text("int main(void) { return 0; }\n")
    for command in (["cmake", "-B", "build"], ["cmake", "--build", "build"]):
        done = record(tmp_path, "-o", "out.parquet", "--", *command)
        assert done.returncode == 0, done.stderr
    assert [row.file for row in read_rows(tmp_path / "out.parquet")] == ["a.c"]
    # What is written down there outlives the recording.
    assert "irsmith" not in (tmp_path / "build" / "CMakeCache.txt").read_text()


def test_programs_with_a_sanitizer_run_in_a_recorded_build(tmp_path):
    (tmp_path / "a.c").write_text("int main(void) { return 0; }\n")
    sanitized = [COMPILER, "-fsanitize=address", "a.c", "-o", "a"]
    if subprocess.run(sanitized, cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("no sanitizer here")
    line = " ".join(sanitized) + " && ./a && echo ran"
    done = record(tmp_path, "-o", "out.parquet", "--", "sh", "-c", line)
    assert done.returncode == 0 and done.stdout == "ran\n", done.stderr


@pytest.mark.parametrize("library", [False, True])
def test_compilers_that_a_build_links_or_wraps_end(tmp_path, toolchain, library):
    """Debian's pari puts a link to what it found first on PATH; it called itself without end."""
    folder = tmp_path / "recording"
    triple = DEFAULT_TARGETS[arch_of(platform.machine())]
    prepare_recording(toolchain, folder, [triple])
    preload = preload_library(toolchain) if library else None
    (tmp_path / "a.c").write_text("int a(int x) { return x + 1; }\n")
    (tmp_path / "build.sh").write_text(
        f"set -e; mkdir path scripts; found=$(command -v {COMPILER})\n"
        f"ln -s $found path/cc; ln -s $found path/{COMPILER}\n"
        f'printf "#!/bin/sh\\nexec $found \\"\\$@\\"\\n" > scripts/{COMPILER}\n'
        f"chmod +x scripts/{COMPILER}; PATH=$PWD/scripts:$PWD/path:$PATH\n"
        f"cc -c a.c; {COMPILER} -c a.c -o b.o; path/{COMPILER} -c a.c -o c.o\n"
    )
    environment = recording_environment(folder, preload)
    subprocess.run(["sh", "build.sh"], cwd=tmp_path, env=environment, check=True, timeout=60)
    assert all((tmp_path / f"{name}.o").exists() for name in "abc")
    assert collect(toolchain, folder, Origin(tmp_path, "p")).rows


def test_a_source_that_is_a_pipe_reaches_the_compiler(tmp_path):
    """It can be read once: by the build's compiler, which keeps the files that are open."""
    script = f"echo 'int f(void) {{ return 7; }}' | {COMPILER} -xc -c /dev/fd/0 -o pipe.o\n"
    script += f"exec 7<plain.c; {COMPILER} -xc -c /dev/fd/7 -o open.o\n"
    (tmp_path / "plain.c").write_text("int g(void) { return 8; }\n")
    (tmp_path / "build.sh").write_text(script)
    done = record(tmp_path, "-o", "x.parquet", "--json", "--", "sh", "build.sh")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pipe.o").stat().st_size > 0 and (tmp_path / "open.o").stat().st_size > 0


def test_sources_beside_the_build_want_a_root(project, tmp_path):
    build = tmp_path / "build"
    build.mkdir()
    command = ["--", COMPILER, "-DN=1", "-I../package/inc", "-c", "../package/src/a.c"]
    done = record(build, "-o", "x.parquet", *command)
    assert done.returncode == 0 and "1 left out" in done.stderr and "--root" in done.stderr
    done = record(build, "-o", "x.parquet", "--root", str(project), *command)
    assert "1 modules" in done.stderr
    assert [row.file for row in read_rows(build / "x.parquet")] == ["src/a.c"]
