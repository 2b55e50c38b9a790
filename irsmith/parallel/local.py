"""Spread items over several workers of this machine."""

from __future__ import annotations

import os
import select
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from irsmith.sandbox.worker import WINDOW, Outcome, Worker

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def scatter(
    workers: Sequence[Worker[Item, Result]], items: Iterable[Item], ahead: int = 2
) -> Iterator[tuple[int, Outcome[Result]]]:
    """Serve items by whichever worker is free.

    Args:
        workers: like each other; with one, this is its ``map``.
        items: taken lazily.
        ahead: items under way in each worker, at most :data:`WINDOW`.

    Yields:
        Index of the item and its outcome, in the order of completion.
    """
    if any(worker.waiting for worker in workers):
        raise RuntimeError("these workers are serving other items: take their outcomes first")
    source = enumerate(items)
    queues: list[list[int]] = [[] for _ in workers]
    ahead = min(ahead, WINDOW)
    exhausted = False
    try:
        while True:
            # Breadth first, so that the first items go to different workers.
            for depth in range(ahead):
                for worker, queue in zip(workers, queues, strict=True):
                    if len(queue) == depth and not exhausted:
                        try:
                            index, item = next(source)
                        except StopIteration:
                            exhausted = True
                            break
                        worker.submit(item)
                        queue.append(index)
            busy = [k for k, queue in enumerate(queues) if queue]
            if not busy:
                return
            early = [k for k in busy if workers[k].answered]
            poll = select.poll()
            by_fd = {workers[k].fileno(): k for k in busy}
            for fd in by_fd:
                poll.register(fd, select.POLLIN)
            limit = 0 if early else min(workers[k].limits.wall_seconds for k in busy)
            found = {by_fd[fd] for fd, _ in poll.poll(limit * 1000)}
            ready = sorted(found.union(early)) or busy[:1]
            for k in ready:
                yield queues[k].pop(0), workers[k].receive()
    finally:
        for worker, queue in zip(workers, queues, strict=True):
            if queue:
                worker.close()


def in_order(
    workers: Sequence[Worker[Item, Result]], items: Iterable[Item]
) -> Iterator[Outcome[Result]]:
    """Like :func:`scatter`, outcomes in the order of the items."""
    early: dict[int, Outcome[Result]] = {}
    following = 0
    for index, outcome in scatter(workers, items):
        early[index] = outcome
        while following in early:
            yield early.pop(following)
            following += 1
