"""What must be known of a function before it is written as IR.

Machine code does not say what a function takes and gives back, nor what its calls pass. Here
it is told from what registers hold: those that are read before they are written are
parameters; those that were written for no one else are a call's arguments; what is read after
a call is what it gave back. Where several answers are possible, :class:`Guess` says which one
is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from irsmith.lift.floating import floating, packed
from irsmith.lift.graph import Basic
from irsmith.lift.integer import integer
from irsmith.lift.machine import Access, Event, Machine, Place, Slots, Symbols, Thing
from irsmith.lift.syntax import Immediate, Instruction, Memory, Register, Target
from irsmith.lift.unliftable import UnliftableError
from irsmith.lift.webs import Webs

INTEGERS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
"""Registers of integer arguments, in their order (System V ABI, x86-64)."""
VECTORS = tuple(f"xmm{number}" for number in range(8))
"""Registers of floating point arguments."""
SAVED = frozenset(("rbx", "rbp", "r12", "r13", "r14", "r15"))
"""Registers that a function leaves as they were."""
_CLOBBERED = (*INTEGERS, "rax", "r10", "r11", *(f"xmm{number}" for number in range(16)))
_RANK = {"entry": 0, "used": 1, "fresh": 2, "given": 3, "lost": 4}

RETURN = -1
"""Number of the event that is a return's reading of a register."""
ENTRY: Place = (-1, 0)
"""Where parameters are written."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a register holds.

    Attributes:
        kind: ``entry``: what it held at the beginning; ``fresh``: written, and not read since;
            ``used``: written and read; ``given``: by a call; ``lost``: nobody knows.
        width: of what was written, in bits or as a type.
        const: the number, if it is one.
        calls: that may have given it.
        writers: accesses that may have left it.
        under: those that left what its last writer, of a byte or two, did not change.
        frame: offset of the frame whose address it is; None: of none that is known.
    """

    kind: str = "entry"
    width: int | str = 0
    const: int | None = None
    calls: frozenset[Place] = frozenset()
    writers: frozenset[Access] = frozenset()
    under: frozenset[Access] = frozenset()
    frame: int | None = None

    def join(self, other: Held) -> Held:
        """What is known where two ways meet."""
        if self == other:
            return self
        kinds = {self.kind, other.kind}
        kind = max(kinds, key=_RANK.__getitem__)
        if kind == "given" and len(kinds) > 1:
            kind = "lost" if "entry" in kinds else "fresh"
        width = self.width
        if isinstance(width, int) and isinstance(other.width, int):
            width = min(width, other.width) if width and other.width else width or other.width
        const = self.const if self.const == other.const else None
        return Held(
            kind, width, const, self.calls | other.calls, self.writers | other.writers,
            self.under | other.under, self.frame if self.frame == other.frame else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A call.

    Attributes:
        integers: registers that are passed, each with its type.
        floats: vector registers that are passed, each with its type.
        stack: offsets of frame slots that are passed.
        gives: types by register that hold what it gives back.
        variadic: whether it says how many vector registers are in use.
        event: number of the access.
    """

    integers: tuple[tuple[str, str], ...] = ()
    floats: tuple[tuple[str, str], ...] = ()
    stack: tuple[int, ...] = ()
    gives: tuple[tuple[str, str], ...] = ()
    variadic: bool = False
    event: int = 0


@dataclass(frozen=True, slots=True)
class Guess:
    """What machine code leaves open.

    Attributes:
        generous: whether a call is passed registers that were read since they were written.
    """

    generous: bool = False


@dataclass(slots=True)
class Facts:
    """What is known of a function.

    Attributes:
        depths: of the stack where each block begins.
        wanted: conditions that are asked of an instruction's flags.
        calls: by place.
        parameters: type by register.
        incoming: words on the stack that are parameters.
        things: parts of the frame.
        slots: of registers.
        ends: what registers hold at each return.
        pops: registers that take what only aligned the stack.
        address: whether what is given back in rax is an address.
        packed: whether vector registers are used as such.
        scalar: type that they hold otherwise.
    """

    depths: dict[int, int] = field(default_factory=dict)
    wanted: dict[Place, set[str]] = field(default_factory=dict)
    calls: dict[Place, Call] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    incoming: int = 0
    things: tuple[Thing, ...] = ()
    slots: Slots = field(default_factory=Slots)
    ends: list[dict[str, Held]] = field(default_factory=list)
    pops: set[str] = field(default_factory=set)
    address: bool = False
    packed: bool = False
    scalar: str = "double"


def write(machine: Machine, one: Instruction, scalar: str) -> None:
    """Write an instruction other than a call or a jump.

    Raises:
        UnliftableError: it is not known.
    """
    if not integer(machine, one) and not floating(machine, one, scalar):
        raise UnliftableError(f"instruction {one.name}")


def through(machine: Machine, target: Target) -> str:
    """The address that a call through an operand leads to, as a value."""
    if target.through is None:
        return ""
    if isinstance(target.through, Memory) and target.through.modifier:
        return ""
    return machine.get(target.through, 64)


def facts_of(blocks: list[Basic], guess: Guess) -> Facts:
    """All that is known of a function.

    Raises:
        UnliftableError: an instruction is not known, or the stack is used in odd ways.
    """
    every = [one for block in blocks for one in block.body]
    facts = Facts(packed=any(packed(one) for one in every))
    if any(one.name.endswith("ss") for one in every):
        double = any(one.name.endswith("sd") for one in every)
        facts.scalar = "double" if double else "float"
    events = _events(blocks, facts)
    _Flow(blocks, facts, events, guess).run()
    return facts


def _events(blocks: list[Basic], facts: Facts) -> dict[Place, list[Event]]:
    """What each instruction does; the depth of each block is noted on the way."""
    machine = Machine(Symbols())
    machine.packed = facts.packed
    events: dict[Place, list[Event]] = {}
    facts.depths[0] = 0
    left = [0]
    while left:
        block = blocks[left.pop()]
        machine.depth = facts.depths[block.number]
        for number, one in enumerate(block.body):
            machine.events = []
            if one.name.startswith("call"):
                target = one.operands[0]
                assert isinstance(target, Target)
                through(machine, target)
                machine.events.append(("call", "", machine.depth))
            else:
                write(machine, one, facts.scalar)
            events[block.number, number] = machine.events
        machine.events = []
        if block.ends == "branch":
            machine.flag(block.condition)
        elif block.ends == "switch":
            machine.register(block.index, 64)
        elif block.ends == "tail":
            assert block.target
            through(machine, block.target)
            machine.events.append(("call", "tail", machine.depth))
        if block.ends in ("tail", "return") and machine.depth:
            raise UnliftableError("the stack is not left as it was")
        events[block.number, len(block.body)] = machine.events
        for number in block.next:
            if facts.depths.setdefault(number, machine.depth) != machine.depth:
                raise UnliftableError("ways meet with stacks of different depths")
            if (number, 0) not in events and number not in left:
                left.append(number)
    return events


State = dict[str, Held]
_FLAGS, _TOP = "flags", "top"
"""What is known beside registers: who set the flags, and the number on top of the stack."""


class _Flow:
    """Follows what registers hold along all ways."""

    def __init__(
        self, blocks: list[Basic], facts: Facts, events: dict[Place, list[Event]], guess: Guess
    ) -> None:
        self.blocks, self.facts, self.events, self.guess = blocks, facts, events, guess
        self.webs = Webs()
        self.reads: dict[str, set[int | str]] = {}
        self.gives: dict[Place, dict[str, set[int | str]]] = {}
        self.saves: set[int] = set()
        self.near: set[tuple[int, int]] = set()
        self.slots: dict[str, dict[int, int]] = {
            kind: {} for kind in ("load", "store", "popped", "taken")
        }
        self.sure = False

    def run(self) -> None:
        first = {
            name: Held(writers=frozenset(((ENTRY, 0, name),))) for name in (*INTEGERS, *VECTORS)
        }
        before: dict[int, State] = {0: first}
        left = [0]
        while left:
            number = left.pop(0)
            after = self._block(self.blocks[number], dict(before[number]))
            for following in self.blocks[number].next:
                made = _join(before[following], after) if following in before else after
                if before.get(following) != made:
                    before[following] = made
                    if following not in left:
                        left.append(following)
        self.sure = True
        for number, state in sorted(before.items()):
            self._block(self.blocks[number], dict(state))
        self._finish()

    def _block(self, block: Basic, state: State) -> State:
        for number, one in enumerate(block.body):
            self._instruction(block, number, state)
            if one.name == "pushq":
                source = one.operands[0]
                state.pop(_TOP, None)
                if isinstance(source, Immediate) and not source.symbol:
                    state[_TOP] = Held("fresh", 64, source.value)
            if self.sure:
                self._link((block.number, number), one)
        end = len(block.body)
        self._instruction(block, end, state)
        if self.sure and block.ends == "return":
            self.facts.ends.append(state)
            for name in ("rax", "rdx", "xmm0"):
                access = ((block.number, end), RETURN, name)
                held = state.get(name, Held())
                self.webs.read(access, held, held.width if held.width in (8, 16) else 32)
        return state

    def _link(self, place: Place, one: Instruction) -> None:
        """Of what is copied, or moved on by some bytes, both are addresses or none is."""
        copies = one.name == "movq" and all(isinstance(o, Register) for o in one.operands)
        moves = one.name in ("incq", "decq") or (
            one.name in ("addq", "subq") and isinstance(one.operands[0], Immediate)
        )
        if one.name == "leaq":
            source = one.operands[0]
            moves = isinstance(source, Memory) and bool(source.base) and not source.index
        if copies or moves:
            found = [
                (place, number, name)
                for number, (kind, name, _) in enumerate(self.events[place])
                if kind in ("read", "write") and not name.startswith("xmm")
            ]
            self.webs.links.extend(pairwise(found))

    def _instruction(self, block: Basic, number: int, state: State) -> None:
        place = block.number, number
        for event, (kind, name, how) in enumerate(self.events[place]):
            held = state.get(name, Held())
            access = (place, event, name)
            if kind in ("read", "base", "cancel"):
                self._read(access, held, how, kind)
                if held.kind == "fresh":
                    state[name] = replace(held, kind="used")
            elif kind == "write":
                # A byte in a register that is zero: the whole register holds it.
                whole = how == 8 and held.const == 0 and held.width in (32, 64)
                part = how in (8, 16)
                under = held.writers | held.under if part else frozenset()
                state[name] = replace(
                    self._copied(block, number, state),
                    kind="fresh", writers=frozenset((access,)), under=under,
                )  # fmt: skip
                if not state[name].width:
                    state[name] = replace(state[name], width=32 if whole else how)
                self.webs.write(access, part, how == 8 and not under)
            elif kind == "const":
                assert isinstance(how, int)
                state[name] = replace(held, kind="fresh", const=how)
            elif kind == "near":
                if held.frame is not None and isinstance(how, int):
                    self.near.add((held.frame, held.frame + how))
            elif kind == "save":
                self._save(access, held, state)
            elif kind == "restore":
                self._restore(block, access, state)
            elif kind == "flags":
                state[_FLAGS] = Held("fresh", calls=frozenset((place,)))
            elif kind == "flag":
                self._flag(name, state)
            elif kind == "call":
                assert isinstance(how, int)
                self._call(access, state, how)
            elif self.sure:
                assert isinstance(how, int)
                self.slots[kind][int(name)] = max(how, self.slots[kind].get(int(name), 0))

    def _copied(self, block: Basic, number: int, state: State) -> Held:
        """What is known of a value that is written because of where it comes from."""
        if number == len(block.body):
            return Held()
        one = block.body[number]
        source = one.operands[0] if one.operands else None
        if one.name == "leaq" and isinstance(source, Memory) and source.base == "rsp":
            places = [
                name for kind, name, _ in self.events[block.number, number] if kind == "taken"
            ]
            return Held(frame=int(places[0]) if places and not source.index else None)
        if not isinstance(source, Register):
            return Held()
        if one.name == "movq":
            if source.family == "rsp":
                (place,) = [
                    n for kind, n, _ in self.events[block.number, number] if kind == "taken"
                ]
                return Held(frame=int(place))
            return Held(frame=state.get(source.family, Held()).frame)
        held = state.get(source.family, Held())
        byte = one.name == "movl" and held.width == 8 and not held.under
        return Held(width=8 if byte else 0)

    def _read(self, access: Access, held: Held, how: int | str, kind: str) -> None:
        if not self.sure or kind == "cancel":
            return
        name = access[2]
        bits = how if isinstance(how, int) else 128
        self.webs.read(access, held, bits, base=kind == "base")
        if (ENTRY, 0, name) in held.writers:
            self.reads.setdefault(name, set()).add("any" if kind == "pass" else how)
        for call in held.calls:
            self.gives.setdefault(call, {}).setdefault(name, set()).add(how)

    def _save(self, access: Access, held: Held, state: State) -> None:
        place, event, name = access
        aligns = name == "rax" and (held.kind == "entry" or held.const is not None)
        if aligns or (held.kind == "entry" and name in SAVED):
            if self.sure:
                depth = [how for _, how, _ in self.events[place][event + 1 :]]
                self.saves.add(int(depth[-1]))
            return
        self._read(access, held, 64, "read")
        if held.kind == "fresh":
            state[name] = replace(held, kind="used")

    def _restore(self, block: Basic, access: Access, state: State) -> None:
        (_, number), _, name = access
        before = block.body[number - 1] if number else None
        self.webs.write(access)
        writers = frozenset((access,))
        top = state.pop(_TOP, None)
        if top or (before and before.name.startswith("push")):
            const = top.const if top else None
            # In few bytes a small number is put in a register this way, whatever its width.
            width = 32 if const is not None and const >= 0 else 64
            state[name] = Held("fresh", width, const, writers=writers)
            return
        if self.sure and name not in SAVED and block.ends == "return":
            self.facts.pops.add(name)
        state[name] = Held("entry" if name in SAVED else "lost", writers=writers)

    def _flag(self, name: str, state: State) -> None:
        setters = state.get(_FLAGS, Held()).calls
        if self.sure:
            if not setters:
                raise UnliftableError("a condition that nothing set")
            for place in setters:
                self.facts.wanted.setdefault(place, set()).add(name)

    def _call(self, access: Access, state: State, depth: int) -> None:
        place, event, _ = access
        if self.sure:
            self.facts.calls[place] = self._arguments(place, event, state, depth)
        for name in _CLOBBERED:
            state[name] = Held("lost")
        for name in ("rax", "rdx", "xmm0"):
            gives = (place, event, f"{name}'")
            self.webs.write(gives)
            state[name] = Held("given", calls=frozenset((place,)), writers=frozenset((gives,)))
        state.pop(_FLAGS, None)

    def _arguments(self, place: Place, event: int, state: State, depth: int) -> Call:
        """What a call passes."""
        rax = state.get("rax", Held())
        near = all(writer[0][0] == place[0] for writer in rax.writers)
        number = rax.const if rax.kind == "fresh" and near else None
        variadic = number is not None and number <= len(VECTORS)
        integers = self._passed(INTEGERS, state, self.guess.generous)
        vectors = self._passed(VECTORS, state, False)
        if variadic and len(vectors) != rax.const:
            vectors = VECTORS[: rax.const]
        floats = []
        for name in vectors:
            width = state.get(name, Held()).width
            floats.append((name, width if isinstance(width, str) else self.facts.scalar))
        numbers = []
        for name in integers:
            held = state.get(name, Held())
            bits = 32 if held.width == 32 else 64
            numbers.append((name, f"i{bits}" if held.kind != "entry" else ""))
            self._read((place, event, name), held, bits, "pass")
        for name, type_ in floats:
            self._read((place, event, name), state.get(name, Held()), type_, "read")
        return Call(tuple(numbers), tuple(floats), (depth,), (), variadic, event)

    def _passed(self, names: tuple[str, ...], state: State, generous: bool) -> tuple[str, ...]:
        """Registers of an order up to the last that was written for a call."""
        wanted = ("fresh", "used") if generous else ("fresh",)
        count = 0
        for place, name in enumerate(names):
            held = state.get(name, Held())
            if held.kind in ("lost", "given"):
                break
            if held.kind in wanted and held.width not in (8, 16):
                count = place + 1
        return names[:count]

    def _finish(self) -> None:
        """What follows from what was noted."""
        facts = self.facts
        facts.slots = self.webs.slots()
        facts.address = any(
            slot in facts.slots.pointers
            for (_, event, name), slot in facts.slots.names.items()
            if event == RETURN and name == "rax"
        )
        for name in (*INTEGERS, *VECTORS):
            if name in self.reads:
                slot = facts.slots.names.get((ENTRY, 0, name), "")
                pointer = slot in facts.slots.pointers
                facts.parameters[name] = "ptr" if pointer else _widest(self.reads[name])
        places: dict[int, int] = {}
        for kind in self.slots.values():
            places.update(kind)
        facts.incoming = max((offset // 8 for offset in places if offset >= 8), default=0)
        if any(offset in self.slots["taken"] for offset in places if offset >= 8):
            raise UnliftableError("the address of an argument on the stack")
        stack = self._pushed()
        for place, call in facts.calls.items():
            gives = {name: _widest(how) for name, how in self.gives.get(place, {}).items()}
            slot = facts.slots.names.get((place, call.event, "rax'"), "")
            if slot in facts.slots.pointers and "rax" in gives:
                gives["rax"] = "ptr"
            (depth,) = call.stack
            passed: list[int] = []
            while depth + 8 * len(passed) in stack:
                passed.append(depth + 8 * len(passed))
            integers = tuple(
                (name, self._passing(place, call.event, name, type_))
                for name, type_ in call.integers
            )
            facts.calls[place] = replace(
                call, integers=integers, stack=tuple(passed), gives=tuple(sorted(gives.items()))
            )
        facts.things = self._things(places)

    def _passing(self, place: Place, event: int, name: str, type_: str) -> str:
        """The type of an argument."""
        slots = self.facts.slots
        if slots.names.get((place, event, name), "") in slots.pointers:
            return "ptr"
        return type_ or self.facts.parameters.get(name, "i64")

    def _pushed(self) -> set[int]:
        """Places of the frame that only calls read."""
        taken = min(self.slots["taken"], default=0)
        stored = {
            offset
            for offset in self.slots["store"]
            if offset < 0 and offset not in self.slots["load"] and offset not in self.saves
        }
        return {offset for offset in stored if offset < taken or not self.slots["taken"]}

    def _things(self, places: dict[int, int]) -> tuple[Thing, ...]:
        own = {offset: size for offset, size in places.items() if offset < 0}
        if not own:
            return ()
        low = min(own)
        low = min(low, *self.facts.depths.values())
        top = min((offset for offset in self.saves if offset > low), default=0)
        below = {frame for frame, offset in self.near if offset < frame}
        edges = sorted({offset for offset in self.slots["taken"] if offset < 0} - below)
        if edges:
            top = min((offset for offset in self.saves if offset > edges[-1]), default=0)
        made = []
        if not edges or low < edges[0]:
            made.append(Thing("%frame", low, edges[0] if edges else 0))
        for start, end in zip(edges, [*edges[1:], top], strict=False):
            made.append(Thing(f"%thing.{len(made)}", start, end))
        if edges and top < 0:
            made.append(Thing("%saves", top, 0))
        return tuple(made)


def _join(one: State, other: State) -> State:
    if (_TOP in one) != (_TOP in other):
        one, other = ({k: v for k, v in each.items() if k != _TOP} for each in (one, other))
    return {name: one.get(name, Held()).join(other.get(name, Held())) for name in {*one, *other}}


def _widest(how: Iterable[int | str]) -> str:
    bits = [one for one in how if isinstance(one, int)]
    types = sorted(one for one in how if isinstance(one, str) and one != "any")
    if types:
        return types[0] if len(types) == 1 else "double" if "double" in types else types[0]
    return f"i{max(32, *bits)}" if len(bits) > 1 else f"i{max(32, bits[0])}" if bits else "i64"
