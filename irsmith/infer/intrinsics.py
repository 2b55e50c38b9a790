"""What LLVM's intrinsics take and give, for those that are common in optimised code.

Only what follows from the name; of others nothing is judged. Checked against LLVM in the tests.
"""

from __future__ import annotations

import re

from irsmith.infer.scope import Signature
from irsmith.infer.words import listed

_SUFFIX = re.compile(r"(?:v(\d+))?(?:(i\d+)|f(16|32|64|80|128)|(p)0)")
_FLOATS = {"16": "half", "32": "float", "64": "double", "80": "x86_fp80", "128": "fp128"}
_TABLE = {
    "T T": (
        "bswap ctpop bitreverse fabs sqrt floor ceil trunc rint nearbyint round roundeven sin "
        "cos exp exp2 log log2 log10 canonicalize"
    ),
    "T T T": (
        "smax smin umax umin sadd.sat uadd.sat ssub.sat usub.sat sshl.sat ushl.sat copysign pow "
        "minnum maxnum minimum maximum expect"
    ),
    "T T T T": "fshl fshr fma fmuladd",
    "T T i1": "abs ctlz cttz",
    "{T,i1} T T": (
        "sadd.with.overflow uadd.with.overflow ssub.with.overflow usub.with.overflow "
        "smul.with.overflow umul.with.overflow"
    ),
    "i1 T": "is.constant",
}
_OTHERS = (
    *("threadlocal.address", "ucmp", "scmp", "invariant.start", "is.fpclass", "eh.typeid.for"),
    *(f"vector.reduce.{name}" for name in listed("add mul and or xor smax smin umax umin")),
)
"""Those whose signature is not told here."""
_MACHINE = re.compile(r"(?:x86|aarch64)\.[a-z0-9.]{0,32}")
_BEGUN = re.compile(r"\.(?:v\d{0,3})?(?:(?<=[.\d])[if]\d{0,3}|(?<=\.)p0?)?")
_SHAPES = {name: row.split() for row, names in _TABLE.items() for name in names.split()}
_WHOLE = {
    "trap": Signature("void", ()),
    "lifetime.start.p0": Signature("void", ("ptr",)),
    "lifetime.end.p0": Signature("void", ("ptr",)),
    "va_start.p0": Signature("void", ("ptr",)),
    "va_end.p0": Signature("void", ("ptr",)),
    "va_copy.p0.p0": Signature("void", ("ptr", "ptr")),
    "stackrestore.p0": Signature("void", ("ptr",)),
    "stacksave.p0": Signature("ptr", ()),
    "assume": Signature("void", ("i1",)),
    "memcpy.p0.p0.i64": Signature("void", ("ptr", "ptr", "i64", "i1")),
    "memcpy.p0.p0.i32": Signature("void", ("ptr", "ptr", "i32", "i1")),
    "memmove.p0.p0.i64": Signature("void", ("ptr", "ptr", "i64", "i1")),
    "memmove.p0.p0.i32": Signature("void", ("ptr", "ptr", "i32", "i1")),
    "memset.p0.i64": Signature("void", ("ptr", "i8", "i64", "i1")),
    "memset.p0.i32": Signature("void", ("ptr", "i8", "i32", "i1")),
    "load.relative.i64": Signature("ptr", ("ptr", "i64")),
    "objectsize.i64.p0": Signature("i64", ("ptr", "i1", "i1", "i1")),
    "prefetch.p0": Signature("void", ("ptr", "i32", "i32", "i32")),
    "frameaddress.p0": Signature("ptr", ("i32",)),
    "returnaddress": Signature("ptr", ("i32",)),
}


_WITH_TYPE = (*_SHAPES, *_OTHERS)


def begins_intrinsic(text: str, *, void: bool = False) -> bool:
    """Whether text, with ``@``, begins the name of an intrinsic that optimised code has.

    Args:
        text: the name, as far as it is written.
        void: whether it must give nothing; else it must give something.
    """
    short = text.removeprefix("@llvm.")
    if short == text:
        return "@llvm.".startswith(text)
    whole = [name for name, one in _WHOLE.items() if (one.result == "void") == void]
    if any(name.startswith(short) for name in whole):
        return True
    if void:
        return False
    if any(name.startswith(short) for name in (*_WITH_TYPE, "x86.", "aarch64.")):
        return True
    if _MACHINE.fullmatch(short):
        return True
    for name in _WITH_TYPE:
        if short.startswith(name + "."):
            # Some are named for what comes and for what goes.
            most = 2 if name in _OTHERS else 1
            types = re.findall(r"\.[^.]*", short[len(name) :])
            if len(types) <= most and all(map(_BEGUN.fullmatch, types)):
                return True
    return False


def is_intrinsic(name: str) -> bool:
    """Whether a name, with ``@``, is that of an intrinsic that optimised code has."""
    if intrinsic(name):
        return True
    short = name.removeprefix("@llvm.")
    stem = next((one for one in _OTHERS if short.startswith(one + ".")), None)
    if stem is None:
        return bool(_MACHINE.fullmatch(short)) and short[-1] != "."
    return all(_SUFFIX.fullmatch(one) for one in short[len(stem) + 1 :].split("."))


def intrinsic(name: str) -> Signature | None:
    """The signature of an intrinsic by its name with ``@``; None if it is not known here."""
    short = name.removeprefix("@llvm.")
    if short in _WHOLE:
        return _WHOLE[short]
    base, _, suffix = short.rpartition(".")
    row = _SHAPES.get(base)
    found = _SUFFIX.fullmatch(suffix)
    if row is None or found is None:
        return None
    count, int_, float_, _ = found.groups()
    inner = int_ or (_FLOATS[float_] if float_ else "ptr")
    type_ = f"<{count} x {inner}>" if count else inner

    def made(word: str) -> str:
        if word == "i1" and count and row and row[0] != "T":
            return f"<{count} x i1>"
        return type_ if word == "T" else word

    first = f"{{ {type_}, {made('i1')} }}" if row[0] == "{T,i1}" else made(row[0])
    return Signature(first, tuple(made(word) for word in row[1:]))
