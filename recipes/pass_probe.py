"""Experiments that show what a pass does: on sample programs, each in its own process.

A pass is run alone on every form of the samples in ``pass_samples/``. Where it
changes the module, the result is compiled, linked and run, and has to print what it
printed before. Nothing of this proves a pass right; it finds what is plainly no
optimisation: printers, instrumentation, passes that abort, that assume to see the
whole program, or that drop what must stay.
"""

from __future__ import annotations

import hashlib
import re
import resource
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.toolchain.elf import sections
from irsmith.toolchain.find import Toolchain

SOURCES = Path(__file__).parent / "pass_samples"
SECONDS = 10
"""Of processor time, after which a process is stopped; on a busy machine that takes longer."""
WALL_SECONDS = 600
MEMORY = 4 << 30
_SHF_ALLOC, _SHT_NOBITS = 2, 8

# What most passes want to see: values in registers, loops rotated, nothing else done.
_PREPARED = "function(sroa,early-cse,simplifycfg,loop(loop-rotate))"
_FORMS = {
    "prepared": _PREPARED,
    "loops": f"{_PREPARED},function(instcombine<no-verify-fixpoint>,loop(indvars),lcssa)",
    "Oz": "default<Oz>",
    "O3": "default<O3>",
}
_ARM = "--target=aarch64-unknown-linux-gnu"
_ARM_VECTORS = "-march=armv8.3-a+sve"
# Name, source, level and flags of the frontend, forms. Passes for speed do nothing to
# functions marked for size, and the other way round.
_PROGRAMS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("program", "program.c", ("-Oz",), ("", "Oz")),
    ("fast program", "program.c", ("-O2",), ("prepared", "loops", "O3")),
    ("unit", "unit.c", ("-Oz",), ("", "Oz")),
    ("exceptions", "exceptions.cpp", ("-Oz",), ("", "prepared", "Oz")),
    ("debug", "program.c", ("-Oz", "-g", "-fstack-protector-strong"), ("",)),
    ("AArch64", "program.c", ("-Oz", _ARM), ("",)),
    ("fast AArch64", "program.c", ("-O2", _ARM, _ARM_VECTORS), ("prepared", "O3")),
)
_UNDEFINED = re.compile(r"undefined symbol: (\S+)")
_ATOMIC = re.compile(r"\b(atomicrmw|cmpxchg|fence|load atomic|store atomic)\b")
_PATH = re.compile(r"\S*/")
_TELLING = re.compile(r"LLVM ERROR|error:|executed at")
_ASSERTION = re.compile(r"([\w.-]+\.(?:cpp|h)):\d+: .*?Assertion [`'](.*)' failed")


@dataclass(frozen=True, slots=True)
class Done:
    """How a process ended."""

    status: int | None
    output: str
    errors: str

    @property
    def timed_out(self) -> bool:
        """Whether it was stopped."""
        return self.status is None


@dataclass(frozen=True, slots=True)
class Sample:
    """One form of a sample program.

    Attributes:
        name: program and form, for the evidence.
        path: the module as text.
        code: its object.
        symbols: symbols that its object exports, weak ones apart.
        partner: object files to link with, or None if it cannot be linked here.
        expected: what the program prints.
        raw: whether it is what the frontend gave.
        repeat: whether passes are run twice on it, to see whether they are deterministic.
    """

    name: str
    path: Path
    code: bytes
    symbols: frozenset[str]
    partner: tuple[Path, ...] | None
    expected: str
    raw: bool
    repeat: bool


@dataclass(slots=True)
class Finding:
    """What the experiments say of a pass.

    Attributes:
        text: the pipeline text that was tried.
        trials: sample modules tried.
        changed: how many of them it changed.
        code: how many objects came out different, from the pass alone or from
            ``default<Oz>`` after it.
        problem: why it is no pass for search, or empty.
        prints: whether it wrote to standard output or error.
        leaves_files: whether it left files behind.
    """

    text: str
    trials: int = 0
    changed: int = 0
    code: int = 0
    problem: str = ""
    prints: bool = False
    leaves_files: bool = False


@dataclass(frozen=True, slots=True)
class _Result:
    """A module as text, and what of its object is loaded."""

    module: str
    loaded: tuple[bytes, ...]


def samples_digest() -> str:
    """Names the samples: sources, and what is made of them."""
    sources = [path.read_bytes() for path in sorted(SOURCES.iterdir())]
    made = repr((_PROGRAMS, sorted(_FORMS.items()))).encode()
    return hashlib.sha256(b"\0".join([*sources, made])).hexdigest()[:16]


class Laboratory:
    """Sample modules in a folder of their own, and the tools to try passes on them."""

    def __init__(self, toolchain: Toolchain, folder: Path) -> None:
        self._clang = str(toolchain.need_clang())
        self._tools = {n: str(toolchain.tool(n)) for n in ("opt", "llc", "llvm-nm", "ld.lld")}
        self._folder = folder
        # Graph viewers and temporary files of passes stay away from everything else.
        self._scratch = folder / "scratch"
        self._scratch.mkdir()
        self._environment: dict[str, str] = {}
        libraries = self._must(self._clang, "-print-file-name=libunwind.so.1").output.strip()
        self._environment = {
            "PATH": str(Path(self._tools["ld.lld"]).parent),
            "TMPDIR": str(self._scratch),
            "LD_LIBRARY_PATH": str(Path(libraries).parent),
        }
        self._trivial = folder / "trivial.ll"
        # Without a triple, opt has no target, and refuses the passes that ask for one.
        self._trivial.write_text(
            'target triple = "x86_64-unknown-linux-gnu"\ndefine void @f() {\n  ret void\n}\n'
        )
        self._controls: dict[tuple[str, str], _Result] = {}
        self.samples = self._make_samples()

    def try_pass(self, text: str, control: str = "verify") -> Finding:
        """Run a pipeline text on every sample, up to the first problem.

        Where the pass alone does no harm, ``default<Oz>`` follows: a wrong attribute,
        say, only shows when something believes it.

        Args:
            text: what is tried.
            control: what changes as much as running nothing does: around loop passes,
                the adaptor alone rewrites loops. A pass changes a module if it gives
                another one than this.
        """
        finding = Finding(text)
        for sample in self.samples:
            finding.trials += 1
            done = self._try_on(text, sample, finding, control)
            if finding.problem:
                if done.status != 0 and self._opt(text, self._trivial, "/dev/null").status != 0:
                    finding.problem = f"fails on an empty function already: {finding.problem}"
                return finding
        if finding.changed:
            after = Finding(f"{text},default<Oz>")
            for sample in self.samples:
                if sample.raw and not after.problem:
                    self._try_on(after.text, sample, after, f"{control},default<Oz>")
            finding.code += after.code
            if after.problem:
                finding.problem = f"{after.problem}, with default<Oz> after it"
        return finding

    def fails(self, text: str) -> bool:
        """Whether ``opt`` fails on any sample; nothing is compiled."""
        return any(self._opt(text, s.path, "/dev/null").status != 0 for s in self.samples)

    def accepts(self, text: str) -> bool:
        """Whether ``opt`` can read the pipeline text."""
        done = self._opt(text, self._trivial, "/dev/null", "-print-pipeline-passes")
        # Of some passes, opt cannot read again what it prints; that it read them counts.
        return done.status == 0 or "Could not parse dumped" in done.errors

    def _try_on(self, text: str, sample: Sample, finding: Finding, control: str = "verify") -> Done:
        before, after = self._control(control, sample), self._folder / "after.ll"
        done = self._opt(text, sample.path, after)
        finding.prints |= bool(done.output or done.errors)
        finding.leaves_files |= self._clear_scratch()
        if done.status != 0:
            finding.problem = _why_failed(done, sample.name)
            return done
        module = _read_module(after)
        if module == before.module:
            return done
        finding.changed += 1
        if sample.repeat:
            again = self._folder / "again.ll"
            if self._opt(text, sample.path, again).status != 0 or _read_module(again) != module:
                finding.problem = f"not deterministic: two runs on {sample.name} differ"
                return done
        finding.problem = _what_is_lost(before.module, module) or self._behaviour(after, sample)
        if not finding.problem:
            compiled = after.with_suffix(".o").read_bytes()
            finding.code += _loaded(compiled) != before.loaded
        return done

    def _control(self, text: str, sample: Sample) -> _Result:
        """The module and its loaded bytes when only the control runs; made once."""
        if (text, sample.name) not in self._controls:
            path = self._folder / "control.ll"
            self._check(self._opt(text, sample.path, path), f"{text} on {sample.name}")
            compiled = path.with_suffix(".o")
            self._check(self._compile(path, compiled), f"no code for {text} on {sample.name}")
            result = _Result(_read_module(path), _loaded(compiled.read_bytes()))
            self._controls[text, sample.name] = result
        return self._controls[text, sample.name]

    def _behaviour(self, module: Path, sample: Sample) -> str:
        """Compile, link, run and compare; says what is wrong, or nothing."""
        compiled = module.with_suffix(".o")
        done = self._compile(module, compiled)
        if done.status != 0:
            return f"code generation fails: {_why_failed(done, sample.name)}"
        if compiled.read_bytes() == sample.code:
            return ""
        program = self._folder / "program"
        if sample.partner is not None:
            done = self._link((compiled, *sample.partner), program)
            undefined = _UNDEFINED.search(done.errors)
            if undefined and undefined[1] not in sample.symbols:
                return f"instrumentation: the module then needs {undefined[1]}"
        symbols = self._symbols(compiled)
        for missing in sorted(sample.symbols - symbols):
            return f"changes the interface: exported symbol {missing} is gone or renamed"
        for added in sorted(symbols - sample.symbols):
            return f"changes the interface: the module then exports {added}"
        if sample.partner is None:
            return ""
        if done.status != 0:
            return f"does not link: {done.errors.splitlines()[0] if done.errors else '?'}"
        done = self._run(str(program))
        if done.timed_out:
            return f"wrong code: {sample.name} does not end"
        if done.status != 0:
            return f"wrong code: {sample.name} ends with status {done.status}"
        return (
            "" if done.output == sample.expected else f"wrong code: {sample.name} prints other text"
        )

    def _make_samples(self) -> tuple[Sample, ...]:
        user = self._folder / "user.o"
        self._must(self._clang, "-O1", "-c", str(SOURCES / "user.c"), "-o", str(user))
        samples: list[Sample] = []
        for name, source, flags, forms in _PROGRAMS:
            partner = (user,) if name == "unit" else None if _ARM in flags else ()
            raw = self._frontend(source, *flags)
            for form in forms:
                full = f"{name} after {form}" if form else name
                path = self._folder / f"{full}.ll"
                self._check(self._opt(_FORMS.get(form, "verify"), raw, path), f"no {full}")
                samples.append(self._sample(full, path, partner))
        return tuple(samples)

    def _frontend(self, source: str, *flags: str) -> Path:
        module = self._folder / "raw.ll"
        self._must(
            *(self._clang, *flags, "-Xclang", "-disable-llvm-passes", "-w", "-emit-llvm", "-S"),
            *(str(SOURCES / source), "-o", str(module)),
        )
        return module

    def _sample(self, name: str, path: Path, partner: tuple[Path, ...] | None) -> Sample:
        compiled, program = self._folder / "sample.o", self._folder / "sample"
        self._check(self._compile(path, compiled), f"no code for {name}")
        expected = ""
        if partner is not None:
            self._check(self._link((compiled, *partner), program), f"{name} does not link")
            expected = self._must(str(program)).output
        return Sample(
            name=name,
            path=path,
            code=compiled.read_bytes(),
            symbols=self._symbols(compiled),
            partner=partner,
            expected=expected,
            raw="after" not in name,
            repeat="program" in name,
        )

    def _opt(self, text: str, module: Path, output: Path | str, *options: str) -> Done:
        return self._run(
            self._tools["opt"], f"-passes={text}", *options, "-S", str(module), "-o", str(output)
        )

    def _compile(self, module: Path, compiled: Path) -> Done:
        return self._run(
            *(self._tools["llc"], "-O2", "--relocation-model=pic", "-filetype=obj"),
            *(str(module), "-o", str(compiled)),
        )

    def _link(self, objects: Sequence[Path], program: Path) -> Done:
        libraries = ["-nostdlib++", "-lc++abi", "-lunwind", "-lm"]
        return self._run(self._clang, *map(str, objects), *libraries, "-o", str(program))

    def _symbols(self, compiled: Path) -> frozenset[str]:
        lines = self._must(
            self._tools["llvm-nm"], "-g", "--defined-only", "-P", str(compiled)
        ).output.splitlines()
        pairs = (line.split()[:2] for line in lines)
        return frozenset(name for name, kind in pairs if kind not in "WVwvu")

    def _clear_scratch(self) -> bool:
        left = list(self._scratch.iterdir())
        for path in left:
            path.unlink()
        return bool(left)

    def _must(self, *command: str) -> Done:
        return self._check(self._run(*command), f"{Path(command[0]).name} failed")

    @staticmethod
    def _check(done: Done, complaint: str) -> Done:
        if done.status != 0:
            raise RuntimeError(f"{complaint}: {done.errors}")
        return done

    def _run(self, *command: str) -> Done:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=self._scratch,
                env=self._environment,
                timeout=WALL_SECONDS,
                preexec_fn=_limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Done(None, "", "")
        if done.returncode == -signal.SIGXCPU:
            return Done(None, "", "")
        return Done(
            done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
        )


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read_module(path: Path) -> str:
    """Module text; its first line names the file that it was read from."""
    return path.read_text().partition("\n")[2]


def _why_failed(done: Done, sample: str) -> str:
    if done.timed_out:
        return f"time-out: more than {SECONDS} s on {sample}"
    errors = _PATH.sub("", done.errors)
    assertion = _ASSERTION.search(errors)
    if assertion:
        return f"aborts: assertion '{assertion[2]}' in {assertion[1]} on {sample}"
    # What follows is a request for a bug report, and a stack that differs each time.
    errors = errors.partition("PLEASE submit")[0]
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    if any("Broken module found" in line for line in lines):
        return f"verifier: {lines[0]}"
    telling = [line for line in lines if _TELLING.search(line)] or lines
    status = done.status or 0
    died = status < 0
    message = telling[0] if telling else f"{'signal' if died else 'status'} {abs(status)}"
    return f"{'aborts' if died else 'refuses to run'}: {message} on {sample}"


def _loaded(data: bytes) -> tuple[bytes, ...]:
    """The content of the sections that are loaded."""
    return tuple(
        data[section.offset : section.offset + section.size]
        for section in sections(data)
        if section.flags & _SHF_ALLOC and section.type != _SHT_NOBITS
    )


def _what_is_lost(before: str, after: str) -> str:
    """What a run cannot show: atomic and volatile accesses, debug information."""
    if _ATOMIC.search(before) and not _ATOMIC.search(after):
        return "wrong code: drops atomic operations, which only threads would notice"
    if " volatile " in before and " volatile " not in after:
        return "wrong code: drops volatile accesses"
    for record in ("#dbg_", "!DILocalVariable(", "!DISubprogram("):
        if record in before and record not in after:
            return "strips debug information"
    if "!DICompileUnit(" in after and "!DICompileUnit(" not in before:
        return "test helper: makes up debug information"
    return ""
