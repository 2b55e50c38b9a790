"""``irsmith optimize`` as a person types it, good input and bad."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from shared_source import SOURCE

FIELDS = ["text", "rodata", "data", "unwind", "total", "instructions"]


def run(*words, stdin=b"", cwd=None, env=None):
    command = [sys.executable, "-m", "irsmith", *map(str, words)]
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        check=False,
    )


def one_line(done, status, *words):
    """One clear line on stderr, no traceback."""
    text = done.stderr.decode()
    assert done.returncode == status, text
    assert "Traceback" not in text
    for word in words:
        assert word in text, text
    assert not done.stdout
    return text


def test_json_has_the_fields_that_scripts_read(source, tmp_path):
    done = run("optimize", source, "-o", tmp_path / "x.o", "--json", "--effort", "fast")
    result = json.loads(done.stdout)
    assert list(result["baseline"]) == list(result["result"]) == FIELDS
    assert result["objective"] == "size" and result["target"].startswith("x86_64")
    assert result["source"] in ("baseline", "portfolio", "model")
    assert set(result["verdict"]) == {"verifier", "pass_list", "module", "tests"}
    assert result["candidates"] == 2 and result["compilations"] == 3
    assert result["result"]["total"] <= result["baseline"]["total"]


@pytest.mark.parametrize(
    "options,start",
    [
        ([], b"\x7fELF"),
        (["-S"], b"\t"),
        (["--emit-llvm"], b"BC\xc0\xde"),
        (["--emit-llvm", "-S"], b"; ModuleID"),
    ],
)
def test_outputs(source, options, start):
    done = run("optimize", source, "-o", "-", "--effort", "fast", *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(start)


def test_ir_and_bitcode_and_stdin_give_one_answer(source, tmp_path, toolchain):
    flags = ["-Oz", "-Xclang", "-disable-llvm-passes", "-emit-llvm"]
    clang = toolchain.need_clang()
    subprocess.run([clang, *flags, "-S", source, "-o", tmp_path / "x.ll"], check=True)
    subprocess.run([clang, *flags, "-c", source, "-o", tmp_path / "x.bc"], check=True)
    answers = []
    for words, stdin in [
        ([source], b""),
        ([tmp_path / "x.ll"], b""),
        ([tmp_path / "x.bc"], b""),
        (["-", "-x", "c"], SOURCE.encode()),
        (["-", "-x", "ir"], (tmp_path / "x.ll").read_bytes()),
    ]:
        done = run("optimize", *words, "-o", tmp_path / "x.o", "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        answers.append((result["baseline"], result["result"], result["pass_list"]))
    assert all(answer == answers[0] for answer in answers)


def test_flags_after_the_dashes_reach_clang(tmp_path):
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "x.h").write_text("#define VALUE 42\n")
    (tmp_path / "f.c").write_text('#include "x.h"\nint f(void) { return VALUE + EXTRA; }\n')
    done = run("optimize", "f.c", "-S", "-o", "-", "--", "-Iinc", "-DEXTRA=1", cwd=tmp_path)
    assert b"43" in done.stdout, done.stderr
    done = run("optimize", "f.c", "-o", "f.o", "--", "-Iinc", "-DEXTRA=1", "-O3", cwd=tmp_path)
    assert done.returncode == 0 and b"note: -O3 left out" in done.stderr
    for flag in ("-c", "-o", "-S"):
        one_line(run("optimize", "f.c", "--", flag, cwd=tmp_path), 2, flag, "before the --")


def test_function_sections_are_kept(source, tmp_path, toolchain):
    done = run("optimize", source, "-o", tmp_path / "x.o", "--json", "--", "-ffunction-sections")
    result = json.loads(done.stdout)
    assert result["result"]["total"] <= result["baseline"]["total"]
    from irsmith.toolchain import elf

    names = [section.name for section in elf.sections((tmp_path / "x.o").read_bytes())]
    assert ".text.hash" in names
    clang = subprocess.run(
        [toolchain.need_clang(), "-Oz", "-ffunction-sections", "-c", source, "-o", "-"],
        capture_output=True,
        check=True,
    ).stdout
    assert elf.loaded_size(clang).total == result["baseline"]["total"]


def test_aarch64_and_the_other_objective(source, tmp_path):
    done = run("optimize", source, "--target", "aarch64", "-o", tmp_path / "x.o", "--json")
    assert json.loads(done.stdout)["target"].startswith("aarch64"), done.stderr
    assert (tmp_path / "x.o").read_bytes()[18] == 0xB7
    done = run("optimize", source, "-o", tmp_path / "x.o", "--json", "--objective", "instructions")
    result = json.loads(done.stdout)
    assert result["result"]["instructions"] <= result["baseline"]["instructions"]


def test_explain_and_emit_passes(source, tmp_path):
    output = tmp_path / "x.o"
    done = run("optimize", source, "-o", output, "--json", "--explain")
    explained = json.loads(done.stdout)["explain"]
    assert {row["name"] for row in explained["functions"]} >= {"sum", "insert", "hash"}
    assert explained["passes"][0]["pass"] == "" and len(explained["passes"]) > 1
    done = run("optimize", source, "-o", output, "--emit-passes")
    assert done.stdout.startswith(b"-passes=")
    assert (
        b"bytes a function (code, unwind entry)"
        in run("optimize", source, "-o", output, "--explain").stderr
    )


def test_several_files_each_get_an_output(source, tmp_path):
    (tmp_path / "two.c").write_text("int two(int x) { return x * 2; }\n")
    done = run("optimize", "sample.c", "two.c", "--json", cwd=tmp_path)
    assert len(done.stdout.splitlines()) == 2
    assert (tmp_path / "sample.o").exists() and (tmp_path / "two.o").exists()
    one_line(run("optimize", "a.c", "b.c", "-o", "x.o", cwd=tmp_path), 2, "one input")


def test_modules_that_have_little(tmp_path):
    for name, text in [
        ("empty.c", ""),
        ("data.c", "int table[3] = {1, 2, 3};\n"),
        ("decl.ll", "declare void @f()\n"),
        ("asm.c", 'int f(void) { int x; __asm__ volatile("movl $7, %0" : "=r"(x)); return x; }\n'),
    ]:
        (tmp_path / name).write_text(text)
        done = run("optimize", name, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["result"]["total"] <= result["baseline"]["total"]


def test_bad_input_is_one_line(source, tmp_path, toolchain):
    one_line(run("optimize", tmp_path / "none.c"), 2, "none.c", "no such file")
    (tmp_path / "wrong.c").write_text("int f( { return; }\n")
    text = one_line(run("optimize", tmp_path / "wrong.c", "-o", tmp_path / "w.o"), 1, "error:")
    assert "wrong.c" in text and not (tmp_path / "w.o").exists()
    one_line(run("optimize", source, "--target", "mips", "-o", tmp_path / "x.o"), 2, "mips")
    one_line(run("optimize", source, "-o", tmp_path / "no" / "x.o"), 2, "folder does not exist")
    one_line(run("optimize", tmp_path / "x.rs"), 2, "x.rs")
    (tmp_path / "x.rs").write_text("fn main() {}")
    one_line(run("optimize", tmp_path / "x.rs", "-o", tmp_path / "x.o"), 2, ".ll .bc")
    (tmp_path / "empty.bc").write_bytes(b"")
    one_line(run("optimize", tmp_path / "empty.bc", "-o", tmp_path / "x.o"), 2, "empty")
    (tmp_path / "bad.ll").write_text("define i32 @f( {")
    one_line(run("optimize", tmp_path / "bad.ll", "-o", tmp_path / "x.o"), 2, "bad.ll")
    (tmp_path / "broken.ll").write_text(
        "define i32 @f(i1 %c) {\n  br i1 %c, label %a, label %b\na:\n  %x = add i32 1, 2\n"
        "  br label %b\nb:\n  ret i32 %x\n}\n"
    )
    one_line(run("optimize", tmp_path / "broken.ll", "-o", tmp_path / "x.o"), 2, "broken.ll")
    one_line(run("optimize"), 2, "FILE")
    one_line(run("optimise", source), 2, "did you mean 'optimize'")
    one_line(run("optimize", "-", stdin=b"int x;"), 2, "-x c")


def test_truncated_and_foreign_bitcode(source, tmp_path, toolchain):
    flags = ["-Oz", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c"]
    path = tmp_path / "x.bc"
    subprocess.run([toolchain.need_clang(), *flags, source, "-o", path], check=True)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    one_line(run("optimize", path, "-o", tmp_path / "x.o"), 2, "cannot be read by LLVM")
    # A newer LLVM says so by the epoch, a number of six bits that ends the first block.
    newer = bytearray(data)
    end = 12 + 4 * int.from_bytes(data[8:12], "little")
    last = max(bit for bit in range(96, 8 * end) if data[bit // 8] >> bit % 8 & 1)
    newer[(last + 3) // 8] |= 1 << (last + 3) % 8
    path.write_bytes(newer)
    one_line(run("optimize", path, "-o", tmp_path / "x.o"), 2, "LLVM 22.1", "Incompatible epoch")
    assert not (tmp_path / "x.o").exists()


def test_an_unwritable_output_leaves_everything_as_it_was(source, tmp_path):
    # Not even root can make a file there.
    one_line(run("optimize", source, "-o", "/proc/irsmith.o"), 2, "cannot be written")
    one_line(run("optimize", source, "-o", tmp_path), 2, "is a folder")
    precious = tmp_path / "x.o"
    precious.write_bytes(b"precious")
    (tmp_path / "wrong.c").write_text("int f( {\n")
    one_line(run("optimize", tmp_path / "wrong.c", "-o", precious), 1, "error:")
    assert precious.read_bytes() == b"precious"
    done = run("optimize", source, "-o", "/dev/null", "--effort", "fast")
    assert done.returncode == 0 and not Path("/dev/null").is_file()


def test_start_up_is_cheap():
    done = run("--help")
    assert done.returncode == 0 and b"optimize" in done.stdout
    code = (
        "import sys; import irsmith.cli.main as m; m.main(['--help']); "
        "print([n for n in ('argparse','json','ctypes','subprocess') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert done.stdout.endswith(b"[]\n"), done.stdout
