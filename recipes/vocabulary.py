"""Gives what has no special token yet one of the spares.

Reads ``irsmith/tasks/data/vocabulary.txt`` and writes it back: passes that search may use or
that still wait to be vetted, each with the parameters with which it occurs in search, in
LLVM's pipelines and in the portfolios; the words of their parameters; code generation
options. Everything that is there keeps its place, so old weights stay good. Where the file is
missing, all of it is laid out anew.

    python recipes/vocabulary.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path

from irsmith.passlist import Element, PassList
from irsmith.search.portfolio import load_portfolio
from irsmith.search.space import flag_params, nested
from irsmith.tasks import vocabulary
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.codegen import OPTIONS
from irsmith.toolchain.passes import Pass, load_passes

FILE = Path(vocabulary.__file__).parent / "data" / "vocabulary.txt"
SPARES = 64
LEVELS = tuple(f"O{level}" for level in (0, 1, 2, 3, "s", "z"))
ADAPTORS = (
    *("module", "cgscc", "function", "loop", "loop-mssa", "devirt<4>", "coro-cond"),
    *("function<eager-inv>", "function<eager-inv;no-rerun>", "function<no-rerun>"),
)
ANALYSES = ("require", "invalidate")
FLAGS = (
    *("wchar_size=4@1", "PIC Level=2@8", "PIC Level=1@8", "PIE Level=2@7", "PIE Level=1@7"),
    *("uwtable=1@7", "uwtable=2@7", "frame-pointer=1@7", "frame-pointer=2@7"),
    *("frame-pointer=4@7", "openmp=51@7", "Code Model=1@1", "NumRegisterParameters=0@1"),
)


def fixed() -> Iterator[str]:
    """The tokens that the tasks name, in the file's order."""
    words = [vocabulary.END, vocabulary.PAD, vocabulary.ANSWER, *vocabulary.TASKS.values()]
    words += [*vocabulary.TARGETS.values(), *vocabulary.LEVELS.values()]
    words += [*vocabulary.OBJECTIVES.values(), vocabulary.IR, vocabulary.ASM, vocabulary.PASSES]
    words += [vocabulary.BEFORE, vocabulary.AFTER, *vocabulary.SIZE_FIELDS.values()]
    words += [*vocabulary.DIGITS, *vocabulary.PORTFOLIO, vocabulary.HEADER]
    yield from (word[2:-2] for word in words)
    yield from (f"triple:{triple}" for triple in sorted(DEFAULT_TARGETS.values(), reverse=True))
    yield from ("attributes:Oz", "attributes:Os", "unwind:uwtable", "unwind:uwtable(sync)")
    yield from (f"flag:{flag}" for flag in FLAGS)
    yield "spell"
    kinds = ("pass", "open", "codegen", "triple", "attributes", "unwind", "flag")
    yield from (f"spelled:{kind}" for kind in kinds)
    yield from (f"half:{half:x}" for half in range(16))
    yield from (f"piece:{mark}" for mark in ("<", ">", ";", "="))
    yield "close"
    yield from (f"open:{adaptor}" for adaptor in ADAPTORS)


def occurring() -> Iterator[str]:
    """Tokens of the passes, parameters and options that there are now."""
    passes = [known for known in load_passes().values() if wanted(known)]
    texts = list(recorded())
    heads = {f"default<{level}>" for level in LEVELS}
    for known in passes:
        if not known.params_required:
            texts += [nested(known), *(nested(known, params) for params in flag_params(known))]
            heads.add(known.name)
    for text in texts:
        heads |= set(leaf_heads(PassList.parse(text).elements))
    yield from (f"pass:{head}" for head in sorted(heads))
    words = {f"{name}<" for name in ANALYSES}
    for known in passes:
        if known.params:
            words.add(known.name)
        for param in known.params:
            word, equals, _ = param.partition("=")
            words.add(word + equals)
    yield from (f"piece:{word}" for word in sorted(words))
    yield from (f"codegen:{option.text}" for option in OPTIONS)


def wanted(known: Pass) -> bool:
    """Whether a model may be taught the pass."""
    return bool(known.levels) and known.levels[0] != "machine" and known.tier != "excluded"


def recorded() -> Iterator[str]:
    """The pipelines of clang's levels and of the shipped portfolios."""
    file = resources.files("irsmith.toolchain").joinpath("data/pipelines.json")
    for version in json.loads(file.read_text()).values():
        for target in version.values():
            yield from target.values()
    for triple in DEFAULT_TARGETS.values():
        yield from (candidate.passes for candidate in load_portfolio(triple).candidates)


def leaf_heads(elements: Iterable[Element]) -> Iterator[str]:
    """Every pass in a list, with its parameters."""
    for element in elements:
        if element.children:
            yield from leaf_heads(element.children)
        else:
            yield element.head


def grown(old: list[str], wanted_now: Iterable[str]) -> list[str]:
    """The old names, with spares given to what is new.

    Raises:
        SystemExit: there are not enough spares.
    """
    names = list(old)
    spares = [at for at, name in enumerate(names) if name.startswith(f"{vocabulary.SPARE}:")]
    new = [name for name in wanted_now if name not in names]
    if len(new) > len(spares):
        sys.exit(f"{len(new)} new tokens, but {len(spares)} spares: {' '.join(new)}")
    for at, name in zip(spares, new, strict=False):
        names[at] = name
        print(f"{name} takes the place of spare {at}")
    return names


def main() -> None:
    """Write the file."""
    if FILE.exists():
        names = grown([token[2:-2] for token in vocabulary.special_tokens()], occurring())
    else:
        names = list(dict.fromkeys([*fixed(), *occurring()]))
        names += [f"{vocabulary.SPARE}:{number}" for number in range(SPARES)]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(
        "# Names of the special tokens by id: see vocabulary.py.\n" + "\n".join(names) + "\n"
    )
    print(f"{len(names)} special tokens in {FILE}")


if __name__ == "__main__":
    main()
