"""zlib, Lua and SQLite from Debian's sources: bytes won, and the programs still right.

    apt-get source zlib lua5.4 sqlite3     # in a folder of yours
    python benchmarks/real_programs.py --sources FOLDER [--only zlib] [--effort balanced]

Every file is compiled by `irsmith optimize` and, for comparison, by `clang -Oz -c`. Both
builds are linked and run on the same work (zlib: its own example and a round trip of
minigzip; Lua: scripts; SQLite: SQL through its shell); their output must be equal.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.toolchain import elf
from irsmith.toolchain.find import find_toolchain

LUA = """
local t = {} for i = 1, 2000 do t[i] = (i * 7919) % 1009 end table.sort(t)
print(t[1], t[500], t[2000], #t, select('#', table.unpack(t, 1, 50)))
print(string.format('%5.2f|%-8s|%x|%q', 3.14159, 'ab', 255, 'a\\nb'))
print(('the quick brown fox'):gsub('%w+', function(w) return w:reverse() end))
print(string.pack('<i4d', 7, 2.5):byte(1, -1)) print(('x'):rep(5, ','), utf8.char(228, 8364))
local co = coroutine.wrap(function(a) for i = 1, 5 do a = coroutine.yield(a * i) end end)
print(co(2), co(3), co(4)) print(pcall(error, 'thrown')) print(pcall(function() return 1 // 0 end))
local function called(_, a, b) print('called', a, b) end
local mt = setmetatable({}, {__index = function(_, k) return k .. '!' end, __call = called})
print(mt.x) mt(1, 2) goto done ::done:: print(1 << 62, 7 // -2, 7 % -2, 2^0.5, math.tointeger(3.0))
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end print(fib(20))
print(load("return 1 + 2 * 3")(), #arg)
print(collectgarbage('count') > 0, os.time{year=2020,month=1,day=1,hour=12} > 0)
"""

SQL = """
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
  insert into t select i, printf('%05d-%s', i * 7919 % 3001, hex(i)), i / 7.0 from n;
create index tb on t(b);
select count(*), sum(a), round(avg(c), 6), min(b), max(b) from t;
select a, b from t where b between '00100' and '00120' order by b desc limit 5;
select b, row_number() over (order by c desc) from t where a % 500 = 0;
delete from t where a % 3 = 0; update t set c = -c where a % 2;
select count(*), total(c) from t; select json_extract('{"x":[1,{"y":2}]}', '$.x[1].y');
select group_concat(a, '/') from (select a from t where b glob '*9' order by a limit 9);
explain query plan select * from t where b = 'x'; pragma integrity_check; vacuum;
select upper(substr(b, 2, 4)), length(b), instr(b, '-'), a collate nocase from t limit 3;
"""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to build: sources, flags, libraries, and commands that try it."""

    name: str
    sources: tuple[Path, ...]
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    tries: tuple[tuple[tuple[str, ...], bytes], ...]


def folder_of(sources: Path, package: str) -> Path:
    """The unpacked sources of a package."""
    for path in sorted(sources.glob(f"{package}-[0-9]*")):
        if path.is_dir():
            return path
    sys.exit(f"{sources}: no sources of {package}: run `apt-get source {package}` there")


def zlib(sources: Path, work: Path) -> list[Program]:
    """zlib with its own example and minigzip."""
    root = folder_of(sources, "zlib")
    library = tuple(p for p in sorted(root.glob("*.c")))
    text = b"".join(path.read_bytes() for path in library)
    flags = (f"-I{root}", "-D_LARGEFILE64_SOURCE=1", "-DHAVE_HIDDEN", "-DHAVE_UNISTD_H")
    return [
        Program(
            "zlib example", (*library, root / "test/example.c"), flags, (), ((("x.gz",), b""),)
        ),
        Program(
            "zlib minigzip",
            (*library, root / "test/minigzip.c"),
            flags,
            (),
            (((), text), (("-9",), text), (("-d",), compressed(text))),
        ),
    ]


def compressed(text: bytes) -> bytes:
    """What gzip makes of it."""
    import gzip

    return gzip.compress(text, mtime=0)


def lua(sources: Path, work: Path) -> list[Program]:
    """Lua's interpreter."""
    root = folder_of(sources, "lua5.4") / "src"
    (work / "lua5.4-deb-multiarch.h").write_text('#define DEB_HOST_MULTIARCH "x"\n')
    files = tuple(p for p in sorted(root.glob("*.c")) if p.name != "luac.c")
    flags = (f"-I{root}", f"-I{work}", "-DLUA_USE_POSIX", "-DLUA_COMPAT_5_3")
    return [Program("Lua", files, flags, ("-lm",), ((("-",), LUA.encode()),))]


def sqlite(sources: Path, work: Path) -> list[Program]:
    """SQLite's amalgamation and shell."""
    root = work / "sqlite"
    shutil.copytree(folder_of(sources, "sqlite3"), root)
    for command in (["./configure"], ["make", "sqlite3.c", "shell.c"]):
        subprocess.run(command, cwd=root, check=True, capture_output=True)
    flags = (f"-I{root}", "-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION")
    files = (root / "sqlite3.c", root / "shell.c")
    tries = (((":memory:",), SQL.encode()),)
    return [Program("SQLite", files, flags, ("-lm",), tries)]


def compile_all(program: Program, work: Path, effort: str) -> tuple[list[Path], list[Path], dict]:
    """Objects of irsmith and of clang -Oz, and irsmith's reports added up."""
    clang = find_toolchain().need_clang()
    ours, theirs = [], []
    totals = {"before": 0, "after": 0, "text_before": 0, "text_after": 0, "seconds": 0.0}
    totals |= {"files": 0, "improved": 0}
    for number, source in enumerate(program.sources):
        mine, other = work / f"{number}.o", work / f"{number}.oz.o"
        command = [sys.executable, "-m", "irsmith", "optimize", str(source), "-o", str(mine)]
        command += ["--json", "--effort", effort, "--", *program.flags, "-w"]
        report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        subprocess.run([clang, "-Oz", "-c", "-w", *program.flags, source, "-o", other], check=True)
        if elf.loaded_size(other.read_bytes()).total != report["baseline"]["total"]:
            sys.exit(f"{source}: the baseline is not clang -Oz")
        totals["before"] += report["baseline"]["total"]
        totals["after"] += report["result"]["total"]
        totals["text_before"] += report["baseline"]["text"]
        totals["text_after"] += report["result"]["text"]
        totals["seconds"] += report["seconds"]
        totals["files"] += 1
        totals["improved"] += report["source"] != "baseline"
        ours.append(mine)
        theirs.append(other)
    return ours, theirs, totals


def run(objects: Sequence[Path], program: Program, executable: Path) -> list[bytes]:
    """Link and try; what each try printed."""
    clang = find_toolchain().need_clang()
    subprocess.run(
        [clang, "-fuse-ld=lld", *objects, *program.libraries, "-o", executable], check=True
    )
    outputs = []
    for words, stdin in program.tries:
        done = subprocess.run(
            [executable, *words],
            input=stdin,
            capture_output=True,
            cwd=executable.parent,
            timeout=120,
            check=False,
        )
        outputs.append(done.stdout + done.stderr + str(done.returncode).encode())
    return outputs


def main() -> None:
    """Build, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--only", choices=["zlib", "lua", "sqlite"])
    parser.add_argument("--effort", default="balanced")
    arguments = parser.parse_args()
    makers = {"zlib": zlib, "lua": lua, "sqlite": sqlite}
    print(f"{find_toolchain().fingerprint}, effort {arguments.effort}")
    for name, make in makers.items():
        if arguments.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                for program in make(arguments.sources.resolve(), Path(folder)):
                    started = time.monotonic()
                    ours, theirs, t = compile_all(program, Path(folder), arguments.effort)
                    mine = run(ours, program, Path(folder) / "a.out")
                    other = run(theirs, program, Path(folder) / "b.out")
                    verdict = "output equal" if mine == other else "OUTPUT DIFFERS"
                    print(
                        f"{program.name:<14} {t['files']:>3} files, {t['improved']} improved: "
                        f"{t['before']} -> {t['after']} bytes "
                        f"({100 * (t['after'] / t['before'] - 1):+.2f} %), text "
                        f"{100 * (t['text_after'] / t['text_before'] - 1):+.2f} %; {verdict}; "
                        f"{t['seconds'] / t['files']:.2f} s a file, "
                        f"{time.monotonic() - started:.0f} s in all",
                        flush=True,
                    )
                    if mine != other:
                        sys.exit(1)


if __name__ == "__main__":
    main()
