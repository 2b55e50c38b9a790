"""Every recipe is complete; settings change it; a wrong name gets the nearest one."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from irsmith.model.config import config_for
from irsmith.records import IrsmithError
from irsmith.train.config import Source, TrainConfig, with_settings
from irsmith.train.recipes import REPLAY, STAGES, find_recipe
from irsmith.train.schedule import rate

RUNS = Path(__file__).parents[2] / "recipes" / "pretrain.py"


@pytest.mark.parametrize("name", STAGES)
def test_stages_are_complete_and_survive_json(name):
    config = find_recipe(name)
    assert config.stage == name
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_later_stages_replay_earlier_ones():
    for number, name in enumerate(list(STAGES)[1:], 1):
        sources = find_recipe(name).sources
        assert sources[0] == Source(name, 1 - REPLAY)
        assert [source.name for source in sources[1:]] == list(STAGES)[:number]
        assert sum(source.weight for source in sources[1:]) == pytest.approx(REPLAY)


@pytest.mark.parametrize("name", ["laptop", "h100", "eight_h100", "cluster_13b"])
def test_runs_of_the_recipe_file(name):
    config = find_recipe(f"{RUNS}:{name}")
    assert config_for(config.size).parameters > 1e7
    assert config.batch % config.micro == 0


def test_settings_change_fields():
    config = with_settings(
        find_recipe("pretrain"),
        ["steps=7", "rate=1e-4", "recompute=yes", "sources=a:0.9,b:0.1", "optimizer=adamw"],
    )
    assert (config.steps, config.rate, config.recompute) == (7, 1e-4, True)
    assert config.sources == (Source("a", 0.9), Source("b", 0.1))
    assert config.optimizer == "adamw"


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("stepps=7", "no field 'stepps': did you mean 'steps'"),
        ("zzz=7", "fields: stage, size"),
        ("steps=x", "steps cannot be 'x'"),
        ("steps", "field=value"),
        ("steps=0", "at least 1"),
        ("warmup=-1", "negative"),
        ("rate=0", "above 0"),
        ("decay=2", "share"),
        ("optimizer=sgd", "muon, adamw"),
        ("size=smal", "did you mean 'small'"),
        ("sources=a:-1", "weight above 0"),
    ],
)
def test_wrong_settings_are_one_clear_line(setting, says):
    with pytest.raises(IrsmithError, match=says) as error:
        with_settings(find_recipe("pretrain"), [setting])
    assert "\n" not in str(error.value)


def test_wrong_recipes_are_one_clear_line(tmp_path):
    with pytest.raises(IrsmithError, match="did you mean 'pretrain'"):
        find_recipe("pretrian")
    with pytest.raises(IrsmithError, match="there are pretrain, emulate"):
        find_recipe("xyz")
    with pytest.raises(IrsmithError, match="no such recipe file"):
        find_recipe(f"{tmp_path}/mine.py:run")
    with pytest.raises(IrsmithError, match="did you mean 'laptop'"):
        find_recipe(f"{RUNS}:laptp")
    (tmp_path / "bad.py").write_text("def run():\n    return 3\n")
    with pytest.raises(IrsmithError, match="returns no TrainConfig"):
        find_recipe(f"{tmp_path}/bad.py:run")
    (tmp_path / "worse.py").write_text("1 / 0\n")
    with pytest.raises(IrsmithError, match="ZeroDivisionError"):
        find_recipe(f"{tmp_path}/worse.py:run")


def test_the_rate_rises_stays_and_falls():
    config = with_settings(
        find_recipe("pretrain"), ["steps=100", "warmup=10", "decay=0.2", "rate=1"]
    )
    rates = [rate(config, step) for step in range(100)]
    assert rates[:11] == pytest.approx([(i + 1) / 11 for i in range(11)])
    assert set(rates[10:80]) == {1.0}
    assert all(one > two for one, two in pairwise(rates[79:]))
    assert 0 < rates[-1] < 0.05
