"""Shards made in processes of ours: the same bytes, what fails is named, the rest goes on."""

import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import parallel_works
import pytest

from irsmith.check.sources import quick_programs
from irsmith.parallel.processes import Processes
from irsmith.parallel.shards import fingerprint, make_shards, read_shards, run_shards
from irsmith.parallel.work import Format, Work
from irsmith.records import IrsmithError
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

SQUARES = Work(parallel_works.squares)
PARQUET = Format("parquet", parallel_works.to_parquet, parallel_works.from_parquet)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_real_modules_give_the_same_bytes_here_and_in_processes(toolchain, tmp_path):
    programs = sorted(quick_programs(), key=lambda program: program.name)[:6]
    items = [
        (p.name, to_bitcode(toolchain, str(p.source), p.language, DEFAULT_TARGETS["X86"], p.flags))
        for p in programs
    ]
    handle = parallel_works.sizes()
    rows = list(run_shards(items, lambda part: map(handle, part), tmp_path / "here", "r", 2))
    work = Work(parallel_works.sizes)
    shards = make_shards(work, items, tmp_path / "two", "r", Processes(2), 2)
    assert list(read_shards(shards)) == rows
    assert files(tmp_path / "two") == files(tmp_path / "here")
    assert all(row["sizes"][2] == "compiler crash" for row in rows)
    assert all(isinstance(size, int) for row in rows for size in row["sizes"][:2])


def test_a_shard_that_fails_three_times_is_named_and_the_rest_goes_on(tmp_path):
    work = Work(partial(parallel_works.squares, str(tmp_path)))
    told = []
    shards = make_shards(
        work, range(30), tmp_path / "s", "r", Processes(2), 4, lambda *n: told.append(n)
    )
    errors = {shard.number: shard.error for shard in shards if shard.error}
    assert errors == {
        3: "shard-00003.jsonl: not made in 3 tries: the process died: SIGABRT: unlucky",
        4: "shard-00004.jsonl: not made in 3 tries: KeyError: 'seventeen' "
        f"(parallel_works.py:{source_line('raise KeyError')})",
    }
    begun = [int(line.split()[1]) for line in (tmp_path / "begun").read_text().splitlines()]
    assert {n: begun.count(n) for n in range(30) if begun.count(n) != 1} == {
        **dict.fromkeys((12, 13, 16, 17), 3),
        **dict.fromkeys((14, 15, 18, 19), 0),
    }
    assert told[0] == (0, 30) and told[-1] == (30, 30)
    made = [shard for shard in shards if not shard.error]
    assert list(read_shards(made)) == [n * n for n in range(30) if n // 4 not in (3, 4)]
    with pytest.raises(IrsmithError, match="shard-00003"):
        list(read_shards(shards))


def source_line(text):
    lines = Path(parallel_works.__file__).read_text().splitlines()
    return next(k for k, line in enumerate(lines, 1) if text in line)


class Unreadable(list):
    """Items of which some lie in a damaged file."""

    def __getitem__(self, at):
        found = super().__getitem__(at)
        if 5 in found:
            raise IrsmithError("a.parquet: cannot be read, is it damaged?")
        return found


def test_items_that_cannot_be_read_cost_their_shard(tmp_path):
    shards = make_shards(SQUARES, Unreadable(range(12)), tmp_path / "s", "r", Processes(1), 4)
    assert [shard.error for shard in shards] == [
        "",
        "shard-00001.jsonl: not made: a.parquet: cannot be read, is it damaged?",
        "",
    ]
    assert [shard.path.exists() for shard in shards] == [True, False, True]
    again = make_shards(SQUARES, list(range(12)), tmp_path / "s", "r", Processes(1), 4)
    assert list(read_shards(again)) == [n * n for n in range(12)]


def test_only_what_is_missing_is_made_and_a_damaged_shard_is_named(tmp_path):
    folder = tmp_path / "s"
    make_shards(SQUARES, range(10), folder, "r", Processes(1), 4)
    before = files(folder)
    (folder / "shard-00001.jsonl").unlink()
    (folder / ".shard-00001.jsonl.half").write_text("16")
    (folder / "shard-00002.jsonl").write_text("64\n{")
    told = []
    work = Work(partial(parallel_works.squares, str(tmp_path)))
    shards = make_shards(work, range(10), folder, "r", Processes(2), 4, lambda *n: told.append(n))
    assert "damaged: delete it and run again" in shards[2].error
    assert [line.split()[1] for line in (tmp_path / "begun").read_text().splitlines()] == [*"4567"]
    assert told == [(6, 10), (10, 10)]
    (folder / "shard-00002.jsonl").unlink()
    assert not any(s.error for s in make_shards(SQUARES, range(10), folder, "r", Processes(1), 4))
    assert files(folder) == before
    with pytest.raises(IrsmithError, match="another run"):
        make_shards(SQUARES, range(10), folder, fingerprint(2), Processes(1), 4)


def test_shards_may_be_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    work = Work(parallel_works.squares, PARQUET)
    one = make_shards(work, range(10), tmp_path / "one", "r", Processes(1), 3)
    make_shards(work, range(10), tmp_path / "two", "r", Processes(2), 3)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert list(read_shards(one, PARQUET)) == [n * n for n in range(10)]
    one[1].path.write_bytes(one[1].path.read_bytes()[:-5])
    again = make_shards(work, range(10), tmp_path / "one", "r", Processes(1), 3)
    assert [s.number for s in again if "damaged" in s.error] == [1]
    with pytest.raises(IrsmithError, match="another run"):
        make_shards(SQUARES, range(10), tmp_path / "one", "r", Processes(1), 3)


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (Work(parallel_works.unprepared), "cannot be prepared: no LLVM here"),
        (Work(lambda: None), "cannot be sent to other processes"),
        (Work(partial(parallel_works.squares, nonsense=1)), "cannot be prepared: TypeError"),
    ],
)
def test_work_that_cannot_start_is_one_clear_line(tmp_path, work, says):
    with pytest.raises(IrsmithError, match=says) as caught:
        make_shards(work, range(4), tmp_path / "s", "r", Processes(2), 2)
    assert "\n" not in str(caught.value)
    assert set(files(tmp_path / "s")) == {"run.json"}


def test_work_that_cannot_start_again_costs_shards_and_not_what_was_made(tmp_path):
    work = Work(partial(parallel_works.prepared_once, tmp_path))
    shards = make_shards(work, range(10, 16), tmp_path / "s", "r", Processes(1), 2)
    assert [shard.error.partition("tries: ")[2] for shard in shards] == [
        "",
        *["the work cannot be prepared: only once"] * 2,
    ]


def test_a_full_disk_keeps_what_was_made(tmp_path):
    items = list(range(12))
    work = Work(parallel_works.squares, Format("txt", big_fifth, bytes.splitlines, False))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(IrsmithError, match=r"shard-00004\.txt cannot be written") as caught:
            make_shards(work, items, tmp_path, "r", Processes(1), 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "the shards made so far stay" in str(caught.value)
    assert sorted(files(tmp_path)) == ["run.json", *(f"shard-{n:05d}.txt" for n in range(4))]
    assert not any(s.error for s in make_shards(work, items, tmp_path, "r", Processes(1), 1))


def big_fifth(rows):
    return b"x" * ((2 << 20) if rows == [16] else 10)


def test_two_processes_do_not_write_one_folder(tmp_path):
    def again(done, total):
        with pytest.raises(IrsmithError, match="another process is making these shards"):
            make_shards(SQUARES, range(4), tmp_path, "r", Processes(1), 2)

    make_shards(SQUARES, range(4), tmp_path, "r", Processes(1), 2, again)


DRIVER = """
import sys
from functools import partial
from pathlib import Path
sys.path.insert(0, {here!r})
import parallel_works
from irsmith.parallel.processes import Processes
from irsmith.parallel.shards import make_shards
from irsmith.parallel.work import Work
folder = Path({folder!r})
make_shards(Work(partial(parallel_works.helpers, str(folder))), range(8), folder / "s", "r",
            Processes(2), 1)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_process_and_no_half_file(tmp_path, number):
    script = DRIVER.format(here=str(Path(__file__).parent), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as driver:
        begun = tmp_path / "begun"
        assert until(lambda: begun.exists() and len(begun.read_text().splitlines()) == 4)
        driver.send_signal(number)
        driver.wait(10)
    pids = [int(line.split()[0]) for line in begun.read_text().splitlines()]
    assert until(lambda: not any(alive(pid) for pid in pids))
    assert set(files(tmp_path / "s")) == {"run.json"}


def alive(pid):
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
