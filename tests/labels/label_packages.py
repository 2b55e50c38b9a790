"""Packages of every kind: of each split, and one that is never learnt from."""

from irsmith.corpus.split import never_train, split_of


def named(split, never=False):
    """A package of a split; one that is never learnt from if asked for."""
    stem = "sox" if never else "package"
    names = (f"{stem}{number}" for number in range(99))
    return next(n for n in names if split_of(n) == split and never_train(n) == never)
