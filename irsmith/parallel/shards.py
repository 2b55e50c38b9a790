"""Results in shards on disk, so that a kill loses one shard and no more.

A shard is a file (JSON lines, or what a :class:`~irsmith.parallel.work.Format` says); it
exists only when it is whole. The folder's marker holds a hash of configuration and code:
shards of another run are refused, never mixed in. A folder that :func:`run_shards` began
can be continued by :func:`make_shards`, and the other way round.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from irsmith.parallel.work import LINES, Executor, Format, Work
from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside

Item = TypeVar("Item")
Result = TypeVar("Result")
_MARKER = "run.json"


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the items and the file of its results.

    Attributes:
        number: from 0, in the order of the items.
        path: of the file.
        items: how many there are.
        error: why there is no such file, in one line with its name; ``""`` if there is.
    """

    number: int
    path: Path
    items: int
    error: str = ""


def fingerprint(configuration: Any, *code: Path) -> str:
    """Names a run: its configuration (anything JSON) and the text of the code that matters."""
    hasher = hashlib.sha256(json.dumps(configuration, sort_keys=True).encode())
    for path in code:
        hasher.update(path.read_bytes())
    return hasher.hexdigest()[:16]


def run_shards(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Iterator[Any]],
    folder: Path,
    run: str,
    size: int = 16,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Any]:
    """Do the work that is not done yet in this process, and give all results in order.

    Args:
        items: all items of the run; the same in each try.
        work: gives one JSON-able result an item, in order.
        folder: holds ``run.json`` and ``shard-00000.jsonl`` and so on.
        run: from :func:`fingerprint`.
        size: items a shard.
        progress: told items done and in all after each shard.

    Raises:
        IrsmithError: the folder holds the shards of another run, a shard is damaged, or
            the disk is full.
    """
    _claim(folder, run, len(items), size, LINES)
    for shard in _shards(folder, len(items), size, LINES):
        start = shard.number * size
        if not shard.path.exists():
            _save(shard.path, LINES.write(list(work(items[start : start + size]))))
        rows = _read(shard, LINES)
        progress(start + shard.items, len(items))
        yield from rows


def make_shards(
    work: Work[Item, Any],
    items: Sequence[Item],
    folder: Path,
    run: str,
    executor: Executor,
    size: int = 16,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Shard]:
    """Make the shards that are not made yet, here or on a cluster.

    The folder is the same to the byte whatever the executor. A shard that fails in each
    of its tries, or is found damaged, is reported and the others are made; running again
    tries only what is missing.

    Args:
        work: what is done to each item.
        items: all items of the run, the same in each try; a shard's items are taken when
            it is about to be made, and those that cannot be read then (an
            :class:`~irsmith.records.IrsmithError`) cost that shard.
        folder: holds ``run.json`` and ``shard-00000.SUFFIX`` and so on; only this process
            writes there.
        run: from :func:`fingerprint`.
        executor: where the work is done.
        size: items a shard.
        progress: told items settled and in all, at first and after each shard (see
            :func:`irsmith.parallel.progress.meter`).

    Returns:
        All shards in order; those with an ``error`` have no file that can be used.

    Raises:
        IrsmithError: the folder holds the shards of another run or another process
            writes there, the disk is full, or the work cannot be started at all. What
            was made stays.
    """
    unread: dict[int, str] = {}

    def part(number: int) -> Sequence[Item]:
        unread.pop(number, None)
        try:
            return items[number * size : (number + 1) * size]
        except IrsmithError as error:
            unread[number] = str(error)  # a damaged file: costs this shard and no other
            return ()

    with _claimed(folder, run, len(items), size, work.format):
        shards = [_checked(s, work.format) for s in _shards(folder, len(items), size, work.format)]
        missing = [shard.number for shard in shards if not shard.path.exists()]
        done = len(items) - sum(shards[number].items for number in missing)
        progress(done, len(items))
        with closing(executor.make(work, part, missing)) as made:
            for one in made:
                shard = shards[one.number]
                if one.number in unread:
                    error = f"{shard.path.name}: not made: {unread[one.number]}"
                    shards[one.number] = replace(shard, error=error)
                elif one.data is None:
                    error = f"{shard.path.name}: not made in {one.tries} tries: {one.error}"
                    shards[one.number] = replace(shard, error=error)
                else:
                    _save(shard.path, one.data)
                done += shard.items
                progress(done, len(items))
    return shards


def read_shards(shards: Iterable[Shard], form: Format = LINES) -> Iterator[Any]:
    """The rows of shards, in the order of the items.

    Raises:
        IrsmithError: a shard was not made or is damaged.
    """
    for shard in shards:
        if shard.error:
            raise IrsmithError(shard.error)
        yield from _read(shard, form)


def _shards(folder: Path, items: int, size: int, form: Format) -> list[Shard]:
    return [
        Shard(
            number, folder / f"shard-{number:05d}.{form.suffix}", min(size, items - number * size)
        )
        for number in range((items + size - 1) // size)
    ]


def _claim(folder: Path, run: str, items: int, size: int, form: Format) -> None:
    """Say whose folder it is, or find out that it is another run's."""
    marker = folder / _MARKER
    mine: dict[str, Any] = {"run": run, "items": items, "size": size}
    if form.suffix != LINES.suffix:
        mine["suffix"] = form.suffix
    if not marker.exists():
        _save(marker, json.dumps(mine).encode())
        return
    try:
        theirs = json.loads(marker.read_bytes())
    except ValueError as error:
        raise IrsmithError(f"{marker} is damaged: delete the folder and run again") from error
    if theirs != mine:
        raise IrsmithError(
            f"{folder} holds the shards of another run (other items, configuration or code): "
            "name another folder or delete it"
        )


@contextmanager
def _claimed(folder: Path, run: str, items: int, size: int, form: Format) -> Iterator[None]:
    """As :func:`_claim`, and nobody else makes shards there meanwhile."""
    _claim(folder, run, items, size, form)
    with (folder / _MARKER).open("r+b") as marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IrsmithError(f"{folder}: another process is making these shards") from error
        for half in folder.glob(".shard-*"):
            half.unlink()  # what a killed process was writing
        yield


def _save(path: Path, data: bytes) -> None:
    try:
        write_beside(path, data)
    except OSError as error:
        raise IrsmithError(
            f"{path} cannot be written ({error.strerror}): "
            "the shards made so far stay; put that right and run again"
        ) from error


def _read(shard: Shard, form: Format) -> Sequence[Any]:
    try:
        rows = form.read(shard.path.read_bytes())
    except (OSError, ValueError) as error:
        raise IrsmithError(f"{shard.path} is damaged: delete it and run again") from error
    if form.one_each and len(rows) != shard.items:
        raise IrsmithError(f"{shard.path} is damaged: delete it and run again")
    return rows


def _checked(shard: Shard, form: Format) -> Shard:
    if shard.path.exists():
        try:
            _read(shard, form)
        except IrsmithError as error:
            return replace(shard, error=str(error))
    return shard
