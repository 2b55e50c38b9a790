"""Functions that call the tested ones, and functions for what those call, as textual IR.

LLVM itself then knows how every type is passed. A *caller* loads arguments from slots of
eight bytes, calls through a pointer and stores the result's scalars; a *stub* stores its
arguments into slots, asks the runtime (``irsmith_event``) and returns what it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from irsmith.check.differential.types import Scalar, Signature

VARIADIC = (
    Scalar("p", 64, (), "ptr"),
    *[Scalar("i", 64, (), "i64")] * 2,
    Scalar("d", 64, (), "double"),
)
"""What is passed behind the fixed parameters of a variadic function."""


@dataclass(slots=True)
class Harness:
    """Collects callers and stubs; equal ones once."""

    callers: dict[str, int] = field(default_factory=dict)
    stubs: list[str] = field(default_factory=list)

    def caller(self, signature: Signature, result_attribute: str, attributes: Sequence[str]) -> int:
        """The number of the caller for a signature and the attributes that count in a call."""
        body = _caller(signature, result_attribute, attributes)
        return self.callers.setdefault(body, len(self.callers))

    def stub(
        self, signature: Signature, result_attribute: str, attributes: Sequence[str], noreturn: bool
    ) -> int:
        """The number of a new stub."""
        number = len(self.stubs)
        self.stubs.append(_stub(number, signature, result_attribute, attributes, noreturn))
        return number

    def text(self) -> str:
        """The module."""
        callers = [
            f"define void @irsmith.call.{number}{body}" for body, number in self.callers.items()
        ]
        count = len(self.callers)
        pointers = ", ".join(f"ptr @irsmith.call.{k}" for k in range(count))
        stubs = ", ".join(f"ptr @irsmith.stub.{k}" for k in range(len(self.stubs)))
        tables = [
            f"@irsmith.callers = constant [{count} x ptr] [{pointers}]" if count else "",
            f"@irsmith.stubs = constant [{len(self.stubs)} x ptr] [{stubs}]" if self.stubs else "",
        ]
        parts = ["declare void @irsmith_event(i32, ptr)", *tables, *callers, *self.stubs]
        return "\n".join(parts)


def _load(scalar: Scalar, name: str, pointer: str) -> list[str]:
    """Lines that bring a scalar from its slot into ``%name``."""
    if scalar.kind == "i" and scalar.width < 64:
        return [
            f"%{name}.w = load i64, ptr {pointer}",
            f"%{name} = trunc i64 %{name}.w to {scalar.text}",
        ]
    if scalar.text == "x86_fp80":
        return [
            f"%{name}.d = load double, ptr {pointer}",
            f"%{name} = fpext double %{name}.d to x86_fp80",
        ]
    return [f"%{name} = load {scalar.text}, ptr {pointer}"]


def _store(scalar: Scalar, value: str, name: str, pointer: str) -> list[str]:
    """Lines that put a scalar into its slot, cut to its width."""
    if scalar.kind == "i" and scalar.width < 64:
        return [
            f"%{name}.z = zext {scalar.text} {value} to i64",
            f"store i64 %{name}.z, ptr {pointer}",
        ]
    if scalar.text == "x86_fp80":
        return [
            f"%{name}.t = fptrunc x86_fp80 {value} to double",
            f"store double %{name}.t, ptr {pointer}",
        ]
    if scalar.kind == "f":
        return [f"store i64 0, ptr {pointer}", f"store float {value}, ptr {pointer}"]
    return [f"store {scalar.text} {value}, ptr {pointer}"]


def _slot(base: str, index: int, name: str) -> str:
    return f"%{name} = getelementptr i64, ptr {base}, i64 {index}"


def _insert(kind: str, whole: str, scalar: Scalar, value: str, name: str) -> list[str]:
    """Put a scalar into an aggregate; a vector in a struct is not taken apart."""
    place = -1 - scalar.path[-1]
    if scalar.path and scalar.path[-1] < 0:
        if len(scalar.path) > 1:
            outer = ", ".join(map(str, scalar.path[:-1]))
            vector = _vector(scalar)
            return [
                f"%{name}.v = extractvalue {kind} {whole}, {outer}",
                f"%{name}.w = insertelement {vector} %{name}.v, {scalar.text} {value}, i32 {place}",
                f"%{name} = insertvalue {kind} {whole}, {vector} %{name}.w, {outer}",
            ]
        return [f"%{name} = insertelement {kind} {whole}, {scalar.text} {value}, i32 {place}"]
    path = ", ".join(map(str, scalar.path))
    return [f"%{name} = insertvalue {kind} {whole}, {scalar.text} {value}, {path}"]


def _extract(kind: str, whole: str, scalar: Scalar, name: str) -> list[str]:
    if scalar.path and scalar.path[-1] < 0:
        if len(scalar.path) > 1:
            outer = ", ".join(map(str, scalar.path[:-1]))
            vector = _vector(scalar)
            return [
                f"%{name}.v = extractvalue {kind} {whole}, {outer}",
                f"%{name} = extractelement {vector} %{name}.v, i32 {-1 - scalar.path[-1]}",
            ]
        return [f"%{name} = extractelement {kind} {whole}, i32 {-1 - scalar.path[-1]}"]
    return [f"%{name} = extractvalue {kind} {whole}, {', '.join(map(str, scalar.path))}"]


def _vector(scalar: Scalar) -> str:
    return f"<{64 // scalar.width} x {scalar.text}>"


def _assemble(
    kind: str, scalars: Sequence[Scalar], values: Sequence[str], name: str
) -> tuple[list[str], str]:
    """A value of any type out of its scalars."""
    if len(scalars) == 1 and not scalars[0].path:
        return [], values[0]
    lines, whole = [], "zeroinitializer"
    for number, (scalar, value) in enumerate(zip(scalars, values, strict=True)):
        lines += _insert(kind, whole, scalar, value, f"{name}.{number}")
        whole = f"%{name}.{number}"
    return lines, whole


def _caller(signature: Signature, result_attribute: str, attributes: Sequence[str]) -> str:
    lines, arguments, slot = [], [], 0
    groups = list(zip(signature.parameters, signature.scalars, attributes, strict=True))
    if signature.variadic:
        groups += [(scalar.text, (scalar,), "") for scalar in VARIADIC]
    for number, (kind, scalars, attribute) in enumerate(groups):
        values = []
        for scalar in scalars:
            lines += [_slot("%in", slot, f"p{slot}"), *_load(scalar, f"s{slot}", f"%p{slot}")]
            values.append(f"%s{slot}")
            slot += 1
        made, value = _assemble(kind, scalars, values, f"a{number}")
        lines += made
        arguments.append(f"{kind} {attribute} {value}".replace("  ", " "))
    callee = signature.text if signature.variadic else signature.result
    call = f"call {result_attribute} {callee} %f({', '.join(arguments)})"
    lines.append(call if signature.result == "void" else f"%r = {call}")
    for number, scalar in enumerate(signature.results):
        value = "%r"
        if scalar.path:
            lines += _extract(signature.result, "%r", scalar, f"e{number}")
            value = f"%e{number}"
        lines += [
            _slot("%out", number, f"q{number}"),
            *_store(scalar, value, f"o{number}", f"%q{number}"),
        ]
    body = "\n  ".join([*lines, "ret void"])
    return f"(ptr %f, ptr %in, ptr %out) {{\n  {body}\n}}"


def _stub(
    number: int,
    signature: Signature,
    result_attribute: str,
    attributes: Sequence[str],
    noreturn: bool,
) -> str:
    names = [
        f"{kind} {attribute} %a{k}"
        for k, (kind, attribute) in enumerate(zip(signature.parameters, attributes, strict=True))
    ]
    if signature.variadic:
        names.append("...")
    count = max(sum(map(len, signature.scalars)), len(signature.results), 1)
    lines, slot = [f"%slots = alloca [{count} x i64], align 16"], 0
    for k, scalars in enumerate(signature.scalars):
        for scalar in scalars:
            value = f"%a{k}"
            if scalar.path:
                lines += _extract(signature.parameters[k], value, scalar, f"x{slot}")
                value = f"%x{slot}"
            lines += [
                _slot("%slots", slot, f"p{slot}"),
                *_store(scalar, value, f"s{slot}", f"%p{slot}"),
            ]
            slot += 1
    lines.append(f"call void @irsmith_event(i32 {number}, ptr %slots)")
    if noreturn:
        lines.append("unreachable")
    elif signature.result == "void":
        lines.append("ret void")
    else:
        values = []
        for k, scalar in enumerate(signature.results):
            lines += [_slot("%slots", k, f"q{k}"), *_load(scalar, f"r{k}", f"%q{k}")]
            values.append(f"%r{k}")
        made, value = _assemble(signature.result, signature.results, values, "w")
        lines += [*made, f"ret {signature.result} {value}"]
    body = "\n  ".join(lines)
    head = (
        f"define {result_attribute} {signature.result} @irsmith.stub.{number}({', '.join(names)})"
    )
    return f"{head} {{\n  {body}\n}}"
