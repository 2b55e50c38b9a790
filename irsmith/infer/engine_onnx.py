"""The default engine: onnxruntime on the CPU, with the key cache as an array of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irsmith.infer.tree import HIDDEN, Call, Source, TreeEngine
from irsmith.model.config import ModelConfig
from irsmith.model.graph import FORMAT, rotary_tables
from irsmith.records import IrsmithError

_NONE = np.empty(0, np.int32)


class OnnxEngine(TreeEngine):
    """Runs a release's graph; see :func:`irsmith.model.onnx.export_engine`.

    Args:
        graph: the file.
        shape: of the network.
        digest: of the weights that the graph must have been made for.
        threads: of one call; 0: one a core.

    Raises:
        IrsmithError: onnxruntime is missing, or the graph cannot be read or belongs to other
            weights.
    """

    def __init__(self, graph: Path, shape: ModelConfig, digest: str, threads: int = 0) -> None:
        super().__init__(shape)
        try:
            import onnxruntime
        except ImportError as error:
            raise IrsmithError(
                "this engine needs onnxruntime: pip install 'irsmith[infer]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        try:
            self.session = onnxruntime.InferenceSession(
                str(graph), options, ["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own kinds have no common base but this
            why = str(error).splitlines()[0][:200]
            raise IrsmithError(f"{graph}: cannot be read: write it again ({why})") from error
        known = self.session.get_modelmeta().custom_metadata_map
        if known.get("format") != FORMAT:
            raise IrsmithError(f"{graph}: of another version of irsmith: write it again")
        if known.get("weights") != digest:
            raise IrsmithError(f"{graph}: made for other weights: write it again")
        self._tables = rotary_tables(shape)

    def hold(self, capacity: int, source: Source | None) -> Any:
        """A row of a block; here of one row."""
        return _Row(self._block(1, capacity), 0).filled(source)

    def hold_rows(self, capacity: int, sources: Sequence[Source]) -> list[Any]:
        """Rows of one block, which one call of the graph steps."""
        block = self._block(len(sources), capacity)
        return [_Row(block, row).filled(source) for row, source in enumerate(sources)]

    def compute(self, calls: Sequence[Call]) -> list[NDArray[np.float32]]:
        """One call of the graph a block where each row has one token more, else a tree."""
        blocks: dict[_Block, list[int]] = {}
        for number, call in enumerate(calls):
            blocks.setdefault(call.tree.held.block, []).append(number)
        found: dict[int, NDArray[np.float32]] = {}
        for block, numbers in blocks.items():
            made = self._rows(block, [calls[number] for number in numbers])
            found |= dict(zip(numbers, made, strict=True))
        return [found[number] for number in range(len(calls))]

    def _block(self, rows: int, capacity: int) -> _Block:
        shape = self.shape
        size = (2 * shape.layers, rows, shape.kv_heads, capacity, shape.head_width)
        array = np.empty(size, np.float32)
        # The graph wants as many turns as the tree has tokens; no text is so long.
        tables = np.zeros((2, max(capacity, shape.context), shape.head_width // 2), np.float32)
        tables[:, : shape.context] = self._tables
        binding = self.session.io_binding()
        for name, table in zip(("cosine", "sine"), tables, strict=True):
            _bind(binding.bind_input, name, table)
        for index in range(2 * shape.layers):
            part = f"{index // 2}.{('key', 'value')[index % 2]}"
            # The same memory: the graph appends in place.
            _bind(binding.bind_input, f"past_key_values.{part}", array[index])
            _bind(binding.bind_output, f"present.{part}", array[index])
        return _Block(array, tables, binding)

    def _rows(self, block: _Block, calls: Sequence[Call]) -> list[NDArray[np.float32]]:
        """New tokens of a block's rows: many of its only row, or one each of many.

        A row without a new token gets one that nobody looks at, behind its own.
        """
        rows, capacity = block.array.shape[1], block.array.shape[3]
        called = {call.tree.held.row for call in calls}
        idle = {row: block.lengths[row] for row in range(rows) if row not in called}
        full = max(idle.values(), default=0) >= capacity
        if rows > 1 and (full or any(len(call.ids) > 1 for call in calls)):
            # onnxruntime adds many tokens to one row only, and one to each: these leave.
            for call in calls:
                tree = call.tree
                tree.held = self.hold(tree.capacity, Source(tree.held, tree.length, _NONE))
            return [self._rows(call.tree.held.block, [call])[0] for call in calls]
        new = len(calls[0].ids)
        total = max([call.bias.shape[1] for call in calls] + [n + 1 for n in idle.values()])
        ids, positions = np.zeros((2, rows, new), np.int64)
        bias = np.full((rows, 1, new, total), HIDDEN, np.float32)
        lengths = np.zeros(rows, np.int32)
        for call in calls:
            row = call.tree.held.row
            ids[row], positions[row] = call.ids, call.positions
            bias[row, 0, :, : call.bias.shape[1]] = call.bias
            lengths[row] = call.bias.shape[1] - 1
            block.lengths[row] = call.bias.shape[1]
        for row, length in idle.items():
            lengths[row] = length
        places = np.concatenate([call.tree.held.row * new + call.places for call in calls])
        logits = np.empty((len(places), self.shape.vocabulary), np.float32)
        feed: dict[str, NDArray[Any]] = {
            "input_ids": ids,
            "position_ids": positions,
            "places": places,
            "attention_bias": bias,
            "seqlens_k": lengths,
        }
        for name, array in feed.items():
            _bind(block.binding.bind_input, name, array)
        _bind(block.binding.bind_output, "logits", logits)
        self.session.run_with_iobinding(block.binding)
        return np.split(logits, np.cumsum([len(call.places) for call in calls])[:-1])


@dataclass(slots=True, eq=False)
class _Block:
    """Rows that one call of the graph steps.

    Attributes:
        array: (layers, keys and values in turn; rows, kv heads, capacity, head width).
        tables: of the rotary positions.
        binding: knows both.
        lengths: tokens of each row.
    """

    array: NDArray[np.float32]
    tables: NDArray[np.float32]
    binding: Any
    lengths: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Row:
    """What a tree holds: a row of a block."""

    block: _Block
    row: int

    def filled(self, source: Source | None) -> _Row:
        """The same, with some tokens of another row."""
        self.block.lengths[self.row] = 0
        if source is not None:
            old, start, count = source.held, source.start, len(source.rest)
            own = self.block.array[:, self.row]
            other = old.block.array[:, old.row]
            own[:, :, :start] = other[:, :, :start]
            if count:
                own[:, :, start : start + count] = other[:, :, source.rest]
            self.block.lengths[self.row] = start + count
        return self


def _bind(bind: Any, name: str, array: NDArray[Any]) -> None:
    """Give onnxruntime an array's memory; whoever calls keeps the array."""
    bind(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
