"""``irsmith train``."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from irsmith.cli.common import Parser, parser, say
from irsmith.records import IrsmithError

if TYPE_CHECKING:
    from irsmith.train.config import TrainConfig

EPILOG = """\
recipes: pretrain, emulate, tune, disassemble, or FILE.py:FUNCTION
DATA holds a folder a source, each with train/ and validation/ (docs/train.md)

  irsmith train pretrain --data DATA --out RUN --set size=nano --steps 500
  irsmith train pretrain --out RUN --data DATA --resume
  irsmith train recipes/pretrain.py:cluster_13b --dry-run --machine cluster-64x8
  torchrun --nproc-per-node 8 -m irsmith train pretrain --data DATA --out RUN
"""


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser("train", "Train a language model: checkpoints, metrics, curves, a release.", EPILOG)
    to.add_argument("recipe", metavar="RECIPE", help="a stage, or FILE.py:FUNCTION")
    to.add_argument("--data", metavar="DIR", help="folder of packed data (default: data)")
    to.add_argument("--out", metavar="DIR", help="folder of the run (default: runs/STAGE)")
    to.add_argument("--steps", type=int, metavar="N", help="optimizer steps of the whole run")
    to.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="settings")
    to.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    to.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        metavar="M",
        help="stop with a checkpoint after so long; --resume goes on",
    )
    to.add_argument("--dry-run", action="store_true", help="say what the run takes, and stop")
    to.add_argument("--machine", default="h100", metavar="M", help="h100, 8xh100, cluster-64x8")
    to.add_argument("--json", action="store_true", help="the result as JSON on stdout")
    return to


def main(words: Sequence[str]) -> int:
    """Train, or say what training would take."""
    options = arguments_parser().parse_args(words)
    try:
        import numpy  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise IrsmithError("training needs torch: pip install 'irsmith[train]'") from error
    from irsmith.train.config import with_settings
    from irsmith.train.recipes import find_recipe

    steps = [f"steps={options.steps}"] if options.steps is not None else []
    config = with_settings(find_recipe(options.recipe), [*options.settings, *steps])
    data = Path(options.data or "data")
    if options.dry_run:
        return _dry_run(config, data if options.data else None, options.machine, options.json)
    out = Path(options.out or f"runs/{config.stage}")
    return _train(config, data, out, options)


def _dry_run(config: TrainConfig, data: Path | None, name: str, as_json: bool) -> int:
    from irsmith.model.config import config_for
    from irsmith.train.estimate import estimate
    from irsmith.train.machines import machine

    shape = config_for(config.size, context=config.context)
    if data:
        from irsmith.train.data import read_meta
        from irsmith.train.setup import model_config

        shape = model_config(config, read_meta(data / config.sources[0].name / "train"))
    found = estimate(config, shape, machine(name))
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
    else:
        print("\n".join(found.lines()))
    return 0


def _train(config: TrainConfig, data: Path, out: Path, options: argparse.Namespace) -> int:
    from irsmith.train.curves import draw_curves
    from irsmith.train.loop import train
    from irsmith.train.publish import find_tokenizer, publish

    find_tokenizer(config, data)  # before the work, not after it
    result = train(config, data, out, resume=options.resume, minutes=options.minutes, say=say)
    if int(os.environ.get("RANK", "0")):
        return 0
    finished = result.step >= config.steps
    made = publish(result, config, data, out) if finished else result.checkpoint
    if not finished:
        say(f"stopped after {options.minutes:g} minutes: --resume goes on")
    try:
        draw_curves(out)
    except IrsmithError as error:
        say(f"no picture: {error}")
    if options.json:
        release = {"release": str(made) if finished else None}
        print(json.dumps(result.to_json() | release, indent=1))
    else:
        print(f"{made}: step {result.step}, {result.tokens:,} tokens, loss {result.loss}")
    return 0
