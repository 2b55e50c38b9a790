"""What travels between the worker and its caller."""

from __future__ import annotations

from dataclasses import dataclass, field

from irsmith.records import Candidate


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to, as hashes; equal results are equal as far as anyone can see.

    Attributes:
        status: one of :mod:`irsmith.check.differential.library`.
        result: of the value returned.
        trace: of the external calls with their arguments, and of what was printed.
        memory: of memory that the caller or another module sees.
        internal: of variables that no other module sees.
        reason: the signal, if there was one.
    """

    status: int
    result: int
    trace: int
    memory: int
    internal: int
    reason: int = 0

    def same(self, other: Result, whole: bool) -> bool:
        """Whether nothing differs; variables of the module's own count only if ``whole``."""
        ours = (self.status, self.result, self.trace, self.memory)
        theirs = (other.status, other.result, other.trace, other.memory)
        return ours == theirs and (not whole or self.internal == other.internal)


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a function.

    Attributes:
        words: ``struct word`` side by side: arguments, memory, answers of external calls.
        used: bytes of memory that it spans.
        hidden: whether it sets variables that no other module sees.
        expected: what the reference does on it.
    """

    words: bytes
    used: int
    hidden: bool
    expected: Result


@dataclass(frozen=True, slots=True)
class Callee:
    """How to call a function.

    Attributes:
        caller: number of the harness's function.
        kinds: of the scalars of its result.
    """

    caller: int
    kinds: bytes


@dataclass(slots=True)
class Exercise:
    """What was found out about one function of the reference.

    Attributes:
        name: its name.
        local: whether no other module sees it.
        callee: how to call it, or None.
        inputs: those that are good.
        blocks: how many blocks it has.
        covered: how many of them a good input reached.
        tried: runs.
        reasons: why runs were no good, and how often.
        problem: why it cannot be called or compared at all.
        stray: inputs on which it runs for ever or follows a null pointer, if they are kept.
        skipped: no inputs were looked for.
    """

    name: str
    local: bool
    callee: Callee | None = None
    inputs: list[Input] = field(default_factory=list)
    blocks: int = 0
    covered: int = 0
    tried: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    stray: list[Input] = field(default_factory=list)
    skipped: bool = False

    @property
    def outcomes(self) -> int:
        """How many inputs lead to something different."""
        return len({each.expected for each in self.inputs})

    @property
    def exercised(self) -> bool:
        """Whether enough inputs are good.

        Three inputs with different outcomes; or, for a function that cannot do three
        different things, every block on at least one good input.
        """
        return self.outcomes >= 3 or (bool(self.inputs) and self.covered == self.blocks)

    @property
    def convincing(self) -> bool:
        """Whether a verdict may say passed: exercised, and at least half of its blocks."""
        return self.exercised and 2 * self.covered >= self.blocks


@dataclass(slots=True)
class Prepared:
    """A reference, ready to be compared with.

    Attributes:
        bitcode: the module.
        testing: its testing copy; empty if that is the same.
        triple: target.
        harness: object of callers and stubs.
        callers: how many there are.
        stubs: ``struct stub`` side by side, without addresses.
        externals: names of the functions that stubs stand for, in their order.
        tokens: numbers of globals, by name.
        hidden: globals that no other module sees.
        functions: every defined function, in order.
        blocked: number of blocks of all functions that good inputs reached.
        alike: whether passes do to the module as it came what they do to ``bitcode``.
        seconds: processor time of the preparation.
    """

    bitcode: bytes
    testing: bytes
    triple: str
    harness: bytes
    callers: int
    stubs: bytes
    externals: tuple[str, ...]
    tokens: dict[str, int]
    hidden: frozenset[str]
    functions: list[Exercise]
    alike: bool = True
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PrepareJob:
    """Prepare a reference.

    Attributes:
        bitcode: unoptimised bitcode or textual IR.
        triple: target.
        effort: scales the runs of a function.
        seed: of the search for inputs.
        sanitised: the same source compiled with UBSan's traps, or empty.
        stray: whether inputs are kept too on which the reference does not end, or follows a
            null pointer. What a compiler makes of such code is its own affair; where the
            reference is a guess at code, it tells them apart that the code comes back.
        skip: functions that need no inputs.
    """

    bitcode: bytes
    triple: str
    effort: float = 1.0
    seed: int = 0
    sanitised: bytes = b""
    stray: bool = False
    skip: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CheckJob:
    """Compare a candidate with a prepared reference.

    Attributes:
        prepared: the reference.
        candidate: pass list and code generation options to apply to it.
        module: the other version itself, in place of a pass list.
        only: call only these functions; None calls all.
        level: code generation level.
        testing: whether to run the testing copy; else the real module.
        called: functions that were called in the real module: in the testing copy only on
            inputs that the real module cannot be given.
        optimised: the real module after the candidate's passes, if they were run before.
    """

    prepared: Prepared
    candidate: Candidate = Candidate("")  # noqa: RUF009
    module: bytes = b""
    only: frozenset[str] | None = None
    level: int = 2
    testing: bool = False
    called: frozenset[str] = frozenset()
    optimised: bytes = b""

    def inputs(self, exercise: Exercise) -> list[tuple[int, Input]]:
        """Inputs to call a function on, with their numbers."""
        if self.only is not None and exercise.name not in self.only:
            return []
        if not exercise.callee or (exercise.local and not self.testing):
            return []
        return [
            (number, each)
            for number, each in enumerate(exercise.inputs)
            if (each.hidden <= self.testing) and (each.hidden or exercise.name not in self.called)
        ]


@dataclass(frozen=True, slots=True)
class Difference:
    """An input on which two versions differ.

    Attributes:
        function: which.
        number: of the input.
        expected: what the reference does.
        found: what the other version does.
    """

    function: str
    number: int
    expected: Result
    found: Result


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of a comparison.

    Attributes:
        differences: the first of each function that has any.
        compared: inputs that were run, by function.
        missing: functions of the reference that this version no longer has.
        seconds: processor time.
    """

    differences: tuple[Difference, ...]
    compared: dict[str, int]
    missing: tuple[str, ...]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ExplainJob:
    """Say what both versions do on one input.

    Attributes:
        check: the comparison.
        function: which.
        number: of the input.
    """

    check: CheckJob
    function: str
    number: int


@dataclass(frozen=True, slots=True)
class Explained:
    """One input, told.

    Attributes:
        given: arguments, memory and answers of external calls, a line each.
        expected: what the reference did, a line an event.
        found: what the other version did.
        before: the function's IR in the reference.
        after: its IR in the other version.
    """

    given: tuple[str, ...]
    expected: tuple[str, ...]
    found: tuple[str, ...]
    before: str
    after: str
