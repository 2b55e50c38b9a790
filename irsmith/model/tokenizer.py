r"""The tokenizer: normalised text to ids and back, exactly.

Byte-level BPE (Sennrich et al., arXiv 1508.07909; bytes as in GPT-2) in Hugging Face's
``tokenizer.json``. What may merge decides how much text a token holds:

- A line begins with its newline, so that ``\n%12`` or ``\nbr label `` can be one token.
- Names stand apart: values (``%12``), blocks, symbols, and numbers of two digits or more; a
  name is never merged with what stands around it, and a common one is one token.
- Everything between two names may merge, spaces included: `` = load i32, ptr ``,
  ``\nmovq %rax, ``.

The special tokens of :mod:`irsmith.tasks.vocabulary` have the first ids. Text is never searched
for them: a program with ``<|end|>`` in a string stays a program. :class:`irsmith.tasks.pack.Packer`
puts the parts of a prompt together.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsmith.records import IrsmithError
from irsmith.tasks.vocabulary import END, PAD, SPARE, special_tokens

if TYPE_CHECKING:
    import tokenizers

VOCABULARY = 16_384
"""Ids of the shipped tokenizer: they fit uint16, and are a multiple of 128."""

Splits = Sequence[tuple[str, str]]
"""How text is cut before merging, cut after cut: a pattern in Oniguruma's syntax, and what
becomes of what it matches: ``isolated``, ``merged_with_next``, ``merged_with_previous``."""

_BEFORE_NAME = (
    r"@(?!PLT|GOT|progbits|nobits|object|function)",
    r'%"?(?:struct|class|union)\.|\n\$|comdat\(\$',
    r"\n(?:call[lq] |jmp )(?!\*)|\nbl? |\nadrp x\d+, |lo12:|:got:",
)
_APART = (
    r"\A[\w.$-]+",  # a name, cut off by what stands before it
    r"%\d+|\.L\d+",
    r"\A\n(?:%\d+|(?:\d+|\.L\d+):\Z|[A-Za-z_$.][\w.$]*+(?=:\Z))",  # what a line defines
    r"\b[A-Za-z_][\w.$]*+(?=\(%rip\)|@PLT|@GOT|[+-]\d+\(%rip\))",
    r"\b\d{2,}\b(?!\.)|\b0x[0-9A-Fa-f]{3,}",
)
# Without lookbehind, which is three times as slow.
SPLITS: Splits = (
    (r"\n", "merged_with_next"),
    ("|".join(_BEFORE_NAME), "merged_with_previous"),
    ("|".join(_APART), "isolated"),
)
"""The cuts of the shipped tokenizer."""

LONGEST_TOKEN = 64
"""Characters: what is longer is one package's habit."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class Tokenizer:
    """Text to ids and back.

    Args:
        data: the content of a ``tokenizer.json``.

    Attributes:
        digest: sha256 of ``data``, hexadecimal: the name by which packed data and weights
            know their tokenizer.
        size: number of ids.
        end: id that ends a document.
        pad: id that fills up.

    Raises:
        IrsmithError: ``data`` is not such a file, has not our special tokens, or package
            tokenizers is not installed.
    """

    def __init__(self, data: bytes) -> None:
        library = _library()
        try:
            self._inner: tokenizers.Tokenizer = library.Tokenizer.from_str(data.decode())
        except Exception as error:  # the library raises bare Exception
            raise IrsmithError(f"not a tokenizer.json: {str(error)[:100]}") from error
        # User text that looks like a special token must stay text.
        self._inner.encode_special_tokens = True
        self.digest = hashlib.sha256(data).hexdigest()
        self.size = self._inner.get_vocab_size()
        tokens = [self._inner.id_to_token(number) or "" for number in range(self.size)]
        count = len(special_tokens())
        # A spare of the day when it was trained may have got a name since.
        for number, name in enumerate(special_tokens()[: self.size]):
            if tokens[number].startswith(f"<|{SPARE}:"):
                tokens[number] = name
        self._specials = {token: number for number, token in enumerate(tokens[:count])}
        if tuple(self._specials) != special_tokens():
            raise IrsmithError("the tokenizer does not have the special tokens of this irsmith")
        byte_of = {character: byte for byte, character in enumerate(byte_alphabet())}
        if not set("".join(tokens[count:])) == byte_of.keys():
            raise IrsmithError("the tokenizer is not of the byte-level kind")
        self._bytes = [token.encode() for token in tokens[:count]]
        self._bytes += [bytes(byte_of[sign] for sign in token) for token in tokens[count:]]
        self._single = [tokens.index(character) for character in byte_of]
        self.end, self.pad = self.special(END), self.special(PAD)

    def encode(self, text: str) -> list[int]:
        """The ids of text, whatever it looks like.

        Bytes that are no UTF-8 are given as Python's ``surrogateescape`` gives them.

        Raises:
            IrsmithError: the text has other surrogates, which no bytes stand for.
        """
        if not text.isascii() and _SURROGATE.search(text):
            return self._encode_escaped(text)
        # A batch of one: this is the way that keeps no offsets.
        return list(self._inner.encode_batch_fast([text], add_special_tokens=False)[0].ids)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; special tokens are spelled out.

        Half a character, as at the end of cut text, becomes ``surrogateescape``'s.

        Raises:
            IrsmithError: an id is out of range.
        """
        text = bytearray()
        for number in ids:
            if not 0 <= number < self.size:
                raise IrsmithError(f"id {number} is not within the vocabulary of {self.size}")
            text += self._bytes[number]
        return text.decode("utf-8", "surrogateescape")

    @functools.cached_property
    def _texts(self) -> tuple[str, ...]:
        count = len(self._specials)
        texts = [text.decode("utf-8", "surrogateescape") for text in self._bytes[count:]]
        return (*[""] * count, *texts)

    def texts(self) -> tuple[str, ...]:
        """The text of each id; of special tokens the empty text."""
        return self._texts

    def special(self, name: str) -> int:
        """The id of a special token, such as ``<|tune|>``.

        Raises:
            IrsmithError: there is no such token.
        """
        try:
            return self._specials[name]
        except KeyError as error:
            raise IrsmithError(f"{name[:60]!r} is no special token") from error

    def _encode_escaped(self, text: str) -> list[int]:
        ids: list[int] = []
        at = 0
        for match in _SURROGATE.finditer(text):
            byte = ord(match[0]) - 0xDC00
            if not 0x80 <= byte <= 0xFF:
                raise IrsmithError("not a text: it has characters that no bytes stand for")
            ids += [*self.encode(text[at : match.start()]), self._single[byte]]
            at = match.end()
        return ids + self.encode(text[at:])


@functools.cache
def shipped_tokenizer() -> Tokenizer:
    """The tokenizer that ships with irsmith, read once.

    Raises:
        IrsmithError: package tokenizers is not installed.
    """
    return Tokenizer(resources.files("irsmith.model").joinpath("data/tokenizer.json").read_bytes())


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a file.

    Raises:
        IrsmithError: it cannot be read, or is no tokenizer of ours.
    """
    try:
        return Tokenizer(path.read_bytes())
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be read: {error.strerror}") from error
    except IrsmithError as error:
        raise IrsmithError(f"{path}: {error}") from error


def train_tokenizer(texts: Iterable[str], size: int = VOCABULARY, splits: Splits = SPLITS) -> bytes:
    """Train a tokenizer; equal texts in equal order give equal bytes.

    Args:
        texts: normalised IR and assembly.
        size: number of ids, special tokens included.
        splits: what may not merge.

    Returns:
        The content of a ``tokenizer.json``; it has fewer ids where texts have too little to merge.

    Raises:
        IrsmithError: ``size`` leaves no room for bytes, or package tokenizers is missing.
    """
    if size < len(special_tokens()) + 256:
        raise IrsmithError(f"{size} ids do not hold the special tokens and 256 bytes")
    library = _library()
    cutters = library.pre_tokenizers
    inner = library.Tokenizer(library.models.BPE())
    inner.pre_tokenizer = cutters.Sequence(
        [
            *(cutters.Split(library.Regex(pattern), kind) for pattern, kind in splits),
            cutters.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(special_tokens()),
        initial_alphabet=list(byte_alphabet()),
        max_token_length=LONGEST_TOKEN,
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    made: str = inner.to_str(pretty=False)
    return f"{made}\n".encode()


def byte_alphabet() -> tuple[str, ...]:
    """The character that stands for each byte in GPT-2's byte-level BPE."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    shifted = iter(range(0x100, 0x200))
    return tuple(chr(byte) if byte in plain else chr(next(shifted)) for byte in range(256))


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise IrsmithError("this needs tokenizers: pip install 'irsmith[model]'") from error
    return tokenizers
