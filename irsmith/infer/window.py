"""Modules that do not fit the window: asked function by function, and never cut in silence.

Every function of a unit is a prompt of its own (:mod:`irsmith.corpus.functions`); the
answers are merged into one order for the unit. What the weights are follows from what the
model was taught (:func:`irsmith.tasks.rank.soft_targets`): a list's log-probability is minus
its distance from the best list, in shares of the function's size with -Oz. So the sum of
log-probabilities times those sizes orders lists by the sum of the functions' sizes.

What is not asked is said, with the reason and its share of the unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from irsmith.corpus.functions import cut_units
from irsmith.infer.load import Model
from irsmith.infer.tuning import Choice, Tuner
from irsmith.model.slots import read_portfolio
from irsmith.records import Candidate, IrsmithError, Module, Objective
from irsmith.tasks.render import Rendered, RenderWorker, Request
from irsmith.tasks.tune import TunePrompt, prompt_parts
from irsmith.toolchain.find import Toolchain
from irsmith.toolchain.pipelines import clang_pipeline

MOST_FUNCTIONS = 64
"""Functions of a unit that are asked about, the largest first."""
LIST_ROOM = 192
"""Tokens kept free behind a prompt: clang's own -Oz has about 170."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit, or a function of one.

    Attributes:
        name: of the unit or the function.
        tokens: of its prompt; 0 if there is none.
        size: with -Oz, in what is minimised; 0 if it is not known.
        instructions: of the unoptimised IR; 0 for a whole unit.
        left_out: why it was not asked about; empty if it was.
    """

    name: str
    tokens: int
    size: int
    instructions: int = 0
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to try on a module.

    Attributes:
        choices: best first; none if nothing of the module could be asked about.
        pieces: what was asked, and what was left out: one if the module fits as it is.
    """

    choices: tuple[Choice, ...]
    pieces: tuple[Piece, ...]

    @property
    def asked(self) -> float:
        """The share of the module that was asked about, by unoptimised instructions."""
        whole = sum(piece.instructions for piece in self.pieces)
        if not whole:
            return float(any(not piece.left_out for piece in self.pieces))
        return sum(p.instructions for p in self.pieces if not p.left_out) / whole


def propose(
    model: Model,
    toolchain: Toolchain,
    module: Module,
    count: int,
    portfolio: Sequence[Candidate] | None = None,
    objective: Objective = "size",
    lists: bool = True,
    steps: int = 1024,
    most_functions: int = MOST_FUNCTIONS,
) -> Proposal:
    """What the model would try on a module of any length.

    Args:
        model: answers.
        toolchain: where LLVM is.
        module: bitcode.
        count: of choices.
        portfolio: the list of each slot; None: what the release says.
        objective: what to minimise.
        lists: whether to look for lists beyond the portfolio; without it, a prompt costs no
            more than reading it.
        steps: of the search for lists, a prompt.
        most_functions: of a unit that does not fit; 0: then nothing is asked.

    Raises:
        IrsmithError: LLVM cannot read the module.
    """
    if portfolio is None:
        portfolio = read_portfolio(model.folder, module.target)
    room = LIST_ROOM if lists else 1
    ask = _Ask(model, toolchain, module.target, tuple(portfolio), objective, lists, steps)
    with RenderWorker(toolchain, module.target) as worker:
        tuner_prompt, tokens = ask.prompt(worker, module.bitcode)
        if tokens + room <= model.engine.shape.context:
            choices = ask.choices(tuner_prompt, count)
            return Proposal(tuple(choices), (Piece(module.name, tokens, 0),))
        if most_functions < 1:
            window = model.engine.shape.context
            reason = f"{tokens} tokens do not fit the window of {window}"
            return Proposal((), (Piece(module.name, tokens, 0, left_out=reason),))
        pieces: list[Piece] = []
        answers: list[tuple[float, list[Choice]]] = []
        (outcome,) = cut_units(toolchain, [module])
        if outcome.value is None:
            raise IrsmithError(f"{module.name}: functions cannot be cut out: {outcome.detail}")
        cuts = sorted(outcome.value, key=lambda cut: (-cut.instructions, cut.name))
        for cut in cuts:
            if cut.failure:
                reason = f"cannot be cut out: {cut.failure.splitlines()[0]}"
                pieces.append(Piece(cut.name, 0, 0, cut.instructions, reason))
            elif len(answers) >= most_functions:
                reason = f"smaller than the {most_functions} that were asked about"
                pieces.append(Piece(cut.name, 0, 0, cut.instructions, reason))
            else:
                piece, found = ask.function(worker, cut.name, cut.bitcode, room, count)
                pieces.append(
                    Piece(piece.name, piece.tokens, piece.size, cut.instructions, piece.left_out)
                )
                if not piece.left_out:
                    answers.append((piece.size, found))
    return Proposal(tuple(merge(answers)[:count]), tuple(pieces))


def merge(answers: Sequence[tuple[float, Sequence[Choice]]]) -> list[Choice]:
    """One order of many: by the mean log-probability, weighted by size.

    A candidate that an answer does not name counts there as its least likely one: it is at
    most that likely, since answers are the best ones in order.

    Args:
        answers: the size of a function, and its choices, most likely first.

    Returns:
        Each candidate once, best first; equal ones in the order in which they were named.
    """
    known = [(size, {c.candidate: c for c in choices}) for size, choices in answers if choices]
    total = sum(size for size, _ in known)
    first: dict[Candidate | None, Choice] = {}
    for _, choices in known:
        for candidate, choice in choices.items():
            first.setdefault(candidate, choice)
    merged = []
    for candidate, choice in first.items():
        score, proven = 0.0, True
        for size, choices in known:
            own = choices.get(candidate)
            least = min(c.log_probability for c in choices.values())
            score += size * (own.log_probability if own else least)
            proven = proven and own is not None and own.proven
        merged.append(Choice(candidate, score / total if total else 0.0, choice.slot, proven))
    return sorted(merged, key=lambda choice: -choice.log_probability)


@dataclass(frozen=True, slots=True)
class _Ask:
    """Everything that one question to the model needs besides its text."""

    model: Model
    toolchain: Toolchain
    target: str
    portfolio: tuple[Candidate, ...]
    objective: Objective
    lists: bool
    steps: int

    def prompt(self, worker: RenderWorker, bitcode: bytes) -> tuple[TunePrompt, int]:
        """The prompt of a module, and its tokens."""
        made = worker.render(Request(bitcode, ir=True))
        assert made.ir is not None
        prompt = TunePrompt(made.ir, self.objective)
        return prompt, len(self.model.packer.ids(prompt_parts(prompt)))

    def choices(self, prompt: TunePrompt, count: int) -> list[Choice]:
        """The model's choices for a prompt that fits."""
        tuner = Tuner(self.model, prompt, self.portfolio)
        return tuner.best(count, self.steps) if self.lists else tuner.rank()[:count]

    def function(
        self, worker: RenderWorker, name: str, bitcode: bytes, room: int, count: int
    ) -> tuple[Piece, list[Choice]]:
        """One function of a unit."""
        window = self.model.engine.shape.context
        try:
            prompt, tokens = self.prompt(worker, bitcode)
            if tokens + room > window:
                reason = f"{tokens} tokens do not fit the window of {window}"
                return Piece(name, tokens, 0, left_out=reason), []
            size = self._baseline(worker, bitcode).size.value(self.objective)
        except IrsmithError as error:
            return Piece(name, 0, 0, left_out=f"LLVM: {str(error).splitlines()[0]}"), []
        # Every slot is wanted of each function, whatever the count: orders are merged.
        wanted = max(count, len(self.portfolio))
        return Piece(name, tokens, size), self.choices(prompt, wanted)

    def _baseline(self, worker: RenderWorker, bitcode: bytes) -> Rendered:
        pipeline = clang_pipeline(self.toolchain.version, self.target, "Oz")
        return worker.render(Request(bitcode, Candidate(pipeline)))
