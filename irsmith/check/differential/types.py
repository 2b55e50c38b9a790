"""Types of functions as the harness needs them: spelt without names, flattened to scalars."""

from __future__ import annotations

from dataclasses import dataclass

from irsmith.toolchain.instructions import (
    ARRAY_TYPE,
    DOUBLE_TYPE,
    FLOAT_TYPE,
    FP80_TYPE,
    INTEGER_TYPE,
    POINTER_TYPE,
    STRUCT_TYPE,
    VECTOR_TYPE,
    VOID_TYPE,
    Instructions,
)

MOST_PARAMETERS = 24
MOST_RESULTS = 8
_FLOATS = {FLOAT_TYPE: "float", DOUBLE_TYPE: "double", FP80_TYPE: "x86_fp80"}


class UnsupportedError(ValueError):
    """A type that the harness cannot pass; says which."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value that fits a slot of eight bytes.

    Attributes:
        kind: ``i`` integer, ``p`` pointer, ``f`` float, ``d`` double.
        width: bits of an integer, else 64 or 32.
        path: indices that lead to it in an aggregate.
        text: its type; ``x86_fp80`` travels as a double.
    """

    kind: str
    width: int
    path: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A function type.

    Attributes:
        result: type of the result, as text.
        results: its scalars.
        parameters: types of the parameters, as text.
        scalars: those of each parameter.
        variadic: whether more arguments may follow.
    """

    result: str
    results: tuple[Scalar, ...]
    parameters: tuple[str, ...]
    scalars: tuple[tuple[Scalar, ...], ...]
    variadic: bool

    @property
    def text(self) -> str:
        """Equal for equal types."""
        more = ", ..." if self.variadic else ""
        return f"{self.result} ({', '.join(self.parameters)}{more})"


def spell(llvm: Instructions, kind: int) -> str:
    """A type in textual IR, structs written out.

    Raises:
        UnsupportedError: a type of no known size.
    """
    what = llvm.kind(kind)
    if what == STRUCT_TYPE:
        if llvm.is_opaque(kind):
            raise UnsupportedError("a struct without a body")
        count = llvm.element_count(kind)
        inner = ", ".join(spell(llvm, llvm.element_at(kind, k)) for k in range(count))
        return f"<{{ {inner} }}>" if llvm.is_packed(kind) else f"{{ {inner} }}"
    if what == ARRAY_TYPE:
        return f"[{llvm.array_length(kind)} x {spell(llvm, llvm.element_type(kind))}]"
    return llvm.type_text(kind)


def flatten(llvm: Instructions, kind: int, path: tuple[int, ...] = ()) -> list[Scalar]:
    """The scalars of a type, in order.

    Raises:
        UnsupportedError: a type that does not fit slots.
    """
    what = llvm.kind(kind)
    if what == VOID_TYPE:
        return []
    if what == INTEGER_TYPE:
        width = llvm.int_width(kind)
        if width > 64:
            raise UnsupportedError(f"i{width}")
        return [Scalar("i", width, path, f"i{width}")]
    if what == POINTER_TYPE:
        text = llvm.type_text(kind)
        if text != "ptr":
            raise UnsupportedError(text)
        return [Scalar("p", 64, path, "ptr")]
    if what in _FLOATS:
        return [
            Scalar(
                "f" if what == FLOAT_TYPE else "d",
                32 if what == FLOAT_TYPE else 64,
                path,
                _FLOATS[what],
            )
        ]
    if what == VECTOR_TYPE:
        text = llvm.type_text(kind)
        if text in ("<2 x float>", "<2 x i32>", "<4 x i16>", "<8 x i8>"):
            # Two floats of a struct in one register: as two scalars.
            inner = flatten(llvm, llvm.element_type(kind))[0]
            count = llvm.vector_length(kind)
            return [
                Scalar(inner.kind, inner.width, (*path, -1 - k), inner.text) for k in range(count)
            ]
        raise UnsupportedError(text)
    if what == STRUCT_TYPE and not llvm.is_opaque(kind):
        return [
            scalar
            for k in range(llvm.element_count(kind))
            for scalar in flatten(llvm, llvm.element_at(kind, k), (*path, k))
        ]
    if what == ARRAY_TYPE and llvm.array_length(kind) <= MOST_RESULTS:
        element = llvm.element_type(kind)
        return [
            scalar
            for k in range(llvm.array_length(kind))
            for scalar in flatten(llvm, element, (*path, k))
        ]
    raise UnsupportedError(llvm.type_text(kind))


def signature_of(llvm: Instructions, function_type: int) -> Signature:
    """A function type, taken apart.

    Raises:
        UnsupportedError: says which type cannot be passed.
    """
    result = llvm.return_type(function_type)
    results = flatten(llvm, result)
    types = llvm.parameter_types(function_type)
    scalars = [tuple(flatten(llvm, kind)) for kind in types]
    if sum(map(len, scalars)) > MOST_PARAMETERS or len(results) > MOST_RESULTS:
        raise UnsupportedError("too many parameters")
    return Signature(
        spell(llvm, result),
        tuple(results),
        tuple(spell(llvm, kind) for kind in types),
        tuple(scalars),
        bool(llvm.is_var_arg(function_type)),
    )
