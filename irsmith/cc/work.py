"""The process behind one call of a compiler, when the real one has made its object."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from irsmith.cc.call import read_call
from irsmith.cc.lock import CANDIDATE, REAL, Entry, Lock, guarded, merged, read_lock, write_lock
from irsmith.cc.settings import Settings
from irsmith.cc.state import Record, State, told_from
from irsmith.cc.unit import NOT_LOCKED, Task, treat
from irsmith.corpus.recorder import unfold
from irsmith.toolchain.find import Toolchain, find_toolchain

ROOT = "IRSMITH_ROOT"
"""The folder where the build began; told by ``irsmith build``."""
_SECONDS = 1800
"""After which a unit is given up, whatever it is doing: a build must not hang."""


def main() -> None:
    """Treat the units of a call; see :mod:`irsmith.cc.driver` for the arguments.

    Nothing is printed, and the status does not matter: the object is the real compiler's or
    ours, and whole.
    """
    name, count, *rest = sys.argv[2:]
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(_SECONDS)
    settings = Settings.read(os.environ)
    root = Path(os.environ.get(ROOT) or Path.cwd())
    real, words = rest[: int(count)], unfold(rest[int(count) :])
    toolchain = find_toolchain()
    lock = read_lock(Path(settings.lock), toolchain.fingerprint) if settings.lock else Lock({})
    records = []
    for unit in read_call("++" in name, words).units:
        try:
            record = treat(toolchain, Task(real, words, root, settings), unit, lock)
        except Exception as error:  # the build goes on, and its report says so
            output = str(Path.cwd() / unit.output)
            reason = f"irsmith itself failed: {error!r}"[:300]
            record = Record(unit.source, str(Path.cwd()), output, "passed", reason)
        records.append(record)
        _keep(settings, record, root)
    if settings.lock and not settings.state and not settings.locked and not lock.repair:
        _remember(toolchain, Path(settings.lock), records)


def _give_up(*_: object) -> None:
    raise RuntimeError(f"nothing was found within {_SECONDS} s")


def _keep(settings: Settings, record: Record, root: Path) -> None:
    if settings.state:
        State(Path(settings.state)).write(record)
    if settings.log:
        line = json.dumps(told_from(record, root).to_json(), sort_keys=True) + "\n"
        handle = os.open(settings.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        os.write(handle, line.encode(errors="surrogateescape"))
        os.close(handle)


def _remember(toolchain: Toolchain, path: Path, records: Sequence[Record]) -> None:
    """Add units to a lock file that other compilers may be writing too."""
    with guarded(path):
        now = read_lock(path, toolchain.fingerprint)
        if not now.repair:
            new = entries_of(records, path.absolute().parent)
            write_lock(path, toolchain.fingerprint, merged(now.entries, new))


def entries_of(
    records: Sequence[Record], root: Path, real: Collection[str] = ()
) -> Mapping[str, Entry]:
    """What a lock file keeps of units; the first of those with one name.

    Args:
        records: of units; those that were left to the real compiler have nothing to keep.
        root: that paths are told from.
        real: names of modules that no code of clang's is taken for.
    """
    entries: dict[str, Entry] = {}
    for record in records:
        if not record.name or record.candidate is None or record.reason == NOT_LOCKED:
            continue
        short = told_from(record, root)
        entries.setdefault(
            record.name,
            Entry(
                short.source, short.output, record.target,
                REAL if record.name in real else CANDIDATE, record.candidate,
                record.proposed, record.objective, record.check, record.oz, record.ours,
                record.verdict,
            ),
        )  # fmt: skip
    return entries
