"""Take from this process, for good, what foreign code must not have: files, network, others.

Two doors of the Linux kernel that need no rights and no other program: Landlock (which
files may be opened, ports, signals; https://landlock.io) and seccomp (which system calls
may be made at all, :mod:`irsmith.sandbox.calls`). No well-kept library for both is on PyPI,
and it takes five system calls, so they are made here through ctypes. What the kernel lacks
is not there; ``irsmith doctor`` tries and says what holds.
"""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from irsmith.sandbox.calls import program_filter, worker_filter

MOST_WRITTEN = 64 << 20
"""Bytes of the largest file that a confined process may write (what it says on stderr)."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_FILTER, _WITHOUT_SLOWDOWN = 1, 4
_NO_NEW_PRIVILEGES = 38
_VERSION, _BENEATH = 1, 1
_READ, _ON_FILES = 0b1101, 0b1100000000000111
_ALL_FILES = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_PORTS, _OTHERS = 0b11, 0b11
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


def landlock_version() -> int:
    """The version of the kernel's Landlock, 0 if there is none."""
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)))


def confine_worker() -> None:
    """Confine a child that compiles and runs foreign code in its own process.

    It may read Python, its packages and the system's libraries, write to the files that are
    open, and nothing else.
    """
    _limit_files()
    _no_new_privileges()
    _landlock([*_own_code(), *_SYSTEM, *_DEVICES], [])
    _seccomp(worker_filter(os.getpid()))


def program_confinement(readable: Iterable[Path], writable: Iterable[Path]) -> Callable[[], None]:
    """What ``subprocess`` is to call before a foreign program starts (``preexec_fn``).

    The program may start processes, which are confined as it is, and write below a folder.

    Args:
        readable: files and folders that it needs, beside the system's libraries.
        writable: folders for what it writes.
    """
    may_read = [*map(str, readable), *_SYSTEM, *_DEVICES]
    may_write = [str(path) for path in writable]
    _libc()  # nothing is loaded between fork and exec, where other threads may hold locks

    def before() -> None:
        _no_new_privileges()
        _landlock([*may_read, f"/proc/{os.getpid()}"], may_write)
        _seccomp(program_filter())

    return before


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _own_code() -> list[str]:
    """Where this Python imports from, if it has to while it is confined."""
    paths = sysconfig.get_paths()
    found = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    package = Path(__file__).resolve().parent.parent
    return [*found, str(package), str(Path(sys.prefix, "lib"))]


def _limit_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    most = MOST_WRITTEN if hard == resource.RLIM_INFINITY else min(hard, MOST_WRITTEN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def _no_new_privileges() -> None:
    _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _landlock(readable: Sequence[str], writable: Sequence[str]) -> bool:
    """Leave this process only these files, no ports, and no signals to others."""
    libc, version = _libc(), landlock_version()
    if not version:
        return False
    files = _ALL_FILES[min(version, 5)]
    ports, others = _PORTS if version >= 4 else 0, _OTHERS if version >= 6 else 0
    words = [files, ports, others]
    attributes = struct.pack(f"<{len(words)}Q", *words)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    if rules < 0:
        return False
    for paths, wanted in ((readable, _READ), (writable, files)):
        for path in paths:
            _allow(libc, rules, path, wanted & files)
    done = libc.syscall(_RESTRICT_SELF, rules, 0)
    os.close(rules)
    return int(done) == 0


def _allow(libc: ctypes.CDLL, rules: int, path: str, access: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there need not be reached
    if not Path(path).is_dir():
        access &= _ON_FILES
    if path == "/dev/null":
        access |= 0b10  # write
    rule = struct.pack("<Qi", access, fd)
    libc.syscall(_ADD_RULE, rules, _BENEATH, rule, 0)
    os.close(fd)


def _seccomp(steps: bytes) -> bool:
    number = _SECCOMP.get(os.uname().machine)
    if not steps or number is None:
        return False
    buffer = ctypes.create_string_buffer(steps, len(steps))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    program = Program(len(steps) // 8, ctypes.addressof(buffer))
    libc = _libc()
    return int(libc.syscall(number, _SET_FILTER, _WITHOUT_SLOWDOWN, ctypes.byref(program))) == 0
