"""Debian packages are fetched, built, recorded and reported; bad ones cost themselves only.

The packages lie in a repository of our own that apt reads from a folder: real apt, real
dpkg, no network.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from irsmith.corpus.apt import AptError, largest, sources
from irsmith.corpus.debian_build import _reason
from irsmith.corpus.rows import read_rows

pytest.importorskip("pyarrow")
TOOLS = ("apt-get", "apt-ftparchive", "dpkg-source", "dpkg-buildpackage", "make", "gcc")
missing = [tool for tool in TOOLS if shutil.which(tool) is None]
if missing and "apt-ftparchive" in missing and shutil.which("dpkg-scansources"):
    missing.remove("apt-ftparchive")
pytestmark = pytest.mark.skipif(bool(missing), reason=f"not here: {', '.join(missing)}")

PACKAGES = {
    "goodone": "build-arch:\n\tgcc -O2 -c one.c -o one.o\n\tgcc -O2 -c two.c -o two.o\n",
    "badone": "build-arch:\n\tgcc -O2 -c one.c -o one.o\n\tgcc -c nosuch.c\n",
    "emptyone": "build-arch:\n\ttrue\n",
    "oldstyle": 'build:\n\ttest -z "$$VIRTUAL_ENV$$PYTHONPATH"\n\tgcc -c two.c\n',
    "slowone": "build-arch:\n\tgcc -c one.c\n\ttouch $(CURDIR)/../started; sleep 300\n",
}
FILES = {
    "one.c": "int one(int x) { return x ? x / 3 : 7; }\n",
    "two.c": "/* SPDX-License-Identifier: 0BSD */\nint two(void) { return 2; }\n",
    "debian/copyright": "This package is in the public domain.\n",
    "debian/source/format": "3.0 (native)\n",
}


def make_source(folder, name, rules):
    root = folder / f"{name}-1"
    for file, text in FILES.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    (root / "debian" / "rules").write_text(f"#!/usr/bin/make -f\n{rules}clean:\n\ttrue\n")
    (root / "debian" / "rules").chmod(0o755)
    (root / "debian" / "changelog").write_text(
        f"{name} (1) unstable; urgency=low\n\n  * x\n\n"
        " -- A B <a@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n"
    )
    (root / "debian" / "control").write_text(
        f"Source: {name}\nMaintainer: A B <a@example.org>\nBuild-Depends: debhelper-nosuch\n\n"
        f"Package: {name}\nArchitecture: any\nDescription: x\n"
    )
    command = ["dpkg-source", "-b", root.name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """apt's environment for a repository of our own."""
    base = tmp_path_factory.mktemp("apt")
    repo = base / "repo"
    repo.mkdir()
    for name, rules in PACKAGES.items():
        make_source(repo, name, rules)
    index = subprocess.run(
        ["dpkg-scansources", "."], cwd=repo, check=True, capture_output=True
    ).stdout
    (repo / "Sources").write_bytes(index)
    (repo / "Packages").write_text(
        "".join(
            f"Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: x\n"
            f"Filename: x\nSize: 1\nTag: implemented-in::c, role::program\n\n"
            for name in ("goodone", "badone")
        )
    )
    for name in ("state/lists/partial", "cache/archives/partial", "etc/empty"):
        (base / name).mkdir(parents=True)
    (base / "sources.list").write_text(
        f"deb [trusted=yes] file:{repo} ./\ndeb-src [trusted=yes] file:{repo} ./\n"
    )
    (base / "apt.conf").write_text(
        textwrap.dedent(
            f"""\
            Dir::State "{base}/state";
            Dir::Cache "{base}/cache";
            Dir::Etc::sourcelist "{base}/sources.list";
            Dir::Etc::sourceparts "{base}/etc/empty";
            Dir::Etc::parts "{base}/etc/empty";
            APT::Sandbox::User "root";
            """
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APT_CONFIG", str(base / "apt.conf"))
        subprocess.run(["apt-get", "update"], check=True, capture_output=True)
        yield base


def corpus(folder, *words, check=None):
    command = [sys.executable, "-m", "irsmith", "corpus", "debian", "--no-deps", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    assert "Traceback" not in done.stderr, done.stderr
    if check is not None:
        assert done.returncode == check, done.stderr
    return done


def test_apt_knows_sources(repository):
    found = sources(["goodone", "nosuch", "badone"])
    assert sorted(found) == ["badone", "goodone"] and found["goodone"].version == "1"
    assert found["goodone"].size > 100
    assert sorted(largest(5)) == ["badone", "goodone"] and len(largest(1)) == 1


def test_packages_are_built_and_bad_ones_cost_themselves(repository, tmp_path, monkeypatch):
    names = ["badone", "goodone", "nosuch", "emptyone", "oldstyle"]
    monkeypatch.setenv("VIRTUAL_ENV", "/nosuch")
    (tmp_path / "list").write_text("# a list\n" + "\n".join(names[1:]) + "\n")
    done = corpus(tmp_path, "-o", "out", "--json", "badone", "--list", "list", check=1)
    reports = {report["package"]: report for report in map(json.loads, done.stdout.splitlines())}
    assert sorted(reports) == ["badone", "emptyone", "goodone", "oldstyle"]
    assert "nosuch: no such source package" in done.stderr
    assert reports["goodone"]["status"] == "ok" and reports["oldstyle"]["status"] == "ok"
    assert (
        reports["badone"]["status"] == "build failed" and "nosuch.c" in reports["badone"]["problem"]
    )
    assert reports["emptyone"]["status"] == "nothing recorded"
    assert {k: sum(r["units"].values()) for k, r in reports.items()} == {
        "badone": 1, "emptyone": 0, "goodone": 2, "oldstyle": 1,
    }  # fmt: skip
    rows = list(read_rows(tmp_path / "out" / "goodone.parquet"))
    assert [row.file for row in rows] == ["one.c", "two.c"]
    assert [row.license_expression for row in rows] == ["public-domain", "0BSD"]
    assert rows[0].package_source == "debian:goodone@1" and rows[0].version == "1"
    assert not (tmp_path / "out" / "work" / "goodone").exists()
    # A second run builds nothing again.
    stamp = (tmp_path / "out" / "goodone.parquet").stat().st_mtime_ns
    done = corpus(tmp_path, "-o", "out", "goodone", "oldstyle", check=0)
    assert (tmp_path / "out" / "goodone.parquet").stat().st_mtime_ns == stamp
    assert "2 packages, 3 modules" in done.stderr
    # What failed is tried again when asked to.
    done = corpus(tmp_path, "-o", "out", "emptyone", check=1)
    assert "[1/1" not in done.stderr
    done = corpus(tmp_path, "-o", "out", "--retry", "goodone", "emptyone", check=1)
    assert "[2/2" in done.stderr and "emptyone 1: 0 modules" in done.stderr
    assert (tmp_path / "out" / "goodone.parquet").stat().st_mtime_ns == stamp
    (tmp_path / "out" / "goodone.json").write_text("{")
    done = corpus(tmp_path, "-o", "out", "goodone", check=2)
    assert "damaged: delete it and run again" in done.stderr


def test_a_build_that_takes_too_long_is_stopped(repository, tmp_path):
    done = corpus(tmp_path, "-o", "out", "--timeout", "6", "slowone", check=0)
    assert "did not finish within 6 s" in done.stderr
    assert len(list(read_rows(tmp_path / "out" / "slowone.parquet"))) == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_nothing_behind(repository, tmp_path, how):
    command = [sys.executable, "-m", "irsmith", "corpus", "debian", "--no-deps", "-o", "out"]
    process = subprocess.Popen(
        [*command, "slowone"], cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True
    )
    work = tmp_path / "out" / "work" / "slowone"
    deadline = time.monotonic() + 90
    while not (work / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (work / "started").exists()
    if how == signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        process.kill()
    _, errors = process.communicate(timeout=30)
    assert b"Traceback" not in errors and process.returncode == (
        130 if how == signal.SIGINT else -9
    )
    while builds(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not builds(tmp_path)
    assert not (tmp_path / "out" / "slowone.json").exists()


def test_a_process_that_is_killed_costs_its_package(repository, tmp_path):
    command = [sys.executable, "-m", "irsmith", "corpus", "debian", "--no-deps", "-o", "out"]
    process = subprocess.Popen(
        [*command, "-j", "1", "slowone", "oldstyle"], cwd=tmp_path, stderr=subprocess.PIPE
    )
    work = tmp_path / "out" / "work" / "slowone"
    deadline = time.monotonic() + 90
    while not (work / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    (victim,) = [pid for pid in children(process.pid) if b"spawn_main" in command_of(pid)]
    os.kill(victim, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and b"Traceback" not in errors
    assert b"slowone 1: 0 modules" in errors and b"its process ended with SIGKILL" in errors
    assert b"oldstyle 1: 1 modules" in errors
    assert not (tmp_path / "out" / "slowone.json").exists()
    for pid in builds(tmp_path):
        os.kill(int(pid), signal.SIGKILL)


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def builds(folder):
    """Processes that work below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(folder / "out"):
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_misuse_is_one_line(repository, tmp_path, monkeypatch):
    for words, message in (
        (["-o", "out"], "name packages"),
        (["-o", "out", "--list", "nosuch"], "cannot be read"),
        (["-o", "out", "--target", "vax", "goodone"], "unknown target"),
    ):
        done = corpus(tmp_path, *words, check=2)
        assert message in done.stderr and len(done.stderr.splitlines()) == 1
    (repository / "none.conf").write_text((repository / "apt.conf").read_text().replace(
        "sources.list", "nosuch.list").replace("/state", "/nostate"))  # fmt: skip
    monkeypatch.setenv("APT_CONFIG", str(repository / "none.conf"))
    with pytest.raises(AptError, match="enable source packages"):
        sources(["goodone"])


def test_the_reason_of_a_failed_build_is_its_own_line():
    log = "dpkg-buildpackage: info: host\ndh_testdir\nmake: dh_testdir: No such file or directory\n"
    log += (
        "make: *** [debian/rules:18: x] Error 127\ndpkg-buildpackage: error: debian/rules failed\n"
    )
    assert _reason(log) == "make: dh_testdir: No such file or directory"
    assert _reason("a.c:3:1: error: bad\nmake: *** [x] Error 1\n") == "a.c:3:1: error: bad"
    assert _reason("cc\nmake: *** [x] Error 1\n") == "make: *** [x] Error 1"
    assert _reason("") == ""
