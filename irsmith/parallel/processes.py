"""Shards made on this machine."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, cast

from irsmith.parallel.maker import Maker, pack
from irsmith.parallel.work import Made, Queue, Work


@dataclass(frozen=True, slots=True)
class Processes:
    """Makes shards in processes of this machine.

    Attributes:
        jobs: number of processes; one shard is under way in each.
    """

    jobs: int = 1

    def make(
        self,
        work: Work[Any, Any],
        part: Callable[[int], Sequence[Any]],
        numbers: Sequence[int],
    ) -> Generator[Made, None, None]:
        """See :meth:`irsmith.parallel.work.Executor.make`."""
        packed = pack(work)
        queue = Queue.of(numbers)
        makers = [Maker(packed) for _ in range(min(max(1, self.jobs), len(numbers)))]
        try:
            for maker in makers:
                maker.start()
            for maker in makers:
                maker.wait_ready()
            idle, busy = list(makers), dict[Maker, int]()
            while queue.waiting or busy:
                while idle and queue.waiting:
                    maker, number = idle.pop(0), queue.take()
                    maker.submit(pickle.dumps(part(number)))
                    busy[maker] = number
                answering = {maker.fileno(): maker for maker in busy}
                for descriptor in wait(list(answering)):
                    maker = answering[cast(int, descriptor)]
                    number = busy.pop(maker)
                    idle.append(maker)
                    yield from queue.settle(number, *maker.receive())
        finally:
            for maker in makers:
                maker.close()
