"""What the sandbox keeps foreign code from on this machine: tried, not looked up."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from irsmith.sandbox.worker import Limits, Worker

_MEMORY = 1 << 30
_LIMITS = Limits(cpu_seconds=5.0, wall_seconds=20.0, memory_bytes=_MEMORY)


def _read_file(_: int) -> None:
    Path("/etc/passwd").read_bytes()


def _write_file(_: int) -> None:
    path = Path(tempfile.gettempdir(), f"irsmith-probe-{os.getpid()}")
    try:
        path.write_bytes(b"")
    finally:
        path.unlink(missing_ok=True)


def _open_socket(_: int) -> None:
    socket.socket().close()


def _start_process(_: int) -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)


def _signal_caller(caller: int) -> None:
    os.kill(caller, 0)


def _fill_memory(_: int) -> None:
    held = bytearray(2 * _MEMORY)
    held.clear()


_ATTEMPTS: dict[str, Callable[[int], None]] = {
    "reading files": _read_file,
    "writing files": _write_file,
    "the network": _open_socket,
    "starting processes": _start_process,
    "signals to other processes": _signal_caller,
    "memory without limit": _fill_memory,
}
"""What foreign code must not do, and how it is tried."""


def probe() -> dict[str, bool]:
    """By what foreign code might do: whether the sandbox keeps it from that."""
    return {name: not done for name, done in attempts().items()}


def attempts(confined: bool = True) -> dict[str, bool]:
    """Whether each attempt succeeds in a worker."""

    def prepare(_: Callable[[int], None]) -> Callable[[str], bool]:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)

        def attempt(name: str) -> bool:
            try:
                _ATTEMPTS[name](caller)
            except (OSError, MemoryError):
                return False
            return True

        return attempt

    caller = os.getpid()
    limits = Limits(
        _LIMITS.cpu_seconds, _LIMITS.wall_seconds, _LIMITS.memory_bytes, confined=confined
    )
    sys.stdout.flush()
    with Worker(prepare, limits) as worker:
        return {
            name: bool(outcome.value)
            for name, outcome in zip(_ATTEMPTS, worker.map(_ATTEMPTS), strict=True)
        }
