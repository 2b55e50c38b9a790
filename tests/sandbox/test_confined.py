"""Foreign code that means harm gets nowhere: as a program of PassListEval, as an answer."""

import os
import pickle
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from irsmith.check.bench import PROGRAM_LIMITS
from irsmith.check.runner import PHASE_RUN, Task, helper_library, runner
from irsmith.records import Candidate
from irsmith.sandbox.confine import program_confinement
from irsmith.sandbox.nursery import BORN, HEADER, RESULT
from irsmith.sandbox.probe import attempts, probe
from irsmith.sandbox.worker import Limits, Worker, WorkerBugError
from irsmith.toolchain.clang import to_bitcode

TRIPLE = "x86_64-unknown-linux-gnu"
HOSTILE = r"""
#include <stdlib.h>
int open(const char *, int, ...); int socket(int, int, int); int fork(void); int getppid(void);
int kill(int, int); int execve(const char *, void *, void *); int chmod(const char *, int);
long syscall(long, ...);
int main(void) {
    int done = 0;
    if (READ) return open("/etc/passwd", 0) >= 0;
    if (WRITE) return open("FOLDER/written", 0101, 0600) >= 0 || chmod("FOLDER", 0777) == 0;
    if (SOCKET) return socket(2, 1, 0) >= 0 || socket(2, 2, 0) >= 0 || socket(1, 1, 0) >= 0;
    if (FORK) { for (int k = 0; k < 1000; k++) if (fork() >= 0) done++; return done > 0; }
    if (EXEC) { char *none[] = {0}; execve("/bin/true", none, none); return 0; }
    if (KILL) return kill(getppid(), 9) == 0 || kill(CALLER, 0) == 0 || kill(-1, 0) == 0;
    if (FILL) { for (long k = 0; k < 200; k++) { char *p = malloc(1l << 26); if (!p) return 0;
                  for (long n = 0; n < 1l << 26; n += 4096) p[n] = 1; } return 1; }
    return 0;
}
"""
WAYS = ("READ", "WRITE", "SOCKET", "FORK", "EXEC", "KILL", "FILL")


def test_a_hostile_program_under_passlisteval(toolchain, tmp_path):
    text = HOSTILE.replace("FOLDER", str(tmp_path)).replace("CALLER", str(os.getpid()))
    programs = []
    for way in WAYS:
        flags = [f"-D{each}={int(each == way)}" for each in WAYS]
        programs.append(to_bitcode(toolchain, text.encode(), "c", TRIPLE, flags))
    prepare = runner(toolchain.library("X86").path, helper_library(toolchain), programs, TRIPLE)
    limits = Limits(PROGRAM_LIMITS.cpu_seconds, 60.0, 2 << 30)
    with Worker(prepare, limits, fresh=True) as worker:
        tasks = [Task(number, Candidate(""), 0) for number in range(len(WAYS))]
        ended = dict(zip(WAYS, worker.map(tasks), strict=True))
    full = ended.pop("FILL")  # it is told that there is no more, or its time is up first
    assert full.failure == "time-out" or (full.value and full.value.status == 0), full
    assert {way: each.value and each.value.status for way, each in ended.items()} == dict.fromkeys(
        WAYS[:-1], 0
    ), {way: (each.failure, each.detail, each.phase == PHASE_RUN) for way, each in ended.items()}
    assert not list(tmp_path.iterdir())


def test_a_sandbox_that_lets_all_through_is_noticed():
    """The attempts are real ones: outside they succeed, all but the one on memory."""
    outside = attempts(confined=False)
    assert {name for name, done in outside.items() if not done} == {"memory without limit"}
    assert all(probe().values())


@dataclass
class Plain:
    number: int


class Bomb:
    def __reduce__(self):
        return os.system, ("touch bomb",)


def breaking(report):
    """Writes to the pipe what no worker writes."""
    answers = os.open  # the number of the pipe is found as foreign code would: by trying

    def send(data):
        assert answers
        for fd in range(3, 4096):
            try:
                os.write(fd, data)
            except OSError:
                continue

    def handle(what):
        if what == "plain":
            return Plain(3)
        if what == "bomb":
            return Bomb()
        body = {"born": struct.pack("<i", os.getppid()), "junk": b"not a pickle"}
        if what == "endless":
            send(HEADER.pack(RESULT, 1 << 30))
        elif what == "unknown":
            send(HEADER.pack(b"?", 0))
        elif what == "stranger":
            send(HEADER.pack(BORN, 4) + struct.pack("<i", 1))
        else:
            send(HEADER.pack(RESULT, len(body[what])) + body[what])
        time.sleep(100)

    return handle


@pytest.mark.parametrize("what", ["bomb", "junk", "endless", "unknown", "stranger"])
def test_what_is_written_to_the_pipe_is_not_believed(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Only what never ends waits for its time to be up; a busy machine is slow.
    limits = Limits(cpu_seconds=5, wall_seconds=3.0 if what == "endless" else 30.0)
    # In a Python of its own, so that nothing else of ours is open where it tries.
    with Worker(breaking, limits, fresh=True) as worker:
        assert worker.call("plain").value == Plain(3)
        with pytest.raises(WorkerBugError, match="broke in on its pipe"):
            worker.call(what)
        assert worker.call("plain").value == Plain(3)  # a new one is started
    assert not list(tmp_path.iterdir())


def test_answers_are_data_only():
    from irsmith.sandbox.answers import AnswerError, read_answer

    kept = [Plain(1), {"a": (1.5, b"x", frozenset([2]))}, None]
    assert read_answer(pickle.dumps(kept)) == kept
    with pytest.raises(AnswerError, match="system"):
        read_answer(pickle.dumps(Bomb()))


PROGRAM = """
import os, signal, socket, sys
done = []
def attempt(name, what):
    try:
        what()
        done.append(name)
    except OSError:
        pass
attempt("read", lambda: open("/etc/passwd").read())
attempt("write", lambda: open(sys.argv[2] + "/written", "w"))
attempt("chmod", lambda: os.chmod(sys.argv[1], 0o777))
attempt("socket", socket.socket)
attempt("kill", lambda: os.kill(os.getppid(), 0))
attempt("leave its group", os.setsid)
attempt("own folder", lambda: open(sys.argv[1] + "/written", "w"))
attempt("fork", lambda: os.fork() or os._exit(0))
print(*done, sep=",")
"""


def test_a_hostile_program_of_its_own(tmp_path):
    """As the emulator's programs run: processes and a folder of its own, and nothing else."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    libraries = [Path(sys.base_prefix), Path(sys.prefix)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(inside), str(outside)],
        capture_output=True,
        text=True,
        check=False,
        env={},
        start_new_session=True,
        preexec_fn=program_confinement(libraries, [inside]),
    )
    assert done.stdout.strip() == "own folder,fork", (done.stdout, done.stderr)
    assert not list(outside.iterdir())
