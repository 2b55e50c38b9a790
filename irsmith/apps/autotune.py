"""The best that search finds for one module: minimised, checked, with its curve."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from irsmith.check.accept import Shipped, accept
from irsmith.records import Candidate, Evaluation, Module, Objective, Size, Verdict
from irsmith.search.autotune import Ledger, Point, Strategy, refine, tune
from irsmith.search.evaluate import Evaluator, limits_for
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import default_space
from irsmith.toolchain.find import Toolchain

_JUDGED_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Autotuned:
    """What a search found for a module.

    Attributes:
        module: what was searched for.
        objective: what was minimised.
        baseline: sizes of ``-Oz``.
        result: sizes of the best candidate that the checker accepts (``-Oz`` if none).
        candidate: it, minimised; the baseline's pipeline if nothing was smaller.
        verdict: what the checker said of it.
        curve: best value so far against compilations, before minimisation.
        compilations: of the search, and those of the minimisation.
        invalid: candidates that LLVM refused, crashed on, or did not finish.
        refused: keys of better candidates that the checker refused, with the reason.
        seconds: in all.
    """

    module: Module
    objective: Objective
    baseline: Size
    result: Size
    candidate: Candidate
    verdict: Verdict
    curve: tuple[Point, ...]
    compilations: tuple[int, int]
    invalid: int
    refused: tuple[tuple[str, str], ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "input": self.module.name,
            "target": self.module.target,
            "objective": self.objective,
            "baseline": self.baseline.to_json(),
            "result": self.result.to_json(),
            "pass_list": self.candidate.passes,
            "codegen": list(self.candidate.codegen),
            "verdict": self.verdict.to_json(),
            "curve": [[point.compilations, point.value] for point in self.curve],
            "compilations": self.compilations[0],
            "minimisation_compilations": self.compilations[1],
            "invalid": self.invalid,
            "refused": [list(entry) for entry in self.refused],
            "seconds": round(self.seconds, 3),
        }


def autotune(
    toolchain: Toolchain,
    module: Module,
    *,
    objective: Objective = "size",
    budget: int = 200,
    seed: int = 0,
    strategy: Strategy = "portfolio",
    jobs: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Autotuned:
    """Search, check from the best down, minimise what is accepted, check again.

    Args:
        toolchain: where LLVM is.
        module: unoptimised.
        objective: what to minimise.
        budget: compilations of the search (minimisation is counted apart).
        seed: same seed, same result, whatever ``jobs``.
        strategy: ``random``, or ``portfolio`` and then local search.
        jobs: worker processes.
        progress: told the number of compilations so far.
    """
    started = time.monotonic()
    portfolio = load_portfolio(module.target)
    shipped = Shipped(portfolio.candidates, portfolio.toolchain)
    space = default_space()
    refused: list[tuple[str, str]] = []

    def judged(candidate: Candidate) -> Verdict:
        verdict = accept(toolchain, module.target, candidate, shipped, jobs)
        if not verdict.accepted:
            reason = verdict.evidence[0] if verdict.evidence else verdict.pass_list
            refused.append((candidate.key(), reason))
        return verdict

    with Evaluator(toolchain, module.target, jobs, limits_for(module.bitcode)) as evaluator:
        baseline = evaluator.baseline(module.bitcode).size
        ledger = Ledger(evaluator, module.bitcode, objective, progress)
        found = tune(ledger, space, budget, seed, strategy, portfolio.candidates)
        searched = len(ledger)
        best: Evaluation | None = None
        verdict = Verdict()
        limit = baseline.value(objective)
        for evaluation in found.ranked[:_JUDGED_AT_MOST]:
            if evaluation.size is None or evaluation.size.value(objective) >= limit:
                break
            smaller = refine(ledger, space, evaluation.candidate, seed)
            for candidate in dict.fromkeys((smaller, evaluation.candidate)):
                verdict = judged(candidate)
                if verdict.accepted:
                    (best,) = ledger.measure([candidate])
                    break
            if best is not None:
                break
    won = best is not None and best.size is not None
    return Autotuned(
        module,
        objective,
        baseline,
        best.size if best is not None and best.size is not None else baseline,
        best.candidate if best is not None else evaluator.baseline_candidate,
        verdict if won else Verdict(),
        found.curve,
        (searched, len(ledger) - searched),
        ledger.refused,
        tuple(refused),
        time.monotonic() - started,
    )
