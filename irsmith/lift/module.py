"""A module of IR that does what a function's instructions do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from irsmith.lift.code import Code, Datum, Memory, Target
from irsmith.lift.flow import ENTRY, RETURN, Facts
from irsmith.lift.graph import Basic
from irsmith.lift.machine import Place, Symbols, Thing, ir_name
from irsmith.lift.rules import Convention, Rules
from irsmith.lift.unliftable import UnliftableError

_SLOT = re.compile(r"ptr (%((?:r[a-z0-9]+|x\d+|xmm\d+|q\d+)(?:\.\d+)?))(?=$|,)", re.M)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a function is written.

    Attributes:
        result: type that it gives back; ``void``: nothing.
        straight: how much likelier it is that a branch is not taken; 0: nothing is said.
    """

    result: str
    straight: int = 0


def module(code: Code, blocks: list[Basic], rules: Rules, facts: Facts, shape: Shape) -> str:
    """The module's text.

    Raises:
        UnliftableError: something in the function is not known.
    """
    symbols = Symbols()
    writer = _Writer(code, rules, facts, shape, symbols)
    for block in blocks:
        if block.number in facts.stacks:
            writer.block(block)
    body = writer.function()
    data = _data(code, symbols)
    return "\n".join((*data, *_declared(code, rules, symbols), *body)) + "\n"


class _Writer:
    """Writes the function."""

    def __init__(
        self, code: Code, rules: Rules, facts: Facts, shape: Shape, symbols: Symbols
    ) -> None:
        self.code, self.facts, self.shape, self.symbols = code, facts, shape, symbols
        self.rules, self.known = rules, rules.convention
        self.machine = rules.machine(symbols, facts.things, facts.slots)
        self.machine.packed = facts.packed
        self.to = self.machine.to

    def block(self, block: Basic) -> None:
        """Write a basic block."""
        machine = self.machine
        self.to.lines.append(f"b{block.number}:")
        machine.stack = self.facts.stacks[block.number]
        for number, one in enumerate(block.body):
            place = machine.at = block.number, number
            machine.events = []
            machine.wanted = frozenset(self.facts.wanted.get(place, ()))
            target = self.rules.callee(one)
            if target:
                last = block.ends == "unreachable" and number == len(block.body) - 1
                self._call(place, target, "noreturn" if last else "")
            else:
                self.rules.write(machine, one, self.facts.scalar)
        machine.wanted = frozenset()
        machine.at = block.number, len(block.body)
        machine.events = []
        self._end(block, machine.at)

    def function(self) -> list[str]:
        """The function, with what its blocks need before them."""
        parameters, stores = self._parameters()
        # What is local is written global: nobody calls it here, so passes would drop it.
        linkage = "weak " if self.code.binding == "weak" else ""
        head = f"define {linkage}dso_local {self.shape.result} {ir_name(self.code.name)}"
        align = f" align {1 << self.code.align}" if self.code.align else ""
        section = f' section "{self.code.section}"' if self.code.section else ""
        arguments = ", ".join(parameters)
        lines = [f"{head}({arguments}) local_unnamed_addr{section}{align} {{", "entry:"]
        text = "\n".join((*self.to.lines, *stores))
        for name in dict.fromkeys(found[1] for found in _SLOT.finditer(text)):
            vector = name.startswith(f"%{self.machine.vector_letters}")
            kind = "[16 x i8], align 16" if vector else "i64"
            lines.append(f"  {name} = alloca {kind}")
        for flag in sorted({flag for wanted in self.facts.wanted.values() for flag in wanted}):
            lines.append(f"  %cc.{flag} = alloca i1")
        lines += [f"  {_alloca(thing, self.known)}" for thing in reversed(self.facts.things)]
        lines += [f"  {store}" for store in stores]
        return [*lines, "  br label %b0", *self.to.lines, "}"]

    def _parameters(self) -> tuple[list[str], list[str]]:
        """Parameters of the function, and how they come into their registers."""
        facts, known = self.facts, self.known
        made, stores = [], []
        if known.hidden in facts.parameters:
            # An address, in front of all others.
            made.append(f"ptr sret(i8) %in.{known.hidden}")
            slot = self.machine.slot((ENTRY, 0, known.hidden))
            stores.append(f"store ptr %in.{known.hidden}, ptr {slot}")
        for names, type_ in ((known.integers, "i64"), (known.vectors, facts.scalar)):
            used = [place for place, name in enumerate(names) if name in facts.parameters]
            for name in names[: max(used, default=-1) + 1]:
                kind = facts.parameters.get(name, type_)
                made.append(f"{kind} %in.{name}")
                if name in facts.parameters:
                    slot = self.machine.slot((ENTRY, 0, name))
                    stores.append(f"store {kind} %in.{name}, ptr {slot}")
        for number in range(facts.incoming):
            made.append(f"i64 %word.{number}")
            stores.append(f"%in.{number} = alloca i64")
            stores.append(f"store i64 %word.{number}, ptr %in.{number}")
        return made, stores

    def _end(self, block: Basic, place: Place) -> None:
        if block.ends == "jump":
            self.to.do(f"br label %b{block.next[0]}")
        elif block.ends == "branch":
            assert block.jump
            flag = self.rules.taken(self.machine, block.jump)
            taken, other = block.next
            said = ""
            if self.shape.straight:
                said = f', !prof !{{!"branch_weights", i32 16, i32 {16 + self.shape.straight}}}'
            self.to.do(f"br i1 {flag}, label %b{taken}, label %b{other}{said}")
        elif block.ends == "switch":
            self._switch(block)
        elif block.ends == "return":
            self._return(place)
        elif block.ends == "tail":
            assert block.target
            self._call(place, block.target, "tail")
        else:
            if block.ends == "trap":
                self.to.do("call void @llvm.trap()")
            self.to.do("unreachable")

    def _switch(self, block: Basic) -> None:
        assert block.index
        bits = block.index.bits
        value = self.machine.register(block.index.family, bits)
        entries = block.next if block.other is None else block.next[:-1]
        cases = " ".join(f"i{bits} {k}, label %b{to}" for k, to in enumerate(entries))
        other = f"other.{block.number}" if block.other is None else f"b{block.other}"
        self.to.do(f"switch i{bits} {value}, label %{other} [ {cases} ]")
        if block.other is None:
            # A comparison before it has seen to all other numbers.
            self.to.lines.append(f"{other}:")
            self.to.do("unreachable")

    def _return(self, place: Place) -> None:
        result, held = self.shape.result, self.machine.held
        if result == "void":
            self.to.do("ret void")
        elif result == "{ i64, i64 }":
            one, other = (held((place, RETURN, name), "i64") for name in self.known.results)
            pair = self.to.value(f"insertvalue {result} poison, i64 {one}, 0")
            pair = self.to.value(f"insertvalue {result} {pair}, i64 {other}, 1")
            self.to.do(f"ret {result} {pair}")
        else:
            integer = result.startswith(("i", "p"))
            name = self.known.results[0] if integer else self.known.floating
            access = (place, RETURN, name)
            self.to.do(f"ret {result} {held(access, result)}")

    def _call(self, place: Place, target: Target, how: str) -> None:
        """Write a call: in the middle, at the end (``tail``), or that does not come back."""
        to, call = self.to, self.facts.calls[place]
        address = self.rules.through(self.machine, target)
        callee = self._callee(target) if not address else to.value(f"inttoptr i64 {address} to ptr")
        passed = [
            f"{self._marked(name, type_)} {self.machine.held((place, call.event, name), type_)}"
            for name, type_ in (*call.integers, *call.floats)
        ]
        for offset in call.stack:
            passed.append(f"i64 {to.value(f'load i64, ptr {self._thing(offset)}')}")
        result = self.shape.result if how == "tail" else self._given(dict(call.gives))
        kind = f"{result} (...)" if call.variadic else result
        mark = "tail" if how == "tail" else "notail"
        text = f"{mark} call {kind} {callee}({', '.join(passed)})"
        if how == "noreturn":
            to.do(f"{text} noreturn")
        elif how == "tail":
            value = "" if result == "void" else to.value(text)
            if not value:
                to.do(text)
            to.do(f"ret {result} {value}")
        elif result == "void":
            to.do(text)
        elif result.startswith("{"):
            value = to.value(text)
            for number, name in enumerate(self.known.results):
                part = to.value(f"extractvalue {result} {value}, {number}")
                self.machine.leave((place, call.event, f"{name}'"), "i64", part)
        else:
            integer = result.startswith(("i", "p"))
            name = self.known.results[0] if integer else self.known.floating
            self.machine.leave((place, call.event, f"{name}'"), result, to.value(text))

    def _marked(self, name: str, type_: str) -> str:
        """The type of an argument, and what says in which register it is passed."""
        return f"{type_} sret(i8)" if name == self.known.hidden else type_

    def _given(self, gives: dict[str, str]) -> str:
        """The type that a call gives back."""
        first, second = self.known.results
        if second in gives:
            return "{ i64, i64 }"
        if first in gives:
            return gives[first]
        other = "i64" if self.shape.result.startswith(("i", "p")) else "void"
        return gives.get(self.known.floating, other)

    def _callee(self, target: Target) -> str:
        name = target.name
        if target.through is not None:
            assert isinstance(target.through, Memory)
            name = target.through.symbol
            self.symbols.eager[name] = None
        if name != self.code.name:
            self.symbols.called[name] = None
        return self.symbols.address(name, target.plt or target.through is not None)

    def _thing(self, offset: int) -> str:
        for thing in self.facts.things:
            if thing.start <= offset < thing.end:
                by = offset - thing.start
                return self.to.value(f"getelementptr i8, ptr {thing.name}, i64 {by}")
        raise UnliftableError("an argument outside the frame")


def _alloca(thing: Thing, known: Convention) -> str:
    size = thing.end - thing.start
    # Where arguments lie is a multiple of sixteen.
    place = (thing.start + known.above) % 16
    align = known.array if not place and size >= 16 else 8 if place % 8 == 0 and size >= 8 else 4
    if place % 4 or size < 4:
        align = 1
    return f"{thing.name} = alloca [{size} x i8], align {align}"


def _data(code: Code, symbols: Symbols) -> list[str]:
    """Constants that the function uses."""
    missing = [label for label in symbols.data if label not in code.data]
    if missing:
        raise UnliftableError(f"{missing[0]} is not in the text")
    return [
        f"{ir_name(label)} = {'private' if label in symbols.data else 'internal'} unnamed_addr "
        f"constant {_constant(datum)}"
        for label, datum in code.data.items()
        if label in symbols.data or (label in symbols.direct and _plain(code, label))
    ]


def _plain(code: Code, name: str) -> bool:
    """Whether a name stands for data in the text that holds no addresses."""
    return name in code.data and not code.data[name].words


def _constant(datum: Datum) -> str:
    if datum.words:
        raise UnliftableError("data that holds addresses")
    text = "".join(f"\\{byte:02X}" for byte in datum.data)
    return f'[{len(datum.data)} x i8] c"{text}", align {datum.align}'


def _declared(code: Code, rules: Rules, symbols: Symbols) -> list[str]:
    """What is defined elsewhere."""
    made = []
    for name in {**symbols.called, **symbols.direct, **symbols.tabled}:
        if name == code.name or _plain(code, name):
            continue
        dso = "" if name in symbols.tabled else "dso_local "
        if name in symbols.called:
            eager = " nonlazybind" if name in symbols.eager else ""
            made.append(f"declare {dso}void {ir_name(name)}(...){eager}")
        else:
            align = symbols.aligned.get(name, 1)
            kind = f"[{rules.reach} x i8], align {align}"
            made.append(f"{ir_name(name)} = external {dso}global {kind}")
    return made
