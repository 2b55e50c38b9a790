"""Assembly of one function to modules of IR that may be it, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator

from irsmith.lift.flow import Facts, Guess, Held, facts_of
from irsmith.lift.graph import graph, joined
from irsmith.lift.module import Shape, module
from irsmith.lift.rules import Convention, Rules


def lifted(assembly: str, rules: Rules) -> Iterator[str]:
    """Modules that do what a function's instructions do.

    Args:
        assembly: normalised, of one function.
        rules: of its target.

    Yields:
        Textual IR, unoptimised; no two are the same.

    Raises:
        UnliftableError: something in it is not known.
    """
    code = rules.parse(assembly)
    seen: set[str] = set()
    plain, heads = graph(code, rules), graph(code, rules)
    ways = [heads, plain] if joined(heads, rules) else [plain]
    for guess, straight in ((Guess(), 0), (Guess(generous=True), 0), (Guess(), 1), (Guess(), 2000)):
        for blocks in ways:
            branches = any(block.ends == "branch" for block in blocks)
            if straight and not branches:
                continue
            facts = facts_of(blocks, rules, guess)
            for result in _results(facts, rules.convention):
                text = module(code, blocks, rules, facts, Shape(result, straight))
                if text not in seen:
                    seen.add(text)
                    yield text


def _results(facts: Facts, convention: Convention) -> list[str]:
    """Types that the function may give back, the likeliest first."""
    if not facts.ends:
        return ["void"]
    first, second = convention.results
    number = [end.get(first, Held()) for end in facts.ends]
    vector = [end.get(convention.floating, Held()) for end in facts.ends]
    made = []
    known = ("fresh", "used", "given")
    if all(one.kind in known for one in number):
        widths = [one.width for one in number if isinstance(one.width, int) and one.width]
        bits = min(widths) if widths else 64
        made.append("ptr" if bits == 64 and facts.address else f"i{bits}")
    if all(one.kind in known for one in vector) and not all(one.kind == "given" for one in vector):
        types = [one.width for one in vector if isinstance(one.width, str)]
        made.append(types[0] if types else facts.scalar)
    given = all(one.kind == "given" for one in number)
    if first in facts.pops or (given and not facts.pops):
        made.insert(0, "void")
    else:
        made.append("void")
    if all(end.get(second, Held()).kind in ("fresh", "given") for end in facts.ends):
        made.append("{ i64, i64 }")
    return made
