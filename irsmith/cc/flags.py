"""Flags of the build, as our clang must hear them, and those that the probe asks about.

A flag says what the source means, or what the code must be like: it is kept, and clang
refuses what it does not know. Or it concerns diagnostics, dependencies, linking, or how hard
GCC tries: it is dropped. What ``call`` refused never comes here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from irsmith.cc.call import ONE_MORE, words_of

_KEPT_PAIRS = words_of(
    "-I -D -U -include -imacros -isystem -iquote -idirafter -iprefix -iwithprefix "
    "-iwithprefixbefore -isysroot --sysroot -std --std"
)

_DROPPED = re.compile(
    r"-(O|W(?!p,)|M|w$|c$|o|v$|l|L|s$|B|specs|-specs|pipe$|shared|static|rdynamic|pie$|no-pie$"
    r"|nopie$|nostart|nostdinc|Q|H$|x|d[A-Z]|dump|t$|n$|N$|r$|Wl|pass-exit|time|pedantic"
    r"|fdiagnostics|fno-diagnostics|fmessage|fmax-errors|ftime|fopt-info|frandom-seed|fdump|fverbose"
    r"|fstack-usage|fmacro-backtrace|f(no-)?var-tracking|fuse-|fno-use-linker|fno-lto|fno-fat"
    r"|f(no-)?(pic|PIC|pie|PIE)$|f(no-)?stack-protector|fcf-protection|fno-cf-protection|mtune="
    r"|fsanitize-recover|fno-sanitize|fsave-opt|foptimize-str|fcolor|fno-color|fshow|fno-show"
    r"|target|-target)"
)
"""Levels, warnings, dependencies, linking; and what the probe tells better: position
independence, stack protection, include folders."""

_HOW_HARD = re.compile(
    r"-f(no-)?(tree|ipa|gcse|sched|sel-sched|predictive|ivopts|modulo|peel|unroll|unswitch|inline"
    r"|early-inlining|partial-inlining|web$|rename-registers|conserve-stack|merge|crossjumping"
    r"|reorder|shrink|split-(loops|wide|ivs|paths)|thread-jumps|cse|devirtualize|expensive|forward"
    r"|guess|hoist|if-conversion|ira|lra|branch|caller-saves|combine-stack|compare-elim|cprop|dce"
    r"|dse|defer-pop|delayed|loop|graphite|prefetch|ssa|stdarg|store-merging|tracer|vect"
    r"|variable-expansion|vpt|section-anchors|align-loops|align-jumps|align-labels|code-hoisting"
    r"|auto-inc|bit-tests|jump-tables-|isolate|move-loop|peephole|rerun|rounding-x|schedule|toplevel"
    r"|version-loops|isolate-erroneous|aggressive-loop|allow-store|fat-lto|gnu-unique|slp)"
)
"""How hard GCC tries: nothing that the code promises. (``-fno-inline`` too: an object has no
less right to it after inlining.)"""

_MATTERS = re.compile(
    r"-(f|m|std=|-std=|ansi|O|pthread|nostdinc|-sysroot|isysroot|B|specs|-specs|-target|target"
    r"|no-pie|pie|Wp,)"
)
"""Flags that may change what a compiler predefines and where it looks for headers."""

_MATTERING_PAIRS = ("--sysroot", "-isysroot", "-B", "-specs", "--specs", "-target", "-std", "--std")


class NotForUsError(Exception):
    """Why a unit is left to the real compiler."""


def for_clang(words: Sequence[str]) -> list[str]:
    """The flags with which clang reads a source as the real compiler did.

    Args:
        words: of the call, response files unfolded; sources are left out.

    Raises:
        NotForUsError: a flag that cannot be carried over.
    """
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ONE_MORE:
            value = next(rest, "")
            if word in _KEPT_PAIRS:
                _no_device(value)
                kept += [word, value]
        elif word.startswith("-Wp,"):
            kept += _preprocessor(word.split(",")[1:])
        elif word.startswith("-") and not _DROPPED.match(word) and not _HOW_HARD.match(word):
            _no_device(word)
            kept.append(word)
    return kept


def _preprocessor(parts: Sequence[str]) -> list[str]:
    kept: list[str] = []
    rest = iter(parts)
    for part in rest:
        if part in ("-MD", "-MMD", "-MF", "-MT", "-MQ"):
            next(rest, "")  # as in -Wp,-MMD,file
        elif part.startswith(("-D", "-U", "-I")) and len(part) > 2:
            kept.append(part)
        elif not part.startswith(("-M", "-w", "-W")):
            raise NotForUsError(f"-Wp,{part}")
    return kept


def _no_device(word: str) -> None:
    if "/dev/" in word or "/proc/" in word:
        raise NotForUsError(f"it reads {word}")


def for_probe(words: Sequence[str]) -> list[str]:
    """The flags that decide what the real compiler predefines and where its headers are."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ONE_MORE:
            value = next(rest, "")
            if word in _MATTERING_PAIRS:
                kept += [word, value]
        elif _MATTERS.match(word) and not word.startswith(
            ("-fdump", "-fdiagnostics", "-fopt-info", "-ftime", "-fstack-usage", "-pipe")
        ):
            if word.startswith("-Wp,") and "-M" in word:
                continue
            kept.append(word)
    return kept
