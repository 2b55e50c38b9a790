"""A worker process that may die at any item and goes on with the next.

Three processes: the caller; a *nursery* that does the expensive preparation once
(loads LLVM, compiles what is needed) and then only forks; and the *child* that
serves items until it dies. A death costs a fork, not another preparation, and the
caller learns from the nursery how the child died. Items travel through a pipe
that all children share, so the items behind the fatal one are not lost.

POSIX only: it stands on ``fork``.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import mmap
import os
import pickle
import resource
import select
import signal
import struct
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from irsmith.records import IrsmithError

Item = TypeVar("Item")
Result = TypeVar("Result")

_HEADER = struct.Struct("<cI")
_RESULT, _REFUSED, _BUG, _BORN, _DIED = b"R", b"E", b"B", b"P", b"D"
_RECYCLE = 77
WINDOW = 8
"""Items that may be under way in one worker."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What one item may use.

    Attributes:
        cpu_seconds: processor time of one item; a busy machine does not shorten it.
        wall_seconds: a backstop for code that sleeps.
        memory_bytes: address space of the worker.
        recycle_bytes: the child is replaced between items once its resident
            memory has grown beyond this.
    """

    cpu_seconds: float = 20.0
    wall_seconds: float = 120.0
    memory_bytes: int = 6 << 30
    recycle_bytes: int = 1 << 30


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
            returns the handler of items. Inherited by fork: need not be picklable.
        limits: what an item may use.

    Use it as a context manager, or call :meth:`close`.
    """

    def __init__(
        self,
        prepare: Callable[[Callable[[int], None]], Callable[[Item], Result]],
        limits: Limits | None = None,
    ) -> None:
        self._prepare = prepare
        self.limits = limits or Limits()
        self._phase = mmap.mmap(-1, mmap.PAGESIZE)
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
        if not self._nursery:
            self._start()
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
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                _nursery(
                    self._prepare,
                    self.limits,
                    request_read,
                    answer_write,
                    self._stderr,
                    self._phase,
                    parent,
                )
            finally:
                os._exit(70)
        os.close(request_read)
        os.close(answer_write)
        os.set_blocking(self._requests, False)
        self._nursery = pid

    def _receive(self) -> Outcome[Result]:
        deadline = time.monotonic() + self.limits.wall_seconds
        killed = False
        while True:
            kind, body = self._message(deadline)
            if kind == _RESULT:
                return Outcome(pickle.loads(body))
            if kind == _REFUSED:
                detail, phase = pickle.loads(body)
                return Outcome(None, "refused", detail, phase)
            if kind == _BUG:
                self.close()
                raise WorkerBugError(pickle.loads(body))
            if kind == _BORN:
                (self._child,) = struct.unpack("<i", body)
            elif kind == _DIED:
                status, phase, text = pickle.loads(body)
                return self._death(status, phase, text, killed)
            else:  # the deadline has passed
                killed = True
                deadline = time.monotonic() + 10
                if self._child:
                    _kill(self._child)

    def _message(self, deadline: float) -> tuple[bytes, bytes]:
        if self._early:
            return self._early.popleft()
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return b"", b""
        return self._read_message()

    def _read_message(self) -> tuple[bytes, bytes]:
        header = _read(self._answers, _HEADER.size)
        if header is None:
            text = _last_words(self._stderr)
            self.close()
            raise WorkerBugError(f"the worker's nursery died: {text}")
        kind, length = _HEADER.unpack(header)
        return kind, _read(self._answers, length) or b""

    def _death(self, status: int, phase: int, text: str, killed: bool) -> Outcome[Result]:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        if killed or number in (signal.SIGPROF, signal.SIGXCPU):
            return Outcome(None, "time-out", f"over {self.limits.cpu_seconds:g} s", phase)
        how = signal.Signals(number).name if number else f"exit {os.WEXITSTATUS(status)}"
        return Outcome(None, "crash", f"{how}: {text}" if text else how, phase)


def _last_words(stderr: int) -> str:
    """What a dead child said: the line with the assertion, else the first."""
    text = os.pread(stderr, 1 << 16, 0).decode(errors="replace").replace("\0", "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if "Assertion" in line or "LLVM ERROR" in line:
            return line[:600]
    return lines[0][:300] if lines else ""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _read(fd: int, count: int) -> bytes | None:
    """Read exactly ``count`` bytes, or None at the end of the pipe."""
    parts = []
    while count:
        part = os.read(fd, count)
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _send(fd: int, kind: bytes, body: bytes) -> None:
    _write(fd, _HEADER.pack(kind, len(body)) + body)


def _die_with_parent(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # it died before we asked to be told


def _nursery(
    prepare: Callable[[Callable[[int], None]], Callable[[Any], Any]],
    limits: Limits,
    requests: int,
    answers: int,
    stderr: int,
    phase: mmap.mmap,
    parent: int,
) -> None:
    """Prepare once, then fork a child whenever the last one died."""
    _die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    os.set_blocking(stderr, True)
    for target, source in ((0, null), (1, null), (2, stderr)):
        os.dup2(source, target)
    fcntl.fcntl(2, fcntl.F_SETFL, os.O_APPEND)
    for fd in range(3, 1024):  # the caller's other pipes: held open they would never end
        if fd not in (requests, answers):
            try:
                os.close(fd)
            except OSError:
                continue

    def report(number: int) -> None:
        phase[0] = number

    try:
        handler = prepare(report)
    except IrsmithError as error:
        _send(answers, _BUG, pickle.dumps(str(error)))
        os._exit(0)
    except BaseException:
        _send(answers, _BUG, pickle.dumps(traceback.format_exc()))
        os._exit(0)
    # Objects made so far are never freed: collecting them would only unshare pages.
    gc.freeze()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nursery = os.getpid()
    while True:
        pid = os.fork()
        if pid == 0:
            _child(handler, limits, requests, answers, phase, nursery)
            os._exit(0)
        _send(answers, _BORN, struct.pack("<i", pid))
        status = os.waitpid(pid, 0)[1]
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            os._exit(0)  # no more requests
        if not (os.WIFEXITED(status) and os.WEXITSTATUS(status) == _RECYCLE):
            # Read here, before the next child starts and says something else.
            _send(answers, _DIED, pickle.dumps((status, phase[0], _last_words(2))))


def _child(
    handler: Callable[[Any], Any],
    limits: Limits,
    requests: int,
    answers: int,
    phase: mmap.mmap,
    parent: int,
) -> None:
    """Serve items until the pipe ends or an item kills us."""
    _die_with_parent(parent)
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    while True:
        header = _read(requests, 4)
        if header is None:
            return
        body = _read(requests, struct.unpack("<I", header)[0])
        if body is None:
            return
        item = pickle.loads(body)
        phase[0] = 0
        os.ftruncate(2, 0)  # what earlier items said must not explain a later death
        signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
        try:
            kind, answer = _RESULT, pickle.dumps(handler(item))
        except IrsmithError as error:
            kind, answer = _REFUSED, pickle.dumps((str(error), phase[0]))
        except MemoryError:
            kind, answer = _REFUSED, pickle.dumps(("out of memory", phase[0]))
        except BaseException:
            kind, answer = _BUG, pickle.dumps(traceback.format_exc())
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(answers, kind, answer)
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > limits.recycle_bytes:
            os._exit(_RECYCLE)
