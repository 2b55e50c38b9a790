"""A process of ours that makes shards, one after the other.

It is started afresh and not forked, so that threads of the caller (Ray's, Arrow's) are
not in it, and may itself fork workers. It may die: the next shard starts another.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from irsmith.parallel.server import MADE, READY
from irsmith.parallel.work import Work
from irsmith.records import IrsmithError

_END_SECONDS = 5.0
_WORDS = 1 << 14
"""Bytes of what a dead process said that are looked at."""


def pack(work: Work[Any, Any]) -> bytes:
    """Work as it is sent to makers, with the folders in which its modules are found.

    Raises:
        IrsmithError: it cannot be pickled.
    """
    try:
        return pickle.dumps((sys.path, pickle.dumps(work)))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise IrsmithError(
            f"the work cannot be sent to other processes: {error}; "
            "use functions at the top level of a module"
        ) from error


class Maker:
    """Makes shards in a process of its own.

    Args:
        packed: what :func:`pack` gave.

    Nothing starts before :meth:`start` or the first shard; :meth:`close` stops it, with
    all that it started.
    """

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._words = os.memfd_create("irsmith-maker")
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._ready = False

    def start(self) -> None:
        """Start the process; it prepares while the caller goes on."""
        ours, theirs = Pipe()
        command = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            "from irsmith.parallel.server import serve; "
            f"serve({theirs.fileno()}, {os.getpid()})"
        )
        os.ftruncate(self._words, 0)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=self._words,
                stderr=self._words,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._line, self._ready = ours, False
        try:
            ours.send_bytes(self._packed)
        except OSError:
            return  # it is dead already: the first answer says so

    def wait_ready(self) -> str:
        """Wait until the work is prepared.

        Returns:
            What names the code and LLVM on this machine.

        Raises:
            IrsmithError: the work cannot be loaded or prepared.
        """
        if self._process is None:
            self.start()
        kind, text = self._answer()
        if kind != READY:
            self._stop()
            raise IrsmithError(f"the work cannot be prepared: {text.decode()}")
        self._ready = True
        return text.decode()

    def submit(self, part: bytes) -> None:
        """Send the items of a shard, pickled, without waiting."""
        if self._line is None:
            self.start()
        assert self._line is not None
        try:
            self._line.send_bytes(part)
        except OSError:
            return  # it is dead: the answer says so

    def receive(self) -> tuple[bytes | None, str]:
        """The shard that was submitted: its bytes, or None and why not in one line."""
        if not self._ready:
            try:
                self.wait_ready()
            except IrsmithError as error:
                return None, str(error)
        kind, body = self._answer()
        return (body, "") if kind == MADE else (None, body.decode())

    def fileno(self) -> int:
        """Readable when an answer may have come."""
        assert self._line is not None
        return self._line.fileno()

    def close(self) -> None:
        """Stop the process and all that it started, and give back its files."""
        self._stop()
        if self._words >= 0:
            os.close(self._words)
            self._words = -1

    def _answer(self) -> tuple[bytes, bytes]:
        assert self._line is not None
        try:
            message = self._line.recv_bytes()
        except (EOFError, OSError):
            return b"", f"the process died: {self._death()}".encode()
        return message[:1], message[1:]

    def _death(self) -> str:
        process = self._process
        assert process is not None
        try:
            status = process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            status = -signal.SIGKILL
        how = signal.Signals(-status).name if status < 0 else f"exit {status}"
        size = os.fstat(self._words).st_size
        said = (
            os.pread(self._words, _WORDS, max(0, size - _WORDS))
            .decode(errors="replace")
            .replace("\0", "")
        )
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        self._stop()
        return f"{how}: {lines[-1][:300]}" if lines else how

    def _stop(self) -> None:
        process, line = self._process, self._line
        self._process = self._line = None
        self._ready = False
        if process is None or line is None:
            return
        # The guard's death ends the server's group; then the line ends.
        process.kill()
        process.wait()
        with contextlib.suppress(EOFError, OSError):
            while line.poll(_END_SECONDS):
                line.recv_bytes()
        line.close()
