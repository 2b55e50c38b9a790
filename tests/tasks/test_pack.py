"""Parts to ids and back, with any tokenizer that keeps text text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsmith.records import IrsmithError
from irsmith.tasks.example import Example, Special, Text
from irsmith.tasks.pack import Packer
from irsmith.tasks.vocabulary import ANSWER, END, TASKS, special_tokens
from irsmith.train.data import PackedData, PackedWriter

SPECIALS = special_tokens()


class Bytes:
    """One id a byte, behind the special tokens."""

    def encode(self, text):
        return [len(SPECIALS) + byte for byte in text.encode("utf-8", "surrogatepass")]

    def decode(self, ids):
        return bytes(i - len(SPECIALS) for i in ids).decode("utf-8", "surrogatepass")

    def special(self, name):
        return SPECIALS.index(name)


class Leaky(Bytes):
    """Reads special tokens out of text."""

    def encode(self, text):
        return [SPECIALS.index(text)] if text in SPECIALS else super().encode(text)


parts = st.lists(
    st.sampled_from(SPECIALS).map(Special)
    | (st.text(min_size=1) | st.sampled_from(SPECIALS)).map(Text),
    max_size=12,
)


@given(parts)
def test_ids_give_the_parts_back(made):
    packer = Packer(Bytes())
    joined = []
    for one in made:  # texts side by side are one text
        if joined and isinstance(one, Text) and isinstance(joined[-1], Text):
            joined[-1] = Text(joined[-1].text + one.text)
        else:
            joined.append(one)
    assert packer.parts(packer.ids(made)) == tuple(joined)


def test_a_special_token_in_text_stays_text():
    ids = Packer(Bytes()).ids([Text(END)])
    assert min(ids) >= len(SPECIALS) and len(ids) == len(END)
    with pytest.raises(IrsmithError, match="out of text"):
        Packer(Leaky()).ids([Text(END)])


def test_documents_go_into_packed_shards(tmp_path):
    packer = Packer(Bytes())
    prompt = (Special(TASKS["disassemble"]), Text("retq"), Special(ANSWER))
    example = Example("disassemble", "X86", prompt, (Text("ret void é"), Special(END)))
    document = packer.document(example)
    assert (document.answer, document.bytes_) == (6, len("ret void é".encode()))
    with PackedWriter(tmp_path, vocabulary=len(SPECIALS) + 256, end=packer.end) as writer:
        writer.add(np.array(document.tokens), **document.arguments())
    data = PackedData(tmp_path)
    row = data.documents[0]
    ids = data.read(int(row["start"]), int(row["tokens"])).tolist()
    assert packer.parts(ids) == example.prompt + example.answer
    assert packer.parts(ids[int(row["answer"]) :]) == example.answer
    assert data.meta.tasks == ("disassemble",) and data.meta.targets == ("X86",)
    with pytest.raises(IrsmithError, match="without an end"):
        packer.document(Example("tune", "X86", prompt, (Text("x"),)))


def test_two_tokens_with_one_id_are_refused():
    class Same(Bytes):
        def special(self, name):
            return 0

    with pytest.raises(IrsmithError, match="one id"):
        Packer(Same())


def test_the_tokenizer_keeps_text_text(sources, arch):
    pytest.importorskip("tokenizers")
    from irsmith.model.tokenizer import Tokenizer, train_tokenizer

    text = sources[arch].text
    tokenizer = Tokenizer(train_tokenizer([text], len(SPECIALS) + 300))
    packer = Packer(tokenizer)
    assert packer.end == tokenizer.end
    made = (Special(TASKS["tune"]), Text(text + "".join(SPECIALS[:9])), Special(ANSWER))
    ids = packer.ids(made)
    assert packer.parts(ids) == made
    assert sum(number < len(SPECIALS) for number in ids) == 2
    (half,) = packer.parts(packer.ids([Text("é")])[:1])  # cut in the middle of a character
    assert half == Text("\udcc3")
