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

from irsmith.lift.graph import Basic
from irsmith.lift.machine import Access, Event, Place, Slots, Stack, Symbols, Thing
from irsmith.lift.rules import Convention, Rules
from irsmith.lift.unliftable import UnliftableError
from irsmith.lift.webs import Webs

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
        stacks: where the stack stands where each block begins.
        wanted: conditions that are asked of an instruction's flags.
        calls: by place.
        parameters: type by register.
        incoming: words on the stack that are parameters.
        things: parts of the frame.
        slots: of registers.
        ends: what registers hold at each return.
        pops: registers that take what only aligned the stack.
        address: whether what is given back in the first register is an address.
        packed: whether vector registers are used as such.
        scalar: type that they hold otherwise.
    """

    stacks: dict[int, Stack] = field(default_factory=dict)
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


def facts_of(blocks: list[Basic], rules: Rules, guess: Guess) -> Facts:
    """All that is known of a function.

    Raises:
        UnliftableError: an instruction is not known, or the stack is used in odd ways.
    """
    every = [one for block in blocks for one in block.body]
    facts = Facts(packed=any(rules.packed(one) for one in every), scalar=rules.scalar(every))
    events = _events(blocks, rules, facts)
    _Flow(blocks, rules.convention, facts, events, guess).run()
    return facts


def _events(blocks: list[Basic], rules: Rules, facts: Facts) -> dict[Place, list[Event]]:
    """What each instruction does; where the stack stands in each block is noted on the way."""
    machine = rules.machine(Symbols())
    machine.packed = facts.packed
    events: dict[Place, list[Event]] = {}
    facts.stacks[0] = machine.stack
    left = [0]
    while left:
        block = blocks[left.pop()]
        machine.stack = facts.stacks[block.number]
        for number, one in enumerate(block.body):
            machine.events = []
            target = rules.callee(one)
            if target:
                rules.through(machine, target)
                machine.note("call", "", machine.depth)
            else:
                rules.write(machine, one, facts.scalar)
            events[block.number, number] = machine.events
        machine.events = []
        if block.ends == "branch":
            assert block.jump
            rules.taken(machine, block.jump)
        elif block.ends == "switch":
            assert block.index
            machine.register(block.index.family, block.index.bits)
        elif block.ends == "tail":
            assert block.target
            rules.through(machine, block.target)
            machine.note("call", "tail", machine.depth)
        if block.ends in ("tail", "return") and machine.depth:
            raise UnliftableError("the stack is not left as it was")
        events[block.number, len(block.body)] = machine.events
        for number in block.next:
            if facts.stacks.setdefault(number, machine.stack) != machine.stack:
                _part(blocks, rules, number)
                facts.stacks.clear()
                return _events(blocks, rules, facts)
            if (number, 0) not in events and number not in left:
                left.append(number)
    return events


def _part(blocks: list[Basic], rules: Rules, number: int) -> None:
    """Part ways that meet with stacks of different depths: one of them is none.

    A call that does not come back may be all that lies before a block.

    Raises:
        UnliftableError: no call lies there.
    """
    for block in blocks:
        falls = block.next == (number,) and block.jump is None and block.ends == "jump"
        if falls and block.body and rules.callee(block.body[-1]):
            block.ends, block.next = "unreachable", ()
            return
    raise UnliftableError("ways meet with stacks of different depths")


State = dict[str, Held]
_FLAGS, _TOP = "flags", "top"
"""What is known beside registers: who set the flags, and the number on top of the stack."""


class _Flow:
    """Follows what registers hold along all ways."""

    def __init__(
        self,
        blocks: list[Basic],
        convention: Convention,
        facts: Facts,
        events: dict[Place, list[Event]],
        guess: Guess,
    ) -> None:
        self.blocks, self.facts, self.events, self.guess = blocks, facts, events, guess
        self.convention = convention
        self.first, self.second = convention.results
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
        names = arguments(self.convention)
        first = {name: Held(writers=frozenset(((ENTRY, 0, name),))) for name in names}
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
        for number in range(len(block.body)):
            self._instruction((block, number), state)
        end = len(block.body)
        self._instruction((block, end), state)
        if self.sure and block.ends == "return":
            self.facts.ends.append(state)
            for name in (self.first, self.second, self.convention.floating):
                access = ((block.number, end), RETURN, name)
                held = state.get(name, Held())
                self.webs.read(access, held, held.width if held.width in (8, 16) else 32)
        return state

    def _instruction(self, at: tuple[Basic, int], state: State) -> None:
        block, number = at
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
                state[name] = Held(
                    "fresh", 32 if whole else how, writers=frozenset((access,)), under=under
                )
                self.webs.write(access, part, how == 8 and not under)
            elif kind in ("const", "frame", "copy", "narrow copy"):
                state[name] = _traced(held, kind, how, state)
            elif kind == "near":
                if held.frame is not None and isinstance(how, int):
                    self.near.add((held.frame, held.frame + how))
            elif kind == "link":
                self._link(place, bool(how))
            elif kind == "pushed":
                self._pushed(place, name, how, state)
            elif kind == "save":
                self._save(access, held, how, state)
            elif kind == "restore":
                self._restore(block, access, how, state)
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

    def _link(self, place: Place, first: bool) -> None:
        """Of what an instruction reads and writes, all are addresses or none is.

        Args:
            place: of the instruction.
            first: whether that is so of what it reads first alone.
        """
        if self.sure:
            found = [
                (place, number, name)
                for number, (kind, name, how) in enumerate(self.events[place])
                if kind in ("read", "write") and isinstance(how, int)
            ]
            if first:
                found = [found[0], found[-1]]
            self.webs.links.extend(pairwise(found))

    @staticmethod
    def _pushed(place: Place, name: str, how: int | str, state: State) -> None:
        number = how if name == "number" and isinstance(how, int) else None
        kind = "lost" if number is None else "fresh"
        state[_TOP] = Held(kind, 64, number, calls=frozenset((place,)))

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

    def _save(self, access: Access, held: Held, how: int | str, state: State) -> None:
        _, _, name = access
        aligns = name == self.first and (held.kind == "entry" or held.const is not None)
        if aligns or (held.kind == "entry" and name in self.convention.saved):
            assert isinstance(how, int)
            self.saves.add(how)
            return
        self._read(access, held, 64, "read")
        if held.kind == "fresh":
            state[name] = replace(held, kind="used")

    def _restore(self, block: Basic, access: Access, how: int | str, state: State) -> None:
        (_, number), _, name = access
        self.webs.write(access)
        writers = frozenset((access,))
        top = state.pop(_TOP, None)
        if top and (top.kind == "fresh" or (block.number, number - 1) in top.calls):
            # In few bytes a small number is put in a register this way, whatever its width.
            width = 32 if top.const is not None and top.const >= 0 else 64
            state[name] = Held("fresh", width, top.const, writers=writers)
            return
        saved = name in self.convention.saved
        if self.sure and not saved and block.ends == "return":
            self.facts.pops.add(name)
        kind = "lost" if not saved else "entry" if how in self.saves else "fresh"
        state[name] = Held(kind, 64 if kind == "fresh" else 0, writers=writers)

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
        for name in self.convention.clobbered:
            state[name] = Held("lost")
        for name in (self.first, self.second, self.convention.floating):
            gives = (place, event, f"{name}'")
            self.webs.write(gives)
            state[name] = Held("given", calls=frozenset((place,)), writers=frozenset((gives,)))
        state.pop(_FLAGS, None)

    def _arguments(self, place: Place, event: int, state: State, depth: int) -> Call:
        """What a call passes."""
        known = self.convention
        count = state.get(known.counter, Held())
        near = all(writer[0][0] == place[0] for writer in count.writers)
        number = count.const if count.kind == "fresh" and near else None
        variadic = number is not None and number <= len(known.vectors)
        integers = self._passed(known.integers, state, self.guess.generous)
        vectors = self._passed(known.vectors, state, False)
        if variadic and len(vectors) != count.const:
            vectors = known.vectors[: count.const]
        hidden = state.get(known.hidden, Held())
        if hidden.kind == "fresh" and hidden.width == 64:
            integers = (known.hidden, *integers)
        floats = []
        for name in vectors:
            width = state.get(name, Held()).width
            floats.append((name, width if isinstance(width, str) else self.facts.scalar))
        numbers = []
        for name in integers:
            held = state.get(name, Held())
            bits = 32 if held.width == 32 else 64
            numbers.append((name, f"i{bits}" if held.kind != "entry" else ""))
            how = "base" if name == known.hidden else "pass"
            self._read((place, event, name), held, bits, how)
        for name, type_ in floats:
            self._read((place, event, name), state.get(name, Held()), type_, "read")
        return Call(tuple(numbers), tuple(floats), (depth,), (), variadic, event)

    def _passed(self, names: tuple[str, ...], state: State, generous: bool) -> tuple[str, ...]:
        """Registers of an order up to the last that was written for a call."""
        wanted = ("fresh", "used") if generous else ("fresh",)
        count = 0
        for place, name in enumerate(names):
            held = state.get(name, Held())
            if held.kind == "lost" or (held.kind == "given" and name != self.first):
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
            if event == RETURN and name == self.first
        )
        for name in arguments(self.convention):
            if name in self.reads:
                slot = facts.slots.names.get((ENTRY, 0, name), "")
                pointer = slot in facts.slots.pointers
                facts.parameters[name] = "ptr" if pointer else _widest(self.reads[name])
        places: dict[int, int] = {}
        for kind in self.slots.values():
            places.update(kind)
        above = self.convention.above
        incoming = [offset for offset in places if offset >= above]
        facts.incoming = max(((offset - above) // 8 + 1 for offset in incoming), default=0)
        if any(offset in self.slots["taken"] for offset in incoming):
            raise UnliftableError("the address of an argument on the stack")
        stack = self._outgoing()
        for place, call in facts.calls.items():
            gives = {name: _widest(how) for name, how in self.gives.get(place, {}).items()}
            slot = facts.slots.names.get((place, call.event, f"{self.first}'"), "")
            if slot in facts.slots.pointers and self.first in gives:
                gives[self.first] = "ptr"
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

    def _outgoing(self) -> set[int]:
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
        low = min(low, *(depth for depth, _ in self.facts.stacks.values()))
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


def arguments(convention: Convention) -> tuple[str, ...]:
    """Registers in which a function may be passed something, in the order of parameters."""
    hidden = (convention.hidden,) if convention.hidden else ()
    return (*hidden, *convention.integers, *convention.vectors)


def _traced(held: Held, kind: str, how: int | str, state: State) -> Held:
    """What a register holds, with what is known of where it comes from."""
    if kind == "const":
        return replace(held, kind="fresh", const=int(how))
    if kind == "frame":
        return replace(held, frame=int(how))
    source = state.get(str(how), Held())
    if kind == "copy":
        return replace(held, frame=source.frame)
    byte = source.width == 8 and not source.under
    return replace(held, width=8) if byte else held


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
