"""The nano model on a CPU: every stage in order, as the weights in this repository were trained.

    irsmith corpus functions SEED -o F
    irsmith label disassemble F -o L/disassemble --per-module 2 --modules 0.07 --longest 5000
    irsmith label emulate F -o L/emulate --per-module 2 --modules 0.04 --longest 6000
    irsmith label tune F -o L/tune --modules 0.09 --searched 0 --largest 900 --check list
    python recipes/pack.py F --labels L/disassemble L/emulate --output DATA --pretrained 0.05 \
        --stages pretrain emulate disassemble
    python recipes/pack.py F --labels L/tune --rank-only --output DATA --stages tune
    irsmith train recipes/nano.py:pretrain --data DATA --out RUN/pretrain
    irsmith train recipes/nano.py:emulate --data DATA --out RUN/emulate \
        --set start=RUN/pretrain/release
    … and so on: disassemble, tune, each from the release of the one before. Then, with more
    short functions read back (label disassemble F --per-module 2 --modules 0.4 --longest 1500),
    pretrain again for 150 steps, reading, together; and with functions of 120 more packages
    (their x86-64 rows of -Oz, -Os, -O1 and -O2), reading_again, together for 36 steps.

    A portfolio of new lists needs no training: recipes/rank_slots.py.

One core feeds three to four million tokens an hour, so every token must count: prompts are
learned as well as answers (they are programs like any other), and of tuning only the ranking
of the portfolio is learned, which takes one prompt and no decoding. Half of all tokens go to
reading short functions back: names and well-formedness of the answers are told by rules
(irsmith/infer/names.py, wellformed.py), so that what is to be learned is the instructions. The
last stage has the wide window again that large functions need.
"""

from dataclasses import replace

from irsmith.train.config import Source, TrainConfig
from irsmith.train.recipes import REPLAY


def pretrain() -> TrainConfig:
    """IR and assembly of functions."""
    return TrainConfig(
        stage="pretrain",
        size="nano",
        sources=(Source("pretrain"),),
        context=1024,
        batch=8,
        micro=4,
        steps=220,
        warmup=15,
        rate=4e-3,
        compile="yes",
        loss_chunk=2048,
        prompts=True,
        validate_every=100,
        validation_sequences=32,
        checkpoint_every=50,
    )


def emulate() -> TrainConfig:
    """What pass lists do to functions."""
    return _later("emulate", ("pretrain",), 50)


def disassemble() -> TrainConfig:
    """Assembly back to IR."""
    return _later("disassemble", ("pretrain", "emulate"), 150)


def tune() -> TrainConfig:
    """The order of the portfolio for a function."""
    last = _later("tune", ("pretrain", "emulate", "disassemble"), 500)
    # A prompt of some hundred tokens has one order to learn: it counts as half of them.
    return replace(last, context=2048, batch=4, micro=2, ranking=256, checkpoint_every=100, keep=9)


def reading() -> TrainConfig:
    """Short functions back to IR, for as long as the rest together."""
    return replace(
        _later("disassemble", ("pretrain", "tune", "emulate"), 920),
        sources=(
            Source("disassemble", 0.7),
            Source("tune", 0.12),
            Source("pretrain", 0.1),
            Source("emulate", 0.08),
        ),
        context=512,
        batch=16,
        micro=8,
        ranking=256,
        decay=0.4,
        validate_every=250,
    )


def reading_again() -> TrainConfig:
    """More of the same from more packages."""
    return replace(
        reading(),
        sources=(
            Source("disassemble", 0.8),
            Source("tune", 0.08),
            Source("emulate", 0.07),
            Source("pretrain", 0.05),
        ),
        steps=560,
        validate_every=320,
    )


def emulating() -> TrainConfig:
    """What pass lists do to short functions, answers alone: tried, not shipped (docs/log.md)."""
    return replace(
        reading(),
        stage="emulate",
        sources=(
            Source("emulate", 0.8),
            Source("disassemble", 0.1),
            Source("tune", 0.05),
            Source("pretrain", 0.05),
        ),
        prompts=False,
        compile="no",
        steps=270,
        warmup=10,
        rate=2e-3,
        loss_chunk=0,
        validate_every=90,
    )


def together() -> TrainConfig:
    """All tasks once more in a window of 2,048 tokens."""
    return replace(
        tune(),
        sources=(
            Source("disassemble", 0.55),
            Source("tune", 0.3),
            Source("emulate", 0.1),
            Source("pretrain", 0.05),
        ),
        steps=48,
        rate=8e-4,
        warmup=3,
        decay=0.9,
        validate_every=48,
        checkpoint_every=24,
    )


def _later(stage: str, earlier: tuple[str, ...], steps: int) -> TrainConfig:
    replayed = tuple(Source(name, REPLAY / len(earlier)) for name in earlier)
    return replace(
        pretrain(),
        stage=stage,
        sources=(Source(stage, 1 - REPLAY), *replayed),
        steps=steps,
        rate=2.5e-3,
        decay=0.5,
    )
