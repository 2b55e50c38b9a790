"""The far side of a worker: the process that prepares once, and the child that serves.

What is here runs behind a ``fork`` (see :mod:`irsmith.sandbox.worker`), or in a Python of
its own that :func:`main` begins, when nothing that the caller loaded may be in it.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import mmap
import os
import pickle
import resource
import signal
import struct
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from irsmith.records import IrsmithError
from irsmith.sandbox.confine import confine_worker

Prepare = Callable[[Callable[[int], None]], Callable[[Any], Any]]
"""Given a function that reports a phase, gives the handler of items."""

HEADER = struct.Struct("<cI")
"""Before each answer: its kind, and the bytes that follow."""
RESULT, REFUSED, BUG, BORN, DIED = b"R", b"E", b"B", b"P", b"D"
_RECYCLE = 77
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
        confined: the child may open no files but its own code, no sockets, start no
            processes and send no signals, as far as the kernel can keep it from it.
    """

    cpu_seconds: float = 20.0
    wall_seconds: float = 120.0
    memory_bytes: int = 6 << 30
    recycle_bytes: int = 1 << 30
    confined: bool = True


@dataclass(frozen=True, slots=True)
class Lines:
    """Open files between caller and worker.

    Attributes:
        requests: items come from here.
        answers: outcomes go here.
        stderr: what the worker says.
        phase: a page in memory that all share.
    """

    requests: int
    answers: int
    stderr: int
    phase: int

    def all(self) -> tuple[int, ...]:
        """Their numbers."""
        return self.requests, self.answers, self.stderr, self.phase


def main(lines: Lines, prepared: int, parent: int) -> None:
    """Be the nursery in a Python of its own.

    Args:
        lines: to the caller.
        prepared: open file that holds preparation and limits, pickled.
        parent: process of the caller.
    """
    try:
        with open(prepared, "rb") as file:
            file.seek(0)
            prepare, limits = pickle.load(file)
    except BaseException:
        send(lines.answers, BUG, pickle.dumps(traceback.format_exc()))
        os._exit(0)
    try:
        nursery(prepare, limits, lines, parent)
    finally:
        os._exit(70)


def last_words(stderr: int) -> str:
    """What a dead child said: the line with the assertion, else the first."""
    text = os.pread(stderr, 1 << 16, 0).decode(errors="replace").replace("\0", "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if "Assertion" in line or "LLVM ERROR" in line:
            return line[:600]
    return lines[0][:300] if lines else ""


def read(fd: int, count: int) -> bytes | None:
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


def send(fd: int, kind: bytes, body: bytes) -> None:
    """Write an answer."""
    _write(fd, HEADER.pack(kind, len(body)) + body)


def _die_with_parent(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # it died before we asked to be told


def nursery(prepare: Prepare, limits: Limits, lines: Lines, parent: int) -> None:
    """Prepare once, then fork a child whenever the last one died.

    Args:
        prepare: called once.
        limits: what an item may use.
        lines: to the caller.
        parent: process of the caller; this one dies with it.
    """
    _die_with_parent(parent)
    requests, answers, stderr = lines.requests, lines.answers, lines.stderr
    phase = mmap.mmap(lines.phase, mmap.PAGESIZE)
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
        send(answers, BUG, pickle.dumps(str(error)))
        os._exit(0)
    except BaseException:
        send(answers, BUG, pickle.dumps(traceback.format_exc()))
        os._exit(0)
    # Objects made so far are never freed: collecting them would only unshare pages.
    gc.freeze()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    me = os.getpid()
    while True:
        pid = os.fork()
        if pid == 0:
            _child(handler, limits, requests, answers, phase, me)
            os._exit(0)
        send(answers, BORN, struct.pack("<i", pid))
        status = os.waitpid(pid, 0)[1]
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            os._exit(0)  # no more requests
        if not (os.WIFEXITED(status) and os.WEXITSTATUS(status) == _RECYCLE):
            # Read here, before the next child starts and says something else.
            send(answers, DIED, pickle.dumps((status, phase[0], last_words(2))))


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
    if limits.confined:
        confine_worker()
    while True:
        header = read(requests, 4)
        if header is None:
            return
        body = read(requests, struct.unpack("<I", header)[0])
        if body is None:
            return
        item = pickle.loads(body)
        phase[0] = 0
        os.ftruncate(2, 0)  # what earlier items said must not explain a later death
        signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
        try:
            kind, answer = RESULT, pickle.dumps(handler(item))
        except IrsmithError as error:
            kind, answer = REFUSED, pickle.dumps((str(error), phase[0]))
        except MemoryError:
            kind, answer = REFUSED, pickle.dumps(("out of memory", phase[0]))
        except BaseException:
            kind, answer = BUG, pickle.dumps(traceback.format_exc())
        signal.setitimer(signal.ITIMER_PROF, 0)
        send(answers, kind, answer)
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > limits.recycle_bytes:
            os._exit(_RECYCLE)
