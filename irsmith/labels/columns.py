"""The columns of label files: labels as values that Parquet holds, and back.

Every kind has the columns of :data:`PROVENANCE`; :func:`schema` adds its own. Candidates
stand in full wherever they occur; Parquet's dictionary keeps each text once a row group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, get_args

from irsmith.records import Candidate, Size, State, Verdict
from irsmith.tasks.example import DisassembleLabel, EmulateLabel, Tried, TuneLabel, Unchecked

Kind = Literal["tune", "emulate", "disassemble"]
Label = TuneLabel | EmulateLabel | DisassembleLabel

PROVENANCE = ("module", "package", "file", "target", "split", "toolchain", "digest")
SIZE = ("text", "rodata", "data", "unwind", "instructions")
_STATES = ("verifier", "pass_list", "module", "tests")


def kind_of(label: Label) -> Kind:
    """Which kind of file a label belongs into."""
    if isinstance(label, TuneLabel):
        return "tune"
    return "emulate" if isinstance(label, EmulateLabel) else "disassemble"


def schema(kind: Kind) -> Any:
    """The columns of a kind, for pyarrow."""
    import pyarrow

    text, number, words = pyarrow.string(), pyarrow.int64(), pyarrow.list_(pyarrow.string())
    size = pyarrow.struct([(name, number) for name in SIZE])
    candidate = [("passes", text), ("codegen", words)]
    sized = [*candidate, ("size", size)]
    own: dict[Kind, list[tuple[str, Any]]] = {
        "tune": [
            ("objective", text),
            *candidate,
            *((name, size) for name in ("before", "baseline", "after")),
            ("strategy", text),
            ("compilations", number),
            ("seconds", pyarrow.float64()),
            (
                "verdict",
                pyarrow.struct([*((state, text) for state in _STATES), ("evidence", words)]),
            ),
            ("unchecked", pyarrow.struct([*sized, ("reason", text)])),
            ("tried", pyarrow.list_(pyarrow.struct(sized))),
        ],
        "emulate": [*candidate, ("output", text), ("before", size), ("after", size)],
        "disassemble": [("level", text), ("form", text)],
    }
    return pyarrow.schema([*((name, text) for name in PROVENANCE), *own[kind]])


def to_columns(label: Label) -> dict[str, Any]:
    """A label's own columns."""
    if isinstance(label, DisassembleLabel):
        return {"level": label.level, "form": label.form}
    sizes = {name: _size(getattr(label, name)) for name in ("before", "after")}
    if isinstance(label, EmulateLabel):
        return {**label.candidate.to_json(), "output": label.output, **sizes}
    best, passed_over = label.best, label.unchecked
    unchecked = None
    if passed_over is not None:
        unchecked = _sized(passed_over.candidate, passed_over.size) | {"reason": passed_over.reason}
    return {
        "objective": label.objective,
        "passes": best.passes if best else None,
        "codegen": list(best.codegen) if best else None,
        **sizes,
        "baseline": _size(label.baseline),
        "strategy": label.strategy,
        "compilations": label.compilations,
        "seconds": label.seconds,
        "verdict": label.verdict.to_json() | {"evidence": list(label.verdict.evidence)},
        "unchecked": unchecked,
        "tried": [_sized(one.candidate, one.size) for one in label.tried],
    }


def labels_of(kind: Kind, batch: Any) -> Iterator[Label]:
    """The labels of a record batch; columns that are not there are empty.

    Raises:
        TypeError, KeyError, ValueError: a value is missing that no label can do without.
    """
    plain = [name for name in batch.schema.names if name != "tried"]
    rows = batch.select(plain).to_pylist()
    if kind == "disassemble":
        yield from map(_disassemble, rows)
    elif kind == "emulate":
        yield from map(_emulate, rows)
    else:
        there = "tried" in batch.schema.names
        tried = _tried(batch.column("tried")) if there else [()] * len(rows)
        for values, found in zip(rows, tried, strict=True):
            yield _tune(values, found)


def _disassemble(values: Mapping[str, Any]) -> DisassembleLabel:
    form = _one_of(values["form"], "compiler", "object")
    return DisassembleLabel(
        str(values["module"]), str(values["level"]), str(values["toolchain"]), form
    )


def _emulate(values: Mapping[str, Any]) -> EmulateLabel:
    return EmulateLabel(
        str(values["module"]),
        Candidate.from_json(values),
        _one_of(values["output"], "ir", "assembly"),
        _read_size(values["before"]),
        _read_size(values["after"]),
        str(values["toolchain"]),
    )


def _tune(values: Mapping[str, Any], tried: Sequence[Tried]) -> TuneLabel:
    over = values["unchecked"]
    unchecked = None
    if over is not None:
        size = _read_size(over["size"])
        unchecked = Unchecked(Candidate.from_json(over), size, over["reason"] or "")
    return TuneLabel(
        str(values["module"]),
        None if values["passes"] is None else Candidate.from_json(values),
        _read_size(values["before"]),
        _read_size(values["baseline"]),
        _read_size(values["after"]),
        str(values["toolchain"]),
        _one_of(values["objective"], "size", "instructions"),
        tuple(tried),
        str(values["strategy"]),
        int(values["compilations"]),
        float(values["seconds"]),
        _verdict(values["verdict"]),
        unchecked,
    )


def _verdict(said: Mapping[str, Any]) -> Verdict:
    states = {state: _one_of(said[state], *get_args(State)) for state in _STATES}
    return Verdict(**states, evidence=tuple(said["evidence"]))


def _tried(column: Any) -> list[tuple[Tried, ...]]:
    """What was tried in each row; column by column, for there are a hundred a row."""
    flat = column.flatten()
    known: dict[tuple[str, tuple[str, ...]], Candidate] = {}
    size = flat.field("size")
    numbers = zip(*(size.field(name).to_pylist() for name in SIZE), strict=True)
    columns = (flat.field("passes").to_pylist(), flat.field("codegen").to_pylist())
    every: list[Tried] = []
    for passes, options, there, sizes in zip(
        *columns, size.is_valid().to_pylist(), numbers, strict=True
    ):
        key = (passes, tuple(options))
        candidate = known.get(key) or known.setdefault(key, Candidate(*key))
        every.append(Tried(candidate, Size(*sizes) if there else None))
    starts = (column.offsets.to_numpy() - column.offsets[0].as_py()).tolist()
    return [tuple(every[first:after]) for first, after in pairwise(starts)]


def _sized(candidate: Candidate, size: Size | None) -> dict[str, Any]:
    return {**candidate.to_json(), "size": _size(size)}


def _size(size: Size | None) -> dict[str, int | None] | None:
    return None if size is None else {name: getattr(size, name) for name in SIZE}


def _read_size(values: Mapping[str, Any]) -> Size:
    return Size(**{name: values[name] for name in SIZE})


def _one_of(value: Any, *allowed: Any) -> Any:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value
