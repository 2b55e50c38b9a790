"""Read the ``{ dg-... }`` comments of a test of GCC's, as far as they concern us.

DejaGnu looks at a test line by line for directives whose arguments are Tcl
lists; a directive may carry a selector that says for which targets it counts.
What is answered here: does the test run on our target, alone, and with which
options.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

_DIRECTIVE = re.compile(r"\{\s+(dg-[-a-z]+)\s+(.*)\s+\}")
_WORD = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s{}"]+))')

# Effective targets that no target of ours has. Every other name is taken to
# hold: a test that was let in wrongly does not compile, or does not pass at the
# default levels, and is dropped there.
_LACKING = frozenset(
    {
        "arm_fp16_alternative_ok",
        "avx_runtime",  # programs are built for the baseline of each architecture
        "dfp",  # clang has no decimal floating point
        "freestanding",
        "ia32",
        "ilp32",
        "newlib_nano_io",
        "run_expensive_tests",
        "short_eq_int",
        "trampolines",  # clang has no nested functions
        "untyped_assembly",  # nor __builtin_apply
        "vmx_hw",
        "vxworks_kernel",
    }
)
_ONLY_X86 = frozenset({"sse_runtime", "sse2_runtime", "__float128", "float64x_runtime", "cet"})

# Options that change what a program means. The others steer GCC's optimiser,
# and clang refuses most of those by name.
_KEPT = re.compile(
    r"-D|-std=|-ansi$|-f(no-)?(wrapv|trapv|strict-overflow|strict-aliasing|builtin|short-enums|common"
    r"|math-errno|trapping-math|omit-frame-pointer|inline$)|-f(un)?signed-char|-ffast-math"
    r"|-frounding-math|-fexcess-precision|-fgnu89-inline|-fms-extensions|-finstrument-functions"
    r"|-finput-charset|-fcf-protection|-m(no-)?(sse|mmx|avx|general-regs-only|uintr)"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a test's directives say for one target.

    Attributes:
        flags: options to compile it with, in order.
        excluded: why the test is not for us, or ``""``.
    """

    flags: tuple[str, ...]
    excluded: str = ""


def words(text: str) -> list[str]:
    """Split a Tcl list into its words; one level of braces or quotes is taken off."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at] == "{":
            depth, end = 1, at + 1
            while end < len(text) and depth:
                depth += {"{": 1, "}": -1}.get(text[end], 0)
                end += 1
            found.append(text[at + 1 : end - 1 if depth == 0 else end])
            at = end
        elif match := _WORD.match(text, at):
            found.append(match[1] if match[1] is not None else match[2])
            at = match.end()
        else:  # a stray brace or quote: Tcl would refuse, we go past it
            at += 1
    return found


def _triplet(target: str) -> str:
    """The target with all four parts, as the patterns expect it."""
    parts = target.split("-")
    return "-".join([parts[0], "unknown", *parts[1:]]) if len(parts) == 3 else target


def _atom(name: str, target: str) -> bool:
    if "-" in name or "*" in name:
        return fnmatchcase(_triplet(target), name)
    if name in _ONLY_X86:
        return target.startswith("x86_64")
    return name not in _LACKING


def _word_holds(word: str, target: str) -> bool:
    inner = words(word)
    return _atom(word, target) if inner == [word] else _holds(inner, target)


def _holds(parts: Sequence[str], target: str) -> bool:
    if len(parts) == 2 and parts[0] == "!":
        return not _word_holds(parts[1], target)
    if len(parts) >= 3 and parts[1] in ("&&", "||"):
        left, right = _word_holds(parts[0], target), _holds(parts[2:], target)
        return (left and right) if parts[1] == "&&" else (left or right)
    return any(_word_holds(part, target) for part in parts)


def holds(selector: str, target: str) -> bool:
    """Whether a selector such as ``{ i?86-*-* x86_64-*-* } && { ! ia32 }`` matches a triple."""
    return _holds(words(selector), target)


def _clauses(selector: str) -> dict[str, list[str]]:
    """``target A xfail B`` as a dictionary; words before any keyword count as ``target``."""
    found: dict[str, list[str]] = {}
    key = "target"
    for word in words(selector):
        if word in ("target", "xfail"):
            key = word
            found.setdefault(key, [])
        else:
            found.setdefault(key, []).append(word)
    return found


def _applies(arguments: Sequence[str], target: str) -> bool:
    """Whether a directive with this optional selector counts on the target."""
    if not arguments:
        return True
    clause = _clauses(arguments[0]).get("target")
    return clause is None or _holds(clause, target)


def _excluded(name: str, arguments: list[str], target: str) -> str:
    """Why one directive (not ``dg-do``) keeps the test out, or ``""``."""
    first = arguments[0] if arguments else ""
    if name in ("dg-additional-sources", "dg-additional-files"):
        return "needs several files"
    if name == "dg-require-effective-target":
        needed = _applies(arguments[1:], target)
        return f"needs {first}" if needed and not _atom(first, target) else ""
    if name == "dg-skip-if":
        # With option lists the test is skipped at some levels only: running it
        # at every level will tell.
        include = words(arguments[2]) if len(arguments) > 2 else ["*"]
        exclude = words(arguments[3]) if len(arguments) > 3 else []
        always = include in ([], ["*"], [""]) and exclude in ([], [""])
        return "dg-skip-if" if always and holds(arguments[1], target) else ""
    if name in ("dg-xfail-if", "dg-xfail-run-if", "dg-shouldfail"):
        return name if len(arguments) > 1 and holds(arguments[1], target) else ""
    return ""


def read_test(text: str, target: str, action: str) -> Reading:
    """Read the directives of one test.

    Args:
        text: the test's source.
        target: LLVM triple.
        action: what a test without ``dg-do`` is for: ``run`` or ``compile``.

    Returns:
        The options, and why the test is not for us if it is not.
    """
    options: list[str] = []
    additional: list[str] = []
    excluded = ""
    for line in text.splitlines():
        match = _DIRECTIVE.search(line)
        if match is None:
            continue
        name, arguments = match[1], words(match[2])
        if name == "dg-do" and arguments:
            action = arguments[0]
            if not _applies(arguments[1:], target):
                excluded = excluded or "dg-do names other targets"
            elif arguments[1:] and _holds(_clauses(arguments[1]).get("xfail", []), target):
                excluded = excluded or "expected to fail"
        elif name in ("dg-options", "dg-additional-options") and arguments:
            if _applies(arguments[1:], target):
                new = [word for word in words(arguments[0]) if _KEPT.match(word)]
                if name == "dg-options":
                    options = new
                else:
                    additional += new
        else:
            excluded = excluded or _excluded(name, arguments, target)
    if action != "run":
        excluded = f"dg-do {action}"
    return Reading((*options, *additional), excluded)


def read_side_file(text: str) -> tuple[str, ...]:
    """Options that the ``.x`` file beside an old test adds on every target."""
    # Such a file is Tcl; indented lines are inside conditions on other targets.
    lines = re.findall(r"^lappend additional_flags (.*)$", text, re.MULTILINE)
    return tuple(word for line in lines for word in words(line) if _KEPT.match(word))
