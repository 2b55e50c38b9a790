"""``apps.emulate``: what a model says of a pass list, and what that is worth."""

from dataclasses import replace

import pytest

from irsmith.apps.emulate import Wish, emulate
from irsmith.apps.sampling import Sampling
from irsmith.records import Candidate, IrsmithError, Module
from irsmith.tasks.emulate import EmulateAnswer, EmulatePrompt, answer_parts
from irsmith.tasks.render import RenderWorker, Request
from irsmith.tasks.text import AssemblyText
from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

SOURCE = b"int twice(int x) { return x + x; }\nint half(int x) { return x / 2 + twice(x); }\n"
LIST = Candidate("default<Oz>")
TRIPLE = DEFAULT_TARGETS["X86"]


@pytest.fixture(scope="module")
def module(toolchain):
    return Module(to_bitcode(toolchain, SOURCE, "c", TRIPLE), TRIPLE, "twice.c")


@pytest.fixture(scope="module")
def truths(toolchain, module):
    """What the passes give, by output."""
    with RenderWorker(toolchain, TRIPLE) as worker:
        source = worker.render(Request(module.bitcode, ir=True))
        ir = worker.render(Request(module.bitcode, LIST, ir=True))
        assembly = worker.render(Request(module.bitcode, LIST, assembly=True))

    def of(output, made):
        prompt = EmulatePrompt(source.ir, LIST, source.size, output)
        return prompt, EmulateAnswer(made.size, made.ir if output == "ir" else made.assembly)

    return {"ir": of("ir", ir), "assembly": of("assembly", assembly)}


def ask(toolchain, module, answers, context=4096, **wish):
    from scripted import model_of

    model = model_of(lambda _: answers, context)
    wished = Wish(LIST, **wish)
    return emulate(toolchain, module, lambda: model, "scripted", wished)


@pytest.mark.parametrize("output", ["ir", "assembly"])
def test_the_truth_is_exact_and_its_sizes_are_right(toolchain, module, truths, output):
    prompt, truth = truths[output]
    made = ask(toolchain, module, [answer_parts(prompt, truth)], output=output, compare=True)
    (one,) = made.functions
    assert (one.name, one.grade, one.size_error) == ("twice.c", "exact", 0)
    assert one.predicted.total == one.actual.total > 0
    assert ("define" in one.ir) == (output == "ir") and "twice" in one.ir
    assert made.to_json()["functions"][0]["predicted"]["text"] == truth.after.text


def test_what_differs_is_graded_by_what_it_compiles_to(toolchain, module, truths):
    prompt, truth = truths["ir"]
    text = truth.output.text
    same = replace(truth, output=replace(truth.output, text=text.replace("%2", "%a")))
    same = replace(same, after=replace(truth.after, text=truth.after.text + 10))
    other = replace(
        truth.output, text=truth.output.text.replace(", 2", ", 3").replace(", 1", ", 2")
    )
    broken = replace(truth.output, text="define nothing")
    wanted = {"same bytes": same}
    wanted["compiles"] = replace(truth, output=other)
    wanted["failed"] = replace(truth, output=broken)
    for grade, answer in wanted.items():
        said = [answer_parts(prompt, answer)]
        (one,) = ask(toolchain, module, said, compare=True).functions
        assert one.grade == grade and one.reason and one.ir
        assert (one.size_error > 0) == (grade == "same bytes")


def test_without_comparison_nothing_is_called_exact(toolchain, module, truths):
    prompt, truth = truths["ir"]
    made = ask(toolchain, module, [answer_parts(prompt, truth)])
    (one,) = made.functions
    assert one.grade == "compiles" and "not compared" in one.reason
    assert one.actual is None and one.size_error is None and not made.compared


def test_samples_are_judged_and_the_best_is_kept(toolchain, module, truths):
    prompt, truth = truths["ir"]
    broken = replace(truth, output=replace(truth.output, text="define nothing"))
    said = [answer_parts(prompt, broken), answer_parts(prompt, truth)]
    made = ask(toolchain, module, said, compare=True, sampling=Sampling(4))
    assert [(one.grade, one.samples) for one in made.functions] == [("exact", 2)]


def test_a_file_that_does_not_fit_is_asked_about_function_by_function(toolchain, module, truths):
    prompt, truth = truths["ir"]
    made = ask(toolchain, module, [answer_parts(prompt, truth)], context=128)
    assert [one.name for one in made.functions] == ["twice", "half"]
    made = ask(toolchain, module, [answer_parts(prompt, truth)], context=32)
    assert all("do not fit the window of 32" in one.reason for one in made.functions)
    assert not any(one.ir or one.samples for one in made.functions)


def test_a_pass_that_does_not_exist_is_refused(toolchain, module):
    from scripted import model_of

    wish = Wish(Candidate("instcombin"))
    with pytest.raises(IrsmithError, match="instcombin"):
        emulate(toolchain, module, lambda: model_of(lambda _: []), "scripted", wish)


def test_assembly_is_of_the_modules_target(truths):
    assert isinstance(truths["assembly"][1].output, AssemblyText)
