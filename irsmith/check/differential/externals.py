"""What a module calls and does not define: run for real, or answered by a stub."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from irsmith.check.differential.harness import Harness
from irsmith.check.differential.library import Stub
from irsmith.check.differential.types import Signature, UnsupportedError, signature_of
from irsmith.toolchain.globals import globals_of
from irsmith.toolchain.instructions import (
    FUNCTION_INDEX,
    RETURN_INDEX,
    Instructions,
    instructions_of,
)
from irsmith.toolchain.llvm import IRModule

_REAL_NAMES = """
    __ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc __sigsetjmp _setjmp abs acos acosf asin
    asinf atan atan2 atan2f atanf cbrt ceil ceilf copysign copysignf cos cosf cosh exp exp2 exp2f
    expf expm1 fabs fabsf ffs ffsl ffsll floor floorf fmax fmaxf fmin fminf fmod fmodf hypot
    hypotf isalnum isalpha isascii isblank iscntrl isdigit isgraph islower isprint ispunct isspace
    isupper iswalpha iswdigit iswspace isxdigit labs ldexp ldexpf llabs llround log log10 log10f
    log1p log2 log2f logf lrint lrintf lround lroundf nearbyint pow powf rint rintf round roundf
    setjmp sin sinf sinh sqrt sqrtf tan tanf tanh toascii tolower toupper towlower towupper trunc
    truncf wcslen
"""
REAL = frozenset(_REAL_NAMES.split())
"""Functions of libc without memory of ours or state: called as they are."""

_INTRODUCED_NAMES = """
    memcpy memmove memset memcmp bcmp memchr memrchr strlen strnlen strcmp strncmp strcpy stpcpy
    strncpy strcat strncat strchr strrchr strstr strpbrk strspn strcspn mempcpy malloc calloc
    realloc free printf puts putchar fprintf fiprintf fputs fputc putc fwrite sprintf siprintf
    snprintf vsnprintf atoi atol strtol strtoul strtod strdup strndup __errno_location frexp modf
    _Znwm _Znam _ZdlPv _ZdlPvm _ZdaPv aligned_alloc
"""
INTRODUCED = tuple(_INTRODUCED_NAMES.split())
"""Functions that passes may call where the source does not."""

CHECKED = {
    **{"__fread_chk": 1, "__fread_unlocked_chk": 1, "__fgets_chk": 1, "__fgets_unlocked_chk": 1},
    **{"__read_chk": 3, "__pread_chk": 4, "__pread64_chk": 4, "__recv_chk": 3, "__recvfrom_chk": 3},
    **{"__getcwd_chk": 2, "__readlink_chk": 3, "__readlinkat_chk": 4, "__realpath_chk": 2},
    **{"__gethostname_chk": 2, "__getdomainname_chk": 2, "__ttyname_r_chk": 3, "__confstr_chk": 3},
    **{"__getgroups_chk": 2, "__getlogin_r_chk": 2, "__poll_chk": 2, "__ppoll_chk": 4},
    **{"__mbstowcs_chk": 3, "__wcstombs_chk": 3, "__mbsrtowcs_chk": 4, "__wcrtomb_chk": 3},
    **{"__syslog_chk": 1, "__vsyslog_chk": 1, "__longjmp_chk": -1, "__wctomb_chk": 2},
    **{"__strlcpy_chk": 3, "__strlcat_chk": 3, "__memccpy_chk": 4, "__explicit_bzero_chk": 2},
}
"""Variants of _FORTIFY_SOURCE, and which argument the plain function does not have. How much
passes know of an object decides between the two, so they count as the same call."""

_MODIFIES = 0xAAAAAAAA
"""Bits of llvm::MemoryEffects: two a location, read and write."""
_INACCESSIBLE_AND_ERRNO = 0xF << 2


@dataclass(frozen=True, slots=True)
class External:
    """A declared function.

    Attributes:
        name: its name.
        signature: its type, or None if the harness cannot pass it.
        result_attribute: of the result, as the ABI needs it.
        attributes: of each parameter, as the ABI needs them.
        data: for the runtime; the address comes later.
    """

    name: str
    signature: Signature | None
    result_attribute: str
    attributes: tuple[str, ...]
    data: Stub


def abi_attribute(llvm: Instructions, layout: int, get: Callable[[str], int]) -> str:
    """Those attributes of a parameter or result that change how it is passed."""
    words = [name for name in ("zeroext", "signext", "inreg") if get(name)]
    for name in ("byval", "sret"):
        attribute = get(name)
        if attribute:
            size = llvm.abi_size(layout, llvm.attribute_type(attribute))
            words.append(f"{name}([{size} x i8])")
            align = get("align")
            if align and name == "byval":
                words.append(f"align {llvm.attribute_value(align)}")
    return " ".join(words)


def abi_attributes(llvm: Instructions, layout: int, function: int) -> tuple[str, tuple[str, ...]]:
    """Of a function's result and of its parameters."""

    def at(index: int) -> str:
        return abi_attribute(llvm, layout, lambda name: llvm.attribute(function, index, name))

    count = llvm.parameter_count(llvm.value_type(function))
    return at(RETURN_INDEX), tuple(at(k + 1) for k in range(count))


def stub_data(signature: Signature) -> Stub:
    """What the runtime knows of a stub by its type alone."""
    data = Stub()
    scalars = [scalar for group in signature.scalars for scalar in group]
    data.count, data.results = len(scalars), len(signature.results)
    for k, scalar in enumerate(scalars):
        data.kind[k], data.width[k] = ord(scalar.kind), scalar.width
    for k, scalar in enumerate(signature.results):
        data.result_kind[k], data.result_width[k] = ord(scalar.kind), scalar.width
    data.writes = data.kept = (1 << data.count) - 1
    return data


def externals_of(module: IRModule, number: Callable[[int, int], int]) -> list[External]:
    """The functions that a module declares, intrinsics apart, in the order of their names.

    Args:
        module: after ``inferattrs``, so that what passes know of libc is known here.
        number: of a function type.
    """
    found, llvm = globals_of(module.llvm), instructions_of(module.llvm)
    layout = llvm.layout(module.handle)
    externals = []
    for function in found.each(module, "Function"):
        name = found.name(function).decode(errors="replace")
        if not module.llvm.is_declaration(function) or name.startswith("llvm."):
            continue
        kind = llvm.value_type(function)
        try:
            signature: Signature | None = signature_of(llvm, kind)
        except UnsupportedError:
            signature = None
        data = stub_data(signature) if signature else Stub()
        data.signature = number(kind, 0)
        plain = name
        if name in CHECKED:
            plain = name.removeprefix("__").removesuffix("_chk")
            data.dropped = 1 << CHECKED[name] if CHECKED[name] >= 0 else 0
        data.name = zlib.crc32(plain.encode())
        _describe(llvm, function, data, signature)
        result, parameters = abi_attributes(llvm, layout, function)
        externals.append(External(name, signature, result, parameters, data))
    return sorted(externals, key=lambda external: external.name)


def _describe(llvm: Instructions, function: int, data: Stub, signature: Signature | None) -> None:
    """What attributes promise of a function."""
    data.noreturn = bool(llvm.attribute(function, FUNCTION_INDEX, "noreturn"))
    data.nonnull = any(
        llvm.attribute(function, RETURN_INDEX, name) for name in ("nonnull", "dereferenceable")
    )
    data.fresh = bool(llvm.attribute(function, RETURN_INDEX, "noalias"))
    memory = llvm.attribute(function, FUNCTION_INDEX, "memory")
    effects = llvm.attribute_value(memory) if memory else -1
    data.pure = bool(memory) and not effects & _MODIFIES and not data.noreturn
    writable = effects & _MODIFIES & ~_INACCESSIBLE_AND_ERRNO
    slot = 0
    for k, group in enumerate(signature.scalars if signature else ()):
        if llvm.attribute(function, k + 1, "returned"):
            data.returned = slot + 1
        only_read = any(
            llvm.attribute(function, k + 1, name) for name in ("readonly", "readnone", "byval")
        )
        if only_read or not writable:
            data.writes &= ~(((1 << len(group)) - 1) << slot)
        captures = llvm.attribute(function, k + 1, "captures")
        if captures and not llvm.attribute_value(captures):
            data.kept &= ~(1 << slot)
            data.quiet |= only_read << slot
        slot += len(group)


def add_to(harness: Harness, external: External) -> None:
    """A stub for a declared function."""
    assert external.signature
    harness.stub(
        external.signature,
        external.result_attribute,
        external.attributes,
        bool(external.data.noreturn),
    )
