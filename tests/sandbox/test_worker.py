"""A worker survives everything that a pass or a program can do to it."""

import ctypes
import importlib
import os
import pickle
import signal
import sys
import time
from pathlib import Path

import pytest

from irsmith.parallel.local import scatter
from irsmith.records import IrsmithError
from irsmith.sandbox.worker import Limits, Worker, WorkerBugError


def prepare(report):
    def handle(item):
        what, value = item
        report(3)
        if what == "double":
            return 2 * value
        if what == "crash":
            ctypes.string_at(0)
        if what == "abort":
            os.write(2, b"prog: file.cpp:7: Assertion `x > 0' failed.\n")
            os.abort()
        if what == "spin":
            while True:
                pass
        if what == "sleep":
            time.sleep(100)
        if what == "exit":
            os._exit(5)
        if what == "refuse":
            raise IrsmithError("no such thing")
        if what == "bug":
            raise KeyError("oops")
        if what == "fill":
            return len(bytearray(value))
        if what == "pid":
            return os.getpid()
        raise AssertionError(what)

    return handle


LIMITS = Limits(cpu_seconds=0.3, wall_seconds=2.0, memory_bytes=1 << 30)


@pytest.mark.parametrize("fresh", [False, True])
def test_items_behind_a_crash_are_served(fresh):
    items = [("double", 1), ("crash", 0), ("double", 2), ("abort", 0), ("exit", 0), ("double", 3)]
    with Worker(prepare, LIMITS, fresh) as worker:
        got = list(worker.map(items))
    assert [outcome.value for outcome in got] == [2, None, 4, None, None, 6]
    assert got[1].failure == "crash" and got[1].detail.startswith("SIGSEGV")
    assert got[1].phase == 3
    assert "Assertion `x > 0' failed" in got[3].detail
    assert got[4].detail == "exit 5"


def test_time_outs_by_processor_and_by_wall():
    with Worker(prepare, LIMITS) as worker:
        started = time.monotonic()
        got = list(worker.map([("spin", 0), ("sleep", 0), ("double", 4)]))
        assert time.monotonic() - started < 10
    assert [outcome.failure for outcome in got] == ["time-out", "time-out", ""]


def test_memory_is_bounded():
    with Worker(prepare, LIMITS) as worker:
        assert worker.call(("fill", 3 << 30)).failure == "refused"
        assert worker.call(("fill", 1 << 20)).value == 1 << 20


def test_a_child_that_grew_is_replaced():
    small = Limits(cpu_seconds=5, recycle_bytes=1)
    with Worker(prepare, small) as worker:
        pids = [worker.call(("pid", 0)).value for _ in range(3)]
    assert len(set(pids)) == 3


def test_refusal_keeps_the_worker_and_a_bug_shows():
    with Worker(prepare, LIMITS) as worker:
        first = worker.call(("pid", 0)).value
        assert worker.call(("refuse", 0)).detail == "no such thing"
        assert worker.call(("pid", 0)).value == first
        with pytest.raises(WorkerBugError, match="oops"):
            worker.call(("bug", 0))
        assert worker.call(("double", 5)).value == 10  # starts again


def test_a_broken_preparation_shows():
    def broken(report):
        raise ValueError("cannot prepare")

    with Worker(broken, LIMITS) as worker, pytest.raises(WorkerBugError, match="cannot prepare"):
        worker.call(1)


def test_leaving_early_stops_the_processes():
    worker = Worker(prepare, LIMITS)
    for outcome in worker.map(("pid", 0) for _ in range(50)):
        pid = outcome.value
        break
    worker.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the child outlived its worker")


def test_a_busy_worker_refuses_a_second_stream():
    with Worker(prepare, LIMITS) as worker:
        stream = worker.map(("double", k) for k in range(9))
        assert next(stream).value == 0
        with pytest.raises(RuntimeError, match="serving other items"):
            worker.call(("double", 1))
        assert [o.value for o in stream] == list(range(2, 18, 2))
        assert worker.call(("double", 1)).value == 2


def test_items_and_answers_may_both_be_larger_than_a_pipe():
    large = [("double", bytes([k]) * 400_000) for k in range(6)]
    with Worker(prepare, Limits(wall_seconds=30)) as worker:
        assert [len(o.value) for o in worker.map(large)] == [800_000] * 6
    with Worker(prepare, LIMITS) as one, Worker(prepare, LIMITS) as two:
        outcomes = dict(scatter([one, two], large, ahead=3))
        assert [outcomes[k].value[:1] for k in range(6)] == [bytes([k]) for k in range(6)]


def test_many_items_are_cheap():
    with Worker(prepare, LIMITS) as worker:
        worker.call(("double", 0))
        started = time.process_time()
        assert [o.value for o in worker.map(("double", k) for k in range(5000))] == list(
            range(0, 10000, 2)
        )
        assert time.process_time() - started < 5


ORPHANS = """
import os, sys, time
from irsmith.sandbox.worker import Limits, Worker

def prepare(_):
    def handle(item):
        time.sleep(600)
    return handle

worker = Worker(prepare, Limits())
worker.submit(1)
deadline = time.monotonic() + 20
while not worker._child and time.monotonic() < deadline:
    kind, body = worker._message(time.monotonic() + 1)
    if kind == b"P":
        worker._child = int.from_bytes(body, "little")
print(worker._nursery, worker._child, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_orphan_is_left_when_the_parent_dies(number):
    import subprocess
    import sys

    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2 and all(pids)
    parent.send_signal(number)
    parent.wait(10)
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        alive = [pid for pid in pids if _alive(pid)]
        if not alive:
            return
        time.sleep(0.05)
    pytest.fail(f"processes {alive} outlived their parent")


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_fresh_worker_has_nothing_of_ours_in_it(monkeypatch):
    monkeypatch.setenv("IRSMITH_TEST_MARK", "1")
    importlib.import_module("colorsys")  # something that nothing else loads
    for fresh in (True, False):
        with Worker(prepare_modules, LIMITS, fresh) as worker:
            assert worker.call("colorsys").value is not fresh
            assert worker.call("IRSMITH_TEST_MARK").value is True


def test_a_fresh_worker_says_what_cannot_be_sent():
    with (
        pytest.raises((AttributeError, pickle.PicklingError)),
        Worker(lambda report: print, LIMITS, fresh=True) as worker,
    ):
        worker.call(1)


def prepare_modules(report):
    return lambda name: name in sys.modules or name in os.environ
