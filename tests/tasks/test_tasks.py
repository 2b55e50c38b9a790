"""Examples of each task: read back as they were, worth everything, and a near miss is not."""

from dataclasses import replace

import pytest

from irsmith.records import Candidate, IrsmithError, Size, Verdict
from irsmith.search.evaluate import Evaluator
from irsmith.tasks import disassemble, emulate, pretrain, tune
from irsmith.tasks.example import (
    DisassembleLabel,
    EmulateLabel,
    NoAnswer,
    Special,
    Text,
    TuneLabel,
)
from irsmith.tasks.form import canonical
from irsmith.tasks.render import Request, at_level
from irsmith.tasks.text import IRText
from irsmith.tasks.vocabulary import ANSWER, BEFORE, END, LEVELS, TASKS
from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.pipelines import clang_pipeline

PASSED = Verdict(verifier="passed", pass_list="passed")
FAILED = Verdict(verifier="passed", pass_list="failed")


def _texts(parts):
    return [part.text for part in parts if isinstance(part, Text)]


# Pretraining


def test_pretraining_shows_a_module_three_times(workers, units, toolchain, arch):
    made = list(pretrain.build(workers[arch], units[arch], toolchain.version))
    assert made == list(pretrain.build(workers[arch], units[arch], toolchain.version))
    assert [e.task for e in made] == ["pretrain-ir", "pretrain-ir", "pretrain-asm"]
    for example, level in zip(made, ("O0", "Oz", "Oz"), strict=True):
        assert example.prompt == () and example.target == arch
        assert example.answer[0] == Special(TASKS[example.task])
        assert Special(LEVELS[level]) in example.answer and example.answer[-1] == Special(END)
        (text,) = _texts(example.answer)
        assert "<|end|>" in text  # the program's own, still text
        assert example.answer_bytes == len(text.encode())
    assert "alloca" in _texts(made[0].answer)[0] and "ret" in _texts(made[2].answer)[0]


def test_bits_per_byte_are_of_the_text():
    assert pretrain.bits_per_byte([0.6931471805599453] * 8, 4) == pytest.approx(2)
    with pytest.raises(ValueError):
        pretrain.bits_per_byte([1.0], 0)


# Emulating


@pytest.fixture(scope="module")
def emulated(workers, functions, units):
    """Prompt, answer and example of several compilations of functions and units."""

    def build(arch, module, candidate, output):
        label = emulate.label(workers[arch], "0" * 64, module, candidate, output, "llvm")
        return label, emulate.build(workers[arch], module, label)

    candidate = Candidate("function(sroa,gvn),globalopt", ("-disable-lsr",))
    return {
        (arch, output): build(arch, {"ir": functions, "assembly": units}[output][arch],
                              candidate, output)
        for arch in ("X86", "AArch64")
        for output in ("ir", "assembly")
    }  # fmt: skip


@pytest.mark.parametrize("output", ["ir", "assembly"])
def test_emulation_reads_back_and_scores(workers, functions, units, emulated, arch, output):
    label, example = emulated[arch, output]
    module = {"ir": functions, "assembly": units}[output][arch]
    assert emulate.build(workers[arch], module, label) == example
    source = workers[arch].render(Request(module, ir=True)).ir
    prompt = emulate.EmulatePrompt(source, label.candidate, label.before, output)
    assert emulate.prompt_parts(prompt) == example.prompt and example.prompt[-1] == Special(ANSWER)
    truth = emulate.parse_answer(prompt, example.answer)
    assert emulate.answer_parts(prompt, truth) == example.answer
    assert truth.after == label.after
    for length in range(len(example.answer)):
        cut = emulate.parse_answer(prompt, example.answer[:length])
        assert isinstance(cut, NoAnswer) and cut.reason

    def score(answer):
        return emulate.score(workers[arch], prompt, answer, truth)

    assert score(truth) == emulate.EmulateScore(True, True, True, 0, 0)
    text = truth.output.text
    near = replace(truth, output=replace(truth.output, text=text.replace("total", "totals")))
    assert score(near) == emulate.EmulateScore(True, False, False, 0, 0)
    same = replace(truth.output, text=text.rstrip("\n") + "\n\n")
    worth = score(replace(truth, output=same, after=replace(truth.after, text=0)))
    assert (worth.parses, worth.same_bytes, worth.exact) == (True, True, False)
    assert worth.size_error == label.after.text / label.after.total
    broken = score(replace(truth, output=replace(truth.output, text=text + "garbage\n")))
    assert not broken.parses and not broken.exact and broken.reason
    assert score(NoAnswer("why")) == emulate.EmulateScore(False, False, False, reason="why")


def test_a_label_that_does_not_come_out_again_is_refused(workers, functions):
    worker, module = workers["X86"], functions["X86"]
    label = emulate.label(worker, "0" * 64, module, Candidate("function(sroa)"), "ir", "llvm")
    wrong = replace(label, after=replace(label.after, text=label.after.text + 1))
    with pytest.raises(IrsmithError, match="come out again"):
        emulate.build(worker, module, wrong)
    with pytest.raises(IrsmithError):
        emulate.label(worker, "", module, Candidate("no-such-pass"), "ir", "llvm")


def test_what_text_cannot_hold_is_no_example(workers, toolchain):
    """Metadata that normalising drops and that changes the code."""
    source = b"""target triple = "x86_64-unknown-linux-gnu"
    define i32 @f(ptr %a, ptr %b) {
      %v = load i32, ptr %a
      store i32 1, ptr %b
      ret i32 %v }"""
    made = EmulateLabel("", Candidate("dce"), "ir", Size(0, 0, 0, 0), Size(0, 0, 0, 0), "llvm")

    class Unfaithful:
        def render(self, request):
            made = workers["X86"].render(request)
            return replace(made, faithful=False)

    size = workers["X86"].render(Request(source)).size
    with pytest.raises(IrsmithError, match="written out"):
        emulate.build(Unfaithful(), source, replace(made, before=size, after=size))


# Tuning


@pytest.fixture(scope="module")
def evaluators(toolchain):
    with (
        Evaluator(toolchain, DEFAULT_TARGETS["X86"]) as x86,
        Evaluator(toolchain, DEFAULT_TARGETS["AArch64"]) as aarch64,
    ):
        yield {"X86": x86, "AArch64": aarch64}


def _tune_label(workers, evaluator, module, candidate):
    normal = workers.render(Request(module, normal=True)).normal
    before = workers.render(Request(module)).size
    after = workers.render(Request(module, candidate)).size
    baseline = evaluator.baseline(normal).size
    return TuneLabel("", candidate, before, baseline, after, "llvm", verdict=PASSED)


def test_tuning_reads_back(workers, functions, evaluators, arch):
    candidate = canonical(Candidate("sroa,instcombine,simplifycfg", ("-disable-cgp",)))
    worker, module = workers[arch], functions[arch]
    label = _tune_label(worker, evaluators[arch], module, candidate)
    source = worker.render(Request(module, ir=True)).ir
    prompt = tune.TunePrompt(source)
    for with_ir in (False, True):
        example = tune.build(worker, module, label, with_ir)
        assert example.prompt == tune.prompt_parts(prompt)
        answer = tune.parse_answer(prompt, example.answer)
        assert tune.answer_parts(prompt, answer) == example.answer
        assert answer.candidate == candidate and (answer.ir is not None) == with_ir
        assert answer.sizes == tune.Sizes(label.before, label.baseline, label.after)
        listed = example.answer.index(Special(BEFORE))
        for length in range(len(example.answer)):
            cut = tune.parse_answer(prompt, example.answer[:length])
            if length <= listed:
                assert isinstance(cut, NoAnswer)
            else:  # the list is whole, the rest is measured anyway
                assert cut == tune.TuneAnswer(candidate)
    unchecked = replace(label, verdict=Verdict())
    with pytest.raises(IrsmithError, match="has not passed"):
        tune.build(worker, module, unchecked)
    kept = tune.build(worker, module, replace(label, best=None))
    assert tune.parse_answer(prompt, kept.answer).candidate is None


def test_slots_stand_for_the_portfolio(sources):
    prompt = tune.TunePrompt(sources["X86"], "instructions")
    lists = [Candidate("function(dce)"), Candidate("default<Oz>")]
    answer = tune.TuneAnswer(lists[1], slot=1)
    parts = tune.answer_parts(prompt, answer)
    assert len(parts) == 2 and tune.parse_answer(prompt, parts, lists) == answer
    missing = tune.parse_answer(prompt, parts, lists[:1])
    assert missing == NoAnswer("slot 1 of a portfolio of 1 lists")


def test_tuning_scores_only_what_the_checks_accept(workers, units, evaluators, arch):
    evaluator = evaluators[arch]
    normal = workers[arch].render(Request(units[arch], normal=True)).normal
    level = Candidate(clang_pipeline("22.1.8", DEFAULT_TARGETS[arch]))
    # A list that "wins" because it deletes: what the checks are for.
    deletes = Candidate("internalize,globaldce")
    good = Candidate("function(sroa),default<Oz>")
    answers = [
        tune.TuneAnswer(Candidate("function(sroa)")),
        NoAnswer("cut"),
        tune.TuneAnswer(deletes),
        tune.TuneAnswer(deletes),
        tune.TuneAnswer(level),
        tune.TuneAnswer(good),
        tune.TuneAnswer(None),
        tune.TuneAnswer(Candidate("no-such-pass")),
    ]
    asked = []

    def verdict(candidate):
        asked.append(candidate)
        return FAILED if candidate == deletes else PASSED

    worth = tune.score(evaluator, verdict, normal, answers)
    sizes = {e.candidate: e.size for e in evaluator.measure(normal, [level, good, deletes])}
    assert worth.baseline == evaluator.baseline(normal).size.total
    assert worth.first > worth.baseline > sizes[deletes].total
    expected = min(worth.baseline, sizes[level].total, sizes[good].total)
    assert worth.best == {
        1: worth.baseline, 2: worth.baseline, 4: worth.baseline,
        8: expected, 16: expected, 32: expected,
    }  # fmt: skip
    assert worth.refused == (deletes,) and asked.count(deletes) == 1
    assert (worth.failed, worth.no_answers) == (1, 1)
    free = tune.score(evaluator, lambda _: PASSED, normal, answers, counts=(1, 3))
    assert free.best == {1: worth.baseline, 3: sizes[deletes].total} and free.winner == deletes
    none = tune.score(evaluator, verdict, normal, [], counts=(1,))
    assert none.best == {1: worth.baseline} and none.first is None


# Disassembling


@pytest.mark.parametrize("level", ["O0", "O2", "Oz"])
def test_disassembly_reads_back_and_scores(workers, functions, units, toolchain, arch, level):
    worker = workers[arch]
    label = DisassembleLabel("", level, "llvm")
    module = (units if level == "O2" else functions)[arch]
    example = disassemble.build(worker, module, label, toolchain.version)
    source = worker.render(Request(module, ir=True)).ir
    made = worker.render(at_level(source, toolchain.version, level))
    assert example.prompt == disassemble.prompt_parts(made.assembly)
    truth = disassemble.parse_answer(made.assembly, example.answer)
    assert disassemble.answer_parts(truth) == example.answer
    assert truth == disassemble.DisassembleAnswer(level, made.ir)
    assert disassemble.code_of_answer(worker, truth) == made.code
    for length in range(len(example.answer)):
        cut = disassemble.parse_answer(made.assembly, example.answer[:length])
        assert isinstance(cut, NoAnswer)

    def score(answer, **how):
        return disassemble.score(worker, made.assembly, answer, made.code, **how)

    def other(old, new):
        assert old in truth.ir.text
        return replace(truth, ir=replace(truth.ir, text=truth.ir.text.replace(old, new)))

    assert score(truth) == disassemble.DisassembleScore("exact", "passed", True)
    near = score(other("@total", "@totals"))
    assert near == disassemble.DisassembleScore("compiles", "unknown", near.unwind)
    # Of a person's .s file there is no object.
    assert disassemble.score(worker, made.assembly, truth).grade == "exact"
    near = disassemble.score(worker, made.assembly, other("@total", "@totals"))
    assert near == disassemble.DisassembleScore("compiles", "unknown")
    broken = score(other("ret i32", "ret i64"))
    assert (broken.grade, broken.equivalent) == ("failed", "failed") and broken.reason
    assert score(NoAnswer("why")).grade == "failed"
    if arch == "X86":  # on AArch64 a function that can be unwound saves other registers
        tables = replace(truth.ir.header, unwind="")
        flags = tuple(f for f in tables.flags if not f.startswith("uwtable"))
        without = replace(truth, ir=IRText(replace(tables, flags=flags), truth.ir.text))
        assert score(without) == disassemble.DisassembleScore("exact", "passed", False)
    if level == "Oz":
        pytest.importorskip("sacrebleu")
        assert score(truth, with_bleu=True).bleu == pytest.approx(1)
        assert 0.3 < score(other("@total", "@totals"), with_bleu=True).bleu < 1


@pytest.mark.parametrize("level", ["O2", "Oz"])
def test_assembly_can_be_shown_as_a_disassembled_object_prints_it(
    workers, units, toolchain, arch, level
):
    worker, version = workers[arch], toolchain.version
    plain, listed = (
        disassemble.build(worker, units[arch], DisassembleLabel("", level, "llvm", form), version)
        for form in ("compiler", "object")
    )
    assert plain.answer == listed.answer
    source = worker.render(Request(units[arch], ir=True)).ir
    made = worker.render(at_level(source, version, level, "object"))
    assert listed.prompt == disassemble.prompt_parts(made.assembly) != plain.prompt
    assert worker.render(Request(made.assembly)).code.code == made.code.code
    truth = disassemble.parse_answer(made.assembly, listed.answer)
    assert disassemble.score(worker, made.assembly, truth, made.code).grade == "exact"
    assert disassemble.score(worker, made.assembly, truth).grade == "exact"


def test_without_machine_code_there_is_nothing_to_disassemble(workers, toolchain):
    label = DisassembleLabel("", "Oz", "llvm")
    empty = b'target triple = "x86_64-unknown-linux-gnu"\n@a = global i32 1\n'
    with pytest.raises(IrsmithError, match="no machine code"):
        disassemble.build(workers["X86"], empty, label, toolchain.version)
