"""The tokenizer: exact, safe against text that looks like its tokens, the same every time."""

import hashlib
import json
import sys
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_source import SOURCE

tokenizers = pytest.importorskip("tokenizers")

from irsmith.model.texts import KINDS, sample_texts  # noqa: E402
from irsmith.model.tokenizer import (  # noqa: E402
    LONGEST_TOKEN,
    VOCABULARY,
    Tokenizer,
    byte_alphabet,
    load_tokenizer,
    shipped_tokenizer,
    train_tokenizer,
)
from irsmith.records import IrsmithError, Module  # noqa: E402
from irsmith.tasks.vocabulary import special_tokens  # noqa: E402
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode  # noqa: E402

SPECIALS = len(special_tokens())
LINES = [
    f"define i32 @f{n}(i32 noundef %0) {{\n%2 = alloca i32\nstore i32 %0, ptr %2\n%3 = load i32, "
    f"ptr %2\n%4 = add nsw i32 %3, {n * 37}\nret i32 %4\n}}\n"
    for n in range(40)
] + [f"f{n}:\nmovl %edi, %eax\naddl ${n}, %eax\njne .L{n}\n.L{n}:\nretq\n" for n in range(40)]

PIECES = st.sampled_from(
    [
        "<|end|>",
        "<|pass:sroa|>",
        "%12",
        "\n%3 = ",
        "@f",
        "$x",
        ".L7:\n",
        "\n",
        " ",
        "0x1F",
        "é",
        "𝄞",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=12).map("".join)


@pytest.fixture(scope="module")
def made():
    return train_tokenizer(LINES, SPECIALS + 256 + 120)


@pytest.fixture(scope="module")
def tiny(made):
    return Tokenizer(made)


@pytest.fixture(scope="module")
def modules(toolchain, tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "x.c"
    found = []
    for number, triple in enumerate(DEFAULT_TARGETS.values()):
        for package in ("one", "two"):
            # Another package, another text, so that no function counts as a copy.
            path.write_text(SOURCE.replace("* 3", f"* {number + len(package)}{package == 'one':d}"))
            bitcode = to_bitcode(toolchain, str(path), "c", triple, ())
            sha256 = hashlib.sha256(bitcode).hexdigest()
            found.append(Module(bitcode, triple, "x.c", package, sha256=sha256))
    return found


def test_equal_texts_give_equal_bytes(made):
    assert train_tokenizer(iter(LINES), SPECIALS + 256 + 120) == made
    assert Tokenizer(made).digest == hashlib.sha256(made).hexdigest()


@given(text=TEXTS)
def test_any_text_comes_back_and_is_never_special(tiny, text):
    for tokenizer in (tiny, shipped_tokenizer()):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert not ids or min(ids) >= SPECIALS


@given(st.binary(max_size=40))
def test_any_bytes_come_back(data):
    text = data.decode("utf-8", "surrogateescape")
    tokenizer = shipped_tokenizer()
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids).encode("utf-8", "surrogateescape") == data
    # Wherever it is cut, the halves are exact too.
    middle = len(ids) // 2
    halves = [tokenizer.decode(part) for part in (ids[:middle], ids[middle:])]
    assert b"".join(half.encode("utf-8", "surrogateescape") for half in halves) == data


def test_a_string_that_no_bytes_stand_for_is_refused(tiny):
    with pytest.raises(IrsmithError, match="not a text"):
        tiny.encode("\ud800")


def test_special_tokens_have_the_first_ids(tiny):
    for tokenizer in (tiny, shipped_tokenizer()):
        assert [tokenizer.special(token) for token in special_tokens()] == list(range(SPECIALS))
        assert tokenizer.end == 0
        assert tokenizer.decode([tokenizer.special("<|tune|>")]) == "<|tune|>"
        with pytest.raises(IrsmithError, match="no special token"):
            tokenizer.special("tune")
        for number in (-1, tokenizer.size):
            with pytest.raises(IrsmithError, match="vocabulary"):
                tokenizer.decode([number])


def test_names_stand_apart_and_phrases_merge(tiny):
    ids = tiny.encode("store i32 %0, ptr %2\n%3 = load i32, ptr %2\n")
    words = [tiny.decode([number]) for number in ids]
    assert {"%0", "%2", "\n%3", " = load i32, ptr ", "\n"} <= set(words)
    assert not any("%" in word.strip()[1:] for word in words)


def test_the_shipped_one():
    tokenizer = shipped_tokenizer()
    assert tokenizer.size == VOCABULARY and VOCABULARY % 128 == 0 and VOCABULARY <= 1 << 16
    for text in [f"%{n}" for n in range(400)] + [" = load i32, ptr ", "\npopq %rbx", "\nret"]:
        assert len(tokenizer.encode(text)) == 1, text
    longest = max(len(tokenizer.decode([n])) for n in range(SPECIALS, tokenizer.size))
    assert longest <= LONGEST_TOKEN


def test_the_file_is_read_alike_by_its_own_library(tmp_path):
    tokenizer = shipped_tokenizer()
    text = "define i32 @main() {\n%1 = alloca i32\nret i32 0\n}\n"
    from importlib import resources

    path = tmp_path / "tokenizer.json"
    path.write_bytes(resources.files("irsmith.model").joinpath("data/tokenizer.json").read_bytes())
    theirs = tokenizers.Tokenizer.from_file(str(path))
    assert theirs.encode(text).ids == tokenizer.encode(text)
    assert theirs.decode(theirs.encode(text).ids) == text
    assert theirs.encode("<|end|>").ids == [0]  # theirs reads prompts that are written as text


def test_real_functions_take_few_tokens(toolchain, modules):
    tokenizer = shipped_tokenizer()
    texts = list(sample_texts(toolchain, modules, 10**6))
    assert {(text.arch, text.kind) for text in texts} == {
        (arch, kind) for arch in DEFAULT_TARGETS for kind in KINDS
    }
    for arch in DEFAULT_TARGETS:
        for kinds, least in ((("ir", "ir-oz"), 5.5), (("asm",), 3.4)):
            chosen = [t.text for t in texts if t.arch == arch and t.kind in kinds]
            tokens = sum(len(tokenizer.encode(text)) for text in chosen)
            assert sum(map(len, chosen)) / tokens >= least, (arch, kinds)


def test_a_sample_is_the_same_in_any_order_and_shared_evenly(toolchain, modules):
    few = modules[:2]
    texts = list(sample_texts(toolchain, few, 10**6))
    assert texts == list(sample_texts(toolchain, reversed(few), 10**6))
    assert len({text.text for text in texts if text.kind == "ir"}) == len(texts) / 3
    few = list(sample_texts(toolchain, modules, 2))  # one function is more than a share
    assert len(few) == 3 * len(modules)
    assert {(t.arch, t.package) for t in few} == {
        (a, p) for a in DEFAULT_TARGETS for p in ("one", "two")
    }


def test_what_is_no_tokenizer_of_ours_is_refused(tmp_path, made):
    bad = tmp_path / "tokenizer.json"
    with pytest.raises(IrsmithError, match="cannot be read"):
        load_tokenizer(bad)
    for content in (b"", b"{}", b"\xff\xfe", made[: len(made) // 2]):
        bad.write_bytes(content)
        with pytest.raises(IrsmithError, match=r"tokenizer\.json: not a tokenizer"):
            load_tokenizer(bad)
    other = json.loads(made)
    other["added_tokens"] = other["added_tokens"][5:]
    other["model"]["vocab"] = {"a": 0, "b": 1}
    other["model"]["merges"] = []
    bad.write_text(json.dumps(other))
    with pytest.raises(IrsmithError, match=r"tokenizer\.json"):
        load_tokenizer(bad)
    with pytest.raises(IrsmithError, match="do not hold"):
        train_tokenizer(LINES, 300)


def test_without_the_package(monkeypatch, made):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(IrsmithError, match=r"pip install 'irsmith\[model\]'"):
        Tokenizer(made)


def test_the_byte_alphabet_is_the_librarys():
    assert sorted(byte_alphabet()) == sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())


def test_a_spare_that_has_got_a_name_since_is_known_by_it():
    """A tokenizer that was trained before a code generation option was searched."""
    data = resources.files("irsmith.model").joinpath("data/tokenizer.json").read_bytes()
    named = b"<|codegen:-frame-pointer=smallest|>"
    if named in data:
        data = data.replace(named, b"<|spare:2|>")
    tokenizer = Tokenizer(data)
    assert tokenizer.decode([tokenizer.special(named.decode())]) == named.decode()
    other = data.replace(b"<|tune|>", b"<|tuna|>")
    with pytest.raises(IrsmithError, match="special tokens"):
        Tokenizer(other)
