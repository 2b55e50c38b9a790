"""The shipped pass table: whole, explained, and what its recipe makes."""

import re
import subprocess
from pathlib import Path

import pytest

from irsmith.passlist import PassList
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.pass_listing import read_listing
from irsmith.toolchain.passes import ALLOWED, LEVELS, TIERS, Pass, load_passes, search_space
from irsmith.toolchain.pipelines import clang_pipeline

RECIPES = Path(__file__).parents[2] / "recipes"
TABLE = load_passes()


@pytest.fixture(scope="module")
def listing():
    done = subprocess.run(
        [find_toolchain().tool("opt"), "--print-passes"], capture_output=True, text=True, check=True
    )
    return read_listing(done.stdout)


def test_every_pass_of_opt_is_in_the_table_with_level_and_params(listing):
    assert {line.name for line in listing} == set(TABLE)
    for line in listing:
        known = TABLE[line.name]
        assert line.level in (known.levels if line.kind == "pass" else known.analysis_levels)
        assert set(line.params) <= set(known.params)


def test_every_entry_is_valid_and_explained():
    for known in TABLE.values():
        assert known.tier in TIERS
        assert known.reason
        assert set(known.levels) | set(known.analysis_levels) <= set(LEVELS)
        assert known.levels or known.analysis_levels
        assert bool(known.memory_ssa) == ("loop" in known.levels)
        assert Pass.from_json(known.to_json()) == known


def test_no_reason_holds_a_path():
    for known in TABLE.values():
        assert not re.search(r"(^|\s|')/\w", known.reason), known.reason


def test_the_table_is_what_its_recipe_makes(monkeypatch):
    monkeypatch.syspath_prepend(RECIPES)
    import pass_table

    toolchain = find_toolchain()
    table = pass_table.build(toolchain, pass_table.recorded(toolchain))
    assert table == list(TABLE.values())


def test_findings_read_back(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(RECIPES)
    import pass_table

    experiments = pass_table.Experiments.read(pass_table.FINDINGS)
    experiments.write(tmp_path / "findings.json")
    assert (tmp_path / "findings.json").read_text() == pass_table.FINDINGS.read_text()
    assert set(experiments.findings) == {
        known.name for known in TABLE.values() if known.levels and known.levels[0] != "machine"
    }


def test_every_pass_of_clangs_oz_is_allowed():
    text = clang_pipeline(find_toolchain().version, "x86_64-unknown-linux-gnu")
    for leaf, _ in PassList.parse(text).leaves():
        if leaf.name not in ("require", "invalidate"):
            assert TABLE[leaf.name].tier == "default", leaf.name


@pytest.mark.parametrize("name", ["structurizecfg", "attributor", "attributor-cgscc", "newgvn"])
def test_what_was_measured_as_bad_is_excluded(name):
    assert TABLE[name].tier == "excluded"
    assert "measured" in TABLE[name].reason


USEFUL = """
    globaldce mergefunc iroutliner globalopt deadargelim ipsccp constmerge argpromotion
    inline partial-inliner hotcoldsplit function-attrs rpo-function-attrs
    called-value-propagation scc-oz-module-inliner elim-avail-extern always-inline
    inferattrs global-merge
"""


@pytest.mark.parametrize("name", USEFUL.split())
def test_what_the_first_searches_gained_with_is_not_lost(name):
    assert TABLE[name].tier != "excluded"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("internalize", "changes the interface"),
        ("metarenamer", "changes the interface"),
        ("lower-atomic", "wrong code"),
        ("lower-invoke", "wrong code"),
        ("asan", "instrumentation"),
        ("print<domtree>", "printer"),
        ("dot-cfg", "printer"),
        ("trigger-crash-module", "fails on an empty function"),
        ("machine-cse", "machine pass"),
        ("domtree", "analysis"),
        ("basic-aa", "alias analysis"),
    ],
)
def test_experiments_see_what_a_pass_is(name, reason):
    assert TABLE[name].tier == "excluded"
    assert reason in TABLE[name].reason


def test_loop_passes_that_need_memory_ssa():
    for name in ("licm", "lnicm", "loop-rotate", "simple-loop-unswitch"):
        assert TABLE[name].memory_ssa in ("needed", "accepted")
    assert TABLE["licm"].level == "loop-mssa"
    assert TABLE["indvars"].level == "loop"
    assert TABLE["domtree"].level == "analysis"
    assert TABLE["sroa"].level == "function"


def test_search_space_holds_what_is_allowed():
    space = search_space()
    assert set(space) == {"module", "cgscc", "function", "loop", "loop-mssa"}
    for level, passes in space.items():
        assert passes
        for known in passes:
            assert known.tier in ALLOWED
            assert known.level == level
            assert not known.inert
    names = {known.name for passes in search_space(inert=True).values() for known in passes}
    assert "coro-early" in names
    assert "default" not in names
    assert {known.name for passes in space.values() for known in passes} < names
