"""The other commands, as a person types them."""

import json
import subprocess
import sys

import pytest
from test_optimize import one_line, run


def test_check_passes_says_yes_no_and_misuse():
    done = run("check-passes", "default<Oz>,iroutliner", "--json")
    verdict = json.loads(done.stdout)
    assert done.returncode == 0 and verdict["state"] == "passed" and verdict["programs"] >= 60
    done = run("check-passes", "function(sroa),structurizecfg,globaldce", "--json")
    verdict = json.loads(done.stdout)
    assert done.returncode == 1 and verdict["state"] == "failed"
    assert verdict["smallest"] == "function(structurizecfg)"
    assert verdict["failures"][0]["what"] in ("wrong answer", "wrong output", "program crash")
    one_line(run("check-passes", "simplifcfg"), 2, "simplifcfg", "simplifycfg")
    one_line(run("check-passes", "function(sroa"), 2)
    one_line(run("check-passes", "sroa", "--codegen=-nope"), 2, "-nope")
    one_line(run("check-passes", "sroa", "--suite", "full"), 2, "fetch-suite")


def test_a_verdict_is_kept():
    first = run("check-passes", "globaldce", "--json")
    again = run("check-passes", "globaldce", "--json")
    assert first.stdout == again.stdout
    fresh = json.loads(run("check-passes", "globaldce", "--json", "--no-cache").stdout)
    assert fresh["state"] == "passed"


def test_autotune_is_the_same_every_time(source, tmp_path):
    words = ["autotune", source, "--budget", "60", "--seed", "4", "--json"]
    found = []
    for jobs in ("1", "2"):
        done = run(*words, "-j", jobs, "--plot", tmp_path / f"{jobs}.svg")
        assert done.returncode == 0, done.stderr
        data = json.loads(done.stdout)
        data.pop("seconds")
        found.append(data)
        assert b"<svg" in (tmp_path / f"{jobs}.svg").read_bytes()
    assert found[0] == found[1]
    assert found[0]["compilations"] == 60
    assert found[0]["result"]["total"] <= found[0]["baseline"]["total"]
    assert found[0]["verdict"]["pass_list"] == "passed"
    values = [value for _, value in found[0]["curve"]]
    assert values == sorted(values, reverse=True)
    one_line(run("autotune", source, "--budget", "0"), 2, "budget")
    one_line(run("autotune", source, "--plot", tmp_path / "no" / "x.svg"), 2, "folder")


def test_passes_and_doctor():
    done = run("passes", "structurizecfg", "newgvn", "sroa")
    text = done.stdout.decode()
    assert "excluded" in text and "default" in text
    assert run("passes", "--codegen").stdout.count(b"\n") >= 5
    one_line(run("passes", "nothing-like-it"), 2, "nothing-like-it")
    one_line(run("passes", "sroaa"), 2, "did you mean 'sroa'")
    rows = json.loads(run("passes", "--json", "--tier", "excluded").stdout)
    assert rows and all(row["reason"] for row in rows)
    found = json.loads(run("doctor", "--json").stdout)
    assert found["llvm"].startswith("22.1") and found["clang"]


WITHOUT = """
import sys
from irsmith.cli.main import main
sys.modules.update(dict.fromkeys(("pyarrow", "numpy", "rensa", "debian", "tokenizers", "torch")))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "words, line",
    [
        ("corpus record -o x.parquet -- touch built", "pip install 'irsmith[data]'"),
        ("corpus directory . -o x.parquet", "pip install 'irsmith[data]'"),
        ("corpus debian -o x tinycdb", "pip install 'irsmith[data]'"),
        ("corpus stats .", "pip install 'irsmith[data]'"),
        ("label stats .", "pip install 'irsmith[data]'"),
        ("tokenize x.c", "pip install 'irsmith[model]'"),
        ("train x.py:one --data . --out y", "pip install 'irsmith[train]'"),
        ("optimize --model nano x.c -o x.o", "pip install 'irsmith[infer]'"),
    ],
)
def test_an_extra_that_is_missing_is_named_before_any_work(words, line, tmp_path):
    (tmp_path / "x.c").write_text("int f(void) { return 1; }\n")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *words.split()], cwd=tmp_path, capture_output=True
    )
    text = done.stderr.decode()
    assert done.returncode == 2 and line in text and len(text.splitlines()) == 1, text
    assert [path.name for path in tmp_path.iterdir()] == ["x.c"]


def test_doctor_names_what_is_missing_and_the_command_that_gets_it():
    done = subprocess.run([sys.executable, "-c", WITHOUT, "doctor"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "could be added: training: pip install 'irsmith[train]'" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["optimize", "--help"], ["check-passes", "--help"]])
def test_help_is_on_stdout(words):
    done = run(*words)
    assert done.returncode == 0 and done.stdout.startswith(b"usage:") and not done.stderr


def test_fetch_suite_asks_before_it_installs(tmp_path):
    import shutil

    done = run("fetch-suite", "--csmith", tmp_path / "none", "--gcc-testsuite", tmp_path)
    text = done.stderr.decode()
    assert done.returncode == 2 and "Traceback" not in text
    if shutil.which("csmith") is None:
        done = run("fetch-suite")
        assert done.returncode == 2 and "nothing was installed" in done.stderr.decode()
