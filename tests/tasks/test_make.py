"""Many orders at once: the same examples whatever the number of workers."""

import hashlib

from irsmith.records import Candidate, Module, Verdict
from irsmith.tasks import emulate
from irsmith.tasks.example import DisassembleLabel, Special, TuneLabel
from irsmith.tasks.make import Order, Pretrain, make, make_examples
from irsmith.tasks.render import Request
from irsmith.tasks.vocabulary import TASKS
from irsmith.toolchain.clang import DEFAULT_TARGETS

PASSED = Verdict(verifier="passed", pass_list="passed")
CANDIDATE = Candidate("function(sroa)", ("-disable-cgp",))


def _orders(worker, module):
    before = worker.render(Request(module.bitcode)).size
    after = worker.render(Request(module.bitcode, CANDIDATE)).size
    label = TuneLabel(module.sha256, CANDIDATE, before, after, after, "llvm", verdict=PASSED)
    emulated = emulate.label(worker, module.sha256, module.bitcode, CANDIDATE, "ir", "llvm")
    return [
        Order(module, Pretrain(("Oz", "O2"))),
        Order(module, emulated),
        Order(module, label),
        Order(module, label, with_ir=True),
        Order(module, DisassembleLabel(module.sha256, "Os", "llvm")),
        Order(module, DisassembleLabel("f" * 64, "Os", "llvm")),
        Order(Module(b"broken", module.target, "broken"), Pretrain()),
    ]


def test_orders_give_examples(toolchain, workers, functions, arch):
    triple = DEFAULT_TARGETS[arch]
    bitcode = functions[arch]
    module = Module(bitcode, triple, "m", sha256=hashlib.sha256(bitcode).hexdigest())
    orders = _orders(workers[arch], module)
    outcomes = list(make_examples(toolchain, triple, orders, jobs=1))
    assert outcomes == list(make_examples(toolchain, triple, orders, jobs=2))
    made = [outcome.value for outcome in outcomes[:5]]
    assert [len(examples) for examples in made] == [5, 1, 1, 1, 1]
    tasks = [examples[0].task for examples in made[1:]]
    assert tasks == ["emulate", "tune", "tune", "disassemble"]
    for examples in made[1:]:
        assert examples[0].prompt[0] == Special(TASKS[examples[0].task])
    assert made[2][0].prompt == made[3][0].prompt
    assert made[2][0].answer_bytes == 0 < made[3][0].answer_bytes
    assert [outcome.failure for outcome in outcomes[5:]] == ["refused", "refused"]
    assert "is of module ffff" in outcomes[5].detail
    # In a worker of its own each order gives the same.
    for order, examples in zip(orders[:5], made, strict=True):
        assert make(workers[arch], toolchain.version, order) == examples
