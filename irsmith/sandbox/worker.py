"""A worker process that may die at any item and goes on with the next.

Three processes: the caller; a *nursery* that does the expensive preparation once
(loads LLVM, compiles what is needed) and then only forks; and the *child* that
serves items until it dies. A death costs a fork, not another preparation, and the
caller learns from the nursery how the child died. Items travel through a pipe
that all children share, so the items behind the fatal one are not lost.

POSIX only: it stands on ``fork``.
"""

from __future__ import annotations

import mmap
import os
import pickle
import select
import signal
import struct
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from irsmith.sandbox.answers import AnswerError, read_answer
from irsmith.sandbox.nursery import (
    BORN,
    BUG,
    DIED,
    HEADER,
    REFUSED,
    RESULT,
    Limits,
    Lines,
    last_words,
    nursery,
)

__all__ = ["WINDOW", "Limits", "Outcome", "Worker", "WorkerBugError"]

Item = TypeVar("Item")
Result = TypeVar("Result")

WINDOW = 8
"""Items that may be under way in one worker."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What became of one item.

    Attributes:
        value: the handler's result if ``failure`` is empty.
        failure: ``""``, ``refused`` (the handler raised an IrsmithError),
            ``crash`` or ``time-out``.
        detail: the error's text, or the signal and the last line on stderr.
        phase: the number that the handler reported last.
    """

    value: Result | None
    failure: str = ""
    detail: str = ""
    phase: int = 0


class WorkerBugError(RuntimeError):
    """The handler itself is wrong: carries its traceback."""


class Worker(Generic[Item, Result]):
    """Serves items one after the other in a process that may die.

    Args:
        prepare: called once in the nursery with a function that reports a phase
            (a small number, kept in shared memory, so that it survives a crash);
            returns the handler of items. Inherited by fork: need not be picklable,
            unless the worker is fresh.
        limits: what an item may use.
        fresh: start a Python of its own in place of a fork, so that no library of the
            caller's is in it: programs that a JIT links would find symbols there (with
            onnxruntime in the process, another unwinder than their C++ runtime's).

    Use it as a context manager, or call :meth:`close`.
    """

    def __init__(
        self,
        prepare: Callable[[Callable[[int], None]], Callable[[Item], Result]],
        limits: Limits | None = None,
        fresh: bool = False,
    ) -> None:
        self._prepare = prepare
        self.limits = limits or Limits()
        self._fresh = fresh
        self._phase = os.memfd_create("irsmith-phase")
        os.ftruncate(self._phase, mmap.PAGESIZE)
        self._stderr = os.memfd_create("irsmith-stderr")
        self._nursery = 0
        self._child = 0
        self._answers = -1
        self._early: deque[tuple[bytes, bytes]] = deque()
        self.waiting = 0

    def __enter__(self) -> Worker[Item, Result]:
        """Nothing starts before the first item."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the processes."""
        self.close()

    def close(self) -> None:
        """Stop the processes; the worker starts again if it is used again."""
        if self._nursery:
            os.close(self._requests)
            os.close(self._answers)
            for pid in (self._child, self._nursery):
                if pid:
                    _kill(pid)
            os.waitpid(self._nursery, 0)
            self._nursery = self._child = 0
        self._early.clear()
        self.waiting = 0

    def begin(self) -> None:
        """Start to prepare, if that was not done yet; nothing is waited for."""
        if not self._nursery:
            self._start()

    def call(self, item: Item) -> Outcome[Result]:
        """Serve one item."""
        return next(self.map([item]))

    def map(self, items: Iterable[Item]) -> Iterator[Outcome[Result]]:
        """Serve items in order, sending a few ahead so that the pipe never idles."""
        if self.waiting:
            raise RuntimeError("this worker is serving other items: take their outcomes first")
        source = iter(items)
        exhausted = False
        try:
            while True:
                while self.waiting < WINDOW and not exhausted:
                    try:
                        item = next(source)
                    except StopIteration:
                        exhausted = True
                        break
                    self.submit(item)
                if not self.waiting:
                    return
                yield self.receive()
        finally:
            # Items that were sent ahead and not asked for die with the processes.
            if self.waiting:
                self.close()

    def submit(self, item: Item) -> None:
        """Send an item without waiting; at most :data:`WINDOW` may wait at a time."""
        self.begin()
        body = pickle.dumps(item)
        view = memoryview(struct.pack("<I", len(body)) + body)
        while view:
            try:
                view = view[os.write(self._requests, view) :]
            except BlockingIOError:
                self._wait_to_write()
        self.waiting += 1

    def _wait_to_write(self) -> None:
        """Until the child reads on; it may itself wait for us to read a large answer."""
        poll = select.poll()
        poll.register(self._requests, select.POLLOUT)
        poll.register(self._answers, select.POLLIN)
        if any(fd == self._answers for fd, _ in poll.poll()):
            self._early.append(self._read_message())

    @property
    def answered(self) -> bool:
        """Whether something that :meth:`fileno` does not show any more waits to be received."""
        return bool(self._early)

    def receive(self) -> Outcome[Result]:
        """The outcome of the oldest item that waits."""
        outcome = self._receive()
        self.waiting -= 1
        return outcome

    def fileno(self) -> int:
        """Readable when an outcome may have come (for ``select``)."""
        return self._answers

    def _start(self) -> None:
        request_read, self._requests = os.pipe()
        self._answers, answer_write = os.pipe()
        lines = Lines(request_read, answer_write, self._stderr, self._phase)
        try:
            self._nursery = self._spawn(lines) if self._fresh else self._fork(lines)
        finally:
            os.close(request_read)
            os.close(answer_write)
        os.set_blocking(self._requests, False)
        os.set_blocking(self._answers, False)

    def _fork(self, lines: Lines) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                nursery(self._prepare, self.limits, lines, parent)
            finally:
                os._exit(70)
        return pid

    def _spawn(self, lines: Lines) -> int:
        prepared = os.memfd_create("irsmith-prepared")
        try:
            with open(prepared, "wb", closefd=False) as file:
                pickle.dump((self._prepare, self.limits), file)
            command = (
                f"import sys; sys.path[:] = {sys.path!r}; "
                "from irsmith.sandbox.nursery import Lines, main; "
                f"main({lines!r}, {prepared}, {os.getpid()})"
            )
            # Duplicated onto itself, a file is not closed when the new program starts.
            kept = [(os.POSIX_SPAWN_DUP2, fd, fd) for fd in (*lines.all(), prepared)]
            words = [sys.executable, "-P", "-c", command]
            return os.posix_spawn(sys.executable, words, os.environ, file_actions=kept)
        finally:
            os.close(prepared)

    def _receive(self) -> Outcome[Result]:
        deadline = time.monotonic() + self.limits.wall_seconds
        killed = False
        while True:
            kind, body = self._message(deadline)
            if kind == RESULT:
                return Outcome(self._read(body))
            if kind == REFUSED:
                detail, phase = self._read(body)
                return Outcome(None, "refused", str(detail), int(phase))
            if kind == BUG:
                self.close()
                raise WorkerBugError(str(read_answer(body)))
            if kind == BORN:
                self._born(body)
            elif kind == DIED:
                status, phase, text = self._read(body)
                return self._death(int(status), int(phase), str(text), killed)
            elif kind:
                self._distrust(f"an answer of kind {kind!r}")
            else:  # the deadline has passed
                killed = True
                deadline = time.monotonic() + 10
                if self._child:
                    _kill(self._child)

    def _read(self, body: bytes) -> Any:
        """What an answer holds; foreign code may have written it."""
        try:
            return read_answer(body)
        except AnswerError as error:
            self._distrust(str(error))

    def _born(self, body: bytes) -> None:
        """A new child: what is killed later, so it must be the nursery's."""
        (pid,) = struct.unpack("<i", body) if len(body) == 4 else (0,)
        try:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            pid, parent = 0, self._nursery  # it has died again: there is nothing to kill
        if parent != self._nursery:
            self._distrust("the number of a process that is not its own")
        self._child = pid

    def _distrust(self, what: str) -> NoReturn:
        """What runs in the worker writes to its pipe: nothing of it can be believed."""
        self.close()
        raise WorkerBugError(f"what ran in the worker broke in on its pipe: {what}")

    def _message(self, deadline: float) -> tuple[bytes, bytes]:
        if self._early:
            return self._early.popleft()
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return b"", b""
        return self._read_message()

    def _read_message(self) -> tuple[bytes, bytes]:
        header = self._take(HEADER.size)
        if len(header) < HEADER.size:
            text = last_words(self._stderr)
            self.close()
            raise WorkerBugError(f"the worker's nursery died: {text}")
        kind, length = HEADER.unpack(header)
        return kind, self._take(length)

    def _take(self, count: int) -> bytes:
        """So many bytes of an answer; what does not come must not keep us for ever."""
        taken = bytearray()
        while len(taken) < count:
            try:
                part = os.read(self._answers, min(1 << 20, count - len(taken)))
            except BlockingIOError:
                poll = select.poll()
                poll.register(self._answers, select.POLLIN)
                if not poll.poll(self.limits.wall_seconds * 1000):
                    self._distrust("a message without its end")
                continue
            if not part:
                break
            taken += part
        return bytes(taken)

    def _death(self, status: int, phase: int, text: str, killed: bool) -> Outcome[Result]:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        if killed or number in (signal.SIGPROF, signal.SIGXCPU):
            return Outcome(None, "time-out", f"over {self.limits.cpu_seconds:g} s", phase)
        how = signal.Signals(number).name if number else f"exit {os.WEXITSTATUS(status)}"
        return Outcome(None, "crash", f"{how}: {text}" if text else how, phase)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
