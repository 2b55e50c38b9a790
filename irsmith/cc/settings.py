"""Settings of the drop-in compiler, all of them in the environment.

A compiler has no options of its own to spare: what is on its command line belongs to the
build.
"""

from __future__ import annotations

TYPE_CHECKING = False  # that of ``typing`` costs as much as all else
if TYPE_CHECKING:
    from collections.abc import Mapping

EFFORTS = ("fast", "balanced", "max")
CHECKS = ("list", "module", "none")
OBJECTIVES = ("size", "instructions")
"""As in ``irsmith optimize``; named again here because this is read at every call of a
compiler (a test holds them equal)."""

STATE = "IRSMITH_STATE"
"""Folder where ``irsmith build`` collects what becomes of each unit; its own business."""

HELP = {
    "IRSMITH_CC": "the real C compiler, `irsmith cc` runs it first (default: irsmith's own clang)",
    "IRSMITH_CXX": "the real C++ compiler, for `irsmith c++`",
    "IRSMITH_EFFORT": f"{', '.join(EFFORTS)}: candidates compiled a unit (default: balanced)",
    "IRSMITH_CHECK": f"{', '.join(CHECKS)}: what an object must pass (default: module)",
    "IRSMITH_OBJECTIVE": f"{', '.join(OBJECTIVES)}: what is minimised (default: size)",
    "IRSMITH_LOCK": "lock file that is read and written",
    "IRSMITH_LOCKED": "1: search nothing, take only what the lock file has",
    "IRSMITH_LOG": "file that gets a line of JSON for each unit",
    "IRSMITH_JOBS": "processes a unit (default: 1, since builds run many compilers at once)",
    "IRSMITH_OFF": "1: run the real compiler and nothing else",
}
"""Every variable, with what it does."""


class Settings:
    """What was asked for by the environment; see :data:`HELP`."""

    def __init__(
        self,
        effort: str = "balanced",
        check: str = "module",
        objective: str = "size",
        lock: str = "",
        locked: bool = False,
        log: str = "",
        jobs: int = 1,
        state: str = "",
    ) -> None:
        self.effort, self.check, self.objective = effort, check, objective
        self.lock, self.locked, self.log = lock, locked, log
        self.jobs, self.state = jobs, state

    @staticmethod
    def read(environment: Mapping[str, str]) -> Settings:
        """Read the variables.

        Raises:
            ValueError: one has a value that it cannot have; the message says which.
        """

        def one_of(name: str, values: tuple[str, ...], default: str) -> str:
            value = environment.get(name) or default
            if value not in values:
                raise ValueError(f"{name}={value} is none of {', '.join(values)}")
            return value

        jobs = environment.get("IRSMITH_JOBS") or "1"
        if not jobs.isdecimal() or int(jobs) < 1:
            raise ValueError(f"IRSMITH_JOBS={jobs} is not a whole number of at least 1")
        return Settings(
            one_of("IRSMITH_EFFORT", EFFORTS, "balanced"),
            one_of("IRSMITH_CHECK", CHECKS, "module"),
            one_of("IRSMITH_OBJECTIVE", OBJECTIVES, "size"),
            environment.get("IRSMITH_LOCK", ""),
            environment.get("IRSMITH_LOCKED", "") not in ("", "0"),
            environment.get("IRSMITH_LOG", ""),
            int(jobs),
            environment.get(STATE, ""),
        )
