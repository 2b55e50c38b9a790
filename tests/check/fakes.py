"""Stand-ins that tests of this folder share."""

from __future__ import annotations

from pathlib import Path

FAKE_CSMITH = """#!/bin/sh
echo leftover > platform.info
case "$1" in
--version) echo "csmith 9.9"; echo "Git version: none"; exit;;
esac
[ "$2" = 3 ] && exit 1
[ "$2" = 4 ] && { echo cut off; exit; }
echo run >> "$0.runs"
echo "/*"
echo " * Options:   $*"
echo " */"
echo "#include \\"csmith.h\\""
echo "int main(void) { return $2; }"
"""


def make_csmith(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "include/csmith-9").mkdir(parents=True)
    (folder / "include/csmith-9/csmith.h").write_text("/* runtime */\n")
    csmith = folder / "bin/csmith"
    csmith.write_text(FAKE_CSMITH)
    csmith.chmod(0o755)
    return csmith
