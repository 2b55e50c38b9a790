"""``irsmith disassemble`` and ``emulate`` as a person types them; the model knows nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "infer"))
tiny = pytest.importorskip("tiny_release")

from irsmith.toolchain.clang import run_clang  # noqa: E402

SOURCE = "int twice(int x) { return x + x; }\nint three(void) { return 3; }\n"


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    return tiny.write_release(folder, tiny.network_of(tiny.SHAPES[True]))


@pytest.fixture(scope="module")
def files(toolchain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "a.c").write_text(SOURCE)
    for kind in ("-c", "-S"):
        suffix = ".o" if kind == "-c" else ".s"
        run_clang(toolchain, [kind, "-Oz", str(folder / "a.c"), "-o", str(folder / f"a{suffix}")])
    return folder


def run(*words, stdin=b""):
    command = [sys.executable, "-m", "irsmith", *map(str, words)]
    return subprocess.run(command, input=stdin, capture_output=True, env=os.environ, check=False)


def refused(done, *words):
    text = done.stderr.decode()
    assert done.returncode == 2 and "Traceback" not in text and not done.stdout, text
    assert len(text.splitlines()) == 1
    for word in words:
        assert word in text, text


@pytest.mark.parametrize(
    ("name", "functions", "samples"),
    [("a.o", ["twice", "three"], 1), ("a.s", ["three"], 2), ("-", ["three"], 1)],
)
def test_what_cannot_be_recovered_is_declared_and_the_command_did_run(
    files, release, name, functions, samples
):
    path, stdin = (name, (files / "a.o").read_bytes()) if name == "-" else (files / name, b"")
    asked = ["--model", release, "--by", "model", "--samples", samples, "--json"]
    if len(functions) == 1:
        asked += ["--function", *functions]
    done = run("disassemble", path, *asked, stdin=stdin)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["target"].startswith("x86_64") and found["model"] == str(release)
    assert [one["name"] for one in found["functions"]] == functions
    for one in found["functions"]:
        assert list(one) == [
            *("name", "grade", "ir", "level", "source", "lifted", "samples", "seconds"),
            "reason",
        ]
        assert (one["grade"], one["ir"], one["samples"]) == ("failed", "", samples)
        assert one["reason"]
    assert found["seconds"] > 0 and f"{len(functions)} failed".encode() in done.stderr


def test_equal_seeds_give_equal_answers(files, release):
    words = ("emulate", files / "a.c", "--passes", "default<Oz>", "--model", release)
    made = [run(*words, "--samples", 2, "--seed", 5).stdout for _ in range(2)]
    assert made[0] == made[1]


def test_an_emulation_is_said_to_be_a_guess(files, release):
    done = run("emulate", files / "a.c", "--passes", "default<Oz>", "--model", release, "--compare")
    assert done.returncode == 0 and b"a guess, not a compilation" in done.stderr
    assert b"actual" in done.stderr and b" s" in done.stderr


def test_one_function_into_a_file_and_all_into_a_folder(files, release, tmp_path):
    words = ("disassemble", files / "a.o", "--model", release, "--by", "model")
    refused(run(*words, "-o", tmp_path / "x.ll"), "one function", "--function")
    done = run(*words, "-o", tmp_path / "all", "--function", "three")
    assert done.returncode == 0 and list((tmp_path / "all").iterdir()) == [], done.stderr


def test_misuse_is_one_line(files, release, tmp_path):
    asked = ("--model", release)
    refused(run("disassemble", tmp_path / "no.o", *asked), "no such file")
    refused(run("disassemble", tmp_path, *asked), "folder")
    refused(run("disassemble", files / "a.o", "--function", "twyce", *asked), "'twice'")
    refused(run("disassemble", files / "a.c", *asked), "not assembly")
    refused(run("disassemble", files / "a.o", "--model", tmp_path / "none"), "no model")
    refused(run("disassemble", files / "a.o", *asked, "--samples", "0"), "--samples")
    refused(run("disassemble", files / "a.o", *asked, "--temperature", "-1"), "temperature")
    refused(run("disassemble", files / "a.o", *asked, "--target", "aarch64"), "X86")
    refused(run("emulate", files / "a.c", "--passes", "default<Ox>", *asked), "Ox")
    refused(run("emulate", files / "a.o", "--passes", "default<Oz>", *asked), "reads .c")
