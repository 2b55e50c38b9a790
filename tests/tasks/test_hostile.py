"""Whatever a model says: an answer or no answer, a score, and never an exception."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irsmith.corpus.header import Header
from irsmith.records import Candidate, Size
from irsmith.tasks import disassemble, emulate, tune
from irsmith.tasks.example import NoAnswer, Special, Text, specials
from irsmith.tasks.form import Reader, parse
from irsmith.tasks.render import Request
from irsmith.tasks.text import AssemblyText, IRText
from irsmith.tasks.vocabulary import (
    AFTER,
    ANSWER,
    ASM,
    BEFORE,
    DIGITS,
    END,
    HEADER,
    IR,
    LEVELS,
    PASSES,
    PORTFOLIO,
    SIZE_FIELDS,
    special_tokens,
)

SOURCE = IRText(Header("x86_64-unknown-linux-gnu", "Oz"), "define void @f() {\nret void\n}\n")
SIZE = Size(10, 0, 0, 48, 3)
LISTS = [Candidate("default<Oz>"), Candidate("function(dce)", ("-disable-lsr",))]
EMULATE = {
    output: emulate.EmulatePrompt(SOURCE, LISTS[1], SIZE, output) for output in ("ir", "assembly")
}
TUNE = tune.TunePrompt(SOURCE)
ASSEMBLY = AssemblyText(SOURCE.header.triple, "f:\nretq\n")
PARSERS = (
    lambda parts: emulate.parse_answer(EMULATE["ir"], parts),
    lambda parts: emulate.parse_answer(EMULATE["assembly"], parts),
    lambda parts: tune.parse_answer(TUNE, parts, LISTS),
    lambda parts: disassemble.parse_answer(ASSEMBLY, parts),
)
ANSWERS = (
    emulate.answer_parts(EMULATE["ir"], emulate.EmulateAnswer(SIZE, SOURCE)),
    emulate.answer_parts(EMULATE["assembly"], emulate.EmulateAnswer(SIZE, ASSEMBLY)),
    tune.answer_parts(TUNE, tune.TuneAnswer(LISTS[1], tune.Sizes(SIZE, SIZE, SIZE), SOURCE)),
    disassemble.answer_parts(disassemble.DisassembleAnswer("Oz", SOURCE)),
)
STRUCTURE = (
    *(END, ANSWER, PASSES, BEFORE, AFTER, IR, ASM, HEADER, LEVELS["Oz"], PORTFOLIO[1]),
    *(*DIGITS, *SIZE_FIELDS.values()),
)

text = st.text() | st.sampled_from(["\ud800", "\0", "define i32 @f(", SOURCE.text, "f:\nretq\n"])
part = (
    st.sampled_from(STRUCTURE).map(Special)
    | st.sampled_from(special_tokens()).map(Special)
    | text.map(Text)
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(part, max_size=30))
def test_random_parts_are_answers_or_none(parts):
    for read in PARSERS:
        answer = read(parts)
        assert not isinstance(answer, NoAnswer) or (answer.reason and "\n" not in answer.reason)


@settings(max_examples=150)
@given(st.sampled_from(range(4)), st.randoms(use_true_random=False))
def test_damaged_answers_are_answers_or_none(which, rng):
    parts = list(ANSWERS[which])
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(parts))
        kind = rng.random()
        if kind < 0.3 and len(parts) > 1:
            del parts[at]
        elif kind < 0.6:
            parts.insert(at, rng.choice(parts))
        elif kind < 0.8:
            parts[at] = Special(rng.choice(special_tokens()))
        else:
            parts = parts[:at] or parts
    for read in PARSERS:
        read(parts)


@pytest.mark.parametrize("which", range(4))
def test_whole_answers_are_answers(which):
    for number, read in enumerate(PARSERS):
        assert isinstance(read(ANSWERS[which]), NoAnswer) != (number == which)


@pytest.mark.parametrize(
    "parts",
    [
        specials([PASSES, *["<|open:function|>"] * 400, END]),
        specials([PASSES, *["<|open:function|>"] * 40_000, END]),
        specials([PASSES, *["<|close|>"] * 400, END]),
        specials([PASSES, "<|open:function|>", END]),
        specials([PASSES, "<|spell|>", *["<|9|>"] * 400, END]),
        specials([PASSES, "<|spell|>", "<|half:f|>", "<|half:f|>", "<|spelled:pass|>", END]),
        specials([AFTER, SIZE_FIELDS["text"], *["<|9|>"] * 60_000]),
        specials([LEVELS["Oz"], HEADER, "<|spell|>", *["<|9|>"] * 60_000]),
        specials([PORTFOLIO[63], END]),
        (*specials([LEVELS["O2"], HEADER, IR]), Text("define"), Special(END)),
        (Special(END),),
        (),
    ],
)
def test_what_can_be_thought_of_is_no_answer(parts):
    for read in PARSERS:
        assert isinstance(read(parts), NoAnswer)


def test_an_error_without_words_is_no_answer():
    def silent(_: Reader) -> None:
        from irsmith.records import IrsmithError

        raise IrsmithError()

    assert parse(silent, ()) == NoAnswer("IrsmithError")


def damaged(source, rng):
    """A text with a piece gone, doubled or put in, or a character or number changed."""
    at, length = rng.randrange(len(source)), rng.choice([1, 1, 3, 20])
    kind = rng.randrange(5)
    if kind == 0:
        return source[:at] + source[at + length :]
    if kind == 1:
        return source[: at + length] + source[at:]
    if kind == 2:
        return source[:at] + rng.choice('%@!0{}()"i3\\*#,\n\ud800') + source[at + 1 :]
    if kind == 3:
        piece = rng.choice(["%0", "@f", "i999999999", "<4 x ", "ptr "])
        return source[:at] + piece + source[at:]
    digits = [place for place, character in enumerate(source) if character.isdigit()]
    at = rng.choice(digits)
    return source[:at] + rng.choice("0123456789") + source[at + 1 :]


def test_damaged_text_is_scored(workers, functions, sources, arch):
    rng = random.Random(7)
    worker, source = workers[arch], sources[arch]
    made = worker.render(Request(source, assembly=True))
    grades = set()
    for _ in range(40):
        answer = disassemble.DisassembleAnswer(
            "Oz", IRText(source.header, damaged(source.text, rng))
        )
        worth = disassemble.score(worker, made.assembly, answer, made.code)
        grades.add(worth.grade)
        assert bool(worth.reason) == (worth.grade == "failed")
        prompt = emulate.EmulatePrompt(source, Candidate(""), made.size, "assembly")
        broken = AssemblyText(source.header.triple, damaged(made.assembly.text, rng))
        truth = emulate.EmulateAnswer(made.size, made.assembly)
        found = emulate.score(worker, prompt, emulate.EmulateAnswer(made.size, broken), truth)
        assert found.parses != bool(found.reason) and not (found.exact and not found.same_bytes)
    assert {"failed", "compiles"} <= grades
