"""Shards made on a real Ray cluster of two nodes, one of which dies at its work."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import parallel_works
import pytest
from test_make_shards import alive, files, until

from irsmith.check.sources import quick_programs
from irsmith.parallel.cluster import Cluster
from irsmith.parallel.processes import Processes
from irsmith.parallel.shards import make_shards
from irsmith.parallel.work import Work
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

needs_ray = pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed")


@contextmanager
def scenario(story, folder):
    """The scenario's process; in the end nothing of it runs, and its files are gone."""
    # Paths of Ray's sockets must be short: pytest's own folders are too deep.
    temporary = tempfile.mkdtemp(prefix="ray")
    environment = os.environ | {"RAY_TMPDIR": temporary, "RAY_USAGE_STATS_ENABLED": "0"}
    environment.pop("RAY_ADDRESS", None)
    script = Path(__file__).with_name("ray_scenario.py")
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, script, story, folder],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        with process:
            yield process
            process.wait(60)
        assert process.returncode == 0, (folder / "log").read_text()[-3000:]
    finally:
        if process.poll() is None:
            process.kill()
        left = until(lambda: not of_ray(temporary), 15)
        for pid in of_ray(temporary):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(temporary)
    assert left, "processes of Ray were left"


def of_ray(temporary):
    """Processes that were started with this folder."""
    name = f"RAY_TMPDIR={temporary}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if name in path.read_bytes().split(b"\0") and alive(int(path.parent.name)):
                found.append(int(path.parent.name))
        except (OSError, ProcessLookupError):
            continue
    return found


def told(folder):
    return json.loads((folder / "told.json").read_text())


@pytest.fixture(scope="module")
def stories(toolchain, tmp_path_factory):
    """The folder in which a cluster of two nodes has worked, in the end interrupted."""
    folder = tmp_path_factory.mktemp("stories")
    programs = sorted(quick_programs(), key=lambda program: program.name)[:12]
    items = [
        (p.name, to_bitcode(toolchain, str(p.source), p.language, DEFAULT_TARGETS["X86"], p.flags))
        for p in programs
    ]
    (folder / "killed").mkdir()
    (folder / "killed/items").write_bytes(pickle.dumps(items))
    begun = folder / "begun"
    with scenario("stories", folder) as process:
        work = Work(parallel_works.sizes)
        make_shards(work, items, folder / "killed/here", "r", Processes(1), 2)
        waited = until(lambda: begun.exists() and len(begun.read_text().splitlines()) == 2, 120)
        if waited:
            process.send_signal(signal.SIGINT)
    return folder


@needs_ray
def test_a_node_dies_and_the_folder_is_the_same_to_the_byte(stories):
    folder = stories / "killed"
    assert (folder / "second").exists()  # it was at a shard
    assert told(stories)["killed"] == {
        "errors": [],
        "told": [[n, 12] for n in range(0, 13, 2)],  # each shard once
    }
    assert files(folder / "there") == files(folder / "here")
    assert len(files(folder / "here")) == 7


@needs_ray
def test_failing_shards_and_wrong_set_ups_are_named(stories):
    story = told(stories)["failing"]
    assert [error.partition(" (")[0] for error in story["errors"]] == [
        "shard-00003.jsonl: not made in 3 tries: the process died: SIGABRT: unlucky",
        "shard-00004.jsonl: not made in 3 tries: KeyError: 'seventeen'",
    ]
    assert len(files(stories / "failing")) == 4
    assert "the work cannot be prepared: no LLVM here" in story["refused"][0]
    assert "of_this_script" in story["refused"][1] and "\n" not in story["refused"][1]


@needs_ray
def test_a_machine_with_other_code_is_refused(stories):
    line = told(stories)["other code"]
    assert "this machine has irsmith of another day: install the same on all machines" in line


@needs_ray
def test_an_interrupt_leaves_no_process(stories):
    pids = [int(line.split()[0]) for line in (stories / "begun").read_text().splitlines()]
    assert len(pids) == 2 and not any(alive(pid) for pid in pids)
    assert told(stories)["connected"] is False
    assert set(files(stories / "stopped")) == {"run.json"}


@needs_ray
@pytest.mark.slow
def test_a_node_that_joins_takes_part(tmp_path):
    with scenario("joining", tmp_path):
        pass
    lines = (tmp_path / "begun").read_text().splitlines()
    assert len(lines) == 40 and len({line.split()[0] for line in lines}) == 2
    assert len(files(tmp_path / "shards")) == 41


@needs_ray
def test_no_cluster_is_one_clear_line(tmp_path):
    with scenario("nowhere", tmp_path):
        pass
    lines = told(tmp_path)
    assert "no Ray cluster at 127.0.0.1:1" in lines[0] and "refused" in lines[0]
    assert "'nonsense' is no address" in lines[1]
    assert "no Ray cluster on this machine" in lines[2]
    assert "something else answers there" in lines[3]
    assert not any("\n" in line for line in lines)


def test_without_ray_the_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(IrsmithError, match=r"pip install 'irsmith\[cluster\]'"):
        make_shards(Work(parallel_works.squares), [1], tmp_path, "r", Cluster("127.0.0.1:1"))
