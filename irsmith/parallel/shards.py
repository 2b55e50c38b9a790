"""Results in shards on disk, so that a kill loses one shard and no more.

A shard is a file of JSON lines; it exists only when it is whole. The folder's
marker holds a hash of configuration and code: shards of another run are refused,
never mixed in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from irsmith.records import IrsmithError
from irsmith.toolchain.cache import write_beside

Item = TypeVar("Item")


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
    """Do the work that is not done yet, and give all of its results in order.

    Args:
        items: all items of the run; the same in each try.
        work: gives one JSON-able result an item, in order.
        folder: holds ``run.json`` and ``shard-00000.jsonl`` and so on.
        run: from :func:`fingerprint`.
        size: items a shard.
        progress: told items done and in all after each shard.

    Raises:
        IrsmithError: the folder holds the shards of another run, or a shard is damaged.
    """
    marker = folder / "run.json"
    mine = {"run": run, "items": len(items), "size": size}
    if marker.exists():
        if json.loads(marker.read_text()) != mine:
            raise IrsmithError(
                f"{folder} holds the shards of another run (other items, configuration or code): "
                "name another folder or delete it"
            )
    else:
        write_beside(marker, json.dumps(mine).encode())
    for start in range(0, len(items), size):
        path = folder / f"shard-{start // size:05d}.jsonl"
        part = items[start : start + size]
        if not path.exists():
            lines = [json.dumps(result) for result in work(part)]
            write_beside(path, "".join(line + "\n" for line in lines).encode())
        try:
            results = [json.loads(line) for line in path.read_text().splitlines()]
        except ValueError as error:
            raise IrsmithError(f"{path} is damaged: delete it and run again") from error
        if len(results) != len(part):
            raise IrsmithError(f"{path} is damaged: delete it and run again")
        progress(min(start + size, len(items)), len(items))
        yield from results
