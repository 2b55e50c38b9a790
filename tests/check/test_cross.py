"""Programs of another architecture, many in one executable, under QEMU."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from irsmith.check.cross import BATCH, CrossRunner, RunOutcome, fnv1a
from irsmith.check.debian import MissingError, cross_needs
from irsmith.check.elf_isolate import isolate
from irsmith.toolchain.elf import ObjectError, function_sizes
from irsmith.toolchain.find import find_toolchain

TARGET = "aarch64-unknown-linux-gnu"
EMPTY = fnv1a(b"")

missing = cross_needs(TARGET)
needs_cross = pytest.mark.skipif(
    bool(missing),
    reason="not on this machine: " + ", ".join(need.packages[0] for need in missing),
)

Assemble = Callable[[str], bytes]


@pytest.fixture(scope="module")
def assemble() -> Assemble:
    """C text to an AArch64 object, by way of IR as in the product."""
    toolchain = find_toolchain()
    made: dict[str, bytes] = {}

    def make(text: str) -> bytes:
        if text not in made:
            clang = [toolchain.need_clang(), f"--target={TARGET}", "-Oz", "-w", "-fPIC"]
            flags = [
                "-Xclang",
                "-disable-llvm-passes",
                "-std=gnu89",
                "-nostdlibinc",
                "-emit-llvm",
                "-c",
                "-x",
                "c",
                "-",
                "-o",
                "-",
            ]
            bitcode = subprocess.run(
                [*clang, *flags], input=text.encode(), capture_output=True, check=True
            ).stdout
            llc = [toolchain.tool("llc"), "-filetype=obj", "-relocation-model=pic"]
            made[text] = subprocess.run(
                [*llc, "-o", "-"], input=bitcode, capture_output=True, check=True
            ).stdout
        return made[text]

    return make


@pytest.fixture(scope="module")
def runner() -> Iterator[CrossRunner]:
    with CrossRunner(find_toolchain(), TARGET) as made:
        yield made


def test_definitions_get_names_of_their_own(assemble: Assemble) -> None:
    text = """
    int printf(const char *, ...); extern int elsewhere;
    static int hidden(int a) { return a * elsewhere; }
    __attribute__((weak)) int faint(int a) { return hidden(a) + hidden(a + 1); }
    int shared; __attribute__((common)) int loose;
    int main(void) { printf("%d", faint(shared)); return loose; }
    """
    made = isolate(assemble(text), 7)
    assert made.has_main
    assert not made.shares
    assert {"printf", "elsewhere"} <= made.undefined
    assert not any("irsmith" in name for name in made.undefined)
    assert {"irsmith_main_7", "faint.irsmith7"} <= set(function_sizes(made.data))
    assert "main" not in function_sizes(made.data)


def test_only_objects_are_taken(assemble: Assemble) -> None:
    good = assemble("int main(void) { return 0; }")
    for bad in (b"", b"\x7fELF", b"not an object at all", good[:200]):
        with pytest.raises(ObjectError):
            isolate(bad, 0)


def test_a_constructor_makes_a_program_share(assemble: Assemble) -> None:
    text = "int x; __attribute__((constructor)) void f(void) { x = 3; } int main() { return x; }"
    assert isolate(assemble(text), 0).shares


@needs_cross
def test_how_programs_end(runner: CrossRunner, assemble: Assemble) -> None:
    hello = 'int printf(const char *, ...); int main() { printf("hello\\n"); return 0; }'
    cases = [
        (hello, RunOutcome("", "exited", 0, fnv1a(b"hello\n"))),
        ("int main() { return 3; }", RunOutcome("", "exited", 3, EMPTY)),
        ("int main() { exit(0); }", RunOutcome("", "exited", 0, EMPTY)),
        ('int main() { puts("a"); exit(300); }', RunOutcome("", "exited", 44, fnv1a(b"a\n"))),
        # What stdio still held is lost with abort(), as everywhere.
        ('int main() { puts("a"); abort(); }', RunOutcome("", "signal", 6, EMPTY)),
        ("int main() { *(volatile int *)0 = 1; }", RunOutcome("", "signal", 11, EMPTY)),
        ("int main() { for (;;); }", RunOutcome("", "timeout", 0, EMPTY)),
        (
            "int f(int n) { volatile int a[99]; a[n % 99] = n; return f(n + 1) + a[3]; }"
            "int main() { return f(0); }",
            RunOutcome("", "signal", 11, EMPTY),
        ),
        # Both programs define the same names, and one of libc's.
        (
            "int x = 5; int f() { return x; } int main() { return f(); }",
            RunOutcome("", "exited", 5, EMPTY),
        ),
        (
            "int x = 6; int f() { return x; } int write() { return 1; }"
            'int main() { puts("b"); return f() + write(); }',
            RunOutcome("", "exited", 7, fnv1a(b"b\n")),
        ),
        (
            "int main(int c, char **v) { puts(v[0]); return c; }",
            RunOutcome("", "exited", 1, fnv1a(b"program\n")),
        ),
    ]
    objects = [(str(place), assemble(text)) for place, (text, _) in enumerate(cases)]
    outcomes = runner.run_batch(objects, 0.3)
    for (text, wanted), outcome in zip(cases, outcomes, strict=True):
        assert (outcome.kind, outcome.status, outcome.output_hash) == (
            wanted.kind,
            wanted.status,
            wanted.output_hash,
        ), text
    assert [outcome.name for outcome in outcomes] == [name for name, _ in objects]


@needs_cross
def test_bad_programs_do_not_spoil_the_batch(runner: CrossRunner, assemble: Assemble) -> None:
    good = assemble("int f() { return 4; } int main() { return f(); }")
    lost = assemble("int main() { return nowhere() + nothing(); }")
    lost_too = assemble("int main() { return gone(); }")
    objects = [
        ("good 1", good),
        ("lost", lost),
        ("no main", assemble("int f() { return 1; }")),
        ("good 2", good),
        ("lost too", lost_too),
        ("junk", b"\x7fELF\x02\x01junk"),
        ("good 3", good),
    ]
    outcomes = {outcome.name: outcome for outcome in runner.run_batch(objects, 1.0)}
    for number in (1, 2, 3):
        assert (outcomes[f"good {number}"].kind, outcomes[f"good {number}"].status) == ("exited", 4)
    assert outcomes["lost"].kind == outcomes["lost too"].kind == "link error"
    assert "nowhere" in outcomes["lost"].detail or "nothing" in outcomes["lost"].detail
    assert "gone" in outcomes["lost too"].detail
    assert outcomes["no main"].detail == "no main"
    assert outcomes["junk"].kind == "link error"


@needs_cross
def test_a_program_that_kills_the_driver_is_passed_by(
    runner: CrossRunner, assemble: Assemble
) -> None:
    good = assemble("int main() { return 4; }")
    killer = assemble("int main() { kill(getppid(), 9); for (;;) pause(); }")
    group = assemble("int main() { kill(0, 9); return 0; }")
    objects = [("a", good), ("killer", killer), ("b", good), ("group", group), ("c", good)]
    outcomes = runner.run_batch(objects, 0.2)
    assert [outcome.kind for outcome in outcomes] == [
        "exited",
        "signal",
        "exited",
        "signal",
        "exited",
    ]


@needs_cross
def test_constructors_run_in_their_own_program_only(
    runner: CrossRunner, assemble: Assemble
) -> None:
    text = """
    __attribute__((constructor)) static void before(void) { puts("before"); }
    __attribute__((destructor)) static void after(void) { puts("after"); }
    int main(int c, char **v) { puts(v[0]); return 2; }
    """
    plain = assemble("int main() { return 0; }")
    dies = assemble("__attribute__((constructor)) void f(void) { abort(); } int main() {}")
    objects = [("plain", plain), ("shares", assemble(text)), ("dies", dies), ("plain 2", plain)]
    outcomes = runner.run_batch(objects, 1.0)
    assert [outcome.kind for outcome in outcomes] == ["exited", "exited", "signal", "exited"]
    assert outcomes[1].status == 2
    assert outcomes[1].output_hash == fnv1a(b"before\nprogram\nafter\n")
    assert outcomes[0].output_hash == outcomes[3].output_hash == EMPTY


@needs_cross
def test_greedy_programs_are_stopped(runner: CrossRunner, assemble: Assemble) -> None:
    flood = assemble('int main() { for (;;) puts("0123456789012345678901234567890123456789"); }')
    hog = assemble(
        "void *malloc(unsigned long), *memset(void *, int, unsigned long);"
        "int main() { int n = 0; char *p;"
        "while (n < 64 && (p = malloc(1ul << 28))) { p[5] = 1; n++; } return n < 64 ? 1 : 2; }"
    )
    outcomes = runner.run_batch([("flood", flood), ("hog", hog)], 1.0)
    assert outcomes[0].kind in ("signal", "timeout")
    assert (outcomes[1].kind, outcomes[1].status) == ("exited", 1)


@needs_cross
def test_more_programs_than_a_batch(runner: CrossRunner, assemble: Assemble) -> None:
    objects = [(f"p{k}", assemble(f"int main() {{ return {k % 5}; }}")) for k in range(BATCH + 9)]
    outcomes = runner.run_batch(objects, 1.0)
    assert [outcome.status for outcome in outcomes] == [k % 5 for k in range(BATCH + 9)]
    assert runner.run_batch([], 1.0) == []


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="qemu-user"):
        CrossRunner(find_toolchain(), TARGET)
