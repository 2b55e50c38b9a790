"""Somebody's server that speaks OpenAI's completions: vLLM, llama.cpp and their kin.

Prompts go as token ids. A server tells the log-probabilities of its likeliest tokens only
(``top`` of them); all others count as impossible here, so a search may miss answers, but
never misjudges one. Each step sends the whole texts once more: a server that keeps prefixes
computes only what is new. Whole answers come in one request (:meth:`ServerEngine.complete`).
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irsmith.infer.engine import State, check_ids, check_window
from irsmith.infer.sample import Sample, Settings
from irsmith.model.config import ModelConfig
from irsmith.records import IrsmithError

_ID = "token_id:"
"""How vLLM spells a token if asked for ids."""


class ServerEngine:
    """See :class:`irsmith.infer.engine.Engine`; ``State.cache`` is the text's ids.

    Args:
        url: up to and with ``/v1``.
        shape: of the network that is served.
        top: likeliest tokens to ask for; vLLM gives 20 unless started with
            ``--max-logprobs``, llama.cpp any number.
        model: name on the server; empty: the first that it serves.
        timeout: seconds to wait for an answer.

    Raises:
        IrsmithError: the server cannot be reached, or serves no model.
    """

    def __init__(
        self, url: str, shape: ModelConfig, top: int = 20, model: str = "", timeout: float = 600.0
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise IrsmithError(f"{url!r} is no address of a server: http://HOST:PORT/v1")
        self._url, self._shape, self._top = url.rstrip("/"), shape, top
        self._timeout = timeout
        self._model = model or self._served()

    @property
    def shape(self) -> ModelConfig:
        """The network's."""
        return self._shape

    def prefill(self, ids: Sequence[int], after: State | None = None) -> State:
        """See :meth:`irsmith.infer.engine.Engine.prefill`."""
        before: tuple[int, ...] = after.cache if after else ()
        array = check_ids(ids, len(before), self._shape)
        return self._ask([(*before, *array.tolist())])[0]

    def fork(self, states: Sequence[State]) -> list[State]:
        """See :meth:`irsmith.infer.engine.Engine.fork`; memory is the server's business."""
        return list(states)

    def step(self, states: Sequence[State], ids: Sequence[int]) -> list[State]:
        """See :meth:`irsmith.infer.engine.Engine.step`."""
        if not states:
            return []
        array = check_ids(ids, 0, self._shape)
        check_window(max(state.length for state in states) + 1, self._shape)
        texts = [(*state.cache, int(token)) for state, token in zip(states, array, strict=True)]
        return self._ask(texts)

    def scores(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """See :meth:`irsmith.infer.engine.Engine.scores`; llama.cpp's server cannot tell."""
        array = check_ids(ids, 0, self._shape).tolist()
        asked = {"prompt": array, "max_tokens": 1, "echo": True, "logprobs": 1}
        (choice,) = self._choices(asked)
        told = (choice.get("logprobs") or {}).get("token_logprobs") or []
        if len(told) < len(array):
            raise IrsmithError(f"{self._url}: this server does not score the text of a prompt")
        return np.array(told[1 : len(array)], np.float32)

    def complete(
        self, state: State, count: int, ends: Sequence[int], settings: Settings | None = None
    ) -> list[Sample]:
        """Whole answers in one request, drawn by the server.

        Args:
            state: behind the prompt.
            count: of answers.
            ends: ids that end one.
            settings: how to draw; what the seed gives is the server's.
        """
        how = settings or Settings()
        room = min(how.longest, self._shape.context - state.length)
        asked = {
            "prompt": list(state.cache),
            "n": count,
            "max_tokens": room,
            "temperature": how.temperature,
            "top_p": how.top_p,
            "top_k": 0,
            "min_p": 0,
            "seed": how.seed,
            "logprobs": 1,
            "stop_token_ids": list(ends),
        }
        made = []
        for row, choice in enumerate(self._choices(asked)):
            drawn = list(_drawn(choice))
            cut = next((i + 1 for i, (token, _) in enumerate(drawn) if token in ends), len(drawn))
            ids, likely = tuple(t for t, _ in drawn[:cut]), sum(p for _, p in drawn[:cut])
            ended = bool(ids) and ids[-1] in ends
            if not ended and choice.get("finish_reason") == "stop":
                # Some leave out the token that ends; its probability is then not told.
                ids, ended = (*ids, ends[0]), True
            made.append(Sample(row, ids, likely, ended))
        return made

    def _served(self) -> str:
        told = self._send("models", None)
        names = [entry.get("id", "") for entry in told.get("data", [])]
        if not names:
            raise IrsmithError(f"{self._url}: serves no model")
        return str(names[0])

    def _ask(self, texts: list[tuple[int, ...]]) -> list[State]:
        """What may follow each of some texts."""
        asked = {
            "prompt": [list(text) for text in texts],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": self._top,
        }
        choices = self._choices(asked)
        if len(choices) != len(texts):
            raise IrsmithError(f"{self._url}: {len(choices)} answers to {len(texts)} prompts")
        states = []
        for text, choice in zip(texts, choices, strict=True):
            logits = np.full(self._shape.vocabulary, -np.inf, np.float32)
            for token, value in _likeliest(choice):
                if 0 <= token < len(logits):
                    logits[token] = value
            if not np.isfinite(logits).any():
                raise IrsmithError(f"{self._url}: tells no log-probabilities by token id")
            states.append(State(logits, len(text), text))
        return states

    def _choices(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        told = self._send("completions", {"model": self._model, **asked, **_BY_ID})
        choices = sorted(told.get("choices", []), key=lambda choice: choice.get("index", 0))
        return list(choices)

    def _send(self, path: str, data: Mapping[str, Any] | None) -> dict[str, Any]:
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(
            f"{self._url}/{path}", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                why = error.read(300).decode(errors="replace").replace("\n", " ")
            raise IrsmithError(f"{self._url}: refused ({error.code}): {why}") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise IrsmithError(f"{self._url}: cannot be reached: {reason}") from error
        except ValueError as error:
            raise IrsmithError(f"{self._url}: the answer is not JSON") from error
        if not isinstance(told, dict):
            raise IrsmithError(f"{self._url}: not an OpenAI-compatible answer")
        return told


_BY_ID = {"return_tokens_as_token_ids": True}
"""vLLM's word for it; llama.cpp tells ids anyway."""


def _likeliest(choice: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
    """Ids and log-probabilities of the first new token's alternatives, in either form."""
    told = choice.get("logprobs") or {}
    for entry in told.get("content") or ():  # llama.cpp's form
        yield entry["id"], entry["logprob"]
        yield from ((other["id"], other["logprob"]) for other in entry["top_logprobs"])
        return
    for first in told.get("top_logprobs") or ():  # the classic form
        yield from ((_number(token), value) for token, value in first.items())
        return


def _drawn(choice: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
    """Ids and log-probabilities of the tokens that were drawn."""
    told = choice.get("logprobs") or {}
    if told.get("content"):
        yield from ((entry["id"], entry["logprob"]) for entry in told["content"])
        return
    pairs = zip(told.get("tokens") or (), told.get("token_logprobs") or (), strict=True)
    yield from ((_number(token), value) for token, value in pairs)


def _number(token: str) -> int:
    if not token.startswith(_ID):
        raise IrsmithError("the server names tokens by their text, not by their ids")
    return int(token.removeprefix(_ID))
