"""What has to be installed, unpacking, and building the full suite. No network, no apt."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import make_csmith

from irsmith.check import debian, fetch, packages
from irsmith.check.debian import Need
from irsmith.check.fetch import FetchError, build_full, unpack_testsuite
from irsmith.check.packages import InstallError, Step, install, plan
from irsmith.toolchain.find import find_toolchain

X86 = "x86_64-unknown-linux-gnu"
ARM = "aarch64-unknown-linux-gnu"


def test_nothing_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "needs", lambda *_, **__: [])
    assert plan(X86) == []


def stub_apt(monkeypatch: pytest.MonkeyPatch, folder: Path, uid: int, sudo: bool) -> None:
    monkeypatch.setattr(packages.os, "geteuid", lambda: uid)
    found = {"apt-get": "apt-get", "sudo": "sudo" if sudo else None}
    monkeypatch.setattr(packages.shutil, "which", found.get)
    monkeypatch.setattr(packages, "_known", lambda names: set(names) - {"gcc-12-source"})
    monkeypatch.setattr(packages, "_APT_LISTS", folder)
    missing = [
        Need("tests", ("gcc-12-source", "gcc-13-source"), "get GCC"),
        Need("Csmith", ("csmith",), "get Csmith"),
    ]
    monkeypatch.setattr(packages, "needs", lambda *_, **__: missing)


def test_plan_for_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stub_apt(monkeypatch, tmp_path, 0, False)
    update, step = plan(X86)
    assert update.command == ("apt-get", "update")
    (tmp_path / "deb_Packages.lz4").write_text("")
    assert plan(X86) == [step]
    # gcc-12-source is not to be had: the next best is taken.
    assert step.packages == ("gcc-13-source", "csmith")
    install_command = ("apt-get", "install", "-y", "--no-install-recommends")
    assert step.command == (*install_command, "gcc-13-source", "csmith")


def test_plan_with_and_without_sudo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "deb_Packages").write_text("")
    stub_apt(monkeypatch, tmp_path, 1000, True)
    assert plan(X86)[0].command[:2] == ("sudo", "apt-get")
    stub_apt(monkeypatch, tmp_path, 1000, False)
    (step,) = plan(X86)
    assert step.command == ()
    assert "as root: apt-get install -y" in step.advice
    with pytest.raises(InstallError, match="as root"):
        install([step])


def test_plan_without_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(packages, "needs", debian.needs)
    monkeypatch.setattr(debian, "gcc_tarball", lambda: None)
    steps = plan(ARM)
    assert all(step.command == () for step in steps)
    advice = " ".join(step.advice for step in steps)
    assert "--gcc-testsuite DIR" in advice
    assert "--csmith PATH" in advice
    given = plan(X86, gcc_testsuite=tmp_path, csmith=tmp_path)
    if debian.is_native(X86):
        assert given == []


def test_install_runs_and_reports(tmp_path: Path) -> None:
    made = tmp_path / "made"
    install([Step("make a file", (), ("touch", str(made)), "")])
    assert made.exists()
    with pytest.raises(InstallError, match="status 1"):
        install([Step("fail", (), ("false",), "")])
    with pytest.raises(InstallError, match="does not run"):
        install([Step("nothing", (), (str(tmp_path / "nothing"),), "")])


TESTS = {
    "COPYING3": "GPL\n",
    "gcc/BASE-VER": "12.9.0\n",
    "gcc/testsuite/gcc.c-torture/execute/good.c": "main() { return 0; }\n",
    "gcc/testsuite/gcc.c-torture/execute/bad.c": "main() { return undeclared; }\n",
    "gcc/testsuite/gcc.dg/torture/run.c": '/* { dg-do run } */\n#include "../tg-tests.h"\n',
    "gcc/testsuite/gcc.dg/tg-tests.h": "int main(void) { return 0; }\n",
    "gcc/testsuite/g++.dg/other.C": "not wanted\n",
    "gcc/gcc.c": "not wanted\n",
}


def make_tarball(folder: Path, extra: dict[str, str] | None = None) -> Path:
    folder.mkdir(parents=True)
    file = folder / "gcc-12.9.0-dfsg.tar.xz"
    with tarfile.open(file, "w:xz", preset=0) as archive:
        for name, text in {**TESTS, **(extra or {})}.items():
            member = tarfile.TarInfo(f"gcc-12.9.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("gcc-12.9.0/gcc/testsuite/gcc.dg/torture/link.c")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return file


def test_unpack_testsuite(tmp_path: Path) -> None:
    evil = {"gcc/testsuite/gcc.dg/torture/../../../../../../evil.c": "out of the folder\n"}
    tarball = make_tarball(tmp_path / "in/gcc-12", evil)
    root = unpack_testsuite(tmp_path / "cache", tarball)
    home = tmp_path / "cache/sources/gcc-12.9.0-dfsg"
    assert root == home / "gcc/testsuite"
    files = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    wanted = {name for name in TESTS if TESTS[name] != "not wanted\n"}
    assert files == wanted | {"gcc/testsuite/irsmith-origin"}
    assert not list(tmp_path.rglob("evil.c"))

    # Done once: the tarball is not looked at again.
    tarball.unlink()
    assert unpack_testsuite(tmp_path / "cache", tarball) == root


def test_a_broken_tarball_leaves_nothing_behind(tmp_path: Path) -> None:
    tarball = make_tarball(tmp_path / "in/gcc-12")
    tarball.write_bytes(tarball.read_bytes()[:200])
    with pytest.raises(FetchError, match="cannot unpack"):
        unpack_testsuite(tmp_path / "cache", tarball)
    assert not (tmp_path / "cache/sources/gcc-12.9.0-dfsg").exists()
    tarball.unlink()
    make_tarball(tmp_path / "again/gcc-12").rename(tarball)
    assert unpack_testsuite(tmp_path / "cache", tarball).is_dir()


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    """A testsuite and a Csmith that the person has, so that nothing is missing."""
    tarball = make_tarball(tmp_path / "in/gcc-12")
    return {
        "gcc_testsuite": unpack_testsuite(tmp_path / "in", tarball),
        "csmith": make_csmith(tmp_path / "prefix"),
    }


native = pytest.mark.skipif(not debian.is_native(X86), reason="builds for x86-64 here")


@native
def test_build_full(tmp_path: Path, inputs: dict[str, Path]) -> None:
    stages: list[str] = []
    folder = build_full(
        tmp_path / "cache", find_toolchain(), X86, [1, 2, 3],
        lambda stage, _done, _total: stages.append(stage), **inputs, jobs=2,
    )  # fmt: skip
    assert folder == tmp_path / "cache/suites/full-x86_64"
    assert set(stages) == {"unpack", "csmith", "compile"}
    entries = {entry["name"]: entry for entry in json.loads((folder / "sources.json").read_text())}
    assert set(entries) == {
        "dg-run", "torture-bad", "torture-good", "csmith-1", "csmith-2", "csmith-3"}  # fmt: skip
    assert "undeclared" in entries["torture-bad"]["error"]
    assert entries["torture-bad"]["file"] is None
    assert "no program within" in entries["csmith-3"]["error"]
    for name in ("dg-run", "torture-good", "csmith-1", "csmith-2"):
        content = (folder / entries[name]["file"]).read_bytes()
        assert entries[name]["error"] is None
        assert entries[name]["sha256"] == hashlib.sha256(content).hexdigest()
    assert sorted(path.name for path in (folder / "programs").iterdir()) == [
        "csmith-1.bc", "csmith-2.bc", "dg-run.bc", "torture-good.bc"]  # fmt: skip
    assert sorted(path.name for path in folder.iterdir()) == [
        "build.json", "programs", "sources.json"]  # fmt: skip


@native
def test_a_suite_is_built_once(
    tmp_path: Path, inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    toolchain = find_toolchain()
    folder = build_full(tmp_path / "cache", toolchain, X86, [1], **inputs, jobs=1)
    before = (folder / "sources.json").stat().st_mtime_ns

    def refuse(*_: object) -> None:
        raise AssertionError("compiled again")

    with monkeypatch.context() as patched:
        patched.setattr(fetch, "compile_programs", refuse)
        assert build_full(tmp_path / "cache", toolchain, X86, [1], **inputs) == folder
    assert (folder / "sources.json").stat().st_mtime_ns == before
    # Other seeds, or another compiler, and it is another suite.
    build_full(tmp_path / "cache", toolchain, X86, [1, 2], **inputs, jobs=1)
    assert (folder / "programs/csmith-2.bc").exists()
    build_full(tmp_path / "cache", replace(toolchain, version="0"), X86, [1, 2], **inputs, jobs=1)
    assert json.loads((folder / "build.json").read_text())["toolchain"] == "llvm-0"
    assert [path.name for path in folder.parent.iterdir()] == ["full-x86_64"]


@native
def test_an_interrupted_build_goes_on(
    tmp_path: Path, inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"

    def interrupt(stage: str, done: int, _total: int) -> None:
        if stage == "compile" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_full(cache, find_toolchain(), X86, [1, 2], interrupt, **inputs, jobs=1)
    assert not (cache / "suites/full-x86_64").exists()
    journal = cache / "suites/full-x86_64.partial/journal.jsonl"
    with journal.open("a") as file:
        file.write('{"key": "cut o')

    again: list[int] = []
    real = fetch.compile_programs

    def counted(programs: list[object], *rest: object) -> object:
        again.append(len(programs))
        return real(programs, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(fetch, "compile_programs", counted)
    folder = build_full(cache, find_toolchain(), X86, [1, 2], **inputs, jobs=1)
    assert again == [2]
    assert len(json.loads((folder / "sources.json").read_text())) == 5


def test_what_is_missing_is_said_before_building(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Step("GCC's tests", ("gcc-12-source",), (), "as root: apt-get install")
    monkeypatch.setattr(fetch, "plan", lambda *_, **__: [step])
    with pytest.raises(FetchError, match="GCC's tests: as root"):
        build_full(tmp_path, find_toolchain(), X86, [1])
    assert list(tmp_path.iterdir()) == []
