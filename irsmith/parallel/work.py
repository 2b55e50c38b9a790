"""What is done to items, in a form that can be sent to another process or machine."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

TRIES = 3
"""Times that a shard is tried before it is given up."""


@dataclass(frozen=True, slots=True)
class Format:
    """How the results of a shard become a file and come back.

    Attributes:
        suffix: of the file's name, such as ``parquet``.
        write: gives the file's bytes, the same for the same results.
        read: gives the rows of a file; raises ValueError if it is damaged
            (pyarrow's ``ArrowInvalid`` is one).
        one_each: whether there is one row an item, so that a file with another number
            of rows is damaged.
    """

    suffix: str
    write: Callable[[Sequence[Any]], bytes]
    read: Callable[[bytes], Sequence[Any]]
    one_each: bool = True


def _write_lines(results: Sequence[Any]) -> bytes:
    return "".join(json.dumps(result) + "\n" for result in results).encode()


def _read_lines(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines()]


LINES = Format("jsonl", _write_lines, _read_lines)
"""One line of JSON a result."""


@dataclass(frozen=True, slots=True)
class Work(Generic[Item, Result]):
    """What is done to each item.

    It is pickled, so ``prepare`` and what ``format`` holds are functions of modules that
    every machine can import, or a ``functools.partial`` of one.

    Attributes:
        prepare: called once in each process; gives the function that makes a result from
            an item. That function keeps foreign code in a ``Worker`` of its own (as
            ``search.Evaluator`` does); should it die all the same, it costs the shard
            one of its tries.
        format: of the shards.
    """

    prepare: Callable[[], Callable[[Item], Result]]
    format: Format = LINES


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a shard.

    Attributes:
        number: of the shard.
        data: its file, or None if it was given up.
        error: why it was given up, in one line.
        tries: how often it was tried.
    """

    number: int
    data: bytes | None
    error: str = ""
    tries: int = 1


class Executor(Protocol):
    """Something that makes shards: :class:`Processes` here, :class:`Cluster` on Ray."""

    def make(
        self,
        work: Work[Any, Any],
        part: Callable[[int], Sequence[Any]],
        numbers: Sequence[int],
    ) -> Generator[Made, None, None]:
        """Make shards.

        Args:
            work: what is done to each item.
            part: the items of a shard by its number; called when the shard is about to
                be made, and again for another try.
            numbers: of the shards to make.

        Yields:
            Each shard once, in the order of completion. Closing the iterator stops all
            processes.

        Raises:
            IrsmithError: the work cannot be sent or prepared, or there is no cluster.
        """
        ...


@dataclass(slots=True)
class Queue:
    """Shards that wait, and how often each was tried.

    Attributes:
        waiting: numbers of shards, next one first.
        tries: of each shard that was taken.
    """

    waiting: deque[int]
    tries: dict[int, int] = field(default_factory=dict)

    @staticmethod
    def of(numbers: Iterable[int]) -> Queue:
        """A queue of shards not tried yet."""
        return Queue(deque(numbers))

    def take(self) -> int:
        """The next shard, which counts as a try."""
        number = self.waiting.popleft()
        self.tries[number] = self.tries.get(number, 0) + 1
        return number

    def settle(self, number: int, data: bytes | None, error: str) -> Iterator[Made]:
        """One outcome if the shard is made or given up, none if it waits for another try."""
        tries = self.tries[number]
        if data is None and tries < TRIES:
            self.waiting.append(number)
        else:
            yield Made(number, data, error, tries)
