"""What the real compiler takes for granted under some flags: asked once, and kept.

One call, ``-v -dM -E`` on an empty file, tells its predefined macros (target, language
standard, position independence, stack protector, sizes of types, also where a specs file, a
wrapper or a distribution decides) and the folders of its headers. Our clang is told all that,
is asked the same, and must agree.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from irsmith.cc.flags import NotForUsError, for_clang, for_probe
from irsmith.toolchain.cache import cache_dir, write_beside
from irsmith.toolchain.find import Toolchain

SECONDS = 60
_PATH_VARIABLES = ("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH")
_OUTSIDE = (*_PATH_VARIABLES, "GCC_EXEC_PREFIX", "COMPILER_PATH", "CCC_OVERRIDE_OPTIONS")
_STANDARDS = {
    "c": {"": "gnu89", "199409": "gnu89", "199901": "gnu99", "201112": "gnu11",
          "201710": "gnu17", "202000": "gnu2x", "202311": "gnu23"},
    "c++": {"199711": "gnu++98", "201103": "gnu++11", "201402": "gnu++14", "201703": "gnu++17",
            "202002": "gnu++20", "202100": "gnu++23", "202302": "gnu++23", "202400": "gnu++26"},
}  # fmt: skip
_AGREE = re.compile(
    r"__(SIZEOF_\w+__|SIZE_TYPE__|PTRDIFF_TYPE__|WCHAR_TYPE__|WINT_TYPE__|INTMAX_TYPE__"
    r"|INT64_TYPE__|CHAR_UNSIGNED__|LDBL_MANT_DIG__|USER_LABEL_PREFIX__|PIC__|PIE__|SSP\w*__|CET__"
    r"|EXCEPTIONS|GXX_RTTI|LP64__|ELF__|x86_64__|aarch64__|AVX__|AVX2__|SSE3__|FMA__"
    r"|SOFTFP__|BYTE_ORDER__)$|_FORTIFY_SOURCE$|_REENTRANT$|__ARM_FEATURE_\w*_DEFAULT$"
)
_DIFFER = re.compile(
    r"__SIZEOF_(FLOAT80|FLOAT128|WINT_T|BFLOAT16)__$"  # types of one compiler alone
)


_PRIVATE = re.compile(r"/lib(64|exec)?/gcc/.*/include(-fixed)?$|/clang/[\d.]+/include$")
"""Folders of headers that belong to the compiler itself, such as ``stddef.h``."""


@dataclass(frozen=True, slots=True)
class Real:
    """A compiler under some flags.

    Attributes:
        triple: of its target, as our clang names it.
        flags: that make our clang take for granted what it does.
        problem: why our clang cannot stand in for it; else empty.
        gcc: whether it is GCC: then default symbols of position-independent code may be
            replaced by other libraries, which clang takes for impossible.
    """

    triple: str
    flags: tuple[str, ...]
    problem: str
    gcc: bool


def ask_real(
    toolchain: Toolchain, real: Sequence[str], words: Sequence[str], language: str
) -> Real:
    """What a compiler takes for granted under the flags of a call.

    Args:
        toolchain: where our clang is.
        real: the compiler's command.
        words: of the call.
        language: ``c`` or ``c++``.

    Raises:
        NotForUsError: it cannot be asked, or our clang cannot stand in for it.
    """
    flags = for_probe(words)
    found = _which(real)
    key = hashlib.sha256(
        json.dumps(
            [found, list(real), flags, language, toolchain.fingerprint, str(toolchain.clang),
             [os.environ.get(name, "") for name in _OUTSIDE], 1]
        ).encode()
    ).hexdigest()  # fmt: skip
    path = cache_dir() / "compilers" / f"{key[:24]}.json"
    try:
        data = json.loads(path.read_bytes())
        answer = Real(data["triple"], tuple(data["flags"]), data["problem"], data["gcc"])
    except (OSError, ValueError, KeyError, TypeError):
        answer = _ask(toolchain, real, flags, words, language)
        with contextlib.suppress(OSError):  # it is asked again next time
            write_beside(path, json.dumps(asdict(answer)).encode())
    if answer.problem:
        raise NotForUsError(answer.problem)
    return answer


def _which(real: Sequence[str]) -> list[object]:
    """Names a compiler so that another one in its place has another name."""
    found: list[object] = []
    for word in real:  # more than one, as in `ccache gcc`
        path = Path(shutil.which(word) or word).resolve()
        found.append(str(path))
        with contextlib.suppress(OSError):
            status = path.stat()
            found += [status.st_size, status.st_mtime_ns]
    return found


def _ask(
    toolchain: Toolchain,
    real: Sequence[str],
    flags: Sequence[str],
    words: Sequence[str],
    language: str,
) -> Real:
    macros, folders = _macros(real, flags, language)
    triple, problem = _triple(macros)
    if problem:
        return Real("", (), problem, False)
    private = str(_own_headers(toolchain))
    given: list[str] = ["-nostdinc"]
    for folder in folders:
        own = _PRIVATE.search(os.path.normpath(folder))
        for place in [private] if own else [folder]:
            if place not in given:
                given += ["-isystem", place]
    given += _codegen_flags(macros, words, language)
    kept = for_clang(for_probe(words))
    command = [str(toolchain.need_clang()), f"--target={triple}"]
    ours, _ = _macros(command, [*kept, *given, "-Oz"], language)
    for name in sorted(macros.keys() | ours.keys()):
        if not _AGREE.match(name) or _DIFFER.match(name):
            continue
        # The two count protectors differently: there or not is what matters.
        same = macros.get(name) == ours.get(name) or (
            name.startswith("__SSP") and name in macros and name in ours
        )
        if not same:
            problem = f"clang does not agree with the compiler about {name} under these flags"
            break
    return Real(triple, tuple(given), problem, "__clang__" not in macros)


def _macros(
    command: Sequence[str], flags: Sequence[str], language: str
) -> tuple[dict[str, str], list[str]]:
    """Predefined macros, and the folders of ``#include <...>``."""
    try:
        done = subprocess.run(
            [*command, *flags, "-v", "-dM", "-E", "-x", language, os.devnull],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotForUsError(f"{command[0]} cannot be asked what it takes for granted") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1][:200]
        raise NotForUsError(
            f"{Path(command[0]).name} does not say what it takes for granted: {last}"
        )
    macros = {}
    for line in done.stdout.splitlines():
        _, _, rest = line.partition("#define ")
        name, _, value = rest.partition(" ")
        macros[name] = value
    _, _, after = done.stderr.partition("#include <...> search starts here:")
    listed, _, _ = after.partition("End of search list.")
    return macros, [line.strip() for line in listed.splitlines() if line.strip()]


def _triple(macros: dict[str, str]) -> tuple[str, str]:
    if "__linux__" not in macros or "__ELF__" not in macros or "__LP64__" not in macros:
        return "", "another machine than 64-bit Linux"
    if "__x86_64__" in macros:
        return "x86_64-unknown-linux-gnu", ""
    if "__aarch64__" in macros and "__AARCH64EB__" not in macros:
        return "aarch64-unknown-linux-gnu", ""
    return "", "another machine than x86-64 and AArch64"


def _own_headers(toolchain: Toolchain) -> Path:
    """The folder of clang's own headers (``stddef.h``, intrinsics)."""
    clang = toolchain.need_clang()
    done = subprocess.run(
        [clang, "-print-resource-dir"], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return Path(done.stdout.strip()) / "include"


def _codegen_flags(macros: dict[str, str], words: Sequence[str], language: str) -> list[str]:
    """What the macros say of standard, signs and hardening, as flags of clang."""
    flags = []
    if not any(word.startswith(("-std", "--std")) or word == "-ansi" for word in words):
        name = "__STDC_VERSION__" if language == "c" else "__cplusplus"
        value = macros.get(name, "").rstrip("L")
        if value not in _STANDARDS[language]:
            raise NotForUsError(f"an unknown language standard: {name} is {value}")
        flags.append(f"-std={_STANDARDS[language][value]}")
    flags.append("-funsigned-char" if "__CHAR_UNSIGNED__" in macros else "-fsigned-char")
    for name, letters in (("__PIE__", "pie"), ("__PIC__", "pic")):
        if name in macros:
            flags.append("-f" + (letters.upper() if macros[name] == "2" else letters))
            break
    else:
        flags += ["-fno-pic", "-fno-pie"]
    protector = {"__SSP_ALL__": "-all", "__SSP_STRONG__": "-strong", "__SSP__": ""}
    chosen = [f"-fstack-protector{end}" for name, end in protector.items() if name in macros]
    flags += chosen[:1] or ["-fno-stack-protector"]
    if "__x86_64__" in macros:
        kinds = {"1": "branch", "2": "return", "3": "full"}
        flags.append(f"-fcf-protection={kinds.get(macros.get('__CET__', ''), 'none')}")
    level = macros.get("_FORTIFY_SOURCE")
    if level and not any("_FORTIFY_SOURCE" in word for word in words):
        flags += ["-U_FORTIFY_SOURCE", f"-D_FORTIFY_SOURCE={level}"]
    return flags
