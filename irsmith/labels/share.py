"""Tune labels, second half: the lists that won are put to the vote, judged, shared out.

A list may only be a label once PassListEval has accepted it, and a judgement costs
seconds; so a few lists that serve many modules are judged, and measured on all of them
(the paper shares out its 100 most frequent winners; ours are chosen greedily for what
they add to each other).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from irsmith.check.passlisteval import PassListEval
from irsmith.labels.rows import LabelRow, read_labels
from irsmith.parallel.shards import Shard
from irsmith.passlist import PassList
from irsmith.records import Candidate, State, Verdict
from irsmith.search.portfolio import choose, choose_vetted, load_portfolio
from irsmith.tasks.example import Tried, TuneLabel, Unchecked
from irsmith.toolchain.find import Toolchain


@dataclass(frozen=True, slots=True)
class Judged:
    """A list that was judged, or shipped with a judgement.

    Attributes:
        target: LLVM triple.
        candidate: the list.
        state: ``passed``, ``failed``, or ``unknown`` where nothing can judge it.
        reason: what refused it, in one line.
        suite: that judged it.
        shipped: it is in the shipped portfolio.
        share: mean share of -Oz that the accepted lists up to this one save on the
            modules of the vote; 0 for those that were refused.
    """

    target: str
    candidate: Candidate
    state: State
    reason: str
    suite: str
    shipped: bool = False
    share: float = 0.0


def nominate(shards: Iterable[Shard], count: int) -> dict[str, tuple[Candidate, ...]]:
    """The winners of searches on train modules that saved most, by target.

    Args:
        shards: of a search.
        count: at most, for each target.

    Returns:
        Candidates that are not in the shipped portfolio, those first that saved the
        largest sum of shares; ties to the shorter, then canonical text.
    """
    saved: dict[str, dict[Candidate, float]] = defaultdict(lambda: defaultdict(float))
    for row in _rows(shards):
        label = row.label
        assert isinstance(label, TuneLabel)
        won = saved[row.target]  # a target without winners still has its portfolio
        if row.split != "train" or label.best is None:
            continue
        if label.best in load_portfolio(row.target).candidates:
            continue
        before = label.baseline.value(label.objective)
        after = label.after.value(label.objective)
        won[label.best] += (before - after) / before
    return {
        target: tuple(sorted(some, key=lambda c: (-some[c], *_length(c)))[:count])
        for target, some in sorted(saved.items())
    }


def elect(
    shards: Sequence[Shard],
    nominated: dict[str, tuple[Candidate, ...]],
    judge: Callable[[str, Candidate], Judged],
    count: int,
) -> list[Judged]:
    """Choose greedily among nominated lists and the portfolio, judging what is chosen.

    Args:
        shards: in which every nominated list and the portfolio were measured on some
            modules; those of the train split decide.
        nominated: by target.
        judge: says whether a list of a target may be used.
        count: lists to accept for each target, besides the portfolio.

    Returns:
        All lists that were judged, target by target: accepted ones in the order of the
        choice, then the refused ones.
    """
    found: list[Judged] = []
    for target, lists in nominated.items():
        candidates = [*load_portfolio(target).candidates, *lists]
        base, sizes = _matrix(shards, target, candidates)
        judged: dict[int, Judged] = {}

        def accepts(
            index: int,
            target: str = target,
            candidates: list[Candidate] = candidates,
            judged: dict[int, Judged] = judged,
        ) -> bool:
            judged[index] = judge(target, candidates[index])
            return judged[index].state == "passed"

        chosen = choose_vetted(accepts, sizes, base, count + len(candidates) - len(lists))
        found += [replace(judged[index], share=round(share, 5)) for index, share in chosen]
        places = {index for index, _ in chosen}
        for index in range(len(candidates) - len(lists)):  # the portfolio stays allowed
            if index not in places and accepts(index):
                found.append(judged[index])
        found += [one for one in judged.values() if one.state != "passed"]
    return found


class Judge:
    """PassListEval for several targets; what ships with a judgement is not judged again.

    Use it as a context manager.

    Args:
        toolchain: where LLVM is.
        suites_of: gives the judges of a target, the quickest first; called when the first
            list of the target is judged. Where there are none, lists stay unknown.
        progress: told of each judgement.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        suites_of: Callable[[str], Sequence[PassListEval]],
        progress: Callable[[Judged], None] = lambda _: None,
    ) -> None:
        self.toolchain, self._suites_of, self._progress = toolchain, suites_of, progress
        self._stack = ExitStack()
        self._open: dict[str, list[PassListEval]] = {}

    def __enter__(self) -> Judge:
        """Suites are opened when they are needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers."""
        self._stack.close()

    def __call__(self, target: str, candidate: Candidate) -> Judged:
        """The judgement of a list: the quick suite's, then the full one's if it is here."""
        shipped = load_portfolio(target)
        if candidate in shipped.candidates and shipped.toolchain == self.toolchain.fingerprint:
            return Judged(target, candidate, "passed", "", shipped.suite, shipped=True)
        if target not in self._open:
            self._open[target] = [self._stack.enter_context(s) for s in self._suites_of(target)]
        made = Judged(target, candidate, "unknown", "no suite for this target", "")
        for suite in self._open[target]:
            verdict = suite.judge(candidate)
            reasons = [f"{f.what} on {f.program}: {f.detail}" for f in verdict.failures]
            reason = reasons[0] if reasons else ""
            known = candidate in shipped.candidates
            made = Judged(target, candidate, verdict.state, reason, verdict.suite, known)
            if verdict.state != "passed":
                break
        if self._open[target]:
            self._progress(made)
        return made


def settle(
    searched: Sequence[Shard], shared: Sequence[Shard], judged: Sequence[Judged]
) -> Iterator[LabelRow]:
    """The labels: for each module the best accepted list of all that were tried on it.

    Ties go to the shortest list, then to its text.

    Args:
        searched: shards of the search (and of the portfolio, where nothing was searched).
        shared: shards of the accepted lists on the same modules, in the same order.
        judged: all judgements.
    """
    verdicts = {(one.target, one.candidate): one for one in judged}
    for first, second in zip(searched, shared, strict=True):
        if first.error or second.error:
            continue
        others = {row.label.module: row.label for row in read_labels(second.path, "tune")}
        for row in read_labels(first.path, "tune"):
            label, other = row.label, others.get(row.label.module)
            assert isinstance(label, TuneLabel)
            if isinstance(other, TuneLabel):
                label = _merged(label, other)
            yield replace(row, label=_decided(row.target, label, verdicts))


def _decided(
    target: str, label: TuneLabel, verdicts: dict[tuple[str, Candidate], Judged]
) -> TuneLabel:
    """A label with its best accepted list, and the best of those that were passed over."""
    objective = label.objective
    over: Unchecked | None = None
    for tried in ranked(label):
        assert tried.size is not None
        value = tried.size.value(objective)
        verdict = verdicts.get((target, tried.candidate))
        if verdict is not None and verdict.state == "passed":
            if over is not None and over.size.value(objective) == value:
                over = None  # nothing is lost by what was not accepted
            accepted = Verdict("passed", "passed", evidence=(verdict.suite,))
            return replace(
                label, best=tried.candidate, after=tried.size, verdict=accepted, unchecked=over
            )
        if over is None:
            reason = "not judged" if verdict is None else verdict.reason
            over = Unchecked(tried.candidate, tried.size, reason)
    return replace(label, best=None, after=label.baseline, verdict=Verdict(), unchecked=over)


def ranked(label: TuneLabel) -> list[Tried]:
    """What was tried and beats -Oz, the smallest first; ties to the shortest, then its text."""
    limit = label.baseline.value(label.objective)
    sized = [(t.size.value(label.objective), t) for t in label.tried if t.size is not None]
    better = [(value, *_length(t.candidate), t) for value, t in sized if value < limit]
    return [entry[3] for entry in sorted(better, key=lambda entry: entry[:3])]


def _merged(label: TuneLabel, other: TuneLabel) -> TuneLabel:
    tried = {one.candidate: one for one in (*label.tried, *other.tried)}
    return replace(
        label,
        tried=tuple(tried.values()),
        strategy=f"{label.strategy}, shared out" if other.tried else label.strategy,
        compilations=len(tried),
        seconds=round(label.seconds + other.seconds, 3),
    )


def refresh(
    rows: Iterable[LabelRow], judged: Sequence[Judged], count: int
) -> dict[str, list[tuple[Candidate, float]]]:
    """The portfolio that the labels suggest: a greedy choice of accepted lists, by target.

    Args:
        rows: labels; those of the train split decide.
        judged: all judgements.
        count: lists, for each target.
    """
    accepted: dict[str, list[Candidate]] = defaultdict(list)
    for one in judged:
        if one.state == "passed":
            accepted[one.target].append(one.candidate)
    base: dict[str, list[int]] = defaultdict(list)
    sizes: dict[str, list[list[int | None]]] = defaultdict(list)
    for row in rows:
        if row.split == "train" and isinstance(row.label, TuneLabel):
            _add(row.label, accepted[row.target], base[row.target], sizes[row.target])
    return {
        target: [
            (accepted[target][index], share)
            for index, share in choose(sizes[target], base[target], count)
        ]
        for target in sorted(base)
    }


def _matrix(
    shards: Sequence[Shard], target: str, candidates: Sequence[Candidate]
) -> tuple[list[int], list[list[int | None]]]:
    base: list[int] = []
    sizes: list[list[int | None]] = []
    for row in _rows(shards):
        if row.split == "train" and row.target == target:
            assert isinstance(row.label, TuneLabel)
            _add(row.label, candidates, base, sizes)
    return base, sizes


def _add(
    label: TuneLabel,
    candidates: Sequence[Candidate],
    base: list[int],
    sizes: list[list[int | None]],
) -> None:
    known = {t.candidate: t.size.value(label.objective) for t in label.tried if t.size}
    base.append(label.baseline.value(label.objective))
    sizes.append([known.get(candidate) for candidate in candidates])


def _rows(shards: Iterable[Shard]) -> Iterator[LabelRow]:
    for shard in shards:
        if not shard.error:
            yield from read_labels(shard.path, "tune")


def _length(candidate: Candidate) -> tuple[int, str]:
    """Order among equals: shorter lists, then their text."""
    return len(PassList.parse(candidate.passes)) + len(candidate.codegen), candidate.key()
