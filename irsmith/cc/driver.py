"""One call of a compiler: the real one first, and if there is an object, ours beside it.

Standard library only, and of that only what Python has loaded anyway: a probe, a link or a
preprocessing costs the real compiler and the start of Python. What the build sees is the real
compiler's status and output, whatever becomes of us.
"""

# Importing pathlib or subprocess would cost more than all that is done here.
# ruff: noqa: PTH100, PTH109, PTH110, PTH113, PTH118, PTH119, PTH120
from __future__ import annotations

import os
import stat
import sys

from irsmith.cc.call import Call, looks_like_probe, read_call
from irsmith.cc.settings import Settings

TYPE_CHECKING = False  # that of ``typing`` costs as much as all else
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

INSIDE = "IRSMITH_INSIDE"
"""Set for the real compiler: an irsmith that it may be itself adds nothing."""

_WORK = "import sys; sys.path.append(sys.argv[1]); from irsmith.cc.work import main; main()"


def main(name: str, real: Sequence[str], words: Sequence[str]) -> NoReturn:
    """Stand in for a compiler.

    Args:
        name: what it was called as, such as ``g++-12``; ``++`` in it decides what ``.c`` is.
        real: the real compiler's command.
        words: the arguments.
    """
    if os.environ.get(INSIDE) or os.environ.get("IRSMITH_OFF", "") not in ("", "0"):
        _become(real, words)
    try:
        settings = Settings.read(os.environ)
        call = _understood(name, words)
    except ValueError as error:
        os.write(2, f"irsmith: {error}: nothing is optimised\n".encode())
        _become(real, words)
    except Exception:  # nothing of ours may cost the build its compiler
        _become(real, words)
    if not call.units:
        if call.reason:
            _note(settings, call)
        _become(real, words)
    status = _wait(_start([*real, *words], os.environ | {INSIDE: "1"}))
    if status == 0 and all(map(_is_plain, (unit.output for unit in call.units))):
        command = [sys.executable, "-I", "-c", _WORK, _package_parent(), name, str(len(real))]
        try:
            quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
            # Compilers that it starts are its own business, under `irsmith build` too.
            _wait(_start([*command, *real, *words], os.environ | {INSIDE: "1"}, quiet))
        except OSError:
            pass
    _end_like(status)


def _understood(name: str, words: Sequence[str]) -> Call:
    if any(word.startswith("@") for word in words):
        from irsmith.corpus.recorder import unfold

        words = unfold(list(words))
    call = read_call("++" in name, words)
    folder = os.getcwd()
    sources = [unit.source for unit in call.units] + [source for source, _ in call.outputs]
    if any(looks_like_probe(source, folder) for source in sources):
        from irsmith.corpus.recorder import is_probe

        if any(is_probe(source, folder) for source in sources):
            return Call()
    for source in sources:
        # A pipe can be read once, and that is the real compiler's.
        if os.path.exists(source) and not os.path.isfile(source):
            return Call((), "a source that is no plain file", call.outputs)
    return call


def _is_plain(path: str) -> bool:
    """Whether an object is a file of its own that may be replaced: no link, no device."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def _note(settings: Settings, call: Call) -> None:
    """Leave a line for the build's report: source, object, why it is the real compiler's."""
    if not settings.state:
        return
    folder = os.getcwd()
    lines = ""
    for source, output in call.outputs:
        fields = (source, os.path.join(folder, output) if output else "", call.reason, folder)
        lines += "\t".join(field.replace("\t", " ").replace("\n", " ") for field in fields) + "\n"
    try:
        handle = os.open(
            os.path.join(settings.state, "passed"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
        )
        os.write(handle, lines.encode(errors="surrogateescape"))
        os.close(handle)
    except OSError:
        pass


def _become(real: Sequence[str], words: Sequence[str]) -> NoReturn:
    """Run the real compiler in our place."""
    try:
        os.execvpe(real[0], [*real, *words], os.environ | {INSIDE: "1"})
    except OSError as error:
        _cannot_run(real[0], error)


def _cannot_run(name: str, error: OSError) -> NoReturn:
    os.write(2, f"irsmith: the compiler {name} cannot be run: {error.strerror}\n".encode())
    os._exit(127)


def _start(
    command: Sequence[str],
    environment: dict[str, str],
    files: Sequence[tuple[int, int, str, int, int]] = (),
) -> int:
    try:
        return os.posix_spawnp(command[0], list(command), environment, file_actions=list(files))
    except OSError as error:
        if files:
            raise
        _cannot_run(command[0], error)


def _wait(child: int) -> int:
    """Its status as :func:`os.waitstatus_to_exitcode` tells it; Ctrl-C is for the child."""
    import signal

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        signal.signal(signal.SIGINT, before)


def _end_like(status: int) -> NoReturn:
    """End as the real compiler ended."""
    sys.stdout.flush()
    if status < 0:
        import signal

        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status if status >= 0 else 1)


def _package_parent() -> str:
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def shim(path: str, words: Sequence[str]) -> NoReturn:
    """Stand in for the compiler of that name under ``irsmith build``.

    Args:
        path: what was called: ``.../bin/NAME`` in the state folder.
        words: the arguments.
    """
    name = os.path.basename(path)
    # preload.c says which one was called.
    real = os.environ.pop("IRSMITH_REAL", "")
    if not real:
        from irsmith.corpus.recorder import real_compiler

        real = real_compiler(name, os.path.dirname(os.path.abspath(path)))
    if not real:
        os.write(2, f"{name}: command not found\n".encode())
        os._exit(127)
    main(name, [real], words)
