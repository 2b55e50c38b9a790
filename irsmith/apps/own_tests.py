"""A person's own tests on what was made: run, and on failure the guilty units found.

The command is run on all units as they were optimised. If it fails, and passes with clang's
own -Oz in their place, the units to blame are found by bisection; they fall back to -Oz, and
each is kept as a regression case: that candidate is never written for that module again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irsmith.apps.optimize import Optimized
from irsmith.records import Candidate, IrsmithError, Module, State, Verdict
from irsmith.toolchain.cache import cache_dir, write_beside


@dataclass(frozen=True, slots=True)
class Settled:
    """What the tests left.

    Attributes:
        results: one a unit; those to blame are -Oz.
        blamed: places of the units that fell back.
        state: ``passed``: the tests pass with what is written; ``unknown``: they fail with
            -Oz too, always or now and then, so they say nothing of what was made, which stays.
        runs: of the command.
    """

    results: tuple[Optimized, ...]
    blamed: tuple[int, ...]
    state: State
    runs: int


def settle(
    made: Sequence[Optimized], write: Callable[[int, bytes], None], passes: Callable[[], bool]
) -> Settled:
    """Run the tests, and fall back to -Oz where they say so.

    Args:
        made: one a unit, written already.
        write: replaces the output of a unit.
        passes: runs the tests; True if they pass.

    Raises:
        IrsmithError: an output cannot be written, or the tests cannot be run. Whatever is
            raised, every output is -Oz then: what no test has seen through is not left.
    """
    runs = 0

    def with_optimised(places: Sequence[int]) -> bool:
        nonlocal runs
        runs += 1
        for place, one in enumerate(made):
            write(place, one.output if place in places else one.fallback)
        return passes()

    active = [place for place, one in enumerate(made) if one.source != "baseline"]
    try:
        blamed = blame(active, with_optimised)
        if blamed is None:
            for place, one in enumerate(made):
                write(place, one.output)
            return Settled(tuple(_with(one, "unknown") for one in made), (), "unknown", runs)
    except BaseException:
        for place, one in enumerate(made):
            write(place, one.fallback)
        raise
    results = [
        _fallen_back(one) if place in blamed else _with(one, "passed")
        for place, one in enumerate(made)
    ]
    return Settled(tuple(results), tuple(sorted(blamed)), "passed", runs)


def blame(active: Sequence[int], good: Callable[[Sequence[int]], bool]) -> list[int] | None:
    """Find the units that make tests fail, by bisection.

    Args:
        active: places of the units that may be to blame.
        good: whether the tests pass with those units optimised and all others fallen back.

    Returns:
        Places of the units to blame; the last run of the tests was good, with just these
        fallen back. None: the tests fail even with all of them fallen back, always or now and
        then, so they say nothing.
    """
    left, blamed = list(active), list[int]()
    if good(left):
        return blamed
    if not good([]):
        return None
    while left:
        guilty = _last_of_shortest(left, good)
        blamed.append(guilty)
        left.remove(guilty)
        if good(left):
            return blamed
    return None


def _last_of_shortest(places: Sequence[int], good: Callable[[Sequence[int]], bool]) -> int:
    """The last unit of the shortest beginning that fails; all together fail, none does not."""
    passing, failing = 0, len(places)
    while failing - passing > 1:
        middle = (passing + failing) // 2
        if good(places[:middle]):
            passing = middle
        else:
            failing = middle
    return places[failing - 1]


def _with(one: Optimized, state: State) -> Optimized:
    return replace(one, verdict=replace(one.verdict, tests=state))


def _fallen_back(one: Optimized) -> Optimized:
    text = f"the tests failed with {one.candidate.key()}"
    return replace(
        one,
        result=one.baseline,
        candidate=one.baseline_candidate,
        source="baseline",
        verdict=Verdict(tests="passed", evidence=(text,)),
        refused=one.refused + 1,
        output=one.fallback,
        checked="",
    )


def regressions_dir() -> Path:
    """Where regression cases are kept."""
    return cache_dir() / "regressions"


def keep_regression(one: Optimized, command: str, folder: Path | None = None) -> Path:
    """Keep what broke a person's tests: the module, the candidate, the command.

    Args:
        one: as it was before it fell back.
        command: that failed.
        folder: None: :func:`regressions_dir`.

    Returns:
        The file that tells of it; the module's bitcode lies beside it.

    Raises:
        IrsmithError: it cannot be written.
    """
    return keep_case(one.module, one.candidate, command, folder)


def keep_case(
    module: Module, candidate: Candidate, command: str, folder: Path | None = None
) -> Path:
    """Keep what broke a person's tests, as :func:`keep_regression` does.

    Raises:
        IrsmithError: it cannot be written.
    """
    sha256 = _sha256(module)
    key = hashlib.sha256(candidate.key().encode()).hexdigest()
    path = (folder or regressions_dir()) / f"{sha256[:16]}-{key[:16]}.json"
    case = {
        "module": sha256,
        "name": module.name,
        "target": module.target,
        "candidate": candidate.to_json(),
        "command": command,
    }
    try:
        write_beside(path.with_suffix(".bc"), module.bitcode)
        write_beside(path, (json.dumps(case, indent=1) + "\n").encode())
    except OSError as error:
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def known_bad(module: Module, folder: Path | None = None) -> frozenset[Candidate]:
    """Candidates that broke a person's tests on this very module before.

    Raises:
        IrsmithError: a case is damaged.
    """
    found = set()
    sha256 = _sha256(module)
    for path in sorted((folder or regressions_dir()).glob(f"{sha256[:16]}-*.json")):
        try:
            case = json.loads(path.read_text(encoding="utf-8"))
            if case["module"] == sha256:
                found.add(Candidate.from_json(case["candidate"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IrsmithError(f"{path}: a damaged regression case: remove it ({error})") from error
    return frozenset(found)


def _sha256(module: Module) -> str:
    return hashlib.sha256(module.bitcode).hexdigest()
