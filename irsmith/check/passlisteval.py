"""PassListEval: may this candidate be trusted?

A candidate is run over every program of a suite; it is refused if the compiler or
any program fails. Refusing is quick (programs that catch most come first), but
accepting means that all of them passed. After the paper's PassListEval, which was
not released (arXiv 2407.02524, section 3.2).
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from irsmith.check.bench import Ended, open_bench
from irsmith.check.suite import Program, Suite
from irsmith.records import Candidate, State
from irsmith.search.reduce import minimise
from irsmith.toolchain.cache import cache_dir, write_beside
from irsmith.toolchain.find import Toolchain

STOP_AFTER = 5
"""Programs that are named in a refusal, unless the caller wants more or fewer."""

_METHOD = "2"
"""Part of the key of a cached verdict: raise it when verdicts may change."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One program that a candidate breaks.

    Attributes:
        program: its name.
        what: compiler crash, assertion, compiler error, compiler time-out, verifier,
            does not link, program crash, time-out, wrong answer, wrong output.
        detail: the signal, the assertion, the verifier's line.
    """

    program: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class ListVerdict:
    """PassListEval's answer.

    Attributes:
        candidate: what was judged.
        state: ``passed`` or ``failed``.
        failures: the first programs that broke.
        programs: how many were run.
        suite: the suite's name and digest.
        toolchain: its fingerprint.
        smallest: the smallest list that still breaks the first program.
        seconds: what it took (0 if it came from the cache).
    """

    candidate: Candidate
    state: State
    failures: tuple[Failure, ...]
    programs: int
    suite: str
    toolchain: str
    smallest: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """For ``--json`` and the cache."""
        return {
            **self.candidate.to_json(),
            "state": self.state,
            "failures": [
                {"program": f.program, "what": f.what, "detail": f.detail} for f in self.failures
            ],
            "programs": self.programs,
            "suite": self.suite,
            "toolchain": self.toolchain,
            "smallest": self.smallest,
            "seconds": self.seconds,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> ListVerdict:
        """Read what :meth:`to_json` wrote."""
        return ListVerdict(
            Candidate.from_json(data),
            data["state"],
            tuple(Failure(**failure) for failure in data["failures"]),
            data["programs"],
            data["suite"],
            data["toolchain"],
            data["smallest"],
            data["seconds"],
        )


class PassListEval:
    """Judges candidates over one suite, keeping its workers between them.

    Args:
        toolchain: where LLVM is.
        suite: the programs.
        jobs: processes.
        checked: use the library with assertions: slower, and each is an oracle.
        cached: read and keep verdicts in the cache.
        stop_after: programs that fail before the rest is not run any more.

    Use it as a context manager.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        suite: Suite,
        *,
        jobs: int = 1,
        checked: bool = True,
        cached: bool = True,
        stop_after: int = STOP_AFTER,
    ) -> None:
        self.toolchain, self.suite, self.cached = toolchain, suite, cached
        self.stop_after = stop_after
        self.identity = f"{suite.name}-{suite.digest}" + ("" if checked else "-unchecked")
        programs = [program.bitcode for program in suite.programs]
        self._bench = open_bench(toolchain, suite.triple, programs, jobs=jobs, checked=checked)

    def __enter__(self) -> PassListEval:
        """Workers start with the first list."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers."""
        self._bench.close()

    def judge(self, candidate: Candidate, reduce: bool = False) -> ListVerdict:
        """Run the suite under a candidate.

        Args:
            candidate: pass list and code generation options.
            reduce: look for the smallest list that still breaks the first program.
        """
        path = cache_dir() / "verdicts" / self._key(candidate)
        if self.cached and path.exists():
            kept = ListVerdict.from_json(json.loads(path.read_text()))
            if kept.state == "passed" or kept.smallest or not reduce:
                return kept
        started = time.monotonic()
        failures: list[Failure] = []
        ran = 0
        programs = self.suite.programs
        for index, end in self._bench.run(candidate, range(len(programs))):
            ran += 1
            failure = failure_of(programs[index], end)
            if failure:
                failures.append(failure)
                if len(failures) >= self.stop_after:
                    break
        # Whichever worker was first: the verdict names programs in the suite's order.
        order = {program.name: k for k, program in enumerate(programs)}
        failures.sort(key=lambda failure: order[failure.program])
        verdict = ListVerdict(
            candidate,
            "failed" if failures else "passed",
            tuple(failures),
            ran,
            self.identity,
            self.toolchain.fingerprint,
            self.smallest(candidate, failures[0].program) if failures and reduce else "",
            round(time.monotonic() - started, 2),
        )
        if self.cached:
            write_beside(path, json.dumps(verdict.to_json()).encode())
        return verdict

    def smallest(self, candidate: Candidate, program: str) -> str:
        """The smallest candidate, as text, that still breaks a program."""
        index = next(k for k, p in enumerate(self.suite.programs) if p.name == program)

        def breaks(smaller: Candidate) -> bool:
            ((_, end),) = self._bench.run(smaller, [index])
            return failure_of(self.suite.programs[index], end) is not None

        return minimise(candidate, breaks).key()

    def _key(self, candidate: Candidate) -> str:
        text = f"{_METHOD} {self.toolchain.fingerprint} {self.identity} {candidate.key()}"
        return hashlib.sha256(text.encode()).hexdigest()[:32] + ".json"


def failure_of(program: Program, end: Ended) -> Failure | None:
    """The failure of one program, or None if it ended as it must."""
    what = end.what
    if not what and end.output != program.output:
        what = "wrong output"
    return Failure(program.name, what, end.detail[:300]) if what else None
