"""The command line of ``irsmith build``, ``irsmith cc`` and ``irsmith c++``."""

import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")


def irsmith(folder, *words):
    command = [sys.executable, "-m", "irsmith", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_a_build_that_fails_keeps_its_status(tmp_path):
    done = irsmith(tmp_path, "build", "--", "sh", "-c", "gcc -c nosuch.c; exit 7")
    assert done.returncode == 7 and "nosuch.c" in done.stderr
    assert "the build itself ended with status 7" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--", "nosuchcommand"], "nosuchcommand: cannot be run"),
        ([], "no build to run: irsmith build -- make"),
        (["--locked", "--", "true"], "--locked takes what a lock file has"),
        (["--locked", "--lock", "no.lock", "--", "true"], "no.lock: no such file"),
        (["--lock", "no/such/irsmith.lock", "--", "true"], "the folder does not exist"),
        (["--effort", "huge", "--", "true"], "invalid choice: 'huge'"),
    ],
)
def test_misuse_is_one_line(tmp_path, words, said):
    done = irsmith(tmp_path, "build", *words)
    assert done.returncode == 2 and said in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not done.stdout


def test_nothing_to_build_is_said(tmp_path):
    done = irsmith(tmp_path, "build", "--", "true")
    assert done.returncode == 0 and "nothing was compiled" in done.stderr


def test_help_and_version_are_the_compilers(tmp_path):
    assert "usage: irsmith build" in irsmith(tmp_path, "build", "--help").stdout
    assert "IRSMITH_CXX" in irsmith(tmp_path, "c++", "--irsmith-help").stdout
    assert "clang version" in irsmith(tmp_path, "cc", "--version").stdout
