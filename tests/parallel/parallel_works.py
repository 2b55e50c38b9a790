"""Work that tests send to other processes: a module of its own, quick to import."""

import os
import time
from pathlib import Path

from irsmith.records import Candidate, IrsmithError
from irsmith.search.evaluate import Evaluator
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain

CANDIDATES = [
    Candidate(text)
    for text in (
        "default<Oz>",
        "function(sroa,early-cse),default<Oz>",
        "trigger-crash-module",
        "default<O1>",
    )
]


def sizes(second=""):
    """Bytes of modules under a few lists, one of which kills LLVM.

    In the node named by ``second``, whose variable NODE is set, the first shard waits for
    the node's death.
    """
    evaluator = Evaluator(find_toolchain(), DEFAULT_TARGETS["X86"])

    def handle(item):
        name, bitcode = item
        if second and os.environ.get("NODE"):
            Path(second).write_text(name)
            time.sleep(60)
        row = [
            evaluation.size.total if evaluation.size else evaluation.failure.split(":")[0]
            for evaluation in evaluator.measure(bitcode, CANDIDATES)
        ]
        return {"name": name, "sizes": row}

    return handle


def squares(folder=None, seconds=0.0):
    """Squares; 13 kills the process, 17 raises; each item is noted in a folder."""

    def handle(number):
        if folder:
            with Path(folder, "begun").open("a") as file:
                file.write(f"{os.getpid()} {number}\n")
        time.sleep(seconds)
        if number == 13:
            os.write(2, b"unlucky\n")
            os.abort()
        if number == 17:
            raise KeyError("seventeen")
        return number * number

    return handle


def helpers(folder):
    """Each item starts a program that outlives it, and notes its process."""
    import subprocess

    def handle(number):
        with subprocess.Popen(["sleep", "60"]) as program:
            with Path(folder, "begun").open("a") as file:
                file.write(f"{os.getpid()} {number}\n{program.pid} {number}\n")
            return program.wait()

    return handle


def unprepared():
    raise IrsmithError("no LLVM here")


def prepared_once(folder):
    """Whose second preparation fails."""
    flag = Path(folder, "prepared")
    if flag.exists():
        raise IrsmithError("only once")
    flag.touch()
    return squares()


def to_parquet(rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    table = pa.table({"square": pa.array(rows, pa.int64())})
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def from_parquet(data):
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.read_table(pa.BufferReader(data))["square"].to_pylist()
