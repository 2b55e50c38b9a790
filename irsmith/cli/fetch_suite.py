"""``irsmith fetch-suite``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from irsmith.check.packages import install, plan
from irsmith.check.suites import full_folder, make_full
from irsmith.cli.common import Parser, agreed, parser, positive, say
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import target_triple
from irsmith.toolchain.find import find_toolchain


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser(
        "fetch-suite",
        "Get the full suite of PassListEval: GCC's execution tests and Csmith's random\n"
        "programs, from Debian's packages. Asks before it installs anything.",
    )
    to.add_argument("--target", default="x86-64", help="x86-64 (default) or aarch64 (under qemu)")
    to.add_argument("--yes", action="store_true", help="install what is missing without asking")
    to.add_argument("--seeds", type=positive, default=300, help="Csmith programs, seeds 1 to N")
    to.add_argument("--gcc-testsuite", type=Path, metavar="DIR", help="gcc/testsuite, unpacked")
    to.add_argument("--csmith", type=Path, metavar="PATH", help="the csmith to use")
    return to


def main(words: Sequence[str]) -> int:
    """Install what is missing, build, keep the good judges."""
    options = arguments_parser().parse_args(words)
    toolchain = find_toolchain()
    triple = target_triple(options.target)
    steps = plan(triple, gcc_testsuite=options.gcc_testsuite, csmith=options.csmith)
    if steps:
        for step in steps:
            say(f"needed: {step.title}: {step.advice}")
        if not options.yes and not agreed("Install it now?"):
            raise IrsmithError("nothing was installed; --yes installs without asking")
        install(steps)
    suite = make_full(
        toolchain,
        triple,
        seeds=range(1, options.seeds + 1),
        gcc_testsuite=options.gcc_testsuite,
        csmith=options.csmith,
        say=say,
    )
    say(f"{len(suite.programs)} programs judge, {len(suite.dropped)} do not:")
    reasons = Counter(reason.split(" (")[0] for _, reason in suite.dropped)
    for reason, count in reasons.most_common():
        say(f"  {count:>5}  {reason}")
    print(full_folder(triple))
    return 0
