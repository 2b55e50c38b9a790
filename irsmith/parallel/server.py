"""The inside of a :class:`~irsmith.parallel.maker.Maker`: its processes' main loop.

There are two: a guard that only waits, and the server, which leads a group of its own.
When whoever started the guard is gone, or kills the guard (Ray kills the children of its
processes, but not theirs), or the server dies, the whole group goes: workers, and
programs that the work runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import pickle
import resource
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from irsmith.parallel.work import Work
from irsmith.records import IrsmithError
from irsmith.toolchain.find import ToolchainError, find_toolchain
from irsmith.version import __version__

READY, UNPREPARED, MADE, FAILED = b"R", b"U", b"M", b"F"
"""First byte of each message to the maker; the rest is bytes of a shard or a line of text."""
_PR_SET_PDEATHSIG = 1
_LONGEST_LINE = 500


def identity() -> str:
    """Names irsmith's version, code and data, and LLVM's version.

    Machines that differ in it could give different results.
    """
    package = Path(__file__).resolve().parent.parent
    hasher = hashlib.sha256()
    files = (path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    for path in sorted(files):
        hasher.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    try:
        toolchain = find_toolchain().fingerprint
    except ToolchainError:
        toolchain = "no LLVM"
    return f"irsmith {__version__} (code {hasher.hexdigest()[:8]}) with {toolchain}"


def explain(error: BaseException) -> str:
    """An error in one line; where it was raised, unless its text is meant for people."""
    text = " ".join(str(error).split())[:_LONGEST_LINE]
    if isinstance(error, IrsmithError):
        return text
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{place}"


def _end_group(_: int = 0, __: FrameType | None = None) -> NoReturn:
    os.killpg(0, signal.SIGKILL)
    os._exit(1)  # not reached: the signal is ours too


def _follow(parent: int, number: signal.Signals) -> None:
    """Have a signal sent to us when the parent dies, also if it is dead already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def _guard(server: int) -> NoReturn:
    """Wait for the server, clear up behind it, and end as it did."""
    status = os.waitpid(server, 0)[1]
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server, signal.SIGKILL)
    if os.WIFSIGNALED(status):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def _shard(work: Work[Any, Any], handler: Any, part: bytes) -> bytes:
    data = work.format.write([handler(item) for item in pickle.loads(part)])
    if not isinstance(data, bytes):
        raise TypeError(f"the format's write gave {type(data).__name__}, not bytes")
    return data


def serve(descriptor: int, parent: int) -> NoReturn:
    """Make shards until the connection ends; never returns.

    Args:
        descriptor: of the connection to the maker.
        parent: its process.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _follow(parent, signal.SIGKILL)
    guard, server = os.getpid(), os.fork()
    if server:
        os.close(descriptor)
        _guard(server)
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, _end_group)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _follow(guard, signal.SIGTERM)
    os.set_inheritable(descriptor, False)
    line = Connection(descriptor)
    try:
        paths, pickled = pickle.loads(line.recv_bytes())
        # Where the caller's own modules are, if this machine has the folders too.
        sys.path.extend(p for p in paths if p not in sys.path and Path(p).exists())
        work: Work[Any, Any] = pickle.loads(pickled)
        handler = work.prepare()
    except BaseException as error:
        line.send_bytes(UNPREPARED + explain(error).encode())
        _end_group()
    line.send_bytes(READY + identity().encode())
    while True:
        try:
            part = line.recv_bytes()
        except EOFError:
            _end_group()
        os.ftruncate(2, 0)  # what earlier shards said must not explain a later death
        try:
            answer = MADE + _shard(work, handler, part)
        except Exception as error:
            answer = FAILED + explain(error).encode()
        line.send_bytes(answer)
