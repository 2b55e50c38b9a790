"""``irsmith tokenize`` as a person types it, good input and bad."""

import io
import json
import sys

import pytest
from test_optimize import one_line, run

pytest.importorskip("tokenizers")

from irsmith.cli import tokenize
from irsmith.model.tokenizer import shipped_tokenizer
from irsmith.records import IrsmithError

ASSEMBLY = "\t.text\n\t.globl f\nf:\n\tmovl %edi, %eax # a comment\n\tretq\n"
IR = "define i32 @f(i32 %x) {\nentry:\n  ret i32 %x\n}\n"


def tokenized(capsys, *words):
    assert tokenize.main([str(word) for word in words]) == 0
    return capsys.readouterr().out


def test_the_figures_are_those_of_the_text(source, capsys):
    counts = json.loads(tokenized(capsys, source, "--json"))
    text = tokenized(capsys, source, "--text")
    ids = list(map(int, tokenized(capsys, source, "--ids").split()))
    assert list(counts) == ["characters", "tokens", "characters_per_token"]
    assert counts["characters"] == len(text) and counts["tokens"] == len(ids)
    assert counts["characters_per_token"] == round(len(text) / len(ids), 3) > 5
    assert shipped_tokenizer().decode(ids) == text
    assert "define" in text and "target triple" not in text
    said = tokenized(capsys, source)
    assert said.startswith(f"{len(ids)} tokens, {len(text)} characters, ")


def test_ir_is_normalised(tmp_path, capsys, monkeypatch):
    path = tmp_path / "f.ll"
    path.write_text(IR)
    normal = "define i32 @f(i32 %0) {\nret i32 %0\n}\n"
    assert tokenized(capsys, path, "--text") == normal
    assert tokenized(capsys, path, "--text", "--target", "aarch64") == normal
    stdin = io.TextIOWrapper(io.BytesIO(IR.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert tokenized(capsys, "-", "-x", "ir", "--text") == normal


def test_assembly_is_normalised(tmp_path, capsys):
    path = tmp_path / "f.s"
    path.write_text(ASSEMBLY)
    assert tokenized(capsys, path, "--text") == "f:\nmovl %edi, %eax\nretq\n"
    path.write_text("\t.globl f\nf:\n\tmov w0, #1 // one\n\tret\n")
    assert tokenized(capsys, path, "--text", "--target", "arm64") == "f:\nmov w0, #1\nret\n"


@pytest.mark.parametrize(
    "name,content,says",
    [
        ("none.c", None, "no such file"),
        ("none.s", None, "no such file"),
        ("bad.c", b"int f( {", "error"),
        ("empty.ll", b"", "empty"),
        ("empty.s", b"\n  \n", "no assembly"),
        ("object.s", b"\x7fELF\x02\0\0", "not a text"),
        ("latin.s", b"f:\n\xff\xfe\n", "not a text"),
        ("noise.bc", b"BC\xc0\xdejunk", "cannot be read"),
        ("text.txt", b"hello", "reads"),
    ],
)
def test_bad_input_is_told_in_one_line(tmp_path, name, content, says):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(IrsmithError, match=says):
        tokenize.main([str(path)])


def test_flags_of_clang(tmp_path, capsys):
    path = tmp_path / "f.c"
    path.write_text("int f(void) { return X; }\n")
    assert "ret i32 41" in tokenized(capsys, path, "--text", "--", "-DX=41")
    asm = tmp_path / "f.s"
    asm.write_text(ASSEMBLY)
    with pytest.raises(IrsmithError, match="not for assembly"):
        tokenize.main([str(asm), "--", "-DX=41"])


def test_as_a_command(tmp_path):
    path = tmp_path / "f.s"
    path.write_text(ASSEMBLY)
    done = run("tokenize", path, "--json")
    assert json.loads(done.stdout)["characters"] == len("f:\nmovl %edi, %eax\nretq\n")
    one_line(run("tokenize", tmp_path / "none.c"), 2, "none.c", "no such file")
    one_line(run("tokenize", path, "--target", "riscv64"), 2, "riscv64")
    hidden = {"PYTHONPATH": str(tmp_path)}
    (tmp_path / "tokenizers.py").write_text("raise ImportError")
    one_line(run("tokenize", path, env=hidden), 2, "pip install 'irsmith[model]'")
