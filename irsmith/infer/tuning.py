"""What a module may be tried with: a tuning prompt that was read once, asked in three ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from irsmith.infer.engine import State, log_probabilities
from irsmith.infer.grammar import Grammar
from irsmith.infer.load import Model
from irsmith.infer.sample import Sample, Settings, sample
from irsmith.infer.search import best_answers
from irsmith.records import Candidate, IrsmithError
from irsmith.tasks.example import NoAnswer
from irsmith.tasks.form import LONGEST_LIST
from irsmith.tasks.rank import order
from irsmith.tasks.tune import TuneAnswer, TunePrompt, parse_answer, prompt_parts
from irsmith.tasks.vocabulary import PORTFOLIO


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of the model.

    Attributes:
        candidate: what to try; None: clang's own -Oz.
        log_probability: natural, of the model.
        slot: the list's place in the portfolio, if it was named so.
        proven: whether nothing that is missing before it is more likely.
    """

    candidate: Candidate | None
    log_probability: float
    slot: int | None = None
    proven: bool = True


class Tuner:
    """A tuning prompt behind which answers are taken.

    Args:
        model: answers.
        prompt: what is asked.
        portfolio: the list of each slot, as the model was trained with.

    Attributes:
        tokens: of the prompt.

    Raises:
        IrsmithError: the prompt leaves no room in the window for a list's first token;
            see :mod:`irsmith.infer.window`.
    """

    def __init__(
        self, model: Model, prompt: TunePrompt, portfolio: Sequence[Candidate] = ()
    ) -> None:
        ids = model.packer.ids(prompt_parts(prompt))
        self.model, self.prompt, self.portfolio = model, prompt, tuple(portfolio)
        self.tokens = len(ids)
        self._room = model.engine.shape.context - self.tokens
        if self._room < 1:
            raise IrsmithError(
                f"a prompt of {self.tokens} tokens does not fit the model's window of "
                f"{model.engine.shape.context}"
            )
        self._state: State = model.engine.prefill(ids)
        self._stops = Grammar(model.tokenizer).stops

    def rank(self) -> list[Choice]:
        """The portfolio's lists, most likely first; nothing more is computed."""
        likely = log_probabilities(self._state.logits)
        known = {token: float(likely[self.model.tokenizer.special(token)]) for token in PORTFOLIO}
        return [
            Choice(self.portfolio[slot], known[PORTFOLIO[slot]], slot)
            for slot in order(known, self.portfolio)
        ]

    def best(self, count: int, steps: int = 1024, lists: bool = True) -> list[Choice]:
        """The likeliest answers: slots, lists written out, -Oz; each candidate once.

        Args:
            count: of answers.
            steps: see :func:`irsmith.infer.search.best_answers`.
            lists: whether lists may be written out.
        """
        found = best_answers(
            self.model.engine,
            self._state,
            self.grammar(lists),
            count,
            steps,
            same=lambda ids: self._answer(ids).candidate,
        )
        choices = []
        for one in found.found:
            answer = self._answer(one.ids)
            choices.append(Choice(answer.candidate, one.log_probability, answer.slot, one.proven))
        return choices

    def draw(
        self,
        count: int,
        settings: Settings | None = None,
        stop: Callable[[TuneAnswer], bool] | None = None,
    ) -> list[tuple[Sample, TuneAnswer]]:
        """Answers by chance; all of them parse.

        Args:
            count: of answers.
            settings: how to draw.
            stop: called with each answer; True ends everything.
        """
        drawn = sample(
            self.model.engine,
            self._state,
            count,
            (),
            settings,
            grammar=self.grammar(),
            stop=(lambda one: stop(self._answer(one.ids))) if stop else None,
        )
        return [(one, self._answer(one.ids)) for one in drawn if one.ended]

    def grammar(self, lists: bool = True) -> Grammar:
        """The answers that fit the window."""
        # Beside the list's own tokens stand the one before it and the one that ends it.
        longest = min(LONGEST_LIST, self._room - 2)
        return Grammar(
            self.model.tokenizer,
            len(self.portfolio),
            lists=lists and longest >= 1,
            longest=max(longest, 0),
        )

    def _answer(self, ids: Sequence[int]) -> TuneAnswer:
        """What tokens of the grammar say."""
        parts = self.model.packer.parts(
            ids if ids[-1] in self._stops else (*ids, self.model.packer.end)
        )
        answer = parse_answer(self.prompt, parts, self.portfolio)
        if isinstance(answer, NoAnswer):
            raise AssertionError(f"the grammar let through what does not parse: {answer.reason}")
        return answer
