"""A model proposes what is compiled first; whatever it says, the promises hold."""

import json
from dataclasses import replace
from importlib import resources

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from irsmith.apps.ask import ByModel, merged, model_share, proposer  # noqa: E402
from irsmith.apps.optimize import Request, optimize  # noqa: E402
from irsmith.apps.propose import FOREST, NONE, ByForest, Question, Static  # noqa: E402
from irsmith.apps.source import Input, load  # noqa: E402
from irsmith.cli import optimize as command  # noqa: E402
from irsmith.model.config import ModelConfig  # noqa: E402
from irsmith.model.network import build  # noqa: E402
from irsmith.model.onnx import export_engine  # noqa: E402
from irsmith.model.release import save_release  # noqa: E402
from irsmith.model.slots import portfolio_name  # noqa: E402
from irsmith.records import IrsmithError, Size  # noqa: E402
from irsmith.search.portfolio import load_portfolio  # noqa: E402
from irsmith.toolchain.census import NAMES  # noqa: E402
from irsmith.toolchain.clang import DEFAULT_TARGETS  # noqa: E402

TARGET = DEFAULT_TARGETS["X86"]
SOURCE = b"""
#include <stddef.h>
static int sum(const int *a, size_t n) { int s = 0; while (n--) s += *a++; return s; }
int mean(const int *a, size_t n) { return n ? sum(a, n) / (int)n : 0; }
int kind(int c) { switch (c) { case 1: return 5; case 2: return 9; case 7: return 3; } return c; }
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """Random weights, taught to rank the last eight lists of the portfolio, it says."""
    folder = tmp_path_factory.mktemp("release")
    shape = ModelConfig(16_384, 64, 2, 4, 2, 96, context=1024)
    tokenizer = resources.files("irsmith.model").joinpath("data/tokenizer.json")
    save_release(folder, build(shape, seed=1), end=0, tokenizer=tokenizer)
    export_engine(folder)
    entries = [c.to_json() for c in load_portfolio(TARGET).candidates[-8:]]
    (folder / portfolio_name(TARGET)).write_text(json.dumps({"candidates": entries}))
    return folder


@pytest.fixture(scope="module")
def unit(toolchain):
    return load(toolchain, Input("-", SOURCE, "c"), None)[0]


def question(toolchain, module, count, effort, objective="size"):
    """Of a module that is made of ten of everything."""
    portfolio = load_portfolio(module.target)
    census, size = (10,) * len(NAMES), Size(100, 20, 0, 30, 40)
    return Question(toolchain, module, objective, portfolio, census, size, count, effort)


def test_a_model_says_what_is_compiled_first(toolchain, unit, release):
    asked = ByModel(str(release))
    portfolio = load_portfolio(TARGET)
    made = asked.propose(question(toolchain, unit, 4, "balanced"))
    assert made.prompts == 1 and made.asked == 1 and made.seconds > 0
    assert len(set(made.candidates)) == 4
    assert made.by_model == set(made.candidates[: model_share(4)])
    assert made.by_model < set(portfolio.candidates[-8:])
    again = asked.propose(question(toolchain, unit, 4, "balanced"))
    assert again.candidates == made.candidates
    whole = asked.propose(question(toolchain, unit, 400, "max"))
    assert set(whole.candidates) == set(portfolio.candidates)


def test_the_promises_hold_with_a_model(toolchain, unit, release):
    static = optimize(toolchain, unit, Request(effort="fast"))
    made = [
        optimize(toolchain, unit, Request(effort="fast"), proposer=ByModel(str(release)))
        for _ in range(2)
    ]
    assert static.model == FOREST and static.prompts == 0
    assert made[0].output == made[1].output and made[0].candidate == made[1].candidate
    assert made[0].result.total <= made[0].baseline.total == static.baseline.total
    assert made[0].model == str(release) and made[0].compilations == static.compilations
    assert made[0].source in ("model", "portfolio", "baseline")


def test_a_model_is_asked_only_about_what_it_was_taught(toolchain, unit, release):
    asked, portfolio = ByModel(str(release)), load_portfolio(TARGET)
    made = asked.propose(question(toolchain, unit, 3, "fast", "instructions"))
    assert made.candidates == portfolio.candidates[:3] and not made.prompts
    other = load(toolchain, Input("-", b"int f(int x) { return x * 3; }", "c"), "aarch64")[0]
    made = asked.propose(question(toolchain, other, 3, "fast"))
    order = ByForest().propose(question(toolchain, other, 3, "fast")).candidates
    assert made.candidates == order and not made.prompts


def test_units_of_any_size_are_asked_about_function_by_function(toolchain, release):
    body = "".join(f"s = (s ^ p[{n}]) * {n + 3}u; if (s & {n}) p[s & 7]++;" for n in range(60))
    text = "".join(f"unsigned f{n}(unsigned s, unsigned *p) {{ {body} return s; }}" for n in (1, 2))
    text += "int small(int x) { return x * 7 + 1; } int other(int x) { return x - 1; }"
    unit = load(toolchain, Input("-", text.encode(), "c"), None)[0]
    asked = ByModel(str(release))
    made = asked.propose(question(toolchain, unit, 2, "balanced"))
    assert made.prompts == 2 and 0 < made.asked < 0.5
    made = asked.propose(question(toolchain, unit, 2, "fast"))
    assert made.prompts == made.asked == 0
    order = ByForest().propose(question(toolchain, unit, 2, "fast"))
    assert made.candidates == order.candidates


def test_the_forest_orders_what_it_was_grown_for(toolchain, unit):
    portfolio = load_portfolio(TARGET).candidates
    found = ByForest().propose(question(toolchain, unit, 400, "max"))
    assert set(found.candidates) == set(portfolio) and found.candidates != portfolio
    assert not found.by_model and not found.prompts and not found.remark
    other = question(toolchain, unit, 3, "fast", "instructions")
    assert ByForest().propose(other).candidates == portfolio[:3]
    changed = replace(other.portfolio, candidates=portfolio[1:])
    other = replace(other, objective="size", portfolio=changed)
    assert ByForest().propose(other).candidates == portfolio[1:4]


def test_orders_are_merged():
    assert merged([7, 8, 9], [1, 7, 2, 3], 4) == (7, 8, 1, 2)
    assert merged([], [1, 2, 3], 2) == (1, 2)
    assert merged([7, 8, 9], [7], 9) == (7, 8, 9)
    assert merged([5], [1], 1) == (5,)


def test_who_proposes(release, tmp_path):
    assert isinstance(proposer(), ByForest) and isinstance(proposer(FOREST), ByForest)
    assert isinstance(proposer(NONE), Static)
    assert isinstance(proposer(str(release)), ByModel)
    with pytest.raises(IrsmithError, match="no model 'nanoo'"):
        proposer("nanoo")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(IrsmithError, match="not JSON"):
        proposer(str(tmp_path))


def test_the_command_says_what_the_model_took(release, tmp_path, capsys):
    source = tmp_path / "a.c"
    source.write_bytes(SOURCE)
    words = [str(source), "-o", str(tmp_path / "a.o"), "--effort", "fast", "--model"]
    assert command.main([*words, str(release), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["model"] == str(release) and data["prompts"] == 1
    assert 0 < data["model_seconds"] < data["seconds"]
    assert command.main([*words, str(release)]) == 0
    assert "1 prompt about 100% of the module" in capsys.readouterr().err
    assert command.main([*words, NONE, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == NONE


def test_what_cannot_be_asked_about_is_compiled_all_the_same(toolchain, release, tmp_path):
    (tmp_path / "decl.ll").write_text("declare void @f()\n")
    module = load(toolchain, Input(str(tmp_path / "decl.ll"), None, None), None)[0]
    made = optimize(toolchain, module, Request(effort="fast"), proposer=ByModel(str(release)))
    assert made.source == "baseline" and made.prompts == 0
    assert "the model was not asked" in made.remarks[0]
    gone = optimize(toolchain, module, Request(effort="fast"), proposer=ByModel(str(tmp_path)))
    assert gone.output == made.output and "no model there" in gone.remarks[0]
