"""Wall time of ``irsmith optimize --effort fast`` against ``clang -Oz -c``.

    python benchmarks/bench_optimize.py [--source FILE -- FLAGS...]

Whole processes, in turn. The translation unit is the C of ``examples/`` (parser,
regular expressions, compressor, hashes) put into one file of about 2,000 lines, always
the same; ``--source`` names another. Start-up stands apart: it is what ``irsmith
optimize`` needs for a file of one line beyond what clang needs for it, and the ratio
of the unit is taken after subtracting it: (optimize - start-up) / clang. Processor
time is that of the whole tree of processes: workers that irsmith kills are adopted and
counted.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common import (
    ROOT,
    TRIPLE,
    Figure,
    adopt_orphans,
    arguments_parser,
    children_cpu,
    heading,
    reap_orphans,
    shipped_candidates,
    table,
)

from irsmith.toolchain import elf
from irsmith.toolchain.find import find_toolchain

PARTS = (
    "json/json.c",
    "regex/compile.c",
    "regex/machine.c",
    "lz/lz.c",
    "sha256/sha256.c",
    "sha256/hmac.c",
)
ONE_LINE = "int twice(int x) { return 2 * x; }\n"
_DEFINED = re.compile(
    r"^(?:static [^=;(\n]*?\b(\w+)\(|(?:struct|enum|union) (\w+)\s*\{|#define (\w+))", re.M
)
TARGET_RATIO, TARGET_STARTUP, TARGET_HELP = 3.0, 0.35, 0.2


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of processor time in the whole tree of processes."""

    wall: float
    cpu: float


def timed(command: Sequence[str]) -> Took:
    """Run a command to its end, and all that it started.

    Raises:
        SystemExit: it failed.
    """
    cpu, wall = children_cpu(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    wall = time.perf_counter() - wall
    reap_orphans()
    if done.returncode:
        sys.exit(f"{' '.join(command[:3])} failed: {done.stderr.decode(errors='replace')[:2000]}")
    return Took(wall, children_cpu() - cpu)


def example_unit(folder: Path) -> Path:
    """The examples' C in one file; names that two parts define get the part before them."""
    texts = {part: (ROOT / "examples" / part).read_text() for part in PARTS}
    defined = {
        part: {match[match.lastindex or 0] for match in _DEFINED.finditer(text)}
        for part, text in texts.items()
    }
    count = Counter(name for names in defined.values() for name in names)
    whole = ""
    for part, text in texts.items():
        prefix = re.sub(r"\W", "_", part.removesuffix(".c"))
        twice = sorted(name for name in defined[part] if count[name] > 1)
        if twice:
            text = re.sub(rf"\b({'|'.join(twice)})\b", rf"{prefix}_\1", text)
        whole += f'#line 1 "{part}"\n{text}\n'
    path = folder / "unit.c"
    path.write_text(whole)
    return path


def irsmith() -> list[str]:
    """The command that a person types, or the module if it was not installed."""
    script = Path(sysconfig.get_path("scripts")) / "irsmith"
    return [str(script)] if script.exists() else [sys.executable, "-m", "irsmith"]


def main() -> None:
    """Measure and print."""
    own = sys.argv[1:]
    flags: list[str] = []
    if "--" in own:
        own, flags = own[: own.index("--")], own[own.index("--") + 1 :]
    parser = arguments_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each command (default: 7)")
    parser.add_argument("--source", type=Path, help="another .c or .cpp; its flags go after --")
    parser.add_argument("--effort", default="fast", help="irsmith's --effort (default: fast)")
    arguments = parser.parse_args(own)
    toolchain = find_toolchain()
    heading(f"bench_optimize: irsmith optimize --effort {arguments.effort}", toolchain)
    adopt_orphans()
    clang = [str(toolchain.need_clang()), f"--target={TRIPLE}", "-Oz", "-c"]
    effort = ["--effort", arguments.effort]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = folder / "one.c"
        one.write_text(ONE_LINE)
        if arguments.source:
            unit = arguments.source
        else:
            unit = example_unit(folder)
            flags = [f"-I{ROOT / 'examples' / part.split('/')[0]}" for part in PARTS]
            flags = list(dict.fromkeys(flags))
        ours, theirs = folder / "ours.o", folder / "theirs.o"
        commands = {
            "help": [*irsmith(), "--help"],
            "version": [*irsmith(), "--version"],
            "clang, one line": [*clang, str(one), "-o", str(theirs)],
            "clang, unit": [*clang, str(unit), "-o", str(theirs), *flags],
        }
        if shipped_candidates():
            optimize = [*irsmith(), "optimize", *effort, "-o", str(ours)]
            commands["irsmith, one line"] = [*optimize, str(one)]
            commands["irsmith, unit"] = [*optimize, str(unit), *(["--", *flags] if flags else [])]
        else:
            print("  no portfolio is shipped for this target: only start-up is measured")
        took: dict[str, list[Took]] = defaultdict(list)
        for command in commands.values():
            timed(command)  # byte code and caches
        for _ in range(arguments.rounds):
            for key, command in commands.items():
                took[key].append(timed(command))
        lines = len(unit.read_text(errors="replace").splitlines())
        sizes = [
            elf.loaded_size(path.read_bytes()).total for path in (theirs, ours) if path.exists()
        ]
    wall = {key: [t.wall for t in times] for key, times in took.items()}
    cpu = {key: [t.cpu for t in times] for key, times in took.items()}
    figures = [
        Figure("irsmith --help", wall["help"], "s", TARGET_HELP, at_most=True),
        Figure("irsmith --help, processor time", cpu["help"], "s"),
        Figure("irsmith --version", wall["version"], "s"),
        Figure("clang -Oz -c, one line", wall["clang, one line"], "s"),
        Figure("clang -Oz -c, unit", wall["clang, unit"], "s"),
    ]
    if "irsmith, unit" in took:
        startups = _differences(wall["irsmith, one line"], wall["clang, one line"])
        cpu_startups = _differences(cpu["irsmith, one line"], cpu["clang, one line"])
        figures += [
            Figure("irsmith optimize, one line", wall["irsmith, one line"], "s"),
            Figure("irsmith optimize, unit", wall["irsmith, unit"], "s"),
            Figure("start-up", startups, "s", TARGET_STARTUP, at_most=True),
            Figure("start-up, processor time", cpu_startups, "s"),
            Figure("ratio, start-up in it", _ratios(wall["irsmith, unit"], wall["clang, unit"])),
            Figure(
                "ratio, start-up apart",
                _ratios(_differences(wall["irsmith, unit"], startups), wall["clang, unit"]),
                "x",
                TARGET_RATIO,
                at_most=True,
            ),
            Figure(
                "ratio of processor time, start-up apart",
                _ratios(_differences(cpu["irsmith, unit"], cpu_startups), cpu["clang, unit"]),
            ),
        ]
    table(f"whole processes; the unit has {lines} lines", figures)
    if len(sizes) == 2:
        print(f"  loaded bytes of the unit: clang -Oz {sizes[0]}, irsmith {sizes[1]}")


def _differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(first, second, strict=True)]


def _ratios(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(first, second, strict=True)]


if __name__ == "__main__":
    main()
