"""The compiler that a recorded build calls: runs the real one, and clang beside it for bitcode.

This file is run by itself, once for every call of a compiler, under the names of the
compilers. So it imports nothing but small modules of the standard library, and whatever
goes wrong in it, the build sees what the real compiler said and nothing else. What it
records is described in :mod:`irsmith.corpus.recording`.
"""

# Every compilation of a build starts this once: imports of more than a few milliseconds
# (re, json, subprocess, typing, pathlib, hashlib: five times Python's own start) are left
# to the rare paths that need them.
# ruff: noqa: PTH105, PTH108, PTH109, PTH110, PTH113, PTH118, PTH120, PTH123
import marshal
import os
import sys

try:
    from _blake2 import blake2b  # what hashlib has, without OpenSSL
except ImportError:
    from hashlib import blake2b

C_SUFFIXES = (".c", ".i")
CXX_SUFFIXES = (".cc", ".cpp", ".cxx", ".C", ".c++", ".cp", ".CPP", ".ii")
COMPILERS = ("gcc", "cc", "c99", "c89", "clang", "g++", "c++", "clang++")

_ONE_MORE = frozenset(
    [
        "-o",
        "-MF",
        "-MT",
        "-MQ",
        "-I",
        "-D",
        "-U",
        "-L",
        "-l",
        "-x",
        "-include",
        "-imacros",
        "-isystem",
        "-iquote",
        "-idirafter",
        "-iprefix",
        "-iwithprefix",
        "-isysroot",
        "--sysroot",
        "-Xpreprocessor",
        "-Xassembler",
        "-Xlinker",
        "-Xclang",
        "-u",
        "-z",
        "-T",
        "-e",
        "--param",
        "-aux-info",
        "-arch",
        "-framework",
        "-target",
        "-h",
        "-soname",
        "-dumpbase",
        "-dumpdir",
    ]
)
"""Options whose value is the next word."""

_KEPT_PAIRS = frozenset(
    [
        "-I",
        "-D",
        "-U",
        "-include",
        "-imacros",
        "-isystem",
        "-iquote",
        "-idirafter",
        "-isysroot",
        "--sysroot",
    ]
)
"""Those of them that say what the source means; the others concern linker, dependencies, ..."""

_DROPPED = tuple(
    """
    -O -g -M -W -l -L -flto -fno-lto -ffat-lto -fno-fat-lto -fwhole-program
    -fuse-linker -fuse-ld -fdebug -fvar-tracking -fno-var-tracking -fprofile -fcoverage
    --coverage -fsanitize -save-temps -fstack -fno-stack -fcf-protection
    -specs -pipe -shared -static -rdynamic -no-pie -nostdlib -nostartfiles
    -nodefaultlibs -fdiagnostics -fno-diagnostics -fmax-errors -pedantic -fplugin
    -ftime-report -fopt-info -pass-exit-codes -frandom-seed
    """.split()  # noqa: SIM905 (a table, one word a line, would be two pages)
)
_DROPPED_WORDS = frozenset(("-c", "-S", "-v", "-pie", "-s", "-t", "-n", "-N", "-r"))
"""Levels, debug information, warnings, hardening, linking: none of it belongs into a module."""

_NOT_A_COMPILATION = frozenset(("-E", "-M", "-MM", "-fsyntax-only", "-###", "--version", "-V"))

_PROBES = frozenset(
    ("CMakeTmp", "meson-private", "config.tests", "testfile.c", "testfile.cpp", "try.c")
)
_PROBE_STARTS = ("conftest", ".conf_check_", "_configtest", "TryCompile", "ccprobe")
_CMAKE_PROBES = ("CMakeScratch", "ShowIncludes")
"""Programs that configure, CMake, Meson, waf and Qt compile to learn about the machine."""

_OTHER_MACHINES = frozenset(("-m32", "-mx32", "-m16"))
"""A build for another machine on the side (zlib's 32-bit library): not recorded."""

_LENIENT = (
    *("-Wno-implicit-function-declaration", "-Wno-implicit-int", "-Wno-int-conversion"),
    *("-Wno-incompatible-function-pointer-types", "-Wno-return-mismatch"),
    "-Wno-incompatible-pointer-types",
)
"""What GCC up to 13 only warns of in C, and clang refuses even under ``-w``."""

_LENIENT_CXX = ("-Wno-register",)
"""Likewise in C++."""

_NO_NEON = ("-U__ARM_NEON", "-U__ARM_NEON__")
"""clang's wheel has no headers for other machines than its own: the portable code, then."""

_SECONDS = 120
_OUT_OF_TIME = (-24, -9)
"""SIGXCPU, SIGKILL: what ends a process that has used its processor time."""
_TRIES = 4
_DATE = "946684800"
"""What ``__DATE__`` says in every module: 1 January 2000."""
_REFUSED = (
    r"(?:unknown argument:?|unsupported argument|unsupported option|unknown target CPU|"
    r"invalid (?:value|argument)|optimization flag|language standard|argument unused)"
    r"[^'\n]*'([^']+)'(?:[^'\n]*'([^']+)')?"
)


class Call:
    """What a compiler was asked to compile.

    Attributes:
        sources: path and language (``c`` or ``c++``) of each.
        flags: what says how to read them, in the order given.
    """

    __slots__ = ("flags", "sources")

    def __init__(self, sources: tuple[tuple[str, str], ...], flags: tuple[str, ...]) -> None:
        self.sources, self.flags = sources, flags


class Settings:
    """Of a recording.

    Attributes:
        folder: of the recording.
        clang: its path.
        home: triple that the build itself is for.
        targets: triples that are recorded.
        includes: flags that find a target's headers.
    """

    __slots__ = ("clang", "folder", "home", "includes", "targets")

    def __init__(
        self,
        folder: str,
        clang: str,
        home: str,
        targets: list[str],
        includes: dict[str, list[str]],
    ) -> None:
        self.folder, self.clang, self.home = folder, clang, home
        self.targets, self.includes = targets, includes


def write_settings(settings: Settings) -> None:
    """Leave the settings where the recorder finds them; the same Python reads them."""
    values = {name: getattr(settings, name) for name in Settings.__slots__}
    with open(os.path.join(settings.folder, "settings"), "wb") as file:
        file.write(marshal.dumps(values))


def read_settings(folder: str) -> Settings:
    """Settings of the recording in a folder."""
    with open(os.path.join(folder, "settings"), "rb") as file:
        return Settings(**marshal.loads(file.read()))


def parse_call(name: str, words: list[str]) -> Call:
    """Read a compiler's command line.

    Args:
        name: the compiler's, such as ``g++-12``: decides the language of ``.c`` files.
        words: its arguments, response files unfolded.

    Returns:
        No sources if nothing is compiled (linking, preprocessing, assembly, stdin).
    """
    plus = "++" in name
    sources: list[tuple[str, str]] = []
    flags: list[str] = []
    language = ""
    rest = iter(words)
    for word in rest:
        if word in _NOT_A_COMPILATION or word == "-":
            return Call((), ())
        if word in _ONE_MORE:
            value = next(rest, "")
            if word == "-x":
                language = value
            elif word in _KEPT_PAIRS:
                flags += [word, value]
            continue
        if word.startswith("-x") and len(word) > 2:
            language = word[2:]
        elif word.startswith("-"):
            if word not in _DROPPED_WORDS and not word.startswith(_DROPPED):
                flags.append(word)
        elif language in ("c", "c++"):
            sources.append((word, language))
        elif language in ("", "none"):
            if word.endswith(CXX_SUFFIXES) or (plus and word.endswith(C_SUFFIXES)):
                sources.append((word, "c++"))
            elif word.endswith(C_SUFFIXES):
                sources.append((word, "c"))
    return Call(tuple(sources), tuple(flags))


def unfold(words: list[str], base: str = "", depth: int = 0) -> list[str]:
    """Replace ``@file`` by the words in the file, as compilers do.

    Args:
        words: of a command line.
        base: the folder that the files are told from; empty is the working folder.
        depth: of files within files.
    """
    result: list[str] = []
    for word in words:
        if word.startswith("@") and len(word) > 1 and depth < 5:
            try:
                import shlex

                with open(os.path.join(base, word[1:])) as file:
                    result += unfold(shlex.split(file.read()), base, depth + 1)
                continue
            except (OSError, ValueError):
                pass
        result.append(word)
    return result


def is_probe(source: str, folder: str) -> bool:
    """Whether a source is a question of ``configure`` or its like, and not part of a program."""
    for path in (source, folder):
        last = ""
        for part in path.split("/"):
            if part in _PROBES or part.startswith(_PROBE_STARTS):
                return True
            if last == "CMakeFiles" and (part in _CMAKE_PROBES or _is_version(part)):
                return True
            last = part
    return False


def _is_version(part: str) -> bool:
    return part[:1].isdigit() and part.replace(".", "").isdigit()


def clang_flags(call: Call, language: str, triple: str, home: str, refused: set[str]) -> list[str]:
    """The flags with which clang reads a source as the real compiler did.

    Options for the machine that the build is for are left out for another target.

    Args:
        call: what was asked.
        language: of the source.
        triple: target.
        home: triple that the build itself is for.
        refused: flags that clang does not know.
    """
    flags = [flag for flag in call.flags if flag not in refused]
    if triple != home:
        flags = [f for f in flags if not f.startswith("-m") or f.startswith("-mcmodel")]
    if language == "c":
        flags = [flag for flag in flags if not flag.startswith(("-std=c++", "-std=gnu++"))]
    else:
        flags = [flag for flag in flags if flag != "-ansi" and not _is_std_of_c(flag)]
    return flags


def _is_std_of_c(flag: str) -> bool:
    return flag.startswith(("-std=c", "-std=gnu")) and flag[5:].lstrip("cgnu")[:1].isdigit()


def record(
    settings: Settings, call: Call, source: str, language: str, triple: str, folder: str
) -> None:
    """Compile one source to bitcode and put it into the recording, or say why it failed.

    Args:
        settings: of the recording.
        call: what the build asked.
        source: its path, from the working folder.
        language: ``c`` or ``c++``.
        triple: target.
        folder: the working folder.
    """
    refusals = os.path.join(settings.folder, f"refused-{triple}")
    refused = set(_read(refusals).split("\n"))
    words = "\0".join((folder, source, triple, *call.flags))
    key = blake2b(os.fsencode(words), digest_size=12).hexdigest()
    path = os.path.join(settings.folder, "units", key)
    temporary = f"{path}.{os.getpid()}.tmp"
    # The same source gives the same module whenever it is compiled.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _DATE, "LC_ALL": "C"}
    message, flags = "", [""]
    for _ in range(_TRIES):
        flags = clang_flags(call, language, triple, settings.home, refused)
        command = [
            settings.clang,
            *(["--driver-mode=g++", "-stdlib=libstdc++"] if language == "c++" else []),
            f"--target={triple}",
            *flags,
            *(settings.includes.get(triple, [])),
            *(_LENIENT_CXX if language == "c++" else _LENIENT),
            *("-w", "-Oz", "-Xclang", "-disable-llvm-passes", "-fno-ident", "-fno-stack-protector"),
            *("-emit-llvm", "-c", "-x", language, source, "-o", temporary),
        ]
        message = _run(command, folder, environment, temporary + ".err")
        if "'arm_neon.h' file not found" in message and call.flags[-2:] != _NO_NEON:
            call = Call(call.sources, call.flags + _NO_NEON)
            continue
        if not message:
            break
        import re

        new = {flag for pair in re.findall(_REFUSED, message) for flag in pair} & set(flags)
        if not new:
            break
        refused |= new
        with open(refusals, "a") as file:
            file.write("".join(flag + "\n" for flag in sorted(new)))
    entry = {
        "source": os.path.normpath(os.path.join(folder, source)),
        "language": language,
        "flags": flags,
        "target": triple,
        "failure": _first_error(message),
    }
    if not message:
        os.replace(temporary, path + ".bc")
    elif os.path.exists(temporary):
        os.unlink(temporary)
    with open(temporary, "w") as file:
        file.write(ascii(entry))
    os.replace(temporary, path + ".unit")


def _run(command: list[str], folder: str, environment: dict[str, str], errors: str) -> str:
    """Run clang in a folder; empty if all is well, else what it says."""
    limited = f'ulimit -t {_SECONDS}; cd "$1" && shift && exec "$@"'
    files = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    ]
    words = ["sh", "-c", limited, "sh", folder, *command]
    child = os.posix_spawn("/bin/sh", words, environment, file_actions=files)
    status = _wait(child)
    message = _read(errors).strip()
    os.unlink(errors)
    if status in _OUT_OF_TIME:
        return f"clang did not finish within {_SECONDS} s"
    return (message or "clang failed") if status else ""


def _wait(child: int) -> int:
    """A process's exit status, minus the signal's number if one ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _first_error(message: str) -> str:
    lines = message.splitlines()
    errors = [line for line in lines if "error:" in line]
    return (errors or lines or [""])[0].strip()[:300]


def _read(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def real_compiler(name: str, own: str, called: int = 0) -> str:
    """The compiler of that name on PATH, our own folder and links into it left out.

    Args:
        name: looked for.
        own: folder of the recorder's names.
        called: how many of that name call this one: a wrapper that found the recorder when the
            build was configured is on PATH itself, and must not be called by what it calls.

    Returns:
        Its path; empty if there is none.
    """
    own = os.path.realpath(own)
    found = []
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if not folder or os.path.dirname(os.path.realpath(path)) == own:
            continue
        if os.path.isfile(path) and os.access(path, os.X_OK):
            found.append(path)
    return found[min(called, len(found) - 1)] if found else ""


def _exit_like(status: int) -> None:
    """End as the real compiler ended."""
    if status < 0:
        import signal

        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status if status >= 0 else 1)


def main(path: str, words: list[str]) -> None:
    """Stand in for the compiler whose name this was called by.

    Args:
        path: what was called: ``.../bin/NAME`` in the folder of a recording.
        words: the arguments.
    """
    # Builds link to what they find on PATH; the real one's name is then that of the recorder.
    own, name = os.path.split(os.path.realpath(path))
    inside = os.environ.get("IRSMITH_INSIDE", "").split()
    # preload.c says which one was called.
    real = os.environ.pop("IRSMITH_REAL", "") or real_compiler(name, own, inside.count(name))
    if not real:
        sys.stderr.write(f"{name}: command not found\n")
        os._exit(127)
    os.environ["IRSMITH_INSIDE"] = " ".join([*inside, name])
    try:
        call = parse_call(name, unfold(words))
        folder = os.getcwd()
        # A pipe can be read once, and not by us.
        sources = [
            entry
            for entry in call.sources
            if not is_probe(entry[0], folder)
            and (os.path.isfile(entry[0]) or not os.path.exists(entry[0]))
        ]
        if _OTHER_MACHINES.intersection(call.flags):
            sources = []
        settings = read_settings(os.path.dirname(own))
    except Exception:
        sources = []
    if not sources:
        os.execv(real, [real, *words])
    # What the build left open for the compiler stays open: make's job server, pipes.
    default = (13, 25)  # SIGPIPE and SIGXFSZ, which Python ignores
    try:
        compiler = os.posix_spawn(real, [real, *words], os.environ, setsigdef=default)
    except OSError:  # a script that does not say what runs it: the shell does, as for the build
        compiler = os.posix_spawn("/bin/sh", ["sh", real, *words], os.environ, setsigdef=default)
    try:
        # Beside the real compiler and not after it: the second core has it for nothing.
        for source, language in sources:
            for triple in settings.targets:
                record(settings, call, source, language, triple, folder)
    except BaseException as error:
        try:
            with open(os.path.join(settings.folder, "errors"), "a") as file:
                file.write(f"{name} {' '.join(words)[:500]}: {error!r}\n")
        except OSError:
            pass
    while True:
        try:
            status = _wait(compiler)
            break
        except KeyboardInterrupt:
            continue
    _exit_like(status)


if __name__ == "__main__":
    main(sys.argv[0], sys.argv[1:])
