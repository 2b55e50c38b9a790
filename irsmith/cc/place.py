"""An object, replaced: whole or not at all, and with the time at which its source was read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from irsmith.cc.flags import NotForUsError
from irsmith.toolchain.cache import write_beside


@dataclass(frozen=True, slots=True)
class Found:
    """The real compiler's object.

    Attributes:
        data: its bytes.
        status: of the file.
    """

    data: bytes
    status: os.stat_result


def look_at(path: Path) -> Found:
    """Read the real compiler's object.

    Raises:
        NotForUsError: it is no file of its own.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise NotForUsError("its object is no file of its own")
        return Found(path.read_bytes(), status)
    except OSError as error:
        raise NotForUsError(f"its object cannot be read: {error.strerror}") from error


def put_in_place(path: Path, data: bytes, found: Found) -> None:
    """Replace an object that is still the one that was looked at.

    It keeps its mode, and the time of the real compiler's: a source that was saved after it
    was read must count as newer.

    Raises:
        NotForUsError: somebody else has changed it, or it cannot be written.
    """
    try:
        now = path.lstat()
        before = found.status
        if (now.st_ino, now.st_mtime_ns, now.st_size) != (
            before.st_ino, before.st_mtime_ns, before.st_size,
        ):  # fmt: skip
            raise NotForUsError("its object was changed meanwhile")
        swap(path, data, (before.st_atime_ns, before.st_mtime_ns), before.st_mode)
    except OSError as error:
        raise NotForUsError(f"its object cannot be replaced: {error.strerror}") from error


def swap(path: Path, data: bytes, times: tuple[int, int] | None, mode: int) -> None:
    """Write an object beside and rename it.

    Args:
        path: of the object.
        data: what it becomes.
        times: of access and change, in nanoseconds; None: now.
        mode: permissions.

    Raises:
        OSError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.irsmith-{os.getpid()}")
    try:
        write_beside(beside, data)
        beside.chmod(stat.S_IMODE(mode))
        if times:
            os.utime(beside, ns=times)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
