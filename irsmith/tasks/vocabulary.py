"""The special tokens: everything in a prompt or an answer that is not program text.

Each is written ``<|name|>`` and is one id of the tokenizer, in the order of
``data/vocabulary.txt``. Trained weights stand on these ids, so that file never changes
but for a spare that gets a name (``recipes/vocabulary.py``).

Most names are ``kind:value``. A pass list becomes tokens by its structure: one token for a
pass with its parameters, one that opens an adaptor, one that closes it; commas follow from
these. A value that has no token of its own is spelled between ``<|spell|>`` and
``<|spelled:kind|>``: in known words, digits and half bytes, so that nothing is ever lost.

    >>> encode_pipeline("function(sroa<modify-cfg>),default<Oz>", ["-disable-lsr"])[:3]
    ['<|open:function|>', '<|pass:sroa<modify-cfg>|>', '<|close|>']
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from importlib import resources

from irsmith.corpus.header import Header
from irsmith.passlist import Element, PassList, PassListError
from irsmith.records import Candidate, IrsmithError

END = "<|end|>"
"""Ends a document."""
PAD = "<|pad|>"
ANSWER = "<|answer|>"
"""Stands between prompt and answer."""
TASKS = {
    task: f"<|{task}|>"
    for task in ("pretrain-ir", "pretrain-asm", "emulate", "tune", "disassemble")
}
TARGETS = {"X86": "<|x86-64|>", "AArch64": "<|aarch64|>"}
"""By LLVM's name of the architecture (:func:`irsmith.toolchain.llvm.arch_of`)."""
LEVELS = {level: f"<|level:{level}|>" for level in ("O0", "O1", "O2", "O3", "Os", "Oz")}
"""At which level text or code was made; ``O0`` is unoptimised."""
OBJECTIVES = {"size": "<|objective:size|>", "instructions": "<|objective:instructions|>"}
HEADER, IR, ASM = "<|header|>", "<|ir|>", "<|asm|>"
"""Each says what follows: the header of a text, IR, assembly."""
PASSES, BEFORE, AFTER = "<|passes|>", "<|before|>", "<|after|>"
"""Each says what follows: a pass list, sizes before it, sizes after it."""
SIZE_FIELDS = {
    field: f"<|{field}|>" for field in ("text", "rodata", "data", "unwind", "total", "instructions")
}
DIGITS = tuple(f"<|{digit}|>" for digit in range(10))
"""Digits of sizes and of what is spelled; a digit in a text is another token."""
PORTFOLIO = tuple(f"<|portfolio:{slot}|>" for slot in range(64))
"""One for each list of a portfolio, for ranking."""
SPARE = "spare"
"""The kind of those that have no meaning yet."""

_SPELL, _CLOSE = "<|spell|>", "<|close|>"
_LISTED = ("pass", "open", "codegen")
_HALVES = tuple(f"<|half:{half:x}|>" for half in range(16))
_OPTION = re.compile(r"-[^\s\x00-\x1f]+")
_LONGEST_NUMBER = 18


class VocabularyError(IrsmithError, ValueError):
    """Tokens that stand for nothing; the message is one line."""


@functools.cache
def special_tokens() -> tuple[str, ...]:
    """All special tokens, each at the place of its id."""
    text = resources.files("irsmith.tasks").joinpath("data/vocabulary.txt").read_text("utf-8")
    return tuple(f"<|{name}|>" for name in text.splitlines() if name and name[0] != "#")


def encode_pipeline(passes: PassList | str, codegen: Sequence[str] = ()) -> list[str]:
    """A pass list and code generation options as tokens.

    Args:
        passes: the list, or its text.
        codegen: options, each a word that begins with ``-``.

    Returns:
        Special tokens; none for no passes and no options.

    Raises:
        PassListError: the list cannot be read back.
        VocabularyError: not an option.
    """
    tokens = list(_elements(PassList.parse(str(passes)).elements))
    for option in sorted(codegen):
        if not _OPTION.fullmatch(option):
            raise VocabularyError(f"{option!r} is no code generation option")
        tokens += _encode("codegen", option)
    return tokens


def decode_pipeline(tokens: Sequence[str]) -> Candidate:
    """The candidate that tokens stand for; the inverse of :func:`encode_pipeline`.

    Raises:
        VocabularyError: they stand for none; says why.
    """
    text: list[str] = []
    options: list[str] = []
    for kind, value in _decode(tokens):
        if kind == "codegen":
            if not _OPTION.fullmatch(value):
                raise VocabularyError(f"{_short(value)} is no code generation option")
            options.append(value)
            continue
        if options or kind not in (*_LISTED, "close"):
            raise VocabularyError(f"{_short(value)} ({kind}) cannot stand in a pass list here")
        if text and text[-1] != "(" and kind != "close":
            text.append(",")
        text += {"pass": [value], "open": [value, "("], "close": [")"]}[kind]
    passes = "".join(text)
    try:
        # Reading it back refuses what is nested wrongly or spelled as no pass can be.
        if PassList.parse(passes).text != passes:
            raise VocabularyError("white space in the name of a pass")
    except PassListError as error:
        raise VocabularyError(str(error)) from error
    return Candidate(passes, tuple(options))


def _elements(elements: Sequence[Element]) -> Iterator[str]:
    for element in elements:
        if not element.children:
            yield from _encode("pass", element.head)
            continue
        yield from _encode("open", element.head)
        yield from _elements(element.children)
        yield _CLOSE


def encode_header(header: Header) -> list[str]:
    """The header of a normalised text: a token a part."""
    tokens = [HEADER, *_encode("triple", header.triple)]
    if header.level:
        tokens += _encode("attributes", header.level)
    if header.unwind:
        tokens += _encode("unwind", header.unwind)
    for flag in header.flags:
        tokens += _encode("flag", flag)
    return tokens


def decode_header(tokens: Sequence[str]) -> Header:
    """The inverse of :func:`encode_header`.

    Raises:
        VocabularyError: they are no header; says why.
    """
    if not tokens or tokens[0] != HEADER:
        raise VocabularyError(f"a header begins with {HEADER}")
    parts: dict[str, list[str]] = {"triple": [], "attributes": [], "unwind": [], "flag": []}
    for kind, value in _decode(tokens[1:]):
        if kind not in parts or (parts[kind] and kind != "flag"):
            raise VocabularyError(f"{_short(value)} ({kind}) cannot stand in a header here")
        parts[kind].append(value)
    if not parts["triple"]:
        raise VocabularyError("a header names its target triple")
    one = [(parts[kind] or ["-"])[0] for kind in ("triple", "attributes", "unwind")]
    try:
        return Header.from_line(", ".join([*one, *parts["flag"]]))
    except IrsmithError as error:
        raise VocabularyError(str(error)) from error


def encode_number(number: int) -> list[str]:
    """A number of at least 0, a token a digit."""
    return [DIGITS[int(digit)] for digit in str(number)]


def decode_number(tokens: Sequence[str]) -> int:
    """The inverse of :func:`encode_number`.

    Raises:
        VocabularyError: no digits, too many, or a 0 before others.
    """
    digits = "".join(token[2:-2] for token in tokens if token in DIGITS)
    if len(digits) != len(tokens) or not 0 < len(digits) <= _LONGEST_NUMBER:
        raise VocabularyError(f"{_short(' '.join(tokens[:4]))} is no number")
    if len(digits) > 1 and digits[0] == "0":
        raise VocabularyError("a number begins with 0")
    return int(digits)


@functools.cache
def _known() -> dict[str, tuple[str, str]]:
    """Kind and value of each token."""
    parts = {token: token[2:-2].partition(":") for token in special_tokens()}
    return {token: (kind, value) for token, (kind, _, value) in parts.items()}


@functools.cache
def _pieces() -> dict[str, str]:
    """What may be spelled with: each piece's text to its token."""
    words = {value: token for token, (kind, value) in _known().items() if kind == "piece"}
    return words | {str(digit): token for digit, token in enumerate(DIGITS)}


@functools.cache
def _piece_pattern() -> re.Pattern[str]:
    longest_first = sorted(_pieces(), key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first)))


def _encode(kind: str, value: str) -> list[str]:
    """The token of a value, or its spelling."""
    own = f"<|{kind}:{value}|>"
    if own in _known():
        return [own]
    tokens, at = [_SPELL], 0
    while at < len(value):
        piece = _piece_pattern().match(value, at)
        if piece:
            tokens.append(_pieces()[piece[0]])
            at = piece.end()
            continue
        for byte in value[at].encode("utf-8", "surrogatepass"):
            tokens += [_HALVES[byte >> 4], _HALVES[byte & 15]]
        at += 1
    return [*tokens, f"<|spelled:{kind}|>"]


def _decode(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Kind and value of each word."""
    source = iter(tokens)
    for token in source:
        if token == _SPELL:
            yield _read_spelled(source)
        elif token in _known():
            yield _known()[token]
        else:
            raise VocabularyError(f"{_short(token)} is no special token")


def _read_spelled(source: Iterator[str]) -> tuple[str, str]:
    word = bytearray()
    for token in source:
        kind, value = _known().get(token, ("", ""))
        if kind == "spelled":
            if not word:
                raise VocabularyError("nothing is spelled")
            try:
                return value, word.decode("utf-8", "surrogatepass")
            except UnicodeDecodeError as error:
                raise VocabularyError("what is spelled is not UTF-8") from error
        if kind == "piece":
            word += value.encode()
        elif token in DIGITS:
            word += kind.encode()
        elif kind == "half":
            low = next(source, "")
            if low not in _HALVES:
                raise VocabularyError("half a byte is missing in what is spelled")
            word.append(_HALVES.index(token) << 4 | _HALVES.index(low))
        else:
            raise VocabularyError(f"{_short(token)} cannot be spelled with")
    raise VocabularyError("what is spelled has no end")


def _short(word: str) -> str:
    return repr(word if len(word) <= 60 else word[:57] + "...")
