"""Shards made on every machine of a Ray cluster: the only module that knows Ray.

One actor a core of the cluster holds a :class:`~irsmith.parallel.maker.Maker`, so that
neither LLVM nor a fork is ever in a process of Ray's. Shards are given only to actors
that are ready, and come back as bytes: machines need no common file system, and only the
caller writes. An actor that is lost (its machine died) gives its shard back to the
queue; another is started where there is room, also on machines that join later.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import socket
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from irsmith.parallel.maker import Maker, pack
from irsmith.parallel.server import identity
from irsmith.parallel.work import TRIES, Made, Queue, Work
from irsmith.records import IrsmithError

_LOOK_SECONDS = 2.0
"""Between two looks at how many cores the cluster has."""
_KNOCK_SECONDS = 5.0
_SETTINGS_FRAME = bytes(3) + b"\x04" + bytes(5)
"""Length, type, flags and stream of an HTTP/2 SETTINGS frame that sets nothing."""


class Station:
    """The actor: a maker on some machine of the cluster."""

    def __init__(self, packed: bytes) -> None:
        self._maker = Maker(packed)

    def ready(self) -> tuple[str, str, str]:
        """Host, identity (see :func:`~irsmith.parallel.server.identity`) and error."""
        try:
            return socket.gethostname(), self._maker.wait_ready(), ""
        except IrsmithError as error:
            return socket.gethostname(), "", str(error)

    def make(self, part: bytes) -> tuple[bytes | None, str]:
        """The bytes of a shard, or None and why not."""
        self._maker.submit(part)
        return self._maker.receive()


@dataclass(frozen=True, slots=True)
class Cluster:
    """Makes shards on a Ray cluster that is already running.

    Attributes:
        address: ``host:port`` of its head, or ``auto`` for the one that this machine
            is part of.
    """

    address: str = "auto"

    def make(
        self,
        work: Work[Any, Any],
        part: Callable[[int], Sequence[Any]],
        numbers: Sequence[int],
    ) -> Generator[Made, None, None]:
        """See :meth:`irsmith.parallel.work.Executor.make`."""
        packed = pack(work)
        if not numbers:
            return
        with _connection(self.address) as ray:
            crew = _Crew(ray, packed)
            try:
                yield from crew.make(part, Queue.of(numbers))
            finally:
                crew.close()


class _Crew:
    """The actors of one run."""

    def __init__(self, ray: Any, packed: bytes) -> None:
        self._ray = ray
        self._identity = identity()
        # Sent once, however many actors there will be.
        self._packed = ray.put(packed)
        self._station = ray.remote(num_cpus=1, max_restarts=0)(Station)
        self._starting: dict[Any, Any] = {}
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, int]] = {}
        self._cores, self._looked = 1, 0.0
        self._never_ready = 0

    def make(self, part: Callable[[int], Sequence[Any]], queue: Queue) -> Iterator[Made]:
        """Make all shards of a queue."""
        while queue.waiting or self._busy:
            self._hire(len(queue.waiting))
            while self._idle and queue.waiting:
                actor, number = self._idle.pop(), queue.take()
                reference = actor.make.remote(pickle.dumps(part(number)))
                self._busy[reference] = (actor, number)
            references = [*self._busy, *self._starting]
            done, _ = self._ray.wait(references, num_returns=1, timeout=_LOOK_SECONDS)
            for reference in done:
                if reference in self._starting:
                    self._welcome(reference)
                else:
                    yield from self._collect(reference, queue)

    def close(self) -> None:
        """Stop all actors."""
        busy = [actor for actor, _ in self._busy.values()]
        for actor in (*self._starting.values(), *self._idle, *busy):
            with contextlib.suppress(Exception):  # the cluster itself may be gone
                self._ray.kill(actor)

    def _hire(self, waiting: int) -> None:
        """Start actors while there are shards and cores for them."""
        now = time.monotonic()
        if now - self._looked > _LOOK_SECONDS:
            self._cores = int(self._ray.cluster_resources().get("CPU", 0)) or 1
            self._looked = now
        wanted = min(self._cores - len(self._busy), waiting)
        for _ in range(wanted - len(self._starting) - len(self._idle)):
            actor = self._station.remote(self._packed)
            self._starting[actor.ready.remote()] = actor

    def _welcome(self, reference: Any) -> None:
        """Take an actor that is ready among the idle ones.

        Raises:
            IrsmithError: its machine cannot do the work as this one does.
        """
        actor = self._starting.pop(reference)
        try:
            host, theirs, error = self._ray.get(reference)
        except self._ray.exceptions.RayError as lost:
            self._never_ready += 1
            if self._never_ready >= TRIES:
                raise IrsmithError(
                    f"no process starts on the cluster: {_last_line(lost)}; "
                    "is irsmith installed on its machines?"
                ) from lost
            return
        if error:
            self._ray.kill(actor)
            raise IrsmithError(f"{host}: {error}")
        if theirs != self._identity:
            self._ray.kill(actor)
            raise IrsmithError(
                f"{host} has {theirs}, this machine has {self._identity}: "
                "install the same on all machines"
            )
        self._never_ready = 0
        self._idle.append(actor)

    def _collect(self, reference: Any, queue: Queue) -> Iterator[Made]:
        """Take what an actor made; the shard goes back if the actor is lost."""
        actor, number = self._busy.pop(reference)
        try:
            data, error = self._ray.get(reference)
        except self._ray.exceptions.RayError as lost:
            # Should it live and only the answer be lost, a new one takes its place.
            with contextlib.suppress(Exception):
                self._ray.kill(actor)
            data, error = None, f"the machine or its Ray process was lost: {_last_line(lost)}"
        else:
            self._idle.append(actor)
        yield from queue.settle(number, data, error)


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__


@contextmanager
def _connection(address: str) -> Iterator[Any]:
    """Ray, connected to the cluster; left as it was found.

    Raises:
        IrsmithError: Ray is not installed, or there is no cluster at the address.
    """
    # Ray reports its usage to its authors unless told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError as error:
        raise IrsmithError(
            "a cluster needs Ray, which is not installed: `pip install 'irsmith[cluster]'`"
        ) from error
    if ray.is_initialized():
        yield ray
        return
    _knock(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:
        raise IrsmithError(f"{_no_cluster(address)}: {' '.join(str(error).split())}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _no_cluster(address: str) -> str:
    here = "on this machine" if address == "auto" else f"at {address}"
    return f"no Ray cluster {here} (`ray start --head` starts one)"


def _knock(address: str) -> None:
    """Find out in seconds whether a server of Ray's kind answers: Ray tries for minutes.

    Ray's head speaks gRPC, so HTTP/2: each side begins with a SETTINGS frame (RFC 9113, 3.4).
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise IrsmithError(f"{address!r} is no address of a cluster: give host:port or auto")
    try:
        with socket.create_connection((host, int(port)), _KNOCK_SECONDS) as line:
            if os.environ.get("RAY_USE_TLS", "0") != "0":
                return
            line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SETTINGS_FRAME)
            if line.recv(len(_SETTINGS_FRAME))[3:4] != _SETTINGS_FRAME[3:4]:
                raise OSError("something else answers there")
    except (OSError, OverflowError) as error:
        raise IrsmithError(f"{_no_cluster(address)}: {error}") from error
