"""``apps.disassemble``: pieces of objects, and grades that must be true."""

import functools
import re
import subprocess
from dataclasses import replace

import pytest

from irsmith.apps.disassemble import Reader, disassemble
from irsmith.apps.machine_code import load_code
from irsmith.apps.pieces import PieceWorker
from irsmith.apps.sampling import Sampling
from irsmith.corpus.functions import cut_function
from irsmith.infer.names import Spelling, symbols_of
from irsmith.records import Candidate, IrsmithError, Module
from irsmith.search.evaluate import Evaluator
from irsmith.tasks.disassemble import DisassembleAnswer, answer_parts
from irsmith.tasks.example import Text
from irsmith.tasks.render import RenderWorker, Request
from irsmith.tasks.text import AssemblyText, IRText
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode
from irsmith.toolchain.compile import Job
from irsmith.toolchain.llvm import arch_of
from irsmith.toolchain.pipelines import clang_pipeline

SOURCE = rb"""
extern int errors, pairs[8];
int report(const char *, int);
static int seen[8];
static const char *const marks[] = {"first", "second <|end|>", "third"};
static const int table[5] = {10, 20, 30, 40, 50};
__attribute__((noinline)) static int weigh(int x) { return x > 3 ? x * 5 - errors : seen[x & 7]; }
const char *mark(unsigned k) { return k < 3 ? marks[k] : "none"; }
int total(const int *a, int n) {
    int s = pairs[3];
    for (int i = 0; i < n; i++) s += weigh(a[i]) * table[i % 5];
    if (s < 0) report("less than nothing", s);
    return s;
}
int choose(int x) {
    switch (x) {
    case 0: return report("a", 7); case 1: return 9; case 2: return report("b", 12);
    case 3: return 5; case 4: return 1; case 5: return x * errors; default: return 0;
    }
}
int fact(int n) { return n < 2 ? n : fact(n - 1) * 3 + fact(n - 2); }
void put(int i, int v) { seen[i] = v; }
"""
NAMES = ["weigh", "mark", "total", "choose", "fact", "put"]
ARCHES = ("X86", "AArch64")


class Unit:
    """A unit's object and assembly, and for each function the IR that it was made from."""

    def __init__(self, toolchain, arch):
        self.triple = triple = DEFAULT_TARGETS[arch]
        bitcode = to_bitcode(toolchain, SOURCE, "c", triple)
        passes = Candidate(clang_pipeline(toolchain.version, triple, "Oz"))
        with Evaluator(toolchain, triple, 1) as evaluator:

            def made(output):
                return evaluator.compile(Job(bitcode, triple, passes, output=output)).output

            self.object, self.assembly = made("object"), made("assembly")
            optimised = Module(made("bitcode"), triple, "unit")
        self.answers = {}
        with RenderWorker(toolchain, triple) as worker:
            for name in NAMES:
                cut = cut_function(toolchain, optimised, name)
                ir = worker.render(Request(cut.bitcode, ir=True)).ir
                self.answers[name] = DisassembleAnswer("Oz", ir)

    def says(self, **changed):
        """What a model says: the truth, but for some functions texts changed in order."""

        def answers(prompt):
            name = next(n for n in NAMES if f"\n{n}:" in f"\n{prompt}")
            true = self.answers[name]
            texts = changed.get(name, [true.ir.text])
            return [answer_parts(replace(true, ir=replace(true.ir, text=t))) for t in texts]

        return answers


@pytest.fixture(scope="module")
def units(toolchain):
    return {arch: Unit(toolchain, arch) for arch in ARCHES}


@pytest.fixture
def all_rules():
    """Answers are held to every rule, as a model's are."""


@pytest.fixture(autouse=True)
def names_alone(monkeypatch, request):
    """Answers here are as wrong as the tests want them: only their names are held to rules."""
    if "all_rules" not in request.fixturenames:
        monkeypatch.setattr(
            "irsmith.infer.draw.rules_of_assembly",
            lambda model, text: Spelling(model.tokenizer, model.packer.end, symbols_of(text)),
        )


@pytest.fixture(params=ARCHES)
def unit(request, units):
    return units[request.param]


def run(toolchain, data, says, samples=1, functions=(), context=4096):
    from scripted import model_of

    model = model_of(says, context)
    code = load_code(toolchain, "-", data)
    sampling = Sampling(samples, by="model")
    result = disassemble(toolchain, code, lambda: model, "scripted", sampling, functions)
    return {one.name: one for one in result.functions}


@pytest.mark.usefixtures("all_rules")
def test_the_true_ir_of_each_function_of_an_object_is_exact(toolchain, unit):
    found = run(toolchain, unit.object, unit.says())
    assert set(found) == set(NAMES)
    assert {name: (one.grade, one.reason) for name, one in found.items()} == dict.fromkeys(
        NAMES, ("exact", "")
    )
    assert "define" in found["total"].ir and "target triple" in found["total"].ir


@pytest.mark.usefixtures("all_rules")
def test_the_true_ir_of_each_function_of_assembly_is_exact(toolchain, unit):
    found = run(toolchain, unit.assembly, unit.says())
    assert {name: (one.grade, one.reason) for name, one in found.items()} == dict.fromkeys(
        NAMES, ("exact", "")
    )


FAULTS = {
    "constant": ("fact", ", 3\n", ", 5\n"),
    "called symbol": ("total", "@report(", "@resort("),
    "local symbol": ("put", "@seen", "@sewn"),
    "addend": ("total", "i64 12", "i64 16"),
    "byte of a string": ("total", "less than", "lass than"),
    "byte of a table": ("total", "i32 40", "i32 41"),
    "pointer in a table": ("mark", "second", "sekond"),
    "case of a jump table": ("choose", "i32 3, label", "i32 6, label"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_ir_with_one_fault_is_not_exact(toolchain, unit, fault):
    name, old, new = FAULTS[fault]
    text = unit.answers[name].ir.text
    if old not in text:
        assert unit.triple.startswith("aarch64")
        pytest.skip(f"{old} does not stand in this target's IR")
    wrong = text.replace(old, new)
    judged = judge(toolchain, unit, name, wrong)
    assert judged.grade == "compiles" and judged.reason
    # A model cannot even say a name that the assembly does not show.
    found = run(toolchain, unit.object, unit.says(**{name: [wrong]}), functions=[name])
    assert found[name].grade in ("compiles", "failed") and found[name].reason


def judge(toolchain, unit, name, text, data=b""):
    """What the app says of one answer, whoever gave it."""
    from scripted import model_of

    code = load_code(toolchain, "-", data or unit.object)
    true = unit.answers[name]
    parts = answer_parts(replace(true, ir=replace(true.ir, text=text)))
    with PieceWorker(toolchain, code.triple) as worker:
        reader = Reader(toolchain, worker, lambda: model_of(unit.says(), 4096), code)
        ((index, _),) = code.chosen([name])
        piece = worker.cut(code.data, index)
        return reader._judge(AssemblyText(code.triple, piece.text), piece, parts)


def test_samples_are_drawn_until_one_is_exact_and_the_best_is_kept(toolchain, units):
    unit = units["X86"]
    true = unit.answers["fact"].ir.text
    wrong, broken = true.replace(", 3\n", ", 5\n"), "nothing of the kind"
    found = run(
        toolchain, unit.object, unit.says(fact=[broken, true]), samples=5, functions=["fact"]
    )
    assert found["fact"].grade == "exact" and found["fact"].samples == 2
    found = run(
        toolchain, unit.object, unit.says(fact=[wrong, broken]), samples=3, functions=["fact"]
    )
    assert found["fact"].grade == "compiles" and found["fact"].samples == 3
    assert "mul" in found["fact"].ir or "i32" in found["fact"].ir
    found = run(toolchain, unit.object, unit.says(fact=[broken]), functions=["fact"])
    assert found["fact"].grade == "failed" and found["fact"].ir == ""
    assert "LLVM refuses" in found["fact"].reason


def test_an_answer_that_is_another_function_is_not_exact(toolchain, units):
    unit = units["X86"]
    other = unit.answers["put"].ir.text
    more = unit.answers["fact"].ir.text + "define i32 @helper() {\nret i32 1\n}\n"
    for text in (other, more):
        judged = judge(toolchain, unit, "fact", text)
        assert judged.grade == "compiles"
        assert "fact" in judged.reason
        found = run(toolchain, unit.object, unit.says(fact=[text]), functions=["fact"])
        assert not re.search("@(put|helper)", found["fact"].ir)  # nor can a model say it


def test_what_does_not_fit_the_window_is_declared(toolchain, units):
    found = run(toolchain, units["X86"].object, units["X86"].says(), context=64)
    assert found["total"].grade == "failed" and not found["total"].samples
    assert "tokens do not fit the window of 64" in found["total"].reason


def test_prompts_are_of_one_function_with_the_data_that_is_its_own(toolchain, units):
    unit = units["X86"]
    code = load_code(toolchain, "-", unit.object)
    with PieceWorker(toolchain, code.triple) as worker:
        texts = {name: worker.cut(code.data, i).text for i, name in code.chosen([])}
    assert "third" in texts["mark"] and "less than" not in texts["mark"]
    assert "callq weigh\n" in texts["total"] and "weigh:" not in texts["total"]
    assert "seen" in texts["put"] and "seen:" not in texts["put"]


@pytest.mark.parametrize(
    "data,words",
    [
        (b"", "empty"),
        (b"\x00\x01\x02", "neither ELF nor assembly"),
        (b"int main(void) { return 0; }", "not assembly"),
        (b"\x7fELF\x02\x01" + bytes(12) + b"\x08\x00" + bytes(60), "machine"),
        (b"\x7fELF\x01\x01" + bytes(60), "ELF"),
    ],
)
def test_bad_input_is_one_line(toolchain, data, words):
    with pytest.raises(IrsmithError, match=words) as caught:
        load_code(toolchain, "-", data)
    assert "\n" not in str(caught.value)


def test_a_truncated_object_is_refused(toolchain, units):
    data = units["X86"].object
    for length in range(6, len(data), max(1, len(data) // 50)):
        try:
            code = load_code(toolchain, "-", data[:length])
        except IrsmithError:
            continue
        found = run(toolchain, data[:length], units["X86"].says())
        assert code.functions and all(one.grade for one in found.values())


def test_an_unknown_function_is_named_with_a_near_one(toolchain, units):
    code = load_code(toolchain, "-", units["X86"].object)
    with pytest.raises(IrsmithError, match="did you mean 'total'"):
        code.chosen(["totl"])


def test_text_of_prompts_never_ends_one(toolchain, units):
    unit = units["X86"]
    code = load_code(toolchain, "-", unit.object)
    with PieceWorker(toolchain, code.triple) as worker:
        text = worker.cut(code.data, code.functions.index("mark")).text
    assert "<|end|>" in text and isinstance(Text(text), Text)


def noisy(text):
    """The same function with a store that no one reads: other code, same behaviour."""
    lines = text.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("define"))
    lines.insert(at + 1, "%noise = alloca i64\nstore volatile i64 7, ptr %noise")
    return "\n".join(lines) + "\n"


def test_other_code_that_does_the_same_is_equivalent_and_only_that(toolchain, units):
    unit = units["X86"]
    changed = {name: [noisy(unit.answers[name].ir.text)] for name in NAMES}
    found = run(toolchain, unit.object, unit.says(**changed))
    # The others call something or return nothing: what is passed would be the answer's guess.
    same = {n for n, one in found.items() if one.grade == "equivalent"}
    assert same == {"weigh", "mark", "fact"}
    assert {found[n].grade for n in set(NAMES) - same} == {"compiles"}
    differ = 0
    for name, old, new in FAULTS.values():
        wrong = noisy(unit.answers[name].ir.text.replace(old, new))
        one = judge(toolchain, unit, name, wrong)
        assert one.grade == "compiles", (name, old)
        differ += "differs" in one.reason
    assert differ >= 2


def test_arguments_that_an_answer_leaves_out_are_not_called_equivalent(toolchain):
    """nano said that ``ask`` takes nothing: then nothing was compared of what it got."""
    source = b"int ask(int); int twice(int x) { return ask(x + 1); } int get(int *p) { return *p; }"
    triple = DEFAULT_TARGETS["X86"]
    passes = Candidate(clang_pipeline(toolchain.version, triple, "Oz"))
    job = Job(to_bitcode(toolchain, source, "c", triple), triple, passes, output="object")
    with Evaluator(toolchain, triple, 1) as evaluator:
        data = evaluator.compile(job).output
        bitcode = evaluator.compile(replace(job, output="bitcode")).output
    with RenderWorker(toolchain, triple) as worker:
        header = worker.render(Request(bitcode, ir=True)).ir.header
    wrong = {
        "twice": "declare i32 @ask()\ndefine i32 @twice(i32 %0) {\n%2 = call i32 @ask()\n"
        "ret i32 %2\n}\n",
        "get": "define void @get(ptr %0) {\nret void\n}\n",
    }

    def says(prompt):
        name = next(n for n in wrong if f"\n{n}:" in f"\n{prompt}")
        return [answer_parts(DisassembleAnswer("Oz", IRText(header, wrong[name])))]

    found = run(toolchain, data, says)
    assert {one.grade for one in found.values()} == {"compiles"}
    assert "arguments" in found["twice"].reason and "returns nothing" in found["get"].reason


def test_what_cannot_be_run_here_is_not_called_equivalent(toolchain, units):
    unit = units["AArch64"]
    changed = noisy(unit.answers["put"].ir.text)
    found = run(toolchain, unit.object, unit.says(put=[changed]), functions=["put"])
    assert found["put"].grade == "compiles" and "cannot be run here" in found["put"].reason


REST = b"int errors, pairs[8]; int report(const char *s, int x) { return s[0] + x; }\n"
REST += b"void _start(void) {}\n"


@pytest.fixture(scope="module")
def link(toolchain, units, tmp_path_factory):
    """Links a unit's object with what it lacks."""
    folder = tmp_path_factory.mktemp("linked")

    @functools.cache
    def linked(arch, *flags):
        objects = {"unit.o": units[arch].object}
        if "-shared" not in flags:
            triple = DEFAULT_TARGETS[arch]
            job = Job(to_bitcode(toolchain, REST, "c", triple), triple, Candidate(""))
            with Evaluator(toolchain, triple, 1) as evaluator:
                objects["rest.o"] = evaluator.compile(replace(job, output="object")).output
        for name, data in objects.items():
            (folder / name).write_bytes(data)
        command = [toolchain.tool("ld.lld"), *flags, *objects, "-o", "out"]
        subprocess.run(command, cwd=folder, check=True)
        return (folder / "out").read_bytes()

    return linked


@pytest.mark.parametrize("flags", [("-pie",), ("-static",), ("-shared", "-z", "undefs")])
def test_the_true_ir_of_each_function_of_a_linked_program_is_exact(toolchain, unit, link, flags):
    data = link(arch_of(unit.triple), *flags)
    found = run(toolchain, data, unit.says(), functions=NAMES)
    grades = {name: (one.grade, one.reason) for name, one in found.items()}
    assert grades == dict.fromkeys(NAMES, ("exact", ""))


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found_in_linked_programs_too(toolchain, unit, link, fault):
    name, old, new = FAULTS[fault]
    wrong = unit.answers[name].ir.text.replace(old, new)
    if wrong == unit.answers[name].ir.text:
        pytest.skip(f"{old} does not stand in this target's IR")
    data = link(arch_of(unit.triple), "-pie")
    judged = judge(toolchain, unit, name, wrong, data)
    assert judged.grade == "compiles" and judged.reason


def test_of_a_stripped_program_it_is_said_that_there_are_no_functions(toolchain, link):
    with pytest.raises(IrsmithError, match="stripped"):
        load_code(toolchain, "-", link("X86", "-static", "--strip-all"))
