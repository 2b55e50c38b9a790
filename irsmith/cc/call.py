"""What a compiler is asked to do, read from its command line without any import that costs.

This runs at every call of a compiler, also for the hundreds of probes of a ``configure``: so
no regular expressions and no dataclasses here, and no ``typing``, which imports both.
"""

from __future__ import annotations

TYPE_CHECKING = False  # that of ``typing`` costs as much as all else
if TYPE_CHECKING:
    from collections.abc import Sequence

C_SUFFIXES = (".c", ".i")
CXX_SUFFIXES = (".cc", ".cpp", ".cxx", ".C", ".c++", ".cp", ".CPP", ".ii")


def words_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


ONE_MORE = words_of(
    "-o -MF -MT -MQ -I -D -U -L -l -x -include -imacros -isystem -iquote -idirafter -iprefix "
    "-iwithprefix -iwithprefixbefore -isysroot --sysroot -Xpreprocessor -Xassembler -Xlinker "
    "-Xclang -mllvm -u -z -T -e --param -aux-info -arch -framework -target -h -soname -dumpbase "
    "-dumpbase-ext -dumpdir -B -A -G -wrapper -specs --specs -std --std"
)
"""Options whose value may be the next word."""

_NOTHING = words_of(
    "-E -S -M -MM -fsyntax-only -### --version --help -V -dumpversion -dumpmachine "
    "-dumpfullversion -dM -P"
)
"""Asks for something else than an object."""

_PROBE_HINTS = ("conftest", "CMakeFiles", "CMakeTmp", "meson-private", ".conf_check_", "TryCompile",
                "config.tests", "_configtest", "testfile.c", "try.c", "ccprobe")  # fmt: skip
"""In the names of programs that configure and its kin compile to learn about the machine."""

_LTO = "link-time optimisation"
_INSTRUMENTED = "instrumented or profiled code"
_MACHINE = "another machine"
_KERNEL = "code of a kernel, or for no C library"
_DEBUG = "debug information in files of its own"
_GCC_ONLY = "a property that only GCC gives"
_MODULES = "modules"
_DIRECT = "options for one part of the compiler"

_REFUSED: dict[str, str] = {
    "-fsanitize": "sanitizers",
    **dict.fromkeys(
        ("-fprofile", "--coverage", "-coverage", "-ftest-coverage", "-pg", "-finstrument",
         "-fpatchable", "-mfentry", "-fauto-profile", "-fcoverage", "-fcondition-coverage",
         "-fxray", "-fcs-profile", "-fmemory-profile"), _INSTRUMENTED),
    **dict.fromkeys(("-fplugin", "-fpass-plugin"), "a plug-in of the compiler"),
    **dict.fromkeys(("-gsplit", "-gstabs", "-gxcoff", "-gvms", "-gbtf", "-gctf"), _DEBUG),
    **dict.fromkeys(("-fopenmp", "-fopenacc", "-fgnu-tm", "-fcilk"),
                    "OpenMP and its like (GCC's runtime is not clang's)"),
    **dict.fromkeys(("-fmodule", "-fprebuilt-module", "-fimplicit-module"), _MODULES),
    **dict.fromkeys(("-mcmodel=", "-mno-red-zone", "-ffreestanding", "-mgeneral-regs", "-mno-sse",
                     "-mno-80387", "-msoft-float", "-nostdlib", "-nodefaultlibs", "-nolibc",
                     "-mno-mmx"), _KERNEL),
    **dict.fromkeys(("-m32", "-m16", "-mx32", "-miamcu", "-mabi=", "-arch", "-mbig-endian"),
                    _MACHINE),
    **dict.fromkeys(("-save-temps", "--save-temps"), "temporary files are kept"),
    **dict.fromkeys(
        ("-fnon-call-exceptions", "-fstack-check", "-fsplit-stack", "-fkeep-", "-fwhole-program",
         "-fno-toplevel-reorder", "-fno-zero-initialized-in-bss", "-flive-patching",
         "-fsignaling-nans", "-fstrict-volatile", "-fhardened", "-fharden-", "-mindirect-branch",
         "-mfunction-return", "-mharden-sls", "-mfpmath=", "-mpreferred-stack-boundary",
         "-mincoming-stack-boundary", "-fstack-limit", "-freg-struct-return", "-fpcc-struct",
         "-fabi-version", "-fabi-compat", "-fclang-abi", "-ffixed-", "-fcall-used", "-fcall-saved",
         "-fsingle-precision", "-mlong-double", "-m96bit", "-mstack-protector-guard",
         "-fstrub", "-fno-gnu-unique", "-mforce-indirect", "-mrecord", "-mnop", "-mtls-dialect",
         "-fpack-struct", "-frecord-gcc-switches", "-fno-integrated-as", "-no-integrated-as",
         "-fasync-exceptions", "-fcallgraph-info"), _GCC_ONLY),
    "-stdlib=": "another C++ library",
    **dict.fromkeys(("-emit-llvm", "-fembed-bitcode", "-fthinlto", "-fthin-link", "-ffat-lto"),
                    _LTO),
    **dict.fromkeys(("-Xclang", "-Xassembler", "-Xpreprocessor", "-mllvm", "-wrapper", "-Wa,"),
                    _DIRECT),
}  # fmt: skip
"""Beginnings of options that leave the call to the real compiler, and why."""

_FINE = frozenset(
    ("-mcmodel=small", "-Wa,--noexecstack", "-mfpmath=sse", "-fopenmp-simd", "-fsanitize-recover",
     "-fno-fat-lto-objects", "-mabi=lp64", "-mabi=sysv")
)  # fmt: skip
_PLAIN_SANITIZE = "-fsanitize="


class _Values:
    """Equal if its values are, and shown with them: what dataclasses would cost to import."""

    __slots__: tuple[str, ...] = ()

    def values(self) -> tuple[object, ...]:
        """In the order of the fields."""
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        """Whether another one is of the same kind, with the same values."""
        return (
            isinstance(other, _Values)
            and type(self) is type(other)
            and self.values() == other.values()
        )

    def __hash__(self) -> int:
        """Of the values."""
        return hash(self.values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self.values()!r}"


class Unit(_Values):
    """One translation unit: source, language (``c`` or ``c++``), and the object it becomes."""

    __slots__ = ("language", "output", "source")

    def __init__(self, source: str, language: str, output: str) -> None:
        self.source, self.language, self.output = source, language, output


class Call(_Values):
    """What a compiler was asked.

    Attributes:
        units: that are compiled to objects; empty unless it is for us.
        reason: why a call that compiles C or C++ is left to the real compiler.
        outputs: objects of a call that is left to it.
    """

    __slots__ = ("outputs", "reason", "units")

    def __init__(
        self,
        units: tuple[Unit, ...] = (),
        reason: str = "",
        outputs: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.units, self.reason, self.outputs = units, reason, outputs


def read_call(plus: bool, words: Sequence[str]) -> Call:
    """Read a command line.

    Args:
        plus: whether the compiler takes ``.c`` for C++ (``g++``).
        words: the arguments, response files unfolded.

    Returns:
        No units and no reason if it compiles no C or C++ (linking, preprocessing, stdin).
    """
    sources: list[tuple[str, str]] = []
    output = language = level = reason = ""
    to_object = lto = False
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word in _NOTHING or word == "-":
            return Call()
        value = ""
        if word in ONE_MORE and at < len(words):
            value = words[at]
            at += 1
        if word == "-c":
            to_object = True
        elif word == "-o":
            output = value
        elif word == "-x":
            language = value
        elif word.startswith("-x") and len(word) > 2:
            language = word[2:]
        elif word.startswith("-o") and len(word) > 2:
            output = word[2:]
        elif word.startswith("-O"):
            level = word[2:] or "1"
        elif word.startswith("-flto"):
            lto = True
        elif word == "-fno-lto":
            lto = False
        elif word.startswith("-"):
            reason = reason or _refusal(word)
        elif language in ("c", "c++", "cpp-output", "c++-cpp-output"):
            sources.append((word, "c++" if "++" in language else "c"))
        elif language in ("", "none"):
            if word.endswith(CXX_SUFFIXES) or (plus and word.endswith(C_SUFFIXES)):
                sources.append((word, "c++"))
            elif word.endswith(C_SUFFIXES):
                sources.append((word, "c"))
    if not sources:
        return Call()
    units = tuple(
        Unit(source, kind, output if output and to_object else _object_of(source))
        for source, kind in sources
    )
    outputs = tuple((unit.source, unit.output if to_object else "") for unit in units)
    if level in ("", "0", "g"):
        reason = f"compiled without optimisation (-O{level})" if level else "compiled without -O"
    elif not to_object:
        reason = "compiled and linked in one call"
    elif output and len(units) > 1:
        reason = "several sources, one output"
    elif lto:
        reason = _LTO
    return Call((), reason, outputs) if reason else Call(units)


def _refusal(word: str) -> str:
    if word in _FINE or (word.startswith("-Wa,") and set(word.split(",")[1:]) <= {"--noexecstack"}):
        return ""
    for start, why in _REFUSED.items():
        if word.startswith(start):
            return why if why.startswith(("link", "OpenMP", "sanit")) else f"{why} ({word})"
    return f"{_INSTRUMENTED} (-p)" if word == "-p" else ""


def _object_of(source: str) -> str:
    """What ``-c`` writes without ``-o``: beside us, whatever folder the source is in."""
    name = source.rpartition("/")[2]
    return (name.rpartition(".")[0] or name) + ".o"


def looks_like_probe(source: str, folder: str) -> bool:
    """Whether a source may be a question of ``configure`` or its kin; to be looked at closer."""
    return any(hint in source or hint in folder for hint in _PROBE_HINTS)
