"""The Python API: its documented examples run, and its errors are clear."""

import doctest

import pytest

import irsmith
from irsmith import api


def test_the_documented_examples_run():
    result = doctest.testmod(api)
    assert result.attempted >= 9 and not result.failed


def test_the_api_mirrors_the_commands(source):
    assert irsmith.optimize is api.optimize
    first = irsmith.optimize(source, effort="fast", output="assembly")
    again = irsmith.optimize(str(source), effort="fast", output="assembly", jobs=1)
    assert first.output == again.output and b"sum:" in first.output
    alone = irsmith.optimize(source, effort="fast", output="assembly", check="list")
    assert alone.output == first.output and alone.verdict.module == "not run"
    with pytest.raises(irsmith.IrsmithError, match="no such file"):
        irsmith.optimize("nowhere.c")
    with pytest.raises(irsmith.IrsmithError, match="unknown effort"):
        irsmith.optimize(source, effort="heroic")
    with pytest.raises(irsmith.IrsmithError, match="unknown check"):
        irsmith.optimize(source, check="everything")
    with pytest.raises(irsmith.IrsmithError, match="did you mean 'simplifycfg'"):
        irsmith.check_passes("simplifcfg")
    with pytest.raises(AttributeError):
        irsmith.nothing  # noqa: B018
