"""A model that says what a test tells it to say, through the contract of an engine."""

from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("tokenizers")

from irsmith.infer.engine import State, check_window
from irsmith.infer.load import Model
from irsmith.model.config import ModelConfig
from irsmith.model.tokenizer import load_tokenizer
from irsmith.tasks.example import Text
from irsmith.tasks.pack import Packer

TOKENIZER = Path(str(resources.files("irsmith.model").joinpath("data/tokenizer.json")))


class Scripted:
    """Says for each prompt the answers that a function gives for the prompt's text, in turn.

    All answers of one call of ``sample`` are the same; the next call's are the next ones.
    """

    def __init__(self, packer, size, answers, context=4096):
        self.packer, self.answers = packer, answers
        self.shape = ModelConfig(size, 64, 2, 4, 2, 96, context=context)
        self.turns = {}
        self.asked = []

    def prefill(self, ids, after=None):
        check_window(len(ids), self.shape)
        parts = self.packer.parts(ids)
        text = "".join(part.text for part in parts if isinstance(part, Text))
        self.asked.append(text)
        said = [tuple(self.packer.ids(answer)) for answer in self.answers(text)]
        return self._state(said, -1, 0, len(ids))

    def fork(self, states):
        return [self._begun(state) for state in states]

    def step(self, states, ids):
        made = []
        for state in states:
            said, turn, at = state.cache
            made.append(self._state(said, turn, at + 1, state.length + 1))
        return made

    def _begun(self, state):
        said, turn, at = state.cache
        if at:
            return state
        key = id(said)
        turn = self.turns[key] = self.turns.get(key, -1) + 1
        return self._state(said, turn, 0, state.length)

    def _state(self, said, turn, at, length):
        logits = np.full(self.shape.vocabulary, -1e9, np.float32)
        answer = said[min(max(turn, 0), len(said) - 1)]
        logits[answer[at] if at < len(answer) else self.packer.end] = 30.0
        return State(logits, length, (said, turn, at))


def model_of(answers, context=4096):
    """A model that says ``answers(text of the prompt)``, a list of parts each."""
    tokenizer = load_tokenizer(TOKENIZER)
    packer = Packer(tokenizer)
    engine = Scripted(packer, tokenizer.size, answers, context)
    return Model(Path(), engine, tokenizer, packer, SimpleNamespace())
