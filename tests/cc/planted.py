"""A small program whose units shrink, with a Makefile, for tests of whole builds."""

import subprocess
import sys
from pathlib import Path

from irsmith.cc.engine import Engine
from irsmith.toolchain import elf
from irsmith.toolchain.clang import to_bitcode
from irsmith.toolchain.find import find_toolchain

TRIPLE = "x86_64-unknown-linux-gnu"
UNIT = """
unsigned hash%(n)d(const unsigned char *p, unsigned n, unsigned *out) {
    unsigned h = 5381, k = %(n)d;
    for (unsigned i = 0; i < n; i++) {
        if (p[i] == '/') { i++; continue; }
        if (p[i] >= 'A' && p[i] <= 'Z') h = h * 33 + p[i] + 32; else h = h * 33 + p[i];
        if ((h & 63) == 0) out[k++] = i;
        switch (p[i] & 7) { case 0: h ^= k; break; case 1: h += i; break; case 2: h -= k; break;
                            case 5: out[k] = h; break; }
    }
    return h ^ k;
}
"""
MAIN = """
#include <stdio.h>
#include "all.h"
int main(void) {
    unsigned out[99] = {0}, all = 0;
    const unsigned char *text = (const unsigned char *)"The quick brown FOX/jumps";
    all += hash1(text, 25, out); all += hash2(text, 25, out);
    all += hash3(text, 25, out); all += hash4(text, 25, out);
    printf("%u\\n", all);
    return 0;
}
"""
MAKEFILE = """CFLAGS = -O2
prog: main.o a1.o a2.o sub/a3.o libx.a
\t$(CC) -o $@ $^
libx.a: a4.o
\tar rcs $@ $^
%.o: %.c all.h
\t$(CC) $(CFLAGS) -I. -c -o $@ $<
# As some builds do.
a2.o: a2.c all.h
\t$(CC) $(CFLAGS) -I. -c -o tmp.o $< && mv tmp.o $@
main.o: CFLAGS = -O0
clean:
\trm -f *.o sub/*.o libx.a prog
"""


def make_project(folder: Path) -> Path:
    """Write the program; ``make CC=...`` builds ``prog``."""
    (folder / "sub").mkdir(parents=True)
    for number in (1, 2, 3, 4):
        place = "sub/a3.c" if number == 3 else f"a{number}.c"
        (folder / place).write_text(UNIT % {"n": number})
    names = [f"unsigned hash{n}(const unsigned char *, unsigned, unsigned *);" for n in range(1, 5)]
    (folder / "all.h").write_text("\n".join(names) + "\n")
    (folder / "main.c").write_text(MAIN)
    (folder / "Makefile").write_text(MAKEFILE)
    return folder


def oz_size(number: int) -> int:
    """Bytes of a unit's function under clang's own -Oz."""
    toolchain = find_toolchain()
    source = (UNIT % {"n": number}).encode()
    bitcode = to_bitcode(toolchain, source, "c", TRIPLE, ["-fPIE", "-fcf-protection=none"])
    with Engine(toolchain, TRIPLE) as engine:
        made = engine.compile(bitcode, engine.baseline, [])
    return elf.function_sizes(made)[f"hash{number}"]


def picky_test(folder: Path, least: dict[int, int]) -> str:
    """A command that fails if a function of ``prog`` has fewer bytes than it may have."""
    lines = [
        "import sys",
        "from pathlib import Path",
        "from irsmith.toolchain.elf import function_sizes",
        "sizes = function_sizes(Path('prog').read_bytes())",
        f"bad = [n for n, least in {least!r}.items() if sizes[f'hash{{n}}'] < least]",
        "sys.exit(1 if bad else 0)",
    ]
    (folder / "picky.py").write_text("\n".join(lines) + "\n")
    return f"{sys.executable} picky.py && ./prog"


def irsmith(folder: Path, *words: str, env=None, timeout=240):
    command = [sys.executable, "-m", "irsmith", *words]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=timeout
    )
