"""Write the pass table, ``irsmith/toolchain/data/passes.json``.

Usage::

    python recipes/pass_table.py                     # about ten minutes of one core
    python recipes/pass_table.py --again sroa licm   # repeat some experiments

Experiments are done once: findings are kept in ``pass_findings.json`` and serve as
long as LLVM and the samples stay the same, so that new verdicts of PassListEval are
taken in within seconds.

The table joins four sources, and holds nothing that was typed in except
:data:`KNOWN_BAD`:

* what ``opt --print-passes`` lists: names, levels, parameters;
* what LLVM's own pipelines run (``-print-pipeline-passes``): tier ``default``;
* experiments on sample programs (``pass_probe.py``);
* verdicts of PassListEval, if ``irsmith/toolchain/data/vetting.json`` is there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pass_probe import Finding, Laboratory, samples_digest

from irsmith.passlist import PassList
from irsmith.toolchain.find import Toolchain, find_toolchain
from irsmith.toolchain.pass_listing import Listed, read_listing
from irsmith.toolchain.passes import LEVELS, Pass, Tier

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "irsmith" / "toolchain" / "data"
TABLE = DATA / "passes.json"
VETTING = DATA / "vetting.json"
FINDINGS = HERE / "pass_findings.json"

VETTED_LISTS = 200
"""In how many accepted lists a pass has to occur before it counts as vetted."""

KNOWN_BAD = {
    "structurizecfg": "measured: bad in 20 of 20 lists; alone, wrong code for 920501-5 of "
    "GCC's execution tests: it deletes code when a switch is present",
    "attributor": "measured: bad in 39 of 41 lists with it or attributor-cgscc; "
    "function(sroa),attributor fails an assertion on pr25654 of GCC's execution tests",
    "attributor-cgscc": "measured: bad in 39 of 41 lists with it or attributor; "
    "cgscc(attributor-cgscc),default<Oz> gives another checksum on Csmith seed 83",
    "newgvn": "measured: bad in 7 of 11 lists; alone, an endless loop on 930406-1 of "
    "GCC's execution tests",
    "gvn-sink": "measured: other code in other processes from the same module "
    "(recipes/determinism.py), so nothing could be replayed",
}
"""Measured with PassListEval before this table was first made (150 random lists over 105
passes): every bad list had one of these. The last one is right but not deterministic."""

_PIPELINES = ("default", "thinlto-pre-link", "thinlto", "lto-pre-link", "lto")
_OPT_LEVELS = ("O0", "O1", "O2", "O3", "Os", "Oz")
_WRAPPED = {
    "module": "{}",
    "cgscc": "cgscc({})",
    "function": "function({})",
    "loop": "function(loop({}))",
}
_WITH_MEMORY_SSA = "function(loop-mssa({}))"
# Plain instcombine aborts where it does not reach its fixpoint; nobody runs it so.
_RUN_AS = {"instcombine": "instcombine<no-verify-fixpoint>"}


@dataclass(frozen=True, slots=True)
class Known:
    """All lines of the listing about one name.

    Attributes:
        name: the name.
        levels: levels at which it is a pass, highest first.
        analysis_levels: levels at which it is an analysis.
        alias: whether it is an alias analysis.
        params: accepted parameters.
    """

    name: str
    levels: tuple[str, ...]
    analysis_levels: tuple[str, ...]
    alias: bool
    params: tuple[str, ...]

    @property
    def transforms(self) -> bool:
        """Whether it is a pass over IR; machine passes run in code generation only."""
        return bool(self.levels) and self.levels[0] != "machine"


def list_passes(toolchain: Toolchain) -> dict[str, Known]:
    """Every name that ``opt --print-passes`` lists, in its order."""
    lines: dict[str, list[Listed]] = {}
    for line in read_listing(_opt(toolchain, "--print-passes")):
        lines.setdefault(line.name, []).append(line)
    return {name: _join(name, group) for name, group in lines.items()}


def _join(name: str, lines: Sequence[Listed]) -> Known:
    passes = {line.level for line in lines if line.kind == "pass"}
    analyses = {line.level for line in lines if line.kind != "pass"}
    return Known(
        name=name,
        levels=tuple(level for level in LEVELS if level in passes),
        analysis_levels=tuple(level for level in LEVELS if level in analyses),
        alias=any(line.kind == "alias analysis" for line in lines),
        params=tuple(dict.fromkeys(param for line in lines for param in line.params)),
    )


def pipeline_passes(toolchain: Toolchain, names: Mapping[str, Known]) -> frozenset[str]:
    """The passes that LLVM's own pipelines and ``clang -Oz`` run, and those pipelines.

    Raises:
        LookupError: a pipeline has a pass that the listing does not know.
    """
    texts = [_clang_pipeline(toolchain)]
    for pipeline in _PIPELINES:
        for level in _OPT_LEVELS:
            texts.append(_print_pipeline(toolchain, f"{pipeline}<{level}>"))
    found = set(_PIPELINES)
    for text in texts:
        for element, _ in PassList.parse(text).leaves():
            name = element.head if element.head in names else element.name
            if name in names:
                found.add(name)
            elif name not in ("require", "invalidate"):
                raise LookupError(f"LLVM's own pipelines run {element.head!r}, not in its listing")
    return frozenset(found)


def _print_pipeline(toolchain: Toolchain, text: str) -> str:
    return _opt(
        *(toolchain, f"-passes={text}", "-disable-verify", "-print-pipeline-passes"),
        *("-disable-output", "/dev/null"),
    ).strip()


def _clang_pipeline(toolchain: Toolchain) -> str:
    return subprocess.run(
        [
            *(toolchain.need_clang(), "-Oz", "-c", "-x", "c", "/dev/null", "-o", "/dev/null"),
            *("-mllvm", "-print-pipeline-passes"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def _opt(toolchain: Toolchain, *arguments: str) -> str:
    return subprocess.run(
        [toolchain.tool("opt"), *arguments], capture_output=True, text=True, check=True
    ).stdout


@dataclass(frozen=True, slots=True)
class Experiments:
    """What was found by trying.

    Attributes:
        toolchain: version of the LLVM that was tried.
        samples: names the sample programs.
        findings: for each pass over IR, what it did.
        memory_ssa: for each loop pass, ``needed``, ``accepted`` or ``refused``.
        params_required: passes whose bare name is refused.
    """

    toolchain: str
    samples: str
    findings: Mapping[str, Finding]
    memory_ssa: Mapping[str, str]
    params_required: frozenset[str]

    def write(self, path: Path) -> None:
        """Write beside and rename, in an order that does not depend on that of trying."""
        lines = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(asdict(finding))}"
            for name, finding in sorted(self.findings.items())
        )
        _replace(
            path,
            "{\n"
            f'"toolchain": {json.dumps(self.toolchain)},\n'
            f'"samples": {json.dumps(self.samples)},\n'
            f'"memory_ssa": {json.dumps(self.memory_ssa, sort_keys=True)},\n'
            f'"params_required": {json.dumps(sorted(self.params_required))},\n'
            f'"findings": {{\n{lines}\n}}\n}}\n',
        )

    @staticmethod
    def read(path: Path) -> Experiments:
        """Read what :meth:`write` wrote."""
        data = json.loads(path.read_text())
        return Experiments(
            toolchain=data["toolchain"],
            samples=data["samples"],
            findings={name: Finding(**fields) for name, fields in data["findings"].items()},
            memory_ssa=data["memory_ssa"],
            params_required=frozenset(data["params_required"]),
        )


def recorded(toolchain: Toolchain) -> Experiments:
    """The experiments that are on file for this LLVM and these samples; none if others are."""
    empty = Experiments(toolchain.version, samples_digest(), {}, {}, frozenset())
    if not FINDINGS.exists():
        return empty
    found = Experiments.read(FINDINGS)
    same = (found.toolchain, found.samples) == (empty.toolchain, empty.samples)
    return found if same else empty


def experiment(toolchain: Toolchain, passes: Iterable[Known], known_so_far: Experiments) -> None:
    """Try passes on the samples, and put each finding on file at once."""
    findings = dict(known_so_far.findings)
    memory_ssa = dict(known_so_far.memory_ssa)
    required = set(known_so_far.params_required)
    with tempfile.TemporaryDirectory(prefix="irsmith-passes-") as folder:
        laboratory = Laboratory(toolchain, Path(folder))
        for known in passes:
            if "loop" in known.levels:
                memory_ssa[known.name] = _memory_ssa(laboratory, known.name)
            needs_memory_ssa = known.levels[0] == "loop" and memory_ssa[known.name] == "needed"
            finding, takes_bare_name = _try(laboratory, known, needs_memory_ssa)
            findings[known.name] = finding
            required.discard(known.name)
            if not takes_bare_name:
                required.add(known.name)
            print(known.name, finding, file=sys.stderr)
            replace(
                known_so_far,
                findings=findings,
                memory_ssa=memory_ssa,
                params_required=frozenset(required),
            ).write(FINDINGS)


def _try(laboratory: Laboratory, known: Known, needs_memory_ssa: bool) -> tuple[Finding, bool]:
    """What the pass does, and whether opt takes its bare name."""
    place = _WITH_MEMORY_SSA if needs_memory_ssa else _WRAPPED[known.levels[0]]
    control = place.format("no-op-loop") if "loop" in place else "verify"
    bare = place.format(_RUN_AS.get(known.name, known.name))
    if not laboratory.accepts(bare):
        levels = [level for level in _OPT_LEVELS if level in known.params]
        return _worst(laboratory, place, control, known.name, levels), False
    finding = laboratory.try_pass(bare, control)
    params = _examples(known.params)
    if params and not (finding.changed or finding.problem or finding.prints):
        # global-merge, for one, does nothing until it is told how much.
        other = _worst(laboratory, place, control, known.name, params)
        finding = other if other.changed or other.problem else finding
    return finding, True


def _worst(
    laboratory: Laboratory, place: str, control: str, name: str, params: Sequence[str]
) -> Finding:
    """Of several parameters, the one that does harm counts, or else the one that does most."""
    findings = [laboratory.try_pass(place.format(f"{name}<{p}>"), control) for p in params]
    return max(findings, key=lambda finding: (finding.problem != "", finding.changed))


def _examples(params: Sequence[str]) -> list[str]:
    """Each parameter that stands alone, or takes a number."""
    return [param.replace("=N", "=100") for param in params if "=" not in param or "=N" in param]


def _memory_ssa(laboratory: Laboratory, name: str) -> str:
    """Whether a loop pass needs MemorySSA, or breaks it."""
    without = laboratory.fails(_WRAPPED["loop"].format(name))
    with_it = laboratory.fails(_WITH_MEMORY_SSA.format(name))
    return "accepted" if without == with_it else "needed" if without else "refused"


def judge(
    known: Known,
    in_pipelines: bool,
    finding: Finding | None,
    verdict: Mapping[str, Any],
) -> tuple[Tier, str]:
    """The tier of a pass and the reason; harm that was seen outweighs everything."""
    if known.name in KNOWN_BAD:
        return "excluded", KNOWN_BAD[known.name]
    for text, program, what in verdict.get("culprit_in", ()):
        return "excluded", f"PassListEval: {what} on {program} under {text}"
    if not known.levels:
        kind = "alias analysis" if known.alias else "analysis"
        return "excluded", f"{kind}: computes, changes nothing"
    if finding is None:
        return "excluded", "machine pass: runs in code generation"
    if finding.problem:
        return "excluded", finding.problem
    seen = f"changed {finding.changed} of {finding.trials} sample modules, {finding.code} objects"
    if f"{known.name}<" in finding.text and known.name not in _RUN_AS:
        seen = f"{finding.text} {seen}"
    if in_pipelines:
        return "default", f"in LLVM's own pipelines; {seen}"
    if verdict.get("passed", 0) >= VETTED_LISTS:
        return "vetted", f"PassListEval: in {verdict['passed']} accepted lists, never to blame"
    if finding.changed and not finding.code:
        return "excluded", f"changes no code, neither alone nor before default<Oz>; {seen}"
    if finding.changed:
        return "untested", f"awaits vetting; {seen}"
    if finding.leaves_files:
        return "excluded", "printer: writes files, changes nothing"
    if finding.prints:
        return "excluded", "printer: writes to the terminal, changes nothing"
    return "excluded", (
        f"{seen}: it checks or computes, or needs input that ordinary modules do not have"
    )


def build(toolchain: Toolchain, experiments: Experiments) -> list[Pass]:
    """The table."""
    names = list_passes(toolchain)
    in_pipelines = pipeline_passes(toolchain, names)
    vetting = json.loads(VETTING.read_text())["passes"] if VETTING.exists() else {}
    table: list[Pass] = []
    for known in names.values():
        finding = experiments.findings.get(known.name)
        tier, reason = judge(
            known, known.name in in_pipelines, finding, vetting.get(known.name, {})
        )
        table.append(
            Pass(
                name=known.name,
                levels=known.levels,
                analysis_levels=known.analysis_levels,
                params=known.params,
                params_required=known.name in experiments.params_required,
                memory_ssa=experiments.memory_ssa.get(known.name, ""),
                inert=finding is not None and not finding.changed and not finding.problem,
                tier=tier,
                reason=reason,
            )
        )
    return table


def write_table(version: str, table: Sequence[Pass]) -> None:
    """Write the table, one pass a line, beside and then renamed."""
    lines = ",\n".join(f"  {json.dumps(known.to_json())}" for known in table)
    _replace(
        TABLE,
        f'{{\n"toolchain": {json.dumps(version)},\n"passes": [\n{lines}\n]\n}}\n',
    )


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    beside.replace(path)


def main() -> None:
    """Write findings and table, and print how many passes are in each tier."""
    parser = argparse.ArgumentParser(description="Write irsmith's table of LLVM's passes.")
    parser.add_argument(
        "--again", nargs="+", default=[], metavar="PASS", help="repeat the experiments with these"
    )
    arguments = parser.parse_args()
    toolchain = find_toolchain()
    names = list_passes(toolchain)
    experiments = recorded(toolchain)
    wanted = [
        known
        for known in names.values()
        if known.transforms
        and (known.name not in experiments.findings or known.name in arguments.again)
    ]
    if wanted:
        experiment(toolchain, wanted, experiments)
    table = build(toolchain, recorded(toolchain))
    write_table(toolchain.version, table)
    counts: dict[tuple[str, str], int] = {}
    for known in table:
        counts[known.level, known.tier] = counts.get((known.level, known.tier), 0) + 1
    for (level, tier), count in sorted(counts.items()):
        print(f"{level:10} {tier:9} {count}")


if __name__ == "__main__":
    main()
