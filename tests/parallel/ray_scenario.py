"""A Ray cluster of two nodes on this machine, in a process of its own.

    python ray_scenario.py STORY FOLDER

Ray leaves threads and warnings behind, and its workers must not outlive the test: so the
test runs this script and looks at what it left.
"""

import contextlib
import json
import os
import pickle
import sys
import threading
import time
from functools import partial
from pathlib import Path
from unittest import mock

import parallel_works
import ray
from ray.cluster_utils import Cluster as TwoNodes

from irsmith.parallel.cluster import Cluster
from irsmith.parallel.shards import make_shards
from irsmith.parallel.work import Work
from irsmith.records import IrsmithError

STORE = 75 << 20
"""The smallest object store that Ray takes."""
SOON = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 5000,
    "health_check_failure_threshold": 3,
    "enable_worker_prestart": False,
    "prestart_worker_first_driver": False,
}
"""A dead node is noticed in two seconds (by default in a quarter of a minute), and no process
is started that the test does not need."""


def node(**more):
    return {
        "num_cpus": 1,
        "object_store_memory": STORE,
        "include_log_monitor": False,
        "no_monitor": True,
        **more,
    }


def stories(folder):
    """One cluster for all of them: starting it is what takes time."""
    head = node(include_dashboard=False, _system_config=SOON)
    cluster = TwoNodes(initialize_head=True, head_node_args=head)
    there = Cluster(cluster.address)
    try:
        told = {"killed": killed(cluster, there, folder / "killed")}
        told["failing"] = failing(there, folder / "failing")
        told["other code"] = other_code(there, folder / "other")
        with contextlib.suppress(KeyboardInterrupt):
            work = Work(partial(parallel_works.helpers, str(folder)))
            make_shards(work, range(4), folder / "stopped", "r", there, 1)
        told["connected"] = ray.is_initialized()
        return told
    finally:
        cluster.shutdown()


def joining(folder):
    """A node joins when three shards are made."""
    head = node(include_dashboard=False, _system_config=SOON)
    cluster = TwoNodes(initialize_head=True, head_node_args=head)

    def join(done, _):
        if done == 3:
            cluster.add_node(**node())

    try:
        work = Work(partial(parallel_works.squares, str(folder), 0.5))
        there = Cluster(cluster.address)
        make_shards(work, range(100, 140), folder / "shards", "r", there, 1, join)
    finally:
        cluster.shutdown()


def killed(cluster, there, folder):
    """The second node dies while it is at a shard."""
    items = pickle.loads((folder / "items").read_bytes())
    second = cluster.add_node(**node(env_vars={"NODE": "second"}))
    flag = folder / "second"
    told = []

    def kill():
        while not flag.exists():
            time.sleep(0.02)
        cluster.remove_node(second, allow_graceful=False)

    threading.Thread(target=kill, daemon=True).start()
    work = Work(partial(parallel_works.sizes, str(flag)))
    shards = make_shards(
        work, items, folder / "there", "r", there, 2, lambda *numbers: told.append(numbers)
    )
    return {"errors": [s.error for s in shards if s.error], "told": told}


def failing(there, folder):
    """A shard that kills its process, one that raises, then wrong set-ups."""
    shards = make_shards(Work(parallel_works.squares), range(20), folder, "r", there, 4)
    return {
        "errors": [s.error for s in shards if s.error],
        "refused": [
            refusal(Work(prepare), folder.with_name("none"), there)
            for prepare in (parallel_works.unprepared, of_this_script)
        ],
    }


def other_code(there, folder):
    """This machine is not like the others: here the code is edited meanwhile."""
    ours = "irsmith of another day"
    with mock.patch("irsmith.parallel.cluster.identity", lambda: ours):
        return refusal(Work(parallel_works.squares), folder, there)


def refusal(work, folder, executor):
    try:
        make_shards(work, range(300), folder, "r", executor, 2)
    except IrsmithError as error:
        return str(error)
    return ""


def of_this_script():
    """No other process can import it."""


def nowhere(folder):
    """Addresses without a cluster."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=lambda: other.accept()[0].sendall(b"SSH-2.0-"), daemon=True).start()
        addresses = ("127.0.0.1:1", "nonsense", "auto", f"127.0.0.1:{other.getsockname()[1]}")
        work = Work(parallel_works.squares)
        return [refusal(work, folder / "s", Cluster(address)) for address in addresses]


if __name__ == "__main__":
    # Ray notes here where its cluster is; without the folder it fails.
    Path(os.environ["RAY_TMPDIR"], "ray").mkdir()
    name, place = sys.argv[1], Path(sys.argv[2])
    done = {"stories": stories, "joining": joining, "nowhere": nowhere}[name](place)
    (place / "told.json").write_text(json.dumps(done))
