"""Whether one object may stand where another stood: what the linker and the loader see of it.

The real compiler's object is the measure. Ours must define the same symbols in the same way
and ask for none that the build may not have: GCC drops a call that clang keeps, or has
inlined a function that is defined nowhere, and a link that went well would fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from irsmith.cc.call import words_of
from irsmith.toolchain.elf_object import (
    SHN_COMMON,
    SHN_UNDEF,
    STB_LOCAL,
    STB_WEAK,
    STT_FUNC,
    ElfObject,
    Symbol,
    read_object,
)

_GNU_UNIQUE = 10
_ALWAYS = words_of(
    "memcpy memmove memset memcmp bcmp strlen abort __stack_chk_fail _GLOBAL_OFFSET_TABLE_ "
    "__tls_get_addr"
)
"""In every C library, asked for by every compiler."""
_LIBC = words_of(
    "puts putchar fputc fputs fwrite putc strcpy stpcpy strcat strchr strrchr strncpy strcmp "
    "strncmp memchr memrchr mempcpy strnlen strdup strndup malloc calloc free sprintf snprintf "
    "printf fprintf putchar_unlocked fputc_unlocked fputs_unlocked fwrite_unlocked strstr strpbrk "
    "strspn strcspn getchar getc fgetc tolower toupper atof strtod strtoll strtoul vprintf "
    "getc_unlocked getchar_unlocked feof_unlocked ferror_unlocked stat lstat fstat bsearch "
    "atoi atol strtol abs labs isdigit isascii toascii ffs ffsl ffsll"
)
"""What LLVM makes of calls of the same library, and what the library's headers inline for GCC."""
_LIBM = re.compile(
    r"(a?(sin|cos|tan)h?|atan2|exp(2|10|m1)?|log(2|10|1p|b)?|pow|sqrt|cbrt|floor|ceil|round|trunc|rint"
    r"|nearbyint|roundeven|fabs|fmod|fma|fmin|fmax|ldexp|scalbn?|sincos(pi)?|copysign|lround|llround|lrint"
    r"|llrint|hypot|remainder|modf|frexp|tgamma|lgamma|erfc?)[fl]?$"
)
_LIBGCC = words_of(
    "__udivti3 __umodti3 __divti3 __modti3 __popcountdi2 __mulxc3 __muldc3 __mulsc3 __divxc3 "
    "__divdc3 __divsc3 __floattidf __floattisf __floatuntidf __floatuntisf __fixdfti __fixsfti "
    "__fixunsdfti __fixunssfti __powidf2 __powisf2 __divmodti4 __udivmodti4"
)
_CXX = re.compile(
    r"_ZN?K?S[tabsiod]|_ZT[VISW]N?K?S[t]|_ZT[VI]N10__cxxabiv1|_Zn[wa]m|_Zd[la]Pv|__cxa_|__gxx_pers"
    r"|_Unwind_Resume$|_ZSt|__dso_handle$|_ZNK?S[tabsiod]|_ZNKSt|_ZNSt|_ZTVN10|_ZTIPK?\w$|_ZTI\w$"
)
_FORTIFIED = re.compile(r"__(\w+)_chk$")
_PLAIN_SECTIONS = re.compile(
    r"\.(text|data|rodata|bss|tdata|tbss|init_array|fini_array|ctors|dtors|eh_frame|gcc_except_table"
    r"|ltext|lrodata|ldata|lbss|preinit_array|rela?)(\.|$)|\.note\.(GNU-stack|gnu\.property)$"
    r"|\.data\.rel\.ro"
)


def mismatch(real: bytes, ours: bytes, cxx: bool) -> str:
    """Why our object cannot stand where the real compiler's stood.

    Args:
        real: the real compiler's object.
        ours: of the same source.
        cxx: whether the source is C++: then inline functions need not be there.

    Returns:
        One line; empty if it can.

    Raises:
        ObjectError: one of them is no object of x86-64 or AArch64.
    """
    old, new = read_object(real), read_object(ours)
    if (old.arch, old.kind) != (new.arch, new.kind):
        return f"an object for {old.arch}, ours is for {new.arch}"
    return (
        _definitions(_defined(old.symbols), _defined(new.symbols), cxx)
        or _references(old, new, cxx)
        or _sections(old, new)
    )


def is_gcc(data: bytes) -> bool:
    """Whether GCC made an object, by what it says in ``.comment``."""
    return b"GCC: (" in data and b"clang version" not in data


def _defined(symbols: Iterable[Symbol]) -> dict[str, Symbol]:
    return {
        s.name: s for s in symbols if s.binding != STB_LOCAL and s.section != SHN_UNDEF and s.name
    }


def _is_weak(symbol: Symbol) -> bool:
    return symbol.binding in (STB_WEAK, _GNU_UNIQUE)


def _definitions(old: dict[str, Symbol], new: dict[str, Symbol], cxx: bool) -> str:
    for name, before in old.items():
        after = new.get(name)
        if after is None:
            # Who needs an inline function of C++ has one of its own.
            if cxx and _is_weak(before):
                continue
            # Nobody makes a whole object of an abstract class; GCC has a name for it all the same.
            if cxx and "C1E" in name and name.replace("C1E", "C2E", 1) in new:
                continue
            return f"clang does not define {name}"
        # GCC makes every table of a class weak, clang not where the class is at home.
        table = cxx and name.startswith("_ZT")
        if _is_weak(before) != _is_weak(after) and not table:
            return f"{name} is weak in one object only"
        if (before.section == SHN_COMMON) != (after.section == SHN_COMMON):
            return f"{name} is common in one object only"
        if before.type != after.type:
            return f"{name} is of another type"
        if before.hidden != after.hidden:
            return f"{name} is visible in one object only"
        if before.type != STT_FUNC and before.size != after.size and not name.startswith("_ZT"):
            return f"{name} has {after.size} bytes, not {before.size}"
    for name, after in new.items():
        if (
            name not in old
            and not (cxx and _is_weak(after))
            and name != "DW.ref.__gxx_personality_v0"
        ):
            return f"clang defines {name} too"
    return ""


def _references(old: ElfObject, new: ElfObject, cxx: bool) -> str:
    before = {s.name: s for s in old.symbols if s.section == SHN_UNDEF}
    after = {s.name: s for s in new.symbols if s.section == SHN_UNDEF}
    mathematics = any(map(_LIBM.match, before))
    for name, symbol in after.items():
        if name in before:
            optional = _is_weak(before[name]) and not _is_weak(symbol)
            if optional and not (cxx and _CXX.match(name)):
                return f"clang needs {name}, which the compiler could do without"
            continue
        if (
            name in _ALWAYS or name in _LIBC or name in _LIBGCC or _is_weak(symbol)
            or (mathematics and _LIBM.match(name)) or (cxx and _CXX.match(name))
        ):  # fmt: skip
            continue
        return f"clang asks for {name}, which the compiler does not"
    for name in before:
        plain = _FORTIFIED.match(name)
        if plain and name not in after and plain[1] in after and plain[1] not in before:
            return f"the check of {name} would be lost"
    return ""


def _sections(old: ElfObject, new: ElfObject) -> str:
    def special(of: ElfObject) -> dict[str, int]:
        found: dict[str, int] = {}
        for section in of.sections:
            if not _PLAIN_SECTIONS.match(section.name):
                found[section.name] = found.get(section.name, 0) + section.size
        return found

    def notes(of: ElfObject) -> list[bytes]:
        return [s.data for s in of.sections if s.name == ".note.gnu.property"]

    def unwinds(of: ElfObject) -> bool:
        return any(s.name == ".eh_frame" for s in of.sections)

    if unwinds(old) and not unwinds(new) and any(s.flags & 4 for s in new.sections):
        return "clang gives no unwind tables"
    before, after = special(old), special(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            return f"section {name} is in one object only"
        code = any(s.flags & 4 for s in old.sections if s.name == name)
        if not code and before[name] != after[name]:
            return f"section {name} has {after[name]} bytes, not {before[name]}"
    if _features(notes(old)) != _features(notes(new)):
        return "control-flow protection is in one object only"
    return ""


def _features(notes: list[bytes]) -> set[bytes]:
    """Bits of GNU_PROPERTY_X86_FEATURE_1_AND and of AArch64's, wherever in the notes they are."""
    found = set()
    for data in notes:
        for kind in (b"\x02\x00\x00\xc0\x04\x00\x00\x00", b"\x00\x00\x00\xc0\x04\x00\x00\x00"):
            at = data.find(kind)
            if at >= 0:
                found.add(data[at : at + 12])
    return found
