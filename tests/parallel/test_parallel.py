"""The same results whatever the number of processes; a kill loses one shard."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsmith.parallel.local import in_order, scatter
from irsmith.parallel.shards import fingerprint, run_shards
from irsmith.records import IrsmithError
from irsmith.sandbox.worker import Limits, Worker


def workers(count):
    def prepare(_):
        def handle(item):
            if item == 13:
                import os

                os.abort()
            return item * item

        return handle

    return [Worker(prepare, Limits(cpu_seconds=5)) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_results_do_not_depend_on_the_number_of_workers(count):
    made = workers(count)
    try:
        got = list(in_order(made, range(40)))
    finally:
        for worker in made:
            worker.close()
    assert [o.value for o in got] == [k * k if k != 13 else None for k in range(40)]
    assert got[13].failure == "crash"


def test_scatter_can_be_left_early_and_used_again():
    made = workers(2)
    try:
        for index, _ in scatter(made, range(100), ahead=8):
            if index > 5:
                break
        assert sorted(i for i, _ in scatter(made, range(10))) == list(range(10))
    finally:
        for worker in made:
            worker.close()


def test_shards_go_on_where_a_kill_left_them(tmp_path):
    calls = []

    def work(part):
        calls.append(list(part))
        if 7 in part and len(calls) == 2:
            raise KeyboardInterrupt
        yield from ({"square": k * k} for k in part)

    items = list(range(10))
    run = fingerprint({"power": 2})
    with pytest.raises(KeyboardInterrupt):
        list(run_shards(items, work, tmp_path, run, size=5))
    assert [r["square"] for r in run_shards(items, work, tmp_path, run, size=5)] == [
        k * k for k in items
    ]
    assert calls == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [5, 6, 7, 8, 9]]


def test_shards_of_another_run_and_damaged_ones_are_refused(tmp_path):
    def work(part):
        yield from part

    list(run_shards([1, 2, 3], work, tmp_path, fingerprint(1), size=2))
    with pytest.raises(IrsmithError, match="another run"):
        list(run_shards([1, 2, 3], work, tmp_path, fingerprint(2), size=2))
    (tmp_path / "shard-00000.jsonl").write_text("1\n{")
    with pytest.raises(IrsmithError, match="damaged"):
        list(run_shards([1, 2, 3], work, tmp_path, fingerprint(1), size=2))
    (tmp_path / "shard-00000.jsonl").write_text("1\n")
    with pytest.raises(IrsmithError, match="damaged"):
        list(run_shards([1, 2, 3], work, tmp_path, fingerprint(1), size=2))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers()), st.integers(1, 7))
def test_any_items_in_any_size_of_shard(tmp_path_factory, items, size):
    folder = tmp_path_factory.mktemp("shards")

    def work(part):
        yield from part

    first = list(run_shards(items, work, folder, fingerprint(items), size=size))
    again = list(run_shards(items, work, folder, fingerprint(items), size=size))
    assert first == again == items
    assert json.loads((folder / "run.json").read_text())["items"] == len(items)
