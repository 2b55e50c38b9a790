"""Which licence a source file has, and what says so.

The nearest word counts: the file's own SPDX line, then Debian's machine-readable
``debian/copyright`` (DEP-5) for that file, then the notice at the top of the file, then
the text of ``debian/copyright`` or of a licence file. What none of them tells stays
``unknown``: it is never guessed.
"""

from __future__ import annotations

import logging
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irsmith.corpus.rows import UNKNOWN
from irsmith.records import IrsmithError

_HEAD = 6_000
_LICENCE_FILES = ("COPYING*", "LICENSE*", "LICENCE*", "COPYRIGHT*", "License*", "UNLICENSE*")
_SPDX_LINE = re.compile(r"SPDX-License-Identifier:\s*([^\n*]+?)\s*(?:\*/|-->|\n|$)")

_SPDX = {
    **{"expat": "MIT", "mit": "MIT", "mit/x11": "MIT", "zlib": "Zlib", "isc": "ISC"},
    **{"zlib/libpng": "Zlib", "apache-2.0": "Apache-2.0", "apache-2": "Apache-2.0"},
    **{"bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause", "bsl-1.0": "BSL-1.0"},
    **{"bsd-4-clause": "BSD-4-Clause", "artistic": "Artistic-1.0-Perl", "cc0": "CC0-1.0"},
    **{"cc0-1.0": "CC0-1.0", "mpl-2.0": "MPL-2.0", "mpl-1.1": "MPL-1.1", "psf-2": "PSF-2.0"},
    **{"fsfap": "FSFAP", "fsful": "FSFUL", "fsfullr": "FSFULLR", "unlicense": "Unlicense"},
    **{"bsd-2-clauses": "BSD-2-Clause", "bsd-3-clauses": "BSD-3-Clause", "wtfpl": "WTFPL"},
}
"""Debian's short names of licences that are spelt otherwise in SPDX; GNU's are below."""

_GNU = re.compile(r"(a?l?gpl|gfdl)-v?(\d)(?:\.(\d))?(\+?)(?: or later)?$", re.IGNORECASE)

_NOTICES = (
    (r"(?:lesser|library) general public license", "LGPL"),
    (r"affero general public license", "AGPL"),
    (r"gnu general public license|common-licenses/gpl", "GPL"),
    (r"permission is hereby granted, free of charge", "MIT"),
    (r"permission to use, copy, modify, and(?:/or)? distribute", "ISC"),
    (r"redistribution and use in source and binary forms", "BSD"),
    (r"apache license,? version 2\.0|licenses/license-2\.0", "Apache-2.0"),
    (r"altered source versions must be plainly marked", "Zlib"),
    (r"mozilla public license,? v(?:ersion|\.) ?2\.0", "MPL-2.0"),
    (r"boost software license", "BSL-1.0"),
    (r"(?:in|into|to) the public domain|public domain\.", "public-domain"),
    (r"free and unencumbered software", "Unlicense"),
)
_VERSION = re.compile(r"version (\d)(?:\.(\d))?|gpl-(\d)(?:\.(\d))?")
_LATER = re.compile(r"any later version|or later|or \(at your option\)")


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence and its source.

    Attributes:
        expression: SPDX where the names are known; ``unknown``.
        source: what kind of text said so.
        files: the files that say so, a line each.
    """

    expression: str
    source: str = ""
    files: str = ""


def spdx(expression: str) -> str:
    """Debian's words for licences in SPDX's spelling; names that are not known stay."""
    parts = re.split(r"(\s+(?:and/or|and|or|with)\s+|,\s+|[()])", expression, flags=re.IGNORECASE)
    words = []
    for part in parts:
        bare = part.strip()
        if bare.lower() in ("and/or", "and", "or", "with", ","):
            words.append(" " + {"and/or": "OR", ",": "AND"}.get(bare.lower(), bare.upper()) + " ")
        else:
            words.append(_one(bare))
    return " ".join("".join(words).split())


def _one(name: str) -> str:
    gnu = _GNU.match(name)
    if gnu:
        family, major, minor, later = gnu.groups()
        return f"{family.upper()}-{major}.{minor or 0}-{'or-later' if later else 'only'}"
    return _SPDX.get(name.lower(), name)


def notices(text: str) -> list[str]:
    """Licences whose well-known sentences stand in a text, in the order of our table."""
    flat = re.sub(r"[\s*#/;]+", " ", text).lower()
    found: list[str] = []
    for pattern, name in _NOTICES:
        at = re.search(pattern, flat)
        if not at:
            continue
        if name in ("GPL", "LGPL", "AGPL"):
            near = flat[max(0, at.start() - 300) : at.end() + 400]
            version = _VERSION.search(near, 0)
            if not version:
                continue
            major, minor = (
                (version.group(1) or version.group(3)),
                (version.group(2) or version.group(4) or "0"),
            )
            later = "or-later" if _LATER.search(near) else "only"
            name = f"{name}-{major}.{minor}-{later}"
        elif name == "BSD":
            clauses = 3 if re.search(r"name of|names of", flat[at.start() :]) else 2
            clauses = 4 if "advertising materials" in flat else clauses
            name = f"BSD-{clauses}-Clause"
        if not (name.startswith("GPL") and any(f.startswith(("LGPL", "AGPL")) for f in found)):
            found.append(name)
    return found


class Licences:
    """Looks up the licence of files of one source tree.

    Args:
        root: of the tree.
        stated: the licence that the person names for all of it, if any.
    """

    def __init__(self, root: Path, stated: str = "") -> None:
        self.root, self.stated = root, stated
        self._debian = _machine_readable(root / "debian" / "copyright")
        self._rest = self._of_tree()

    def of(self, file: str) -> Licence:
        """The licence of a file.

        Args:
            file: its path from the root.
        """
        if self.stated:
            return Licence(self.stated, "stated", "")
        head = _text(self.root / file)[:_HEAD]
        line = _SPDX_LINE.search(head)
        if line:
            return Licence(line.group(1), "file header", file)
        if self._debian is not None:
            paragraph = self._debian.find_files_paragraph(file)
            synopsis = paragraph.license.synopsis if paragraph and paragraph.license else ""
            if synopsis:
                return Licence(spdx(synopsis), "debian/copyright", "debian/copyright")
        found = notices(head)
        if found:
            return Licence(" AND ".join(found), "file header", file)
        return self._rest

    def _of_tree(self) -> Licence:
        names = ["debian/copyright"]
        for pattern in _LICENCE_FILES:
            names += sorted(path.name for path in self.root.glob(pattern) if path.is_file())
        for name in names:
            found = notices(_text(self.root / name))
            if found:
                return Licence(" AND ".join(found), "licence text", name)
        return Licence(UNKNOWN)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _machine_readable(path: Path) -> Any:
    """Debian's copyright file if it is in the machine-readable form, else None."""
    text = _text(path)
    if not re.match(r"\s*Format(?:-Specification)?:", text, re.IGNORECASE):
        return None
    try:
        from debian.copyright import Copyright
        from debian.copyright import Error as FormatError
    except ImportError as error:
        raise IrsmithError(
            "reading debian/copyright needs python-debian: pip install 'irsmith[data]'"
        ) from error
    logging.getLogger("debian.copyright").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Copyright(text.splitlines(keepends=True), strict=False)
        except (FormatError, ValueError, TypeError, KeyError):
            return None
