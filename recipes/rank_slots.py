"""Teach a release the order of another portfolio: its slots alone, everything else as it was.

    irsmith label tune FUNCTIONS UNITS -o LABELS …       # lists of the new portfolio, measured
    cp irsmith/search/data/portfolio-x86_64.json LABELS/
    python recipes/pack.py FUNCTIONS --labels LABELS --rank-only --output DATA --stages tune
    python recipes/rank_slots.py irsmith/weights/nano --data DATA --output NEW

A slot is a token that stands for a list, and its row of the output matrix says how it is
scored behind a prompt. Rows are fitted to the model's own states behind the prompts of the
train split (soft cross-entropy against what was measured, as in training, with all other
tokens as one more answer that is never right; ridge, chosen on held-out documents), by
L-BFGS, in some minutes on a CPU. No other weight changes, so what the model answers to other
tasks stays as it was, to the last bit.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from irsmith.model.network import Network
from irsmith.model.onnx import export_engine
from irsmith.model.release import CARD, TOKENIZER, load_release, save_release
from irsmith.model.slots import portfolio_name
from irsmith.parallel.progress import meter
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.train.data import PackedData

RIDGES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
FOLDS = 4
_SECTION = "\n## Slots\n"


def states(
    network: Network, data: PackedData, longest: int, most: int, cache: Path
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The model's states behind prompts.

    Args:
        network: of the release.
        data: packed ranking documents.
        longest: tokens of a prompt that is looked at.
        most: prompts.
        cache: a file; made if it is missing.

    Returns:
        (prompts, width) states, (prompts,) log of the mass of all tokens that are no slots,
        (prompts, slots) what the probabilities of slots should be.
    """
    if cache.exists():
        kept = np.load(cache)
        return kept["states"], kept["rest"], kept["wanted"]
    choices = torch.tensor(data.meta.choices)
    rows = [row for row in data.documents if row["soft"] and row["tokens"] <= longest][:most]
    found, rest, wanted = [], [], []
    told = meter(f"prompts of {data.folder}")
    with torch.inference_mode():
        for number, row in enumerate(rows, 1):
            ids = data.read(int(row["start"]), int(row["tokens"]) - 1)
            state = network.model(torch.from_numpy(ids)[None], None)[0, -1].float()
            logits = network.model.embed_tokens.weight.float() @ state
            logits[choices] = -torch.inf
            found.append(state.numpy())
            rest.append(float(logits.logsumexp(0)))
            wanted.append(data.soft[int(row["soft"]) - 1])
            told(number, len(rows))
    made = np.stack(found), np.array(rest, np.float32), np.stack(wanted)
    np.savez(cache, states=made[0], rest=made[1], wanted=made[2])
    return made


def loss(
    rows: torch.Tensor, inputs: torch.Tensor, rest: torch.Tensor, wanted: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy in nats a prompt."""
    logits = torch.cat([inputs @ rows.T, rest[:, None]], 1)
    return -(wanted * logits.log_softmax(1)[:, :-1]).sum(1).mean()


def fit(
    inputs: torch.Tensor, rest: torch.Tensor, wanted: torch.Tensor, ridge: float
) -> torch.Tensor:
    """Rows of slots.

    Args:
        inputs: (prompts, width).
        rest: (prompts,).
        wanted: (prompts, slots).
        ridge: weight of the rows' squares, in units of the mean square of a state.
    """
    rows = torch.zeros(wanted.shape[1], inputs.shape[1], dtype=inputs.dtype, requires_grad=True)
    scale = ridge * float(inputs.square().mean())
    optimiser = torch.optim.LBFGS([rows], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        total = loss(rows, inputs, rest, wanted) + scale * rows.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(closure)
    return rows.detach()


def chosen(
    inputs: torch.Tensor, rest: torch.Tensor, wanted: torch.Tensor
) -> tuple[float, dict[float, float]]:
    """The ridge that does best on held-out documents, and what each came to."""
    fold = torch.arange(len(inputs)) % FOLDS
    found = {}
    for ridge in RIDGES:
        total = 0.0
        for held in range(FOLDS):
            some, other = fold != held, fold == held
            rows = fit(inputs[some], rest[some], wanted[some], ridge)
            total += float(loss(rows, inputs[other], rest[other], wanted[other])) / FOLDS
        found[ridge] = total
        print(f"ridge {ridge:g}: {total:.4f} nats a held-out prompt", flush=True)
    return min(found, key=lambda ridge: found[ridge]), found


def main() -> int:
    """Fit, and write a release."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("release", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="what recipes/pack.py wrote")
    parser.add_argument("--output", type=Path, required=True, help="folder of the new release")
    parser.add_argument("--target", choices=sorted(DEFAULT_TARGETS), default="X86")
    parser.add_argument("--longest", type=int, default=1500, help="tokens of a prompt")
    parser.add_argument("--most", type=int, default=2000, help="prompts")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        if arguments.output.exists():
            raise IrsmithError(f"{arguments.output}: exists: name another folder")
        network, about = load_release(arguments.release)
        data = PackedData(arguments.data / "tune" / "train")
        name = portfolio_name(DEFAULT_TARGETS[arguments.target])
        if not (arguments.data / name).exists():
            raise IrsmithError(f"{arguments.data / name}: missing: the portfolio to be ranked")
        if data.meta.tokenizer != about.tokenizer:
            raise IrsmithError(f"{arguments.data}: made with another tokenizer than the release's")
        found = states(
            network, data, arguments.longest, arguments.most, arguments.data / "states-train.npz"
        )
    except IrsmithError as error:
        print(f"rank_slots: {error}", file=sys.stderr)
        return 2
    inputs, rest, wanted = (torch.from_numpy(each).double() for each in found)
    used = wanted.sum(0) > 0
    ridge, _ = chosen(inputs, rest, wanted[:, used])
    rows = fit(inputs, rest, wanted[:, used], ridge)
    with torch.no_grad():
        places = torch.tensor(data.meta.choices)[used]
        network.model.embed_tokens.weight[places] = rows.float()
    with tempfile.TemporaryDirectory(dir=arguments.output.resolve().parent) as scratch:
        made = Path(scratch) / "release"
        made.mkdir()
        save_release(
            made, network, end=about.end, tokenizer=arguments.release / TOKENIZER,
            trained=about.trained, half=True,
        )  # fmt: skip
        shutil.copy(arguments.data / name, made / name)
        export_engine(made)
        card = (arguments.release / CARD).read_text().partition(_SECTION)[0].rstrip("\n")
        told = (
            f"The {int(used.sum())} lists of `{name}` have their slots from "
            f"`recipes/rank_slots.py`: {len(inputs):,} prompts of the train split, ridge "
            f"{ridge:g}. All other weights are as trained."
        )
        (made / CARD).write_text(f"{card}\n{_SECTION}\n{told}\n")
        made.rename(arguments.output)
    print(f"{arguments.output}: slots of {int(used.sum())} lists, ridge {ridge:g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
