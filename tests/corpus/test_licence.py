"""The nearest word about a file's licence counts, and nothing is guessed."""

import textwrap

import pytest

from irsmith.corpus.licence import Licence, Licences, notices, spdx

GPL = (
    "This program is free software; you can redistribute it and/or modify it under the terms of"
    " the GNU General Public License as published by the Free Software Foundation; either"
    " version 2 of the License, or (at your option) any later version."
)
BSD = "Redistribution and use in source and binary forms, with or without modification"
MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPL-2+", "GPL-2.0-or-later"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("Expat", "MIT"),
        ("Expat or GPL-3+ and BSD-3-clause", "MIT OR GPL-3.0-or-later AND BSD-3-Clause"),
        ("GPL-2+ with Autoconf exception", "GPL-2.0-or-later WITH Autoconf exception"),
        ("SomethingElse", "SomethingElse"),
    ],
)
def test_debians_words_become_spdx(text, expected):
    assert spdx(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GPL, ["GPL-2.0-or-later"]),
        (GPL.replace("General", "Lesser General").replace("version 2 ", "version 2.1 "),
         ["LGPL-2.1-or-later"]),
        (GPL.replace("; either version 2 of the License, or (at your option) any later version",
                     "; version 2"), ["GPL-2.0-only"]),
        (MIT, ["MIT"]),
        (BSD, ["BSD-2-Clause"]),
        (BSD + " Neither the name of the copyright holder", ["BSD-3-Clause"]),
        ("This software is placed in the public domain.", ["public-domain"]),
        ("All rights reserved.", []),
        ("", []),
    ],
)  # fmt: skip
def test_notices_are_known_by_their_sentences(text, expected):
    wrapped = "/*\n" + "\n".join(f" * {line}" for line in textwrap.wrap(text, 60)) + "\n */"
    assert notices(text) == notices(wrapped) == expected


def test_the_nearest_word_counts(tmp_path):
    pytest.importorskip("debian")
    (tmp_path / "a.c").write_text("/* SPDX-License-Identifier: ISC */\n")
    (tmp_path / "b.c").write_text(f"/* {MIT} */\n")
    (tmp_path / "c.c").write_text("int x;\n")
    assert Licences(tmp_path).of("c.c") == Licence("unknown")
    (tmp_path / "COPYING").write_text(GPL)
    assert Licences(tmp_path).of("c.c") == Licence("GPL-2.0-or-later", "licence text", "COPYING")
    assert Licences(tmp_path).of("b.c").expression == "MIT"
    assert Licences(tmp_path).of("a.c") == Licence("ISC", "file header", "a.c")
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "copyright").write_text(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: x\nLicense: Zlib\n\nFiles: b.c\nCopyright: y\nLicense: Apache-2.0\n"
    )
    licences = Licences(tmp_path)
    assert [licences.of(name).expression for name in ("a.c", "b.c", "c.c")] == [
        "ISC", "Apache-2.0", "Zlib",
    ]  # fmt: skip
    assert Licences(tmp_path, "CC0-1.0").of("a.c").expression == "CC0-1.0"
    (tmp_path / "debian" / "copyright").write_text("Format: x\n\nnonsense without a colon\n\n\n")
    assert Licences(tmp_path).of("a.c").expression == "ISC"
