"""What a module is made of, counted: the facts by which modules are held to be alike.

Counts only, of the unoptimised module: cheap (some microseconds an instruction), and the
same for equal IR whatever its values are called. Like the features of Autophase
(arXiv 2003.00671), of which many are counts of instructions and branches too.
"""

from __future__ import annotations

from collections import Counter

from irsmith.toolchain import instructions as ir
from irsmith.toolchain.globals import Globals, globals_of
from irsmith.toolchain.llvm import IRModule

_OPCODES = {
    "ret": ir.RET,
    "br": ir.BR,
    "switch": ir.SWITCH,
    "invoke": ir.INVOKE,
    "unreachable": ir.UNREACHABLE,
    "add": ir.ADD,
    "fadd": ir.FADD,
    "sub": ir.SUB,
    "fsub": ir.FSUB,
    "mul": ir.MUL,
    "fmul": ir.FMUL,
    "udiv": ir.UDIV,
    "sdiv": ir.SDIV,
    "fdiv": ir.FDIV,
    "urem": ir.UREM,
    "srem": ir.SREM,
    "shl": ir.SHL,
    "lshr": ir.LSHR,
    "ashr": ir.ASHR,
    "and": ir.AND,
    "or": ir.OR,
    "xor": ir.XOR,
    "alloca": ir.ALLOCA,
    "load": ir.LOAD,
    "store": ir.STORE,
    "getelementptr": ir.GEP,
    "trunc": ir.TRUNC,
    "zext": ir.ZEXT,
    "sext": ir.SEXT,
    "fptoui": ir.FPTOUI,
    "fptosi": ir.FPTOSI,
    "uitofp": ir.UITOFP,
    "sitofp": ir.SITOFP,
    "fptrunc": ir.FPTRUNC,
    "fpext": ir.FPEXT,
    "ptrtoint": ir.PTRTOINT,
    "inttoptr": ir.INTTOPTR,
    "icmp": ir.ICMP,
    "fcmp": ir.FCMP,
    "phi": ir.PHI,
    "call": ir.CALL,
    "select": ir.SELECT,
    "cmpxchg": ir.CMPXCHG,
    "atomicrmw": ir.RMW,
    "landingpad": ir.LANDINGPAD,
    "fneg": ir.FNEG,
}
_INTRINSICS = {
    "memcpy": b"llvm.memcpy",
    "memset": b"llvm.memset",
    "memmove": b"llvm.memmove",
    "lifetime": b"llvm.lifetime",
}
_STRUCTURE = (
    "instructions",
    "functions",
    "internal functions",
    "parameters",
    "blocks",
    "conditional branches",
    "back edges",
    "callees",
    "indirect calls",
    "intrinsic calls",
    *_INTRINSICS,
    "declarations",
    "globals",
)
NAMES = (*_OPCODES, *_STRUCTURE)
"""What each number counts: instructions by opcode, then the structure. A back edge is a branch
to a block that does not lie behind; blocks of clang's output stand in program order."""

Census = tuple[int, ...]
"""A number for each of :data:`NAMES`."""


def census(module: IRModule) -> Census:
    """Count what a module is made of.

    Args:
        module: unoptimised, as clang's ``-Oz -Xclang -disable-llvm-passes`` gives it.
    """
    bound = ir.instructions_of(module.llvm)
    by_opcode: Counter[int] = Counter()
    calls: Counter[int] = Counter()
    counts: Counter[str] = Counter()
    known = globals_of(module.llvm)
    for _, function in module.functions():
        counts["functions"] += 1
        counts["internal functions"] += known.is_local(function)
        counts["parameters"] += bound.function_parameters(function)
        place: dict[int, int] = {}
        for block in bound.blocks(function):
            place[block] = len(place)
            last = 0
            for instruction in bound.of_block(block):
                last = instruction
                opcode = bound.opcode(instruction)
                by_opcode[opcode] += 1
                if opcode in (ir.CALL, ir.INVOKE):
                    calls[bound.is_function(bound.called(instruction)) or 0] += 1
            for k in range(bound.successor_count(last) if last else 0):
                counts["back edges"] += bound.successor(last, k) in place
            if last and bound.opcode(last) == ir.BR:
                counts["conditional branches"] += bound.is_conditional(last)
        counts["blocks"] += len(place)
    counts["instructions"] = by_opcode.total()
    _callees(known, calls, counts)
    counts["declarations"] = sum(1 for _ in module.declarations())
    counts["globals"] = len(known.each(module, "Global"))
    return (
        *(by_opcode[opcode] for opcode in _OPCODES.values()),
        *(counts[name] for name in _STRUCTURE),
    )


def _callees(known: Globals, calls: Counter[int], counts: Counter[str]) -> None:
    """Count calls by what they call; 0 is what is not known."""
    counts["indirect calls"] = calls.pop(0, 0)
    for callee, number in calls.items():
        name = known.name(callee)
        if not name.startswith(b"llvm."):
            counts["callees"] += 1
            continue
        counts["intrinsic calls"] += number
        for kind, prefix in _INTRINSICS.items():
            if name.startswith(prefix):
                counts[kind] += number
