"""Normalised IR: the one text of a module that models see, still IR.

:func:`ir_text` prints a module without what carries nothing or is the same everywhere;
:func:`parse_ir_text` restores a module from text and :class:`~irsmith.corpus.header.Header`.
The restored module *is* the normalised module: labels and baselines for models are
measured on it (:func:`normalise_module`), so that text and figures are of one thing.

What happens to what LLVM prints:

- Triple, data layout, module flags, attributes that every function carries: in the header;
  a function without clang's plain target attributes gets them (they say what is so anyway).
- Attribute groups: written out at their function or call; on calls and declarations
  only those that say something about the callee (``nounwind``, ``memory(…)``, ``noreturn``),
  not how its body is to be compiled.
- Metadata: facts about a value (``!range``, ``!nonnull``, ``!prof``…) written out in place;
  the rest dropped: debug info, ``!srcloc``, ``llvm.ident``, and with them type-based alias
  information and ``llvm.loop``, the only ones that can change code (how often: docs/log.md).
- Alignments of loads, stores and allocas that LLVM's parser assumes anyway: dropped.
- Declarations of intrinsics (LLVM knows them), comments, blank lines, indentation: dropped.
- Types and what is declared: in the order of their first use. What is defined keeps its
  order, which is the layout of the sections.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable

from irsmith.corpus.header import Header, flag_word, level_of, unwind_of
from irsmith.corpus.order import by_first_use
from irsmith.toolchain.attributes import attributes_of
from irsmith.toolchain.llvm import LLVM, Context, IRModule, LLVMError, arch_of

_KEPT = re.compile(
    r"range|noundef|nonnull|align|dereferenceable(_or_null)?|prof|unpredictable|"
    r"invariant\.(load|group)|nontemporal|fpmath|absolute_symbol"
)
"""Kinds of metadata that state facts about a value and are written out."""
_BODY_ONLY = re.compile(
    r"minsize|optsize|uwtable.*|optnone|noinline|alwaysinline|inlinehint|mustprogress|ssp\w*|"
    r'"(no-trapping-math|stack-protector-buffer-size|min-legal-vector-width|target-cpu|'
    r'target-features|tune-cpu|frame-pointer|zero-call-used-regs|probe-stack)".*'
)
"""Attributes that say how a body is compiled and nothing about a callee.

``noinline`` and ``alwaysinline`` on a call are decisions for that call, so they stay there.
"""
_CALL_STAYS = frozenset(("noinline", "alwaysinline"))
_ATTRIBUTE = re.compile(r'"[^"]*"(?:="[^"]*")?|[a-z_0-9]+(?:=\d+|\((?:[^()"]|"[^"]*")*\))?')
_GROUP = re.compile(r"attributes #(\d+) = \{ (.*) \}")
_NODE = re.compile(r"!(\d+) = (.*)")
_REFERENCE = re.compile(r'"[^"]*"|!(\d+)')
_TOKEN = re.compile(
    r'"[^"]*"|,? !(?P<kind>[a-zA-Z_][\w.]*) !(?P<node>\d+)| #(?P<group>\d+)\b'
    r"|metadata !(?P<operand>\d+)\b"
)
_ALIGNED = re.compile(
    r"((?:%\d+ = load|store)(?: volatile)? (i8|i16|i32|i64|float|double|ptr(?! addrspace))\b"
    r'[^"]*?), align (\d+)(?=$|, !)'
)
_ALLOCA = re.compile(r"(%\d+ = alloca (i32|i64|float|double|ptr(?! addrspace))), align (\d+)$")
_NATURAL = {
    "i8": "1", "i16": "2", "i32": "4", "float": "4", "i64": "8", "double": "8", "ptr": "8"
}  # fmt: skip
"""Alignment that the parser gives a scalar without one, on both targets."""
_LABEL = re.compile(r"^(\d+:) *;.*")
_NAMED = re.compile(
    r'^  %["a-zA-Z._$-]|^["a-zA-Z._$-][\w.$-]*"?:|^define [^\n]* %["a-zA-Z._$-]', re.MULTILINE
)
_DROPPED = re.compile(
    r"#dbg_|(tail )?call void @llvm\.(dbg\.|experimental\.noalias\.scope\.decl)|; "
)


def ir_text(module: IRModule) -> tuple[Header, str]:
    """The header and the normalised text of a module.

    Raises:
        LLVMError: it refers to metadata that cannot be written out, or is of an
            unsupported target.
    """
    arch_of(module.triple)
    text = module.text()
    if _NAMED.search(text):
        # Only textual IR has names of values; bitcode is read without them.
        with module.llvm.context() as fresh:
            text = fresh.parse(module.bitcode()).text()
    lines = text.splitlines()
    return _Printer(module.triple, lines).print(lines)


def parse_ir_text(context: Context, text: str, header: Header) -> IRModule:
    """The normalised module of a text.

    Raises:
        LLVMError: it is not IR, or this library cannot compile for the target.
    """
    lines = [
        f'target datalayout = "{_layout(context.llvm, header.triple)}"',
        f'target triple = "{header.triple}"',
        text,
    ]
    nodes = header.flag_nodes()
    if nodes:
        numbers = ", ".join(f"!{k}" for k in range(len(nodes)))
        lines.append(f"!llvm.module.flags = !{{{numbers}}}")
        lines += [f"!{k} = {node}" for k, node in enumerate(nodes)]
    module = context.parse("\n".join(lines).encode())
    attributes_of(context.llvm).add_defaults(module, header.attributes)
    return module


def normalise_module(llvm: LLVM, bitcode: bytes) -> bytes:
    """The normalised module of any module, as bitcode: what labels are measured on.

    Raises:
        LLVMError: it cannot be parsed or written out.
    """
    with llvm.context() as context:
        header, text = ir_text(context.parse(bitcode))
    with llvm.context() as context:
        return parse_ir_text(context, text, header).bitcode()


@functools.cache
def _layout(llvm: LLVM, triple: str) -> str:
    with llvm.context() as context:
        module = context.parse(b"")
        module.set_target(triple)
        return str(llvm.layout_string(module.handle).decode())


class _Printer:
    """Rewrites the lines of one module."""

    def __init__(self, triple: str, lines: list[str]) -> None:
        self.groups: dict[str, list[str]] = {}
        self.nodes: dict[str, str] = {}
        flags: list[str] = []
        for line in lines:
            if line.startswith("attributes #"):
                match = _GROUP.fullmatch(line)
                if match:
                    self.groups[match[1]] = _ATTRIBUTE.findall(match[2])
            elif line.startswith("!"):
                match = _NODE.fullmatch(line)
                if match:
                    self.nodes[match[1]] = match[2]
                elif line.startswith("!llvm.module.flags"):
                    flags = re.findall(r"!(\d+)", line)
        words = (flag_word(self.nodes[flag]) for flag in flags)
        sets = [frozenset(self._attributes(line)) for line in lines if line.startswith("define ")]
        self.header = Header(
            triple, level_of(sets), unwind_of(sets), tuple(word for word in words if word)
        )
        self.implied = frozenset(self.header.attributes)

    def print(self, lines: Iterable[str]) -> tuple[Header, str]:
        """Header and text."""
        leading: list[str] = []
        defined: list[str] = []
        declared: list[str] = []
        body = False
        for line in lines:
            if body:
                body = line != "}"
                line = self._instruction(line.strip())
                if line:
                    defined.append(line)
            elif line.startswith("define "):
                defined.append(self._rewrite(line, self._on_definition))
                body = True
            elif line.startswith(("%", "$")):
                leading.append(line)
            elif line.startswith("declare "):
                if "@llvm." not in line:
                    declared.append(self._rewrite(line, self._on_declaration))
            elif line.startswith("@"):
                line = self._rewrite(line, self._on_declaration)
                external = re.match(r'@(?:"[^"]*"|\S+) = (?:external|extern_weak) ', line)
                (declared if external else leading).append(line)
            elif line.startswith("module asm"):
                leading.append(line)
        return self.header, by_first_use(leading, declared, defined)

    def _instruction(self, line: str) -> str:
        if _DROPPED.match(line):
            return ""
        if "!" in line or " #" in line:
            line = self._rewrite(line, self._on_call)
            if "@llvm." in line and line.endswith(") nounwind"):
                line = line[: -len(" nounwind")]  # intrinsics are declared so
        match = _ALIGNED.match(line)
        if match is None:
            match = _ALLOCA.match(line)
        if match is not None and _NATURAL[match[2]] == match[3]:
            return match[1] + line[match.end() :]
        return _LABEL.sub(r"\1", line)

    def _attributes(self, line: str) -> list[str]:
        """Attributes of the group that a line names."""
        for match in _TOKEN.finditer(line):
            if match["group"]:
                return self.groups.get(match["group"], [])
        return []

    def _on_definition(self, attributes: list[str]) -> list[str]:
        return [a for a in attributes if a not in self.implied]

    def _on_declaration(self, attributes: list[str]) -> list[str]:
        return [a for a in attributes if not _BODY_ONLY.fullmatch(a)]

    def _on_call(self, attributes: list[str]) -> list[str]:
        return [a for a in attributes if a in _CALL_STAYS or not _BODY_ONLY.fullmatch(a)]

    def _rewrite(self, line: str, keep: Callable[[list[str]], list[str]]) -> str:
        def replace(match: re.Match[str]) -> str:
            if match["group"]:
                kept = keep(self.groups.get(match["group"], []))
                return "".join(" " + _inline(a) for a in kept)
            if match["kind"]:
                if not _KEPT.fullmatch(match["kind"]):
                    return ""
                node = self._expand(match["node"], 0)
                comma = "," if match[0].startswith(",") else ""  # functions have none
                return f"{comma} !{match['kind']} {node}" if node else ""
            if match["operand"]:
                node = self._expand(match["operand"], 0)
                if not node:
                    raise LLVMError(f"metadata that cannot be written out in: {line.strip()}")
                return f"metadata {node}"
            return match[0]

        return _TOKEN.sub(replace, line)

    def _expand(self, number: str, depth: int) -> str:
        """A metadata node in one line; empty if it is distinct or too deep."""
        text = self.nodes.get(number, "")
        if not text.startswith("!{") or depth > 4:
            return ""
        whole = True

        def inner(match: re.Match[str]) -> str:
            nonlocal whole
            if match[1] is None:
                return match[0]
            node = self._expand(match[1], depth + 1)
            whole = whole and bool(node)
            return node

        expanded = _REFERENCE.sub(inner, text)
        return expanded if whole else ""


def _inline(attribute: str) -> str:
    """A group's attribute as a function or call writes it."""
    name, _, value = attribute.partition("=")
    return f"{name}({value})" if name in ("alignstack", "align") else attribute
