"""One instruction of a function that is being written: what may stand in it, and what it makes."""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import replace

from irsmith.infer.constants import constant
from irsmith.infer.cursor import ANY, KEPT, Cursor, Free, Open, Wrong, kind_of
from irsmith.infer.intrinsics import begins_intrinsic, intrinsic, is_intrinsic
from irsmith.infer.scope import (
    Body,
    Scope,
    Signature,
    element,
    fields,
    narrower,
    shape,
    shaped,
)
from irsmith.infer.words import (
    CALLED,
    CONVENTIONS,
    FAST_MATH,
    METADATA,
    MOST_PARAMS,
    PARAM,
    POINTER_ONLY,
    RESULT,
    listed,
)

_INT = frozenset({"int", "vector"})
_FLOAT = frozenset({"float", "vector"})
_FLAGS = {
    **dict.fromkeys(("add", "sub", "mul", "shl"), ("nuw", "nsw")),
    **dict.fromkeys(("sdiv", "udiv", "ashr", "lshr"), ("exact",)),
    "or": ("disjoint",),
    **dict.fromkeys(("srem", "urem", "and", "xor"), ()),
}
_FLOATING = ("fadd", "fsub", "fmul", "fdiv", "frem")
_CASTS = {
    "trunc": ("nuw", "nsw"),
    "zext": ("nneg",),
    "uitofp": ("nneg",),
    **dict.fromkeys(
        listed("sext fptrunc fpext fptoui fptosi sitofp ptrtoint ptrtoaddr inttoptr bitcast"), ()
    ),
}
_ORDERS = ("unordered", "monotonic", "acquire", "release", "acq_rel", "seq_cst")
_INT_ORDERS = listed("eq ne ugt uge ult ule sgt sge slt sle")
_FLOAT_ORDERS = listed("false oeq ogt oge olt ole one ord ueq ugt uge ult ule une uno true")
_SENDS = ("br", "switch", "ret", "unreachable", "resume", "indirectbr", "invoke", "callbr")
"""What ends a block. An invoke does so in its second line."""
_ALIGNED = 14
_ALIGNMENTS = frozenset(1 << k for k in range(_ALIGNED - 1))
_TAILS = ("load", "store", "call", "alloca", "atomicrmw", "cmpxchg", "br", "switch")
_LATER = 2
"""Blocks that a phi names and that are still to come, at most: a model finds no end."""
_SILENT = ("store", "fence")
_CALLS = ("call", "tail", "musttail", "notail")
_MAKES = (
    *_FLAGS,
    *_FLOATING,
    *_CASTS,
    *_CALLS,
    *listed("fneg icmp fcmp select phi freeze load alloca getelementptr extractvalue insertvalue"),
    *listed("extractelement insertelement shufflevector cmpxchg atomicrmw landingpad va_arg"),
    *listed("invoke addrspacecast"),
)


class Line:
    """One instruction, read against the function that it stands in.

    Args:
        cursor: at its beginning.
        scope: the module.
        body: the function.
    """

    def __init__(self, cursor: Cursor, scope: Scope, body: Body) -> None:
        self.cursor = cursor
        self.scope = scope
        self.body = body

    def read(self) -> Body:
        """Read it.

        Returns:
            The function behind it.

        Raises:
            Open: it is not finished.
            Wrong: it cannot become right.
            Free: what follows is not judged.
        """
        cursor, body = self.cursor, self.body
        if not cursor.sees("%"):
            return self._silent()
        if body.next in body.waiting:
            raise Wrong  # this number is a block's
        spent = body.next > body.most or body.left <= 0
        if spent and body.next not in body.promised:
            raise Wrong
        cursor.sign("%")
        cursor.numbered((body.next,))
        cursor.sign("=")
        try:
            return self._making(body.promised.get(body.next))
        except Free:
            if not cursor.whole:
                raise
            return replace(body.with_value(body.promised.get(body.next)), heading=False)

    def _silent(self) -> Body:
        """What makes no value."""
        cursor, body = self.cursor, self.body
        sends = () if body.next in body.promised else _SENDS
        others = () if body.left <= 0 else (*_SILENT, *_CALLS)
        word = cursor.word((*sends, *others))
        if word in _CALLS:
            self._call(word, "void")
            return replace(body, heading=False)
        if word == "invoke":
            self._call(word, "void")
            return replace(body, heading=False, unwinding="void")
        if word == "store":
            self._store()
        elif word == "fence":
            cursor.word(_ORDERS)
        else:
            body = getattr(self, f"_{word}")()
        self._end(word)
        return replace(body, heading=False)

    def _making(self, want: str | None) -> Body:
        """What makes a value, of a type if one was promised."""
        cursor, body = self.cursor, self.body
        names = _makers(want)
        if not body.heading:
            names = tuple(name for name in names if name != "phi")
        word = cursor.word(names)
        if word == "phi":
            return self._phi(want)
        type_: str | None
        clauses = unwinding = False
        if word in _CALLS or word == "invoke":
            type_ = self._call(word, want)
            unwinding = word == "invoke"
        elif word in _FLAGS:
            cursor.words(_FLAGS[word])
            type_ = self._pair(want, _INT)
        elif word in _FLOATING:
            cursor.words(FAST_MATH)
            type_ = self._pair(want, _FLOAT)
        elif word in _CASTS or word == "addrspacecast":
            type_ = self._cast(word, want)
        else:
            clauses = word == "landingpad"
            type_ = getattr(self, f"_{word}")(want)
        if not (clauses or unwinding or word in _CALLS):
            self._end(word)
        if unwinding:
            return replace(body, heading=False, unwinding=type_)
        stack = body.stack | {body.next} if word == "alloca" else body.stack
        return replace(body.with_value(type_), heading=False, clauses=clauses, stack=stack)

    def _end(self, word: str) -> None:
        """What may stand behind an instruction."""
        cursor = self.cursor
        if word not in _TAILS and not cursor.ended():
            raise Wrong
        aligned, left = False, list(METADATA)
        while cursor.take(","):
            if cursor.take("!"):
                left.remove(cursor.word(left))
                cursor.sign("!")
                if not cursor.sees("{"):
                    raise Wrong
                cursor.balanced()
            else:
                cursor.word(() if aligned else ("align",))
                aligned = True
                if cursor.number(_ALIGNED) not in _ALIGNMENTS:
                    raise Wrong
        if not cursor.ended():
            raise Wrong

    def _type(self, want: str | None, kinds: Collection[str] = ANY) -> str:
        if want is not None:
            if kind_of(want) not in kinds:
                raise Wrong
            return self.cursor.type_of(want)
        return self.cursor.type(kinds, self.scope.structures)

    def _value(self, type_: str) -> int | None:
        """An operand: the number of a value, or None for a constant."""
        if self.cursor.sees("%"):
            self.cursor.sign("%")
            return self.cursor.numbered(self.body.reach(type_))
        constant(self.cursor, type_, self.scope)
        return None

    def _operand(self, want: str | None = None, kinds: Collection[str] = ANY) -> str:
        """A type and an operand of it."""
        type_ = self._type(want, kinds)
        self._value(type_)
        return type_

    def label(self) -> int:
        """A block to branch to."""
        cursor, body = self.cursor, self.body
        cursor.word(("label",))
        cursor.sign("%")
        found = cursor.numbered(body.targets(), body.coming(body.next))
        if found in body.promised:
            raise Wrong
        return found

    def _pair(self, want: str | None, kinds: Collection[str]) -> str:
        """Two operands of one type."""
        type_ = self._type(want, kinds)
        if kinds is _INT and kind_of(element(type_)) != "int":
            raise Wrong
        if kinds is _FLOAT and kind_of(element(type_)) != "float":
            raise Wrong
        self._value(type_)
        self.cursor.sign(",")
        self._value(type_)
        return type_

    def _store(self) -> None:
        cursor = self.cursor
        atomic = cursor.maybe(("atomic",))
        cursor.maybe(("volatile",))
        self._operand()
        cursor.sign(",")
        self._operand("ptr")
        if atomic:
            self._ordering()

    def _ordering(self) -> None:
        self.cursor.words(("syncscope",))
        self.cursor.word(_ORDERS)

    def _br(self) -> Body:
        cursor, body = self.cursor, self.body
        if cursor.sees("l"):
            target = self.label()
            self._pays([target])
            return body.with_edges([target])
        self._operand("i1")
        cursor.sign(",")
        first = self.label()
        cursor.sign(",")
        self.body = body.with_edges([first], over=False)
        second = self.label()
        self.body = body
        self._pays([first, second])
        return body.with_edges([first, second])

    def _pays(self, targets: list[int]) -> None:
        """Refuse branches that leave out a block that waits for one from here."""
        owed = self.body.owed.get(self.body.block, frozenset())
        if owed - set(targets):
            raise Wrong

    def _switch(self) -> Body:
        cursor = self.cursor
        type_ = self._operand(None, frozenset({"int"}))
        cursor.sign(",")
        default = self.label()
        cursor.sign("[")
        return replace(self.body.with_edges([default], over=False), cases=(type_, frozenset()))

    def _ret(self) -> Body:
        body = self.body
        if body.owed.get(body.block):
            raise Wrong
        self.cursor.type_of(body.result)
        if body.result != "void":
            self._value(body.result)
        return replace(body, over=True)

    def _unreachable(self) -> Body:
        if self.body.owed.get(self.body.block):
            raise Wrong
        return replace(self.body, over=True)

    def _resume(self) -> Body:
        self._operand(None, frozenset({"struct"}))
        return replace(self.body, over=True)

    def _indirectbr(self) -> Body:
        cursor = self.cursor
        self._operand("ptr")
        cursor.sign(",")
        cursor.sign("[")
        targets = [self.label()]
        while cursor.take(","):
            targets.append(self.label())
        cursor.sign("]")
        return self.body.with_edges(targets)

    def _callbr(self) -> Body:
        raise Free

    def _phi(self, want: str | None) -> Body:
        cursor, body = self.cursor, self.body
        cursor.words(FAST_MATH)
        type_ = self._type(want)
        left = body.sources()
        first = body.phis.get(body.block)
        # The first phi says which blocks that are still to come branch here; the others repeat it.
        later = body.coming(body.next + 1)
        if first is not None:
            left, later = list(first), range(0)
        operands: list[tuple[int | None, int]] = []
        texts: dict[int, str] = {}
        while True:
            cursor.sign("[")
            at = cursor.at
            value = self._source_value(type_, left, later)
            text = cursor.text[at : cursor.at].strip()
            cursor.sign(",")
            cursor.sign("%")
            among = [b for b in left if _comes(body, value, b)]
            listed = [source for _, source in operands]
            if later and body.block not in listed:
                among.append(body.block)
            if sum(one >= body.block for one in listed) >= _LATER:
                later = range(0)
            source = cursor.numbered(among, later)
            if texts.setdefault(source, text) != text:
                raise Wrong
            if source in left:
                left.remove(source)
            elif source in (*listed, *body.promised, value):
                raise Wrong
            operands.append((value, source))
            cursor.sign("]")
            if left:
                cursor.sign(",")
            elif not later or not cursor.take(","):
                break
        said = cursor.text.split("phi", 1)[1]
        if not cursor.ended() or said in body.said:
            raise Wrong
        made = body.with_phi(type_, operands)
        return replace(made, said=body.said | {said})

    def _source_value(self, type_: str, left: list[int], later: range) -> int | None:
        """A phi's operand: a value that one of the blocks left may bring, or one to come."""
        cursor, body = self.cursor, self.body
        if not cursor.sees("%"):
            constant(cursor, type_, self.scope)
            return None
        cursor.sign("%")
        coming = bool(later) or any(b not in body.doms or b == body.block for b in left)
        reach = [n for n in body.typed(type_) if coming or any(_comes(body, n, b) for b in left)]
        if type_ == body.promised.get(body.next, type_) and coming:
            reach.append(body.next)
        found = cursor.numbered(reach, body.coming(body.next + 1) if coming else range(0))
        if found in body.waiting or body.promised.get(found, type_) != type_:
            raise Wrong
        return found

    def _call(self, word: str, want: str | None) -> str:
        """A call without what stands behind it; ``want`` is ``void`` where no value is made."""
        cursor = self.cursor
        if word not in ("call", "invoke"):
            cursor.word(("call",))
        cursor.words(FAST_MATH)
        cursor.words(CONVENTIONS)
        said = cursor.words(RESULT)
        if want is None:
            kinds: Collection[str] = ANY
            if any(name in POINTER_ONLY for name in said):
                kinds = frozenset({"ptr", "vector"})
        else:
            kinds = KEPT
        if said and want == "void":
            raise Wrong
        type_ = self._type(want, kinds)
        shown: Signature | None = None
        if cursor.take("("):
            shown = Signature(type_, *self._shown_params())
        if cursor.maybe(("asm",)):
            raise Free
        stack = cursor.sees("@llvm.lifetime.")
        signature = self._callee(type_, shown)
        cursor.sign("(")
        self._arguments(signature, stack)
        cursor.words(CALLED)
        while cursor.sees('"'):
            cursor.string()
            if cursor.take("="):
                cursor.string()
            cursor.words(CALLED)
        if cursor.sees("["):
            raise Free
        if word == "invoke":
            if not cursor.ended():
                raise Wrong
        else:
            self._end("call")
        return type_

    def _shown_params(self) -> tuple[tuple[str, ...], bool]:
        cursor = self.cursor
        params: list[str] = []
        if cursor.take(")"):
            return (), False
        while True:
            if cursor.sees("."):
                cursor.sign("...")
                cursor.sign(")")
                return tuple(params), True
            params.append(cursor.type(ANY, self.scope.structures))
            if not cursor.take(","):
                cursor.sign(")")
                return tuple(params), False

    def _callee(self, type_: str, shown: Signature | None) -> Signature | None:
        """Who is called; None if nothing is known of it."""
        cursor, known = self.cursor, self.scope.functions
        if cursor.sees("%"):
            self._value("ptr")
            return shown
        if not cursor.sees("@"):
            cursor.word(("null", "undef", "poison", "inttoptr"))
            raise Free
        at = cursor.at
        fits = [name for name, one in known.items() if _fits(one, type_, shown)]
        try:
            name = cursor.name("@")
        except Open:
            begun = cursor.text[at:]
            named = shown is None and begins_intrinsic(begun, void=type_ == "void")
            if not named and not any(one.startswith(begun) for one in fits):
                raise Wrong from None
            raise
        if name.startswith("@llvm."):
            found = intrinsic(name)
            if shown or not is_intrinsic(name) or (not found and type_ == "void"):
                raise Wrong
            if found and not _fits(found, type_, shown):
                raise Wrong
            return found
        if name not in fits:
            raise Wrong
        return known[name]

    def _arguments(self, signature: Signature | None, stack: bool) -> None:
        """What a call passes; ``stack`` if it must be memory of this function."""
        cursor = self.cursor
        params = signature.params if signature else ()
        more = signature.more if signature else True
        count = 0
        if not params and (not more or cursor.sees(")")):
            cursor.sign(")")
            return
        while True:
            want = params[count] if count < len(params) else None
            if want is None and cursor.sees("metadata"):
                raise Free
            type_ = self._type(want)
            attributes(cursor, type_)
            if stack and not cursor.sees("%"):
                raise Wrong
            if stack:
                cursor.sign("%")
                cursor.numbered(self.body.stack)
            else:
                self._value(type_)
            count += 1
            if count > MOST_PARAMS:
                raise Wrong
            if count < len(params):
                cursor.sign(",")
            elif not more or not cursor.take(","):
                cursor.sign(")")
                return

    def _cast(self, word: str, want: str | None) -> str:
        cursor = self.cursor
        if word == "addrspacecast":
            raise Free
        cursor.words(_CASTS[word])
        before, behind = _ends(word)
        from_ = self._type(None, before)
        if kind_of(element(from_)) not in before:
            raise Wrong
        self._value(from_)
        cursor.word(("to",))
        to = self._type(want, behind)
        if word in ("trunc", "fptrunc") and not narrower(to, from_):
            raise Wrong
        if word in ("zext", "sext", "fpext") and not narrower(from_, to):
            raise Wrong
        if word != "bitcast" and shape(to) != shape(from_):
            raise Wrong
        return to

    def _fneg(self, want: str | None) -> str:
        self.cursor.words(FAST_MATH)
        return self._operand(want, _FLOAT)

    def _icmp(self, want: str | None) -> str:
        cursor = self.cursor
        cursor.words(("samesign",))
        cursor.word(_INT_ORDERS)
        type_ = self._pair(None, frozenset({"int", "ptr", "vector"}))
        return _same(want, shaped(type_, "i1"))

    def _fcmp(self, want: str | None) -> str:
        cursor = self.cursor
        cursor.words(FAST_MATH)
        cursor.word(_FLOAT_ORDERS)
        return _same(want, shaped(self._pair(None, _FLOAT), "i1"))

    def _select(self, want: str | None) -> str:
        cursor = self.cursor
        cursor.words(FAST_MATH)
        chosen = self._type(None, _INT)
        if element(chosen) != "i1":
            raise Wrong
        self._value(chosen)
        cursor.sign(",")
        type_ = self._operand(want)
        cursor.sign(",")
        return self._operand(type_)

    def _freeze(self, want: str | None) -> str:
        return self._operand(want)

    def _load(self, want: str | None) -> str:
        cursor = self.cursor
        atomic = cursor.maybe(("atomic",))
        cursor.maybe(("volatile",))
        type_ = self._type(want)
        cursor.sign(",")
        self._operand("ptr")
        if atomic:
            self._ordering()
        return type_

    def _alloca(self, want: str | None) -> str:
        cursor = self.cursor
        cursor.maybe(("inalloca",))
        self._type(None)
        at = cursor.at
        if cursor.take(","):
            if cursor.sees("a"):
                cursor.at = at
            else:
                self._operand(None, frozenset({"int"}))
        return _same(want, "ptr")

    def _getelementptr(self, want: str | None) -> str:
        cursor = self.cursor
        cursor.words(("inbounds", "nusw", "nuw"))
        inner: str | None = cursor.type(ANY, self.scope.structures)
        cursor.sign(",")
        made = self._operand(want, frozenset({"ptr", "vector"}))
        cursor.sign(",")
        wide = made
        first = True
        while True:
            index = self._type(None, _INT)
            if not first and inner is not None and kind_of(inner) == "struct":
                inner = self._field(inner, index)
            else:
                self._value(index)
                if not first and inner is not None:
                    inner = inner[1:-1].split(" x ", 1)[1]
            if kind_of(index) == "vector":
                wide = shaped(index, "ptr")
            first = False
            deeper = inner is None or kind_of(inner) in ("array", "struct", "vector")
            if not deeper or not cursor.take(","):
                break
            if not cursor.sees("i") and not cursor.sees("<"):
                cursor.at = cursor.text.rindex(",", 0, cursor.at)
                break
        return _same(want, wide)

    def _field(self, type_: str, index: str) -> str | None:
        """The number of a field; its type."""
        if index != "i32":
            raise Wrong
        inside = fields(self.scope.structures.get(type_, type_))
        if inside is None:
            raise Free
        return inside[self.cursor.numbered(range(len(inside)))]

    def _extractvalue(self, want: str | None) -> str:
        type_ = self._operand(None, frozenset({"struct", "array"}))
        self.cursor.sign(",")
        return _same(want, self._inside(type_))

    def _inside(self, type_: str) -> str:
        inside = fields(self.scope.structures.get(type_, type_))
        if inside is None:
            raise Free
        return inside[self.cursor.numbered(range(len(inside)))]

    def _insertvalue(self, want: str | None) -> str:
        cursor = self.cursor
        type_ = self._operand(want, frozenset({"struct", "array"}))
        cursor.sign(",")
        part = self._operand()
        cursor.sign(",")
        if self._inside(type_) != part:
            raise Wrong
        return type_

    def _extractelement(self, want: str | None) -> str:
        type_ = self._operand(None, frozenset({"vector"}))
        self.cursor.sign(",")
        self._operand(None, frozenset({"int"}))
        return _same(want, element(type_))

    def _insertelement(self, want: str | None) -> str:
        type_ = self._operand(want, frozenset({"vector"}))
        self.cursor.sign(",")
        self._operand(element(type_))
        self.cursor.sign(",")
        self._operand(None, frozenset({"int"}))
        return type_

    def _shufflevector(self, want: str | None) -> str:
        cursor = self.cursor
        type_ = self._operand(None, frozenset({"vector"}))
        cursor.sign(",")
        self._operand(type_)
        cursor.sign(",")
        mask = self._type(None, frozenset({"vector"}))
        if element(mask) != "i32":
            raise Wrong
        constant(cursor, mask, self.scope)
        return _same(want, shaped(mask, element(type_)))

    def _cmpxchg(self, want: str | None) -> str:
        raise Free

    def _atomicrmw(self, want: str | None) -> str:
        raise Free

    def _landingpad(self, want: str | None) -> str:
        type_ = self._type(want, frozenset({"struct"}))
        if not self.cursor.ended():
            raise Wrong
        return type_

    def _va_arg(self, want: str | None) -> str:
        self._operand("ptr")
        self.cursor.sign(",")
        return self._type(want)


def attributes(cursor: Cursor, type_: str) -> None:
    """Read the attributes of a parameter of a type."""
    among = PARAM if kind_of(type_) in ("ptr", "vector") else PARAM - POINTER_ONLY
    cursor.words(among)


def _comes(body: Body, value: int | None, block: int) -> bool:
    return value is None or body.reaches(value, block)


def _fits(one: Signature, type_: str, shown: Signature | None) -> bool:
    """Whether a function may be called by what stands before its name."""
    if shown is None:
        return one.result == type_ and not one.more
    return (one.result, one.params, one.more) == (shown.result, shown.params, shown.more)


def _same(want: str | None, made: str) -> str:
    if want not in (None, made):
        raise Wrong
    return made


@functools.cache
def _ends(word: str) -> tuple[frozenset[str], frozenset[str]]:
    """The kinds of types that a cast begins and ends with."""
    number, floating = frozenset({"int", "vector"}), frozenset({"float", "vector"})
    pointer = frozenset({"ptr", "vector"})
    return {
        "trunc": (number, number),
        "zext": (number, number),
        "sext": (number, number),
        "fptrunc": (floating, floating),
        "fpext": (floating, floating),
        "fptoui": (floating, number),
        "fptosi": (floating, number),
        "uitofp": (number, floating),
        "sitofp": (number, floating),
        "ptrtoint": (pointer, number),
        "ptrtoaddr": (pointer, number),
        "inttoptr": (number, pointer),
        "bitcast": (ANY, ANY),
    }[word]


@functools.cache
def _makers(want: str | None) -> tuple[str, ...]:
    """Opcodes that can make a value of a type."""
    if want is None:
        return _MAKES
    kind = kind_of(element(want))
    only = {
        "getelementptr": "ptr",
        "alloca": "ptr",
        "inttoptr": "ptr",
        **dict.fromkeys((*_FLAGS, "fptoui", "fptosi", "ptrtoint", "trunc", "zext", "sext"), "int"),
        **dict.fromkeys((*_FLOATING, "fneg", "fpext", "fptrunc", "uitofp", "sitofp"), "float"),
    }
    names = [name for name in _MAKES if only.get(name, kind) == kind]
    if element(want) != "i1":
        names = [name for name in names if name not in ("icmp", "fcmp")]
    return tuple(names)
