"""Examples into token ids for training, and a model's ids back into parts.

The tokenizer is handed in: any object with :class:`Encodes`. Text is encoded by itself,
part by part; an encoder that finds a special token inside a text is refused, because then
a program could end a document.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from irsmith.records import IrsmithError
from irsmith.tasks.example import Example, Part, Special, Text
from irsmith.tasks.vocabulary import END, PORTFOLIO, special_tokens


class Encodes(Protocol):
    """What packing needs of a tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Ids of text, whatever it looks like."""

    def decode(self, ids: list[int]) -> str:
        """The text of ids that are not special."""

    def special(self, name: str) -> int:
        """The id of a special token."""


@dataclass(frozen=True, slots=True)
class Document:
    """One example as :meth:`irsmith.train.data.PackedWriter.add` takes it.

    Attributes:
        tokens: ids of prompt and answer, without the one that ends the document.
        task: name.
        target: name.
        answer: place of the answer's first token; 0: all is learned.
        bytes_: bytes of text in the answer.
        slots: of ranking: how likely each portfolio slot should be behind the prompt.
    """

    tokens: tuple[int, ...]
    task: str
    target: str
    answer: int
    bytes_: int
    slots: tuple[float, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """What the writer's ``add`` takes by name, ``tokens`` apart."""
        return {
            "task": self.task,
            "target": self.target,
            "answer": self.answer,
            "bytes_": self.bytes_,
            "soft": self.slots,
        }


class Packer:
    """Parts to ids and back.

    Args:
        tokenizer: see :class:`Encodes`.

    Attributes:
        end: id that ends a document.
        slots: ids of the portfolio slots.

    Raises:
        IrsmithError: two special tokens have one id.
    """

    def __init__(self, tokenizer: Encodes) -> None:
        self._tokenizer = tokenizer
        self._ids = {token: tokenizer.special(token) for token in special_tokens()}
        self._tokens = {number: token for token, number in self._ids.items()}
        if len(self._tokens) != len(self._ids):
            raise IrsmithError("the tokenizer gives two special tokens one id: make it anew")
        self.end = self._ids[END]
        self.slots = tuple(self._ids[token] for token in PORTFOLIO)

    def ids(self, parts: Iterable[Part]) -> list[int]:
        """Token ids of parts.

        Raises:
            IrsmithError: the tokenizer reads special tokens out of text.
        """
        ids: list[int] = []
        for part in parts:
            if isinstance(part, Special):
                ids.append(self._ids[part.token])
                continue
            text = self._tokenizer.encode(part.text)
            if not self._tokens.keys().isdisjoint(text):
                raise IrsmithError("the tokenizer reads special tokens out of text: make it anew")
            ids += text
        return ids

    def parts(self, ids: Sequence[int]) -> tuple[Part, ...]:
        """Parts of token ids: special tokens, and text between them."""
        parts: list[Part] = []
        for special, group in itertools.groupby(ids, self._tokens.__contains__):
            if special:
                parts += [Special(self._tokens[number]) for number in group]
            else:
                parts.append(Text(self._tokenizer.decode(list(group))))
        return tuple(parts)

    def document(self, example: Example) -> Document:
        """An example for a packed shard.

        Raises:
            IrsmithError: the example does not end with the token that ends a document.
        """
        if not example.answer or example.answer[-1] != Special(END):
            raise IrsmithError("an example without an end")
        prompt, answer = self.ids(example.prompt), self.ids(example.answer[:-1])
        return Document(
            tokens=(*prompt, *answer),
            task=example.task,
            target=example.target,
            answer=len(prompt),
            bytes_=example.answer_bytes,
            slots=example.slots,
        )
