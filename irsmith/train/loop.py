"""The loop: the same for every stage, every size of model and every size of machine.

A step takes the next sequences of the mixture, adds up gradients over micro batches,
clips, and lets the optimizers move. The loss is the mean over the counted targets of the
whole batch, so it does not depend on how the batch was split.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from irsmith.model.network import document_mask
from irsmith.records import IrsmithError
from irsmith.train import checkpoint, setup
from irsmith.train.config import TrainConfig
from irsmith.train.journal import Journal, SpikeGuard, read_metrics
from irsmith.train.mixture import Batch, Mixture
from irsmith.train.optimizer import make_optimizers, set_rate
from irsmith.train.packing import Learning
from irsmith.train.place import Place, find_place, place_network
from irsmith.train.schedule import rate
from irsmith.train.validate import soft_targets, validate

Say = Callable[[str], None]
Checked = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run came to.

    Attributes:
        step: steps done.
        tokens: places with a token that were trained on.
        loss: of the last step, in nats a counted target; None if no step was left to do.
        validation: the last validation.
        checkpoint: folder of the last checkpoint.
    """

    step: int
    tokens: int
    loss: float | None
    validation: Checked
    checkpoint: Path

    def to_json(self) -> dict[str, Any]:
        """The fields of the command line's ``--json``."""
        return {
            "step": self.step,
            "tokens": self.tokens,
            "loss": self.loss,
            "validation": self.validation,
            "checkpoint": str(self.checkpoint),
        }


def train(
    config: TrainConfig,
    data: Path,
    out: Path,
    *,
    resume: bool = False,
    minutes: float = math.inf,
    say: Say = print,
) -> Trained:
    """Run a recipe to its end.

    Args:
        config: the run.
        data: folder in which the sources lie.
        out: folder of checkpoints and metrics.
        resume: go on from the newest checkpoint in ``out`` that fits ``config``.
        minutes: stop with a checkpoint before the first step that would begin later, for
            machines that are lent by the hour; ``resume`` goes on from there.
        say: takes one line of progress now and then, on the process that leads.

    Raises:
        IrsmithError: the data, the checkpoint or the settings do not fit; the loss is not
            a number (the batch is saved first); or the disk is full.
    """
    deadline = time.monotonic() + 60 * minutes
    with find_place(config) as place:
        run = _Run(config, data, out, resume, place, say if place.leads else _silent)
        return run.go(deadline)


def _silent(_line: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A batch, the counts of all processes' batches, and the stream's place after it."""

    batch: Batch
    learned: float
    places: tuple[tuple[int, int, int], ...]


class _Run:
    """The objects of one run; :meth:`go` is the story."""

    def __init__(
        self, config: TrainConfig, data: Path, out: Path, resume: bool, place: Place, say: Say
    ) -> None:
        if config.batch % place.world:
            raise IrsmithError(
                f"train config: batch {config.batch} does not split over {place.world} processes"
            )
        kept = checkpoint.steps_kept(out)
        if kept and not resume:
            raise IrsmithError(f"{out}: holds a run already: --resume goes on with it")
        self.config, self.out, self.place, self.say = config, out, place, say
        sources = setup.open_sources(config, data)
        learning = Learning(config.prompts, config.ranking)
        self.mixture = Mixture(sources, config.context, config.seed, learning)
        self.shape = setup.model_config(config, sources[0][0].meta)
        self.holdouts = setup.open_holdouts(config, data)
        self.network = place_network(self.shape, config.seed, place)
        self.optimizers = make_optimizers(self.network, config)
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self.places: tuple[tuple[int, int, int], ...] = tuple(self.mixture.places)
        self.ahead: Future[Fetched] | None = None
        self.guard = SpikeGuard()
        if kept and resume:
            self._restore(kept)
        elif config.start:
            setup.start_from(Path(config.start), self.network, sources[0][0].meta)
        out.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(out, self.step) if place.leads else None
        if left_out := self.mixture.left_out():
            say(f"{left_out} documents are longer than {config.context} tokens and are left out")

    def go(self, deadline: float = math.inf) -> Trained:
        """The steps that are left, as far as time allows."""
        config, last = self.config, checkpoint.folder_of(self.out, self.step)
        loss, checked = _last_figures(self.out)  # for a run that has no step left
        with ThreadPoolExecutor(1) as pool:
            late = False
            while self.step < config.steps and not late:
                loss = self._step(pool)
                done = self.step == config.steps
                if done or _due(self.step, config.validate_every):
                    checked = self._validate()
                late = self._late(deadline)
                edge = self.step == config.decay_start
                if done or late or edge or _due(self.step, config.checkpoint_every):
                    last = self._save()
        return Trained(self.step, self.tokens, loss, checked, last)

    def _late(self, deadline: float) -> bool:
        """Whether time is over, by the clock of the process that leads."""
        if deadline == math.inf:
            return False
        late = torch.tensor(
            [float(self.place.leads and time.monotonic() > deadline)],
            dtype=torch.float64,
            device=self.place.device,
        )
        return bool(self.place.total(late))

    def _next(self, pool: Executor) -> Fetched:
        """The next batch; the one after it is put together while the device works on this."""
        ahead = self.ahead or pool.submit(self._fetch)
        fetched = ahead.result()
        self.ahead = pool.submit(self._fetch) if self.step + 1 < self.config.steps else None
        return fetched

    def _fetch(self) -> Fetched:
        place = self.place
        batch, learned = self.mixture.batch(self.config.batch, place.rank, place.world)
        return Fetched(batch, learned, tuple(self.mixture.places))

    def _step(self, pool: Executor) -> float:
        began = time.perf_counter()
        config, place = self.config, self.place
        fetched = self._next(pool)
        batch, learned = fetched.batch, fetched.learned
        now = rate(config, self.step)
        set_rate(self.optimizers, now)
        sums = torch.tensor(
            [self._gradients(batch, learned), batch.used, batch.pairs],
            dtype=torch.float64,
            device=place.device,
        )
        loss, used, pairs = place.total(sums).tolist()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
        size = float(norm.full_tensor() if isinstance(norm, DTensor) else norm)
        if not (math.isfinite(loss) and math.isfinite(size)):
            self._stop(batch, loss, size)
        for optimizer in self.optimizers:
            optimizer.step()
        self.network.zero_grad()
        self.places = fetched.places
        self.step += 1
        self.tokens += int(used)
        spike = self.guard(loss)
        taken = time.perf_counter() - began
        self.seconds += taken
        peak = place.peak()
        row = {
            "step": self.step,
            "loss": loss,
            "lr": now,
            "gradient_norm": size,
            "tokens": self.tokens,
            "tokens_per_second": round(used / taken, 1),
            "mfu": round(self.shape.flop(used, pairs) / taken / peak, 4) if peak else None,
            "seconds": round(self.seconds, 3),
            "spikes": self.guard.count,
        }
        self._note(row)
        if spike or self.step == 1 or self.step % 20 == 0 or self.step == config.steps:
            mark = "  (spike)" if spike else ""
            mfu = f"  MFU {row['mfu']:.1%}" if peak else ""
            self.say(
                f"step {self.step}/{config.steps}  loss {loss:.4f}  "
                f"{used / taken:,.0f} tokens/s{mfu}{mark}"
            )
        return float(loss)

    def _gradients(self, batch: Batch, learned: float) -> float:
        """Add up the gradients of this process's share; its part of the batch's mean loss."""
        config, place = self.config, self.place
        total = torch.zeros((), dtype=torch.float64, device=place.device)
        rows = len(batch.tokens)
        for at in range(0, rows, config.micro):
            part = slice(at, at + config.micro)
            tokens, targets, documents, counts = (
                torch.from_numpy(array[part]).to(place.device, non_blocking=True)
                for array in (batch.tokens, batch.targets, batch.documents, batch.counts)
            )
            soft = soft_targets(batch, part, place)
            if isinstance(self.network, FSDPModule):
                self.network.set_requires_gradient_sync(at + config.micro >= rows)
            with place.autocast():
                losses = self.network(
                    tokens,
                    document_mask(documents),
                    targets,
                    config.loss_chunk,
                    config.recompute,
                    soft,
                    place.learned(targets),
                )
            loss = (losses * counts).sum() / max(1.0, learned)
            # FSDP takes the mean over processes where the sum is wanted.
            (loss * place.world).backward()
            total += loss.detach()
        return float(total)

    def _validate(self) -> Checked:
        config = self.config
        found = validate(self.network, self.holdouts, config, self.place)
        if found:
            self._note({"step": self.step, "tokens": self.tokens, "validation": found})
            for name, row in found.items():
                self.say(f"  {name}: {row['bits_per_token']:.3f} bits a token")
        return found

    def _save(self) -> Path:
        state = checkpoint.State(
            step=self.step,
            tokens=self.tokens,
            spikes=self.guard.count,
            recent=tuple(self.guard.recent),
            seconds=self.seconds,
            places=self.places,
            config=self.config,
        )
        folder = checkpoint.save(self.out, self.network, self.optimizers, state, self.place)
        if self.place.leads:
            checkpoint.prune(self.out, self.config.keep, self.config.decay_start)
        return folder

    def _restore(self, kept: list[int]) -> None:
        folder = setup.checkpoint_for(self.config, self.out, kept)
        state = checkpoint.read_state(folder)
        checkpoint.load(folder, self.network, self.optimizers, self.place)
        self.step, self.tokens, self.seconds = state.step, state.tokens, state.seconds
        self.guard = SpikeGuard(state.spikes, state.recent)
        self.places = state.places
        self.mixture.places = list(state.places)
        self.say(f"resumed from step {self.step}")

    def _stop(self, batch: Batch, loss: float, norm: float) -> None:
        path = self.out / f"bad-batch-step-{self.step + 1}-rank-{self.place.rank}.npz"
        np.savez(
            path,
            tokens=batch.tokens,
            targets=batch.targets,
            documents=batch.documents,
            places=np.array(self.places),
        )
        raise IrsmithError(
            f"step {self.step + 1}: loss {loss}, gradient norm {norm}: stopped before the "
            f"weights were touched; the batch is in {path}"
        )

    def _note(self, row: dict[str, Any]) -> None:
        if self.journal:
            self.journal.write(row)


def _due(step: int, every: int) -> bool:
    return bool(every) and step % every == 0


def _last_figures(out: Path) -> tuple[float | None, Checked]:
    rows = read_metrics(out)[::-1]
    loss: float | None = next((row["loss"] for row in rows if "loss" in row), None)
    checked: Checked = next((row["validation"] for row in rows if "validation" in row), {})
    return loss, checked
