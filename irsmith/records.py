"""The contracts between the rooms: what one room hands to the next.

Everything here is a frozen dataclass without behaviour beyond its own
arithmetic and its JSON form, so that a reader can see the whole vocabulary of
irsmith on one page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Objective = Literal["size", "instructions"]
"""What is minimised: loaded bytes, or IR instructions."""

State = Literal["passed", "failed", "unknown", "not run"]
"""The outcome of one check. ``unknown`` is never counted as ``passed``."""

Source = Literal["baseline", "portfolio", "search", "model", "lock"]
"""What proposed the candidate that was kept."""

OBJECTIVES: tuple[Objective, ...] = get_args(Objective)


class IrsmithError(Exception):
    """Bad input or a broken set-up: one clear line, what to do, exit status 2."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes that are loaded: ``sh_size`` of sections that are allocated and not NOBITS.

    Attributes:
        text: bytes of executable sections.
        rodata: bytes of read-only sections, unwind tables apart.
        data: bytes of writable sections.
        unwind: bytes of ``.eh_frame`` (and ``.eh_frame_hdr``).
        instructions: LLVM-IR instructions of the optimised module, or None if not counted.
    """

    text: int
    rodata: int
    data: int
    unwind: int
    instructions: int | None = None

    @property
    def total(self) -> int:
        """All loaded bytes."""
        return self.text + self.rodata + self.data + self.unwind

    def value(self, objective: Objective) -> int:
        """The number that ``objective`` minimises.

        Raises:
            ValueError: instructions are asked for and were not counted.
        """
        if objective == "size":
            return self.total
        if self.instructions is None:
            raise ValueError("instructions were not counted for this size")
        return self.instructions

    def to_json(self) -> dict[str, int | None]:
        """The six fields of the command line's ``--json``."""
        return {
            "text": self.text,
            "rodata": self.rodata,
            "data": self.data,
            "unwind": self.unwind,
            "total": self.total,
            "instructions": self.instructions,
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """What can be tried on a module: a pass list and code generation options.

    Attributes:
        passes: pipeline text as ``opt -passes=`` takes it; ``""`` runs no pass.
        codegen: options of the code generator, each as LLVM's command line takes
            it (``-disable-lsr``), in canonical (sorted) order.
    """

    passes: str
    codegen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Put the options into their canonical order."""
        object.__setattr__(self, "codegen", tuple(sorted(self.codegen)))

    def key(self) -> str:
        """One line that names the candidate; equal candidates have equal keys."""
        return self.passes + "".join(f" {option}" for option in self.codegen)

    def to_json(self) -> dict[str, Any]:
        """The form in which portfolios and labels store it."""
        return {"passes": self.passes, "codegen": list(self.codegen)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Candidate:
        """Read what :meth:`to_json` wrote."""
        return Candidate(str(data["passes"]), tuple(data.get("codegen", ())))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One candidate, compiled.

    Attributes:
        candidate: what was tried.
        size: what it gave, or None if the compiler refused, crashed or ran out of time.
        ir_hash: 16 hexadecimal digits that name the IR after the passes; equal
            IR gives equal code under equal code generation options.
        failure: why there is no size, in a few words.
        output: the object, if it was asked for.
        optimised: bitcode after the passes, which came with it.
    """

    candidate: Candidate
    size: Size | None
    ir_hash: str = ""
    failure: str = ""
    output: bytes = b""
    optimised: bytes = b""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What each check said of a candidate on a module. Never a bare bool.

    Attributes:
        verifier: LLVM's own verifier on the transformed module.
        pass_list: PassListEval on the candidate.
        module: differential execution of the module.
        tests: the person's own tests.
        evidence: for each check that did not pass, one line that says why.
    """

    verifier: State = "not run"
    pass_list: State = "not run"
    module: State = "not run"
    tests: State = "not run"
    evidence: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the candidate may be written: verifier and pass list passed, nothing failed."""
        return (
            self.verifier == "passed"
            and self.pass_list == "passed"
            and "failed" not in (self.module, self.tests)
        )

    def to_json(self) -> dict[str, State]:
        """One field a check."""
        return {
            "verifier": self.verifier,
            "pass_list": self.pass_list,
            "module": self.module,
            "tests": self.tests,
        }


@dataclass(frozen=True, slots=True)
class Module:
    """A translation unit (or a single function) as bitcode, with where it came from.

    Attributes:
        bitcode: unoptimised LLVM bitcode (or textual IR, for a file of the user's).
        target: LLVM triple.
        name: ``package/file`` or the user's own path.
        package: Debian source package, ``""`` for a user's file.
        license: licence expression, ``""`` for a user's file.
        split: ``train``, ``validation``, ``test`` or ``""``.
        sha256: of ``bitcode``, hexadecimal.
    """

    bitcode: bytes
    target: str
    name: str
    package: str = ""
    license: str = ""
    split: str = ""
    sha256: str = ""
