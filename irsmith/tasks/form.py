"""How the tasks write what they share, and read it back: sizes, headers, IR, pass lists.

What is written here is read by a :class:`Reader`, which raises :class:`AnswerError` (or
another IrsmithError) at the first part that is out of place; :func:`parse` turns that into
:class:`~irsmith.tasks.example.NoAnswer`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from irsmith.corpus.header import Header
from irsmith.passlist import PassList
from irsmith.records import Candidate, IrsmithError, Size
from irsmith.tasks.example import NoAnswer, Part, Special, Text, specials
from irsmith.tasks.text import AssemblyText, IRText, check_text
from irsmith.tasks.vocabulary import (
    ASM,
    DIGITS,
    END,
    HEADER,
    IR,
    PASSES,
    SIZE_FIELDS,
    decode_header,
    decode_number,
    decode_pipeline,
    encode_header,
    encode_number,
    encode_pipeline,
)
from irsmith.toolchain import codegen
from irsmith.toolchain.llvm import arch_of
from irsmith.toolchain.passes import load_passes

_FIELDS = tuple(field for field in SIZE_FIELDS if field != "total")
"""The fields of a size that are written; the total is their sum."""
LONGEST_LIST = 512
"""Tokens of the longest pass list that is read; clang's own -Oz has about a third of that."""
LONGEST_ANSWER = 65_536
"""Parts of the longest answer."""
_LARGEST_SIZE = 1 << 40

Answer = TypeVar("Answer")


class AnswerError(IrsmithError):
    """A part of an answer that is missing or out of place."""


def size_parts(mark: str, size: Size) -> tuple[Part, ...]:
    """A size behind the token that says of what."""
    tokens = [mark]
    for field in _FIELDS:
        value = getattr(size, field)
        if value is not None:
            tokens += [SIZE_FIELDS[field], *encode_number(value)]
    return specials(tokens)


def ir_parts(ir: IRText, known: Header | None = None) -> tuple[Part, ...]:
    """A module; its header comes first unless it is the one that the prompt showed."""
    header = () if ir.header == known else header_parts(ir.header)
    return (*header, Special(IR), *text_parts(ir.text))


def header_parts(header: Header) -> tuple[Part, ...]:
    """The header of a normalised text."""
    return specials(encode_header(header))


def assembly_parts(assembly: AssemblyText) -> tuple[Part, ...]:
    """Assembly; its target is said elsewhere."""
    return (Special(ASM), *text_parts(assembly.text))


def list_parts(candidate: Candidate) -> tuple[Part, ...]:
    """A pass list and code generation options."""
    return specials([PASSES, *encode_pipeline(candidate.passes, candidate.codegen)])


def text_parts(text: str) -> tuple[Part, ...]:
    """Text; none if it is empty, which is how empty text reads back."""
    return (Text(text),) if text else ()


def canonical(candidate: Candidate) -> Candidate:
    """A candidate as LLVM takes it: its passes exist and are nested in full.

    Raises:
        IrsmithError: LLVM would refuse a pass, or an option is not in the table.
    """
    codegen.check(candidate.codegen)
    passes = PassList.parse(candidate.passes).canonical(load_passes()).text
    return Candidate(passes, candidate.codegen)


class Reader:
    """Reads the parts of an answer from left to right.

    Args:
        parts: of the answer.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        if len(parts) > LONGEST_ANSWER:
            raise AnswerError(f"{len(parts)} parts are too many for an answer")
        self._parts = parts
        self._at = 0

    def peek(self) -> str:
        """The special token that is next; empty before text and after the last part."""
        part = self._parts[self._at] if self._at < len(self._parts) else None
        return part.token if isinstance(part, Special) else ""

    def take(self, *tokens: str) -> str:
        """One of some special tokens, which must be next."""
        found = self.peek()
        if found not in tokens or not found:
            raise AnswerError(f"{tokens[0]} expected, {self._here()} found")
        self._at += 1
        return found

    def skip(self, token: str) -> bool:
        """Take a special token if it is next."""
        found = self.peek() == token
        self._at += found
        return found

    def run(self, stops: frozenset[str]) -> list[str]:
        """Special tokens up to text, the end, or one of some that stop."""
        first = self._at
        while self.peek() and self.peek() not in stops:
            self._at += 1
        return [p.token for p in self._parts[first : self._at] if isinstance(p, Special)]

    def text(self) -> str:
        """The text that is next; empty if there is none."""
        pieces = []
        while self._at < len(self._parts):
            part = self._parts[self._at]
            if not isinstance(part, Text):
                break
            pieces.append(part.text)
            self._at += 1
        text = "".join(pieces)
        check_text(text)
        return text

    def end(self) -> None:
        """The token that ends a document, and nothing behind it."""
        self.take(END)
        if self._at != len(self._parts):
            raise AnswerError(f"{self._here()} behind the end")

    @property
    def done(self) -> bool:
        """Whether no part is left."""
        return self._at == len(self._parts)

    def size(self, mark: str) -> Size:
        """What :func:`size_parts` wrote."""
        self.take(mark)
        values: dict[str, int] = {}
        for field in _FIELDS:
            if field == "instructions" and self.peek() != SIZE_FIELDS[field]:
                break
            self.take(SIZE_FIELDS[field])
            values[field] = decode_number(self._digits())
            if values[field] > _LARGEST_SIZE:
                raise AnswerError(f"{values[field]} is no number of {field} that can be")
        return Size(**values)

    def _digits(self) -> list[str]:
        first = self._at
        while self.peek() in DIGITS:
            self._at += 1
        return [p.token for p in self._parts[first : self._at] if isinstance(p, Special)]

    def ir(self, known: Header | None = None) -> IRText:
        """What :func:`ir_parts` wrote."""
        header = known
        if self.peek() == HEADER:
            header = self.header()
        if header is None:
            raise AnswerError(f"{HEADER} expected, {self._here()} found")
        if known is not None and arch_of(header.triple) != arch_of(known.triple):
            raise AnswerError(f"IR for another target: {header.triple}")
        self.take(IR)
        return IRText(header, self.text())

    def header(self) -> Header:
        """What :func:`header_parts` wrote."""
        tokens = [self.take(HEADER), *self.run(frozenset((IR, HEADER, END)))]
        if len(tokens) > LONGEST_LIST:
            raise AnswerError(f"a header of {len(tokens)} tokens is too long")
        header = decode_header(tokens)
        check_text(header.line())
        return header

    def assembly(self, triple: str) -> AssemblyText:
        """What :func:`assembly_parts` wrote."""
        self.take(ASM)
        return AssemblyText(triple, self.text())

    def candidate(self, stops: frozenset[str]) -> Candidate:
        """What :func:`list_parts` wrote, made canonical."""
        self.take(PASSES)
        tokens = self.run(stops)
        if len(tokens) > LONGEST_LIST:
            raise AnswerError(f"a pass list of {len(tokens)} tokens is too long")
        return canonical(decode_pipeline(tokens))

    def _here(self) -> str:
        if self.done:
            return "the end of what came (cut off?)"
        return self.peek() or "text"


def parse(read: Callable[[Reader], Answer], parts: Sequence[Part]) -> Answer | NoAnswer:
    """Read an answer that nobody vouches for.

    Args:
        read: takes the answer's parts from a reader.
        parts: what the model said.

    Returns:
        What ``read`` made of it, or why there is no answer.
    """
    try:
        return read(Reader(parts))
    except IrsmithError as error:
        lines = str(error).splitlines()
        return NoAnswer(lines[0][:300] if lines else type(error).__name__)
