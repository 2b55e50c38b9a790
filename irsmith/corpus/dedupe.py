"""Duplicates among normalised texts: equal but for names, or nearly so.

Exact: :func:`exact_key` hashes the text with everything that the module defines renamed in
the order of its use; names of what it calls stay, since they carry meaning. Headers are
no part of a text, so compare rows of one target with each other.

Near: MinHash (Broder 1997, "On the resemblance and containment of documents") over runs of
three lines with value numbers blanked. Two texts are near when at least
:data:`THRESHOLD` of their runs are the same, as estimated from :data:`PERMUTATIONS`
hashes of 8 bits (standard error 0.04). Candidates share one of 20 bands of 6 hashes: of
pairs at the threshold 99.7 % are candidates. All pairs of a band are compared, so whether two
rows are near never depends on the other rows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from irsmith.records import IrsmithError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

THRESHOLD = 0.8
"""Share of equal runs of lines from which two texts are near-duplicates."""
PERMUTATIONS, _ROWS, _SEED = 120, 6, 1
_RUN = 3
_CHUNK = 1 << 18
_RANKS = {"train": 0, "validation": 1, "test": 2}
_TOKEN = re.compile(r'[@%$]"[^"]*"|"[^"]*"|[@%$][A-Za-z._$-][\w.$-]*|@\d+')
_DEFINED = re.compile(r'define [^@"]*(?:"[^"]*"[^@"]*)*(@(?:"[^"]*"|[\w.$-]+))\(')
_VARIABLE = re.compile(r'(@(?:"[^"]*"|[\w.$-]+)) = (?!external |extern_weak )')
_WHERE = re.compile(r"\b(?:dso_local|hidden|internal|private|linkonce_odr|weak_odr) ")
_NUMBER = re.compile(r"%\d+|@<\d+>")


def renamed(text: str) -> str:
    """A normalised text with names of what it defines, types and comdats numbered by first use.

    Variables and types follow in the order of their numbers; linkage and visibility
    are dropped. Equal code under other names gives equal text, which is for comparing
    only: it is not IR.
    """
    types: dict[str, str] = {}
    variables: dict[str, str] = {}
    own: set[str] = set()
    code: list[str] = []
    for line in text.splitlines():
        if line.startswith("%") and " = type " in line:
            name, _, body = line.partition(" = ")
            types[name] = body
        elif match := _VARIABLE.match(line):
            variables[match[1]] = line[match.end() :]
        elif not line.startswith(("declare ", "@", "$")):
            match = _DEFINED.match(line)
            if match:
                own.add(match[1])
            code.append(line)
    own |= variables.keys()
    numbers: dict[str, str] = {}
    pending: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[0]
        if name not in own and name not in types and not name.startswith("$"):
            return name
        if name not in numbers:
            numbers[name] = f"{name[0]}<{len(numbers)}>"
            pending.append(name)
        return numbers[name]

    lines = [_WHERE.sub("", _TOKEN.sub(number, line)) for line in code]
    done = 0
    bodies = types | variables
    # First what the code uses, in that order; then what only lies there.
    for unused in (None, *variables):
        if unused is not None and unused not in numbers:
            numbers[unused] = f"@<{len(numbers)}>"
            pending.append(unused)
        while done < len(pending):
            name = pending[done]
            done += 1
            if name in bodies:
                body = _WHERE.sub("", _TOKEN.sub(number, bodies[name]))
                lines.append(f"{numbers[name]} = {body}")
    return "\n".join(lines)


def exact_key(text: str) -> str:
    """32 hexadecimal digits, equal for normalised texts that are equal but for own names."""
    return key_of(renamed(text))


def key_of(plain: str) -> str:
    """The exact key of a text that is already :func:`renamed`."""
    return hashlib.blake2b(plain.encode(), digest_size=16).hexdigest()


def signature(text: str) -> bytes:
    """The MinHash signature of a normalised text, :data:`PERMUTATIONS` bytes.

    Raises:
        IrsmithError: rensa is not installed.
    """
    return signature_of(renamed(text))


def signature_of(plain: str) -> bytes:
    """The signature of a text that is already :func:`renamed`."""
    try:
        from rensa import RMinHash
    except ImportError as error:
        raise IrsmithError(
            "finding near-duplicates needs rensa: pip install 'irsmith[data]'"
        ) from error
    hashes = RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
    hashes.update(_runs(plain))
    # The lowest byte of each hash is enough: two others agree in it once in 256.
    return bytes(value & 255 for value in hashes.digest())


def _runs(plain: str) -> list[str]:
    lines = [
        line for line in _NUMBER.sub("%", plain).splitlines() if not line.rstrip(":").isdigit()
    ]
    count = max(1, len(lines) - _RUN + 1)
    return ["\n".join(lines[k : k + _RUN]) for k in range(count)]


def near_pairs(signatures: Sequence[bytes], threshold: float = THRESHOLD) -> Array:
    """All pairs of distinct rows that are near-duplicates.

    Args:
        signatures: one a row, from :func:`signature`.
        threshold: least estimated share of equal runs.

    Returns:
        Pairs of row numbers, shape ``(n, 2)``, the lower first, sorted. Rows with equal
        signatures are paired with the first of them only.
    """
    import numpy as np

    rows = np.frombuffer(b"".join(signatures), np.uint8).reshape(-1, PERMUTATIONS)
    first, groups = _equal_rows(rows)
    distinct = rows[first]
    need = int(np.ceil(threshold * PERMUTATIONS))
    found = [np.empty(0, np.int64)]
    for start in range(0, PERMUTATIONS, _ROWS):
        for low, high in _bucket_pairs(distinct[:, start : start + _ROWS]):
            near = (distinct[low] == distinct[high]).sum(axis=1) >= need
            found.append(low[near] * len(distinct) + high[near])
    codes = np.unique(np.concatenate(found))
    across = np.stack([first[codes // len(distinct)], first[codes % len(distinct)]], axis=1)
    every = np.arange(len(rows))
    same = np.stack([first[groups], every], axis=1)[first[groups] != every]
    pairs = np.sort(np.concatenate([across, same]), axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _equal_rows(rows: Array) -> tuple[Array, Array]:
    """First row of each distinct content, and for each row which content it has."""
    import numpy as np

    keys = np.ascontiguousarray(rows).view(f"V{rows.shape[1]}").ravel()
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    return first, groups


def _bucket_pairs(band: Array) -> Iterator[tuple[Array, Array]]:
    """All pairs of rows with equal content, in chunks, the lower first."""
    import numpy as np

    _, groups = _equal_rows(band)
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    # For the k-th row of a bucket of n: it is paired with the n - k - 1 rows behind it.
    ends = np.repeat(np.cumsum(sizes), sizes)
    behind = ends - np.arange(len(order)) - 1
    begin = 0
    total = np.cumsum(behind)
    while begin < len(order):
        before = total[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, before + _CHUNK, side="right")))
        counts = behind[begin:end]
        left = np.repeat(np.arange(begin, end), counts)
        steps = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
        if len(left):
            yield order[left], order[left + 1 + steps]
        begin = end


def representatives(count: int, pairs: Array) -> list[int]:
    """For each row the row that stands for it: the first that is kept and near it.

    Rows are taken in order; one that is near a row already kept is dropped for it, so
    that no two kept rows are near (short of equal signatures' pairs, which go through
    their first).

    Args:
        count: rows in all.
        pairs: from :func:`near_pairs`.
    """
    stands = list(range(count))
    for low, high in pairs.tolist():
        if stands[low] == low and stands[high] == high:
            stands[high] = low
    return stands


def cross_split(
    splits: Sequence[str],
    keys: Sequence[str],
    signatures: Sequence[bytes],
    threshold: float = THRESHOLD,
) -> dict[int, int]:
    """Rows that must leave because a split that is measured on holds the same or nearly so.

    A row of ``train`` leaves for one of ``validation`` or ``test``, a row of
    ``validation`` for one of ``test``.

    Args:
        splits: of each row.
        keys: exact keys.
        signatures: MinHash signatures.
        threshold: see :func:`near_pairs`.

    Returns:
        For each row that leaves, a row that it resembles.
    """
    ranks = [_RANKS[split] for split in splits]
    leaves: dict[int, int] = {}
    # What rows stand under one key or signature, highest split first.
    best: dict[str | bytes, int] = {}
    for row, rank in enumerate(ranks):
        for label in (keys[row], signatures[row]):
            if label not in best or rank > ranks[best[label]]:
                best[label] = row
    for row, rank in enumerate(ranks):
        for label in (keys[row], signatures[row]):
            if ranks[best[label]] > rank:
                leaves.setdefault(row, best[label])
    near: dict[bytes, int] = {}
    for low, high in near_pairs(signatures, threshold).tolist():
        for one, other in ((low, high), (high, low)):
            label, top = signatures[one], best[signatures[other]]
            if label not in near or ranks[top] > ranks[near[label]]:
                near[label] = top
    for row, rank in enumerate(ranks):
        top = near.get(signatures[row], row)
        if ranks[top] > rank:
            leaves.setdefault(row, top)
    return leaves
