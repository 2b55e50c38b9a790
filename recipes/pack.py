"""Make packed data for training out of a corpus and its labels.

    python recipes/pack.py CORPUS… --output DATA [--labels DIR…] [--stages pretrain tune …]

CORPUS is Parquet files or folders of them (units, or functions cut out of them); labels are
what ``irsmith label`` makes of the same corpus. DATA/STAGE/train and DATA/STAGE/validation
then hold the documents of every module of those splits, both targets; packages of the test
split and of the never-train list are never read. DATA/tokenizer.json is the shipped
tokenizer, and DATA/portfolio-TARGET.json the lists that a model ranks: both go into the
release.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from irsmith.model.slots import portfolio_name
from irsmith.model.tokenizer import shipped_tokenizer
from irsmith.parallel.progress import meter
from irsmith.records import IrsmithError
from irsmith.tasks.vocabulary import PORTFOLIO
from irsmith.toolchain.cache import write_beside
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain
from irsmith.train.pack import PackPlan, pack_stage
from irsmith.train.recipes import STAGES


def prepare(data: Path, labels: Sequence[Path]) -> None:
    """Put the tokenizer and the portfolios into a data folder.

    Args:
        data: made if missing.
        labels: folders; the portfolios that tune labels suggest are those that a model is
            taught to rank, so a target without such labels has none.
    """
    data.mkdir(parents=True, exist_ok=True)
    shipped = resources.files("irsmith.model").joinpath("data/tokenizer.json").read_bytes()
    write_beside(data / "tokenizer.json", shipped)
    for triple in DEFAULT_TARGETS.values():
        name = portfolio_name(triple)
        found = [folder / name for folder in labels if (folder / name).exists()]
        if not found:
            continue
        entries = json.loads(found[0].read_text())["candidates"]
        kept = {"target": triple, "candidates": entries[: len(PORTFOLIO)]}
        write_beside(data / name, (json.dumps(kept, indent=1) + "\n").encode())


def main() -> int:
    """Pack what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, nargs="+", help="Parquet files, or folders of them")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="label folders")
    parser.add_argument("--stages", nargs="*", choices=list(STAGES), default=["pretrain"])
    parser.add_argument("--levels", nargs="*", default=["Oz"])
    parser.add_argument(
        "--pretrained", type=float, default=1.0, help="share of the modules for pretraining"
    )
    parser.add_argument(
        "--rank-only", action="store_true", help="of tune labels, only rankings of the portfolio"
    )
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    plan = PackPlan(
        tuple(arguments.corpus),
        tuple(arguments.labels),
        tuple(arguments.levels),
        arguments.pretrained,
        not arguments.rank_only,
    )
    try:
        prepare(arguments.output, plan.labels)
        for stage in arguments.stages:
            counts = pack_stage(
                find_toolchain(),
                shipped_tokenizer(),
                stage,
                plan,
                arguments.output,
                arguments.jobs,
                meter,
            )
            for split, count in counts.items():
                print(stage, split, dict(count), file=sys.stderr)
    except IrsmithError as error:
        print(f"pack: {error}", file=sys.stderr)
        return 2
    print(arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
