"""Servers: llama.cpp's own, and one that speaks vLLM's form with the numpy engine behind it."""

import http.server
import json
import subprocess
import sys
import threading

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_release import SHAPES, TOKENIZER, network_of  # noqa: E402

from irsmith.infer.engine import log_probabilities  # noqa: E402
from irsmith.infer.engine_server import ServerEngine  # noqa: E402
from irsmith.infer.grammar import Grammar  # noqa: E402
from irsmith.infer.load import open_model  # noqa: E402
from irsmith.infer.sample import Settings, sample  # noqa: E402
from irsmith.infer.search import best_answers  # noqa: E402
from irsmith.model.gguf import export_gguf  # noqa: E402
from irsmith.records import IrsmithError  # noqa: E402

PROMPT = [6, 900, 901, 902, 903, 2]
TOP = 500
ALL = 16_384

LLAMA = """
import sys, time
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.n_parallel, params.warmup = sys.argv[1], 1024, 4, False
params.cpuparams.n_threads, params.port = 1, 0
server = xllamacpp.Server(params)
print("ADDRESS", server.listening_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gguf")
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    export_gguf(network_of(SHAPES[True]), path, tokenizer=TOKENIZER, end=0)
    server = subprocess.Popen(
        [sys.executable, "-c", LLAMA, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with server:
        for line in server.stdout:
            if line.startswith("ADDRESS"):
                yield f"{line.split()[1]}/v1"
                break
        else:
            pytest.fail("llama.cpp's server did not start")
        server.kill()


class Completions(http.server.BaseHTTPRequestHandler):
    """The part of vLLM's completions that is asked for; ``engine`` computes."""

    engine = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer({"data": [{"id": "tiny"}]} if self.path == "/v1/models" else {})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert asked["model"] == "tiny" and asked["return_tokens_as_token_ids"]
        if asked["logprobs"] > 20:
            return self.answer({"message": "logprobs may not be above 20"}, 400)
        prompts = asked["prompt"]
        prompts = [prompts] if isinstance(prompts[0], int) else prompts
        choices = []
        for index, prompt in enumerate(prompts):
            choices.append({"index": index, **self.one(asked, prompt)})
        return self.answer({"choices": choices[::-1]})

    def one(self, asked, prompt):
        likely = log_probabilities(self.engine.prefill(prompt).logits)
        best = np.argsort(-likely)[: asked["logprobs"]].tolist()
        told = {f"token_id:{token}": float(likely[token]) for token in best}
        token_logprobs = [float(likely[best[0]])]
        if asked.get("echo"):
            token_logprobs = [None, *self.engine.scores(prompt).tolist(), *token_logprobs]
        logprobs = {
            "tokens": [f"token_id:{best[0]}"],
            "token_logprobs": token_logprobs,
            "top_logprobs": [told],
        }
        return {"text": "", "logprobs": logprobs, "finish_reason": "length"}

    def answer(self, data, status=200):
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def classic(release):
    handler = type("Handler", (Completions,), {"engine": open_model(release, "numpy").engine})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_llama_cpp_tells_what_we_compute(llama, model):
    engine = ServerEngine(llama, SHAPES[True], top=TOP)
    texts = [PROMPT, [*PROMPT, 5], [*PROMPT, 5, 9]]
    served = [engine.prefill(PROMPT)]
    served += engine.step(engine.fork(served), [5])
    served.append(engine.prefill([9], served[1]))
    for text, state in zip(texts, served, strict=True):
        ours = log_probabilities(model.engine.prefill(text).logits)
        told = np.isfinite(state.logits)
        assert told.sum() == TOP and state.length == len(text)
        # llama.cpp keeps its cache in half precision.
        np.testing.assert_allclose(state.logits[told], ours[told], atol=3e-2)
    one, two = engine.step([served[0], served[2]], [7, 8])
    assert (one.cache, two.cache) == ((*PROMPT, 7), (*PROMPT, 5, 9, 8))
    assert one.logits.argmax() == model.engine.prefill(one.cache).logits.argmax()


def test_searching_and_drawing_on_llama_cpp(llama, model):
    grammar = Grammar(model.tokenizer, slots=9, longest=2)
    served = ServerEngine(llama, SHAPES[True], top=ALL)
    theirs = best_answers(served, served.prefill(PROMPT), grammar, 5)
    ours = best_answers(model.engine, model.engine.prefill(PROMPT), grammar, 5)
    assert [one.ids for one in theirs.found] == [one.ids for one in ours.found]
    how = Settings(0, longest=3)
    drawn = sample(served, served.prefill(PROMPT), 2, (), how, batch=2)
    assert [s.ids for s in drawn] == [
        s.ids for s in sample(model.engine, model.engine.prefill(PROMPT), 2, (), how)
    ]


def test_whole_answers_of_llama_cpp(llama, model):
    engine = ServerEngine(llama, SHAPES[True])
    (greedy,) = engine.complete(engine.prefill(PROMPT), 1, [0], Settings(0, longest=5))
    (ours,) = sample(model.engine, model.engine.prefill(PROMPT), 1, [0], Settings(0, longest=5))
    assert greedy.ids == ours.ids
    assert greedy.log_probability == pytest.approx(ours.log_probability, abs=0.05)
    drawn = engine.complete(engine.prefill(PROMPT), 3, [0], Settings(longest=4, seed=3))
    assert [one.row for one in drawn] == [0, 1, 2] and len({one.ids for one in drawn}) > 1


def test_llama_cpp_does_not_score_prompts(llama):
    with pytest.raises(IrsmithError, match="does not score"):
        ServerEngine(llama, SHAPES[True]).scores(PROMPT)


def test_vllms_form(classic, model):
    engine = ServerEngine(classic, SHAPES[True])
    state = engine.prefill(PROMPT)
    rows = engine.step([state] * 3, [5, 6, 7])
    for row in rows:
        ours = log_probabilities(model.engine.prefill(row.cache).logits)
        told = np.isfinite(row.logits)
        assert told.sum() == 20
        np.testing.assert_allclose(row.logits[told], ours[told], atol=2e-4)
    np.testing.assert_allclose(engine.scores(PROMPT), model.engine.scores(PROMPT), atol=2e-4)
    (drawn,) = engine.complete(state, 1, [0], Settings(0, longest=1))
    assert drawn.ids == (int(state.logits.argmax()),) and not drawn.ended


def test_what_a_server_refuses_is_one_line(classic, unused_tcp_port_number):
    engine = ServerEngine(classic, SHAPES[True], top=50)
    with pytest.raises(IrsmithError, match=r"refused \(400\): .*above 20"):
        engine.prefill(PROMPT)
    with pytest.raises(IrsmithError, match="serves no model"):
        ServerEngine(f"{classic}/x", SHAPES[True])
    with pytest.raises(IrsmithError, match="cannot be reached"):
        ServerEngine(f"http://127.0.0.1:{unused_tcp_port_number}/v1", SHAPES[True])


def test_a_grammar_with_nothing_among_the_likeliest(classic, model):
    engine = ServerEngine(classic, SHAPES[True], top=1)
    state = engine.prefill(PROMPT)
    grammar = Grammar(model.tokenizer, baseline=False)
    assert best_answers(engine, state, grammar, 3).found == ()
    with pytest.raises(IrsmithError, match="no token that may come next"):
        sample(engine, state, 1, (), grammar=grammar)


@pytest.fixture
def unused_tcp_port_number():
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]
