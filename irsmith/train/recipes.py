"""The stages as recipes: each a function that returns a complete configuration.

A recipe of your own is a function in a file of yours: ``irsmith train mine.py:name``.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Callable
from pathlib import Path

from irsmith.records import IrsmithError
from irsmith.train.config import Source, TrainConfig

REPLAY = 0.15
"""Share of a later stage that repeats the data of earlier ones, as in arXiv 2407.02524."""


def pretrain() -> TrainConfig:
    """Unlabelled IR and assembly: the loss is on every token."""
    return TrainConfig(stage="pretrain", size="small", sources=(Source("pretrain"),), steps=8000)


def emulate() -> TrainConfig:
    """What a pass list does: IR or assembly and sizes after it."""
    return _later("emulate", ("pretrain",), steps=3000)


def tune() -> TrainConfig:
    """Pass lists that make code smaller."""
    return _later("tune", ("pretrain", "emulate"), steps=2000)


def disassemble() -> TrainConfig:
    """Assembly back to IR."""
    return _later("disassemble", ("pretrain", "emulate", "tune"), steps=2000)


def _later(stage: str, earlier: tuple[str, ...], steps: int) -> TrainConfig:
    """A stage that replays those before it; start it from the release of the last one."""
    replayed = tuple(Source(name, REPLAY / len(earlier)) for name in earlier)
    return TrainConfig(
        stage=stage,
        size="small",
        sources=(Source(stage, 1 - REPLAY), *replayed),
        steps=steps,
        rate=1e-3,
        decay=0.5,
    )


STAGES: dict[str, Callable[[], TrainConfig]] = {
    function.__name__: function for function in (pretrain, emulate, tune, disassemble)
}
"""The stages by name, in the order in which they are trained."""


def find_recipe(name: str) -> TrainConfig:
    """A stage by name, or ``FILE.py:FUNCTION``.

    Raises:
        IrsmithError: no such recipe; the nearest name is given.
    """
    path, colon, wanted = name.rpartition(":")
    if not colon:
        if name in STAGES:
            return STAGES[name]()
        raise IrsmithError(f"no recipe {name!r}: {_near(name, list(STAGES))}")
    functions = _functions(Path(path))
    if wanted not in functions:
        raise IrsmithError(f"{path}: no recipe {wanted!r}: {_near(wanted, list(functions))}")
    config = functions[wanted]()
    if not isinstance(config, TrainConfig):
        raise IrsmithError(f"{path}: {wanted} returns no TrainConfig")
    return config


def _functions(path: Path) -> dict[str, Callable[[], object]]:
    spec = importlib.util.spec_from_file_location(f"irsmith_recipe_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise IrsmithError(f"{path}: no such recipe file (a .py file is wanted)")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise IrsmithError(f"{path}: fails when it is read: {error!r}") from error
    return {
        name: value
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == spec.name and name[0] != "_"
    }


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return (
        f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}, or FILE.py:NAME"
    )
