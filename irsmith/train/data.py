"""Packed shards: token ids with where each document begins, and what it is.

A folder holds ``meta.json`` and, for each shard, files that map into memory:
``NAME.tokens.npy`` (uint16, all documents one after another) and ``NAME.documents.npy``
(one :data:`DOCUMENT` a document). A document is its prompt, its answer and the token that
ends it; ``answer`` says where the loss begins. A document may end in probabilities of some
tokens (the meta's ``choices``) in place of an answer: they are rows of ``NAME.soft.npy``.
The format is written out in ``docs/train.md``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside

FORMAT = 2
META = "meta.json"

DOCUMENT = np.dtype(
    [
        ("start", "<u8"),  # first token, counted from the shard's beginning
        ("tokens", "<u4"),  # number of tokens, the end token included
        ("answer", "<u4"),  # tokens before this one are not learned; 0: all are
        ("bytes", "<u4"),  # bytes of text that the learned tokens stand for; 0: not known
        ("task", "u1"),  # place in the meta's list of tasks
        ("target", "u1"),  # place in the meta's list of targets
        ("soft", "<u4"),  # row of probabilities, counted from 1; 0: none
    ]
)
"""One document's row."""

Rows = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Meta:
    """What ``meta.json`` says.

    Attributes:
        vocabulary: number of token ids; every id is smaller.
        end: id that ends a document.
        tokenizer: sha256 of ``tokenizer.json``, or ``""``.
        tasks: names of the tasks.
        targets: names of the targets.
        choices: ids whose probabilities documents may end in.
        shards: name, tokens, documents and rows of probabilities of each shard.
    """

    vocabulary: int
    end: int
    tokenizer: str
    tasks: tuple[str, ...]
    targets: tuple[str, ...]
    choices: tuple[int, ...]
    shards: tuple[tuple[str, int, int, int], ...]


class PackedWriter:
    """Writes a folder of packed shards; ``meta.json`` comes last and makes it readable.

    Use as a context manager: a folder whose writing failed has no ``meta.json``.

    Args:
        folder: made if missing; must hold no ``meta.json``.
        vocabulary: number of token ids, at most 65,536.
        end: id that ends a document; added to each.
        tokenizer: sha256 of the ``tokenizer.json`` that made the ids, or ``""``.
        choices: ids whose probabilities documents may end in.
        shard_tokens: a shard is closed when it holds so many.

    Raises:
        IrsmithError: the folder is taken, or the vocabulary does not fit uint16.
    """

    def __init__(
        self,
        folder: Path,
        *,
        vocabulary: int,
        end: int,
        tokenizer: str = "",
        choices: Sequence[int] = (),
        shard_tokens: int = 50_000_000,
    ) -> None:
        if not 0 <= end < vocabulary <= 1 << 16:
            raise IrsmithError(f"packed data: vocabulary {vocabulary} and end id {end} do not fit")
        if (folder / META).exists():
            raise IrsmithError(f"{folder}: holds packed data already: choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.vocabulary, self.end = folder, vocabulary, end
        self.tokenizer, self.shard_tokens = tokenizer, shard_tokens
        self.choices = tuple(choices)
        self._tasks: dict[str, int] = {}
        self._targets: dict[str, int] = {}
        self._shards: list[tuple[str, int, int, int]] = []
        self._parts: list[NDArray[np.uint16]] = []
        self._rows: list[tuple[int, ...]] = []
        self._soft: list[NDArray[np.float32]] = []
        self._held = 0

    def add(
        self,
        tokens: Sequence[int] | NDArray[Any],
        *,
        task: str,
        target: str,
        answer: int = 0,
        bytes_: int = 0,
        soft: Sequence[float] = (),
    ) -> None:
        """Add a document.

        Args:
            tokens: ids of prompt and answer, without the end token.
            task: name of the task.
            target: name of the target.
            answer: place of the answer's first token; 0: every token is learned.
            bytes_: bytes of text that the learned tokens stand for; 0: not known.
            soft: what stands in place of an answer: how likely the first of the choices
                should be behind the last token; those that are not named, not at all.

        Raises:
            IrsmithError: an id, ``soft`` or ``answer`` is out of range, or the document is empty.
        """
        ids = np.asarray(tokens)
        if not len(ids):
            raise IrsmithError("packed data: an empty document")
        if int(ids.min()) < 0 or int(ids.max()) >= self.vocabulary:
            raise IrsmithError(f"packed data: an id is not within the vocabulary {self.vocabulary}")
        if not 0 <= answer <= len(ids):
            raise IrsmithError(f"packed data: answer at {answer} of {len(ids)} tokens")
        kind = self._tasks.setdefault(task, len(self._tasks))
        where = self._targets.setdefault(target, len(self._targets))
        if soft and (answer != len(ids) or len(soft) > len(self.choices)):
            raise IrsmithError(f"packed data: {len(soft)} probabilities do not fit the document")
        if soft:
            row = np.zeros(len(self.choices), np.float32)
            row[: len(soft)] = soft
            self._soft.append(row)
        number = len(self._soft) if soft else 0
        whole = np.append(ids, self.end).astype(np.uint16)
        self._parts.append(whole)
        self._rows.append((self._held, len(whole), answer, bytes_, kind, where, number))
        self._held += len(whole)
        if self._held >= self.shard_tokens:
            self._close_shard()

    def _close_shard(self) -> None:
        if not self._rows:
            return
        name = f"shard-{len(self._shards):05d}"
        _save(self.folder / f"{name}.tokens.npy", np.concatenate(self._parts))
        _save(self.folder / f"{name}.documents.npy", np.array(self._rows, DOCUMENT))
        if self._soft:
            _save(self.folder / f"{name}.soft.npy", np.stack(self._soft))
        self._shards.append((name, self._held, len(self._rows), len(self._soft)))
        self._parts, self._rows, self._soft, self._held = [], [], [], 0

    def close(self) -> Meta:
        """Write what is held, and ``meta.json``.

        Raises:
            IrsmithError: no document was added, or the disk is full.
        """
        self._close_shard()
        if not self._shards:
            raise IrsmithError(f"{self.folder}: no document was added")
        meta = {
            "format": FORMAT,
            "vocabulary": self.vocabulary,
            "end": self.end,
            "tokenizer": self.tokenizer,
            "tasks": list(self._tasks),
            "targets": list(self._targets),
            "choices": list(self.choices),
            "shards": [
                {"name": name, "tokens": tokens, "documents": documents, "soft": soft}
                for name, tokens, documents, soft in self._shards
            ],
        }
        write_beside(self.folder / META, (json.dumps(meta, indent=1) + "\n").encode())
        return read_meta(self.folder)

    def __enter__(self) -> PackedWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()


def _save(path: Path, array: NDArray[Any]) -> None:
    beside = path.with_suffix(".part")
    try:
        with beside.open("wb") as file:
            np.save(file, array)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error


def read_meta(folder: Path) -> Meta:
    """What a folder of packed shards says of itself.

    Raises:
        IrsmithError: there is no such folder, or its ``meta.json`` is not of this format.
    """
    path = folder / META
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise IrsmithError(f"{path}: format {data['format']}, but this irsmith reads {FORMAT}")
        return Meta(
            int(data["vocabulary"]),
            int(data["end"]),
            str(data["tokenizer"]),
            tuple(data["tasks"]),
            tuple(data["targets"]),
            tuple(data["choices"]),
            tuple(
                (s["name"], int(s["tokens"]), int(s["documents"]), int(s["soft"]))
                for s in data["shards"]
            ),
        )
    except FileNotFoundError as error:
        raise IrsmithError(f"{folder}: no packed data there ({META} is missing)") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IrsmithError(f"{path}: cannot be read: {error}") from error


class PackedData:
    """A folder of packed shards, mapped into memory.

    Args:
        folder: what :class:`PackedWriter` wrote.

    Attributes:
        meta: what ``meta.json`` says.
        documents: the rows of all shards, ``start`` and ``soft`` counted from the first
            shard's beginning.
        soft: (rows, choices), probabilities of the choices, of all shards.

    Raises:
        IrsmithError: a file is missing or does not hold what ``meta.json`` says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta = read_meta(folder)
        choices = len(self.meta.choices)
        rows: list[Rows] = []
        self._shards: list[NDArray[np.uint16]] = []
        soft: list[NDArray[np.float32]] = []
        firsts, before = [0], 0
        for name, tokens, documents, softs in self.meta.shards:
            shard = _map(folder / f"{name}.tokens.npy", np.dtype("<u2"), tokens)
            part = np.array(_map(folder / f"{name}.documents.npy", DOCUMENT, documents))
            if len(part) and int((part["start"] + part["tokens"]).max()) > tokens:
                raise IrsmithError(f"{folder}/{name}: a document reaches beyond the shard")
            if len(part) and int(part["soft"].max()) > softs:
                raise IrsmithError(f"{folder}/{name}: a document without its probabilities")
            part["start"] += np.uint64(firsts[-1])
            part["soft"][part["soft"] > 0] += np.uint32(before)
            if softs:
                soft.append(_map(folder / f"{name}.soft.npy", np.dtype("<f4"), softs, choices))
            before += softs
            rows.append(part)
            self._shards.append(shard)
            firsts.append(firsts[-1] + tokens)
        self.documents: Rows = np.concatenate(rows)
        none = np.zeros((0, choices), np.float32)
        self.soft: NDArray[np.float32] = np.concatenate([none, *soft])
        self._firsts = np.array(firsts)

    @property
    def tokens(self) -> int:
        """All tokens, the end tokens included."""
        return int(self._firsts[-1])

    def read(self, start: int, tokens: int) -> NDArray[np.int64]:
        """Ids from a place on; they must lie in one shard, as a document does."""
        shard = int(np.searchsorted(self._firsts, start, side="right")) - 1
        at = start - int(self._firsts[shard])
        return self._shards[shard][at : at + tokens].astype(np.int64)


def _map(path: Path, dtype: np.dtype[Any], *shape: int) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise IrsmithError(f"{path}: missing or cut short: {error}") from error
    if array.dtype != dtype or array.shape != shape:
        raise IrsmithError(f"{path}: holds {array.shape} {array.dtype}, not {shape} {dtype}")
    loaded: NDArray[Any] = array
    return loaded
