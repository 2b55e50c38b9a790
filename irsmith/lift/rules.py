"""What lifting must be told of a target: the contract between it and all that is shared.

A target is a folder beside this file. It reads lines, says where jumps lead, and writes what
instructions do with a :class:`~irsmith.lift.machine.Machine`, which logs what is read and
written; everything else, from parameters to modules, follows from that log.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from irsmith.lift.code import Code, Instruction, Target
from irsmith.lift.graph import Basic
from irsmith.lift.machine import Machine, Slots, Symbols, Thing


@dataclass(frozen=True, slots=True)
class Convention:
    """How functions call each other.

    Attributes:
        integers: registers of integer arguments, in their order.
        vectors: registers of floating point arguments.
        results: registers of integer results.
        floating: of a floating point result.
        saved: registers that a function leaves as they were.
        clobbered: registers that a call may change.
        hidden: register with the address where a large result goes; empty: it is the first
            of ``integers``.
        counter: register in which a call says how many of ``vectors`` it uses; empty: none.
        above: bytes between the stack pointer where a function begins and its first argument
            there.
        array: alignment that compilers give to large arrays.
    """

    integers: tuple[str, ...]
    vectors: tuple[str, ...]
    results: tuple[str, str]
    floating: str
    saved: frozenset[str]
    clobbered: tuple[str, ...]
    hidden: str = ""
    counter: str = ""
    above: int = 0
    array: int = 8


class Rules(ABC):
    """A target.

    Attributes:
        convention: how functions call each other.
        reach: bytes behind a symbol defined elsewhere that compilers add to its address.
    """

    convention: Convention
    reach = 0

    @abstractmethod
    def parse(self, text: str) -> Code:
        """The function that a text is.

        Raises:
            UnliftableError: it holds what is not understood.
        """

    @abstractmethod
    def machine(
        self, symbols: Symbols, things: tuple[Thing, ...] = (), slots: Slots | None = None
    ) -> Machine:
        """What instructions read and write."""

    @abstractmethod
    def end(self, one: Instruction) -> str:
        """How an instruction ends a block; empty: not at all.

        One of the kinds of :class:`irsmith.lift.graph.Basic` but for ``tail`` and ``switch``.
        """

    @abstractmethod
    def table(self, code: Code, blocks: Sequence[Basic], block: Basic) -> Sequence[str] | None:
        """Labels that a block's last jump leads to by a table; None if it uses none.

        What only computes where to jump is taken out of the blocks, and the register with the
        number of the entry is noted in the block.
        """

    @abstractmethod
    def bound(self, guard: Basic) -> tuple[int, Instruction] | None:
        """The number above which a block's branch is taken, and what compares with it."""

    def test(self, block: Basic) -> tuple[tuple[object, ...], bool, int] | None:
        """What a block's branch asks, so that it can be compared with what others ask.

        Returns:
            What is asked, whether the branch is taken where it is so, and how many
            instructions at the block's end only prepare it. None: nothing is known.
        """
        return None

    @abstractmethod
    def callee(self, one: Instruction) -> Target | None:
        """What an instruction calls; None if it is no call."""

    @abstractmethod
    def write(self, machine: Machine, one: Instruction, scalar: str) -> None:
        """Write an instruction other than a call or the end of a block.

        Args:
            machine: is changed.
            one: the instruction.
            scalar: what vector registers hold that are copied whole, where no vectors are used.

        Raises:
            UnliftableError: it is not known.
        """

    @abstractmethod
    def taken(self, machine: Machine, branch: Instruction) -> str:
        """Whether a branch is taken, as an i1.

        Raises:
            UnliftableError: it is not known.
        """

    @abstractmethod
    def through(self, machine: Machine, target: Target) -> str:
        """The address that a call through an operand leads to; empty: it has a name."""

    @abstractmethod
    def packed(self, one: Instruction) -> bool:
        """Whether an instruction takes a vector register as a whole."""

    @abstractmethod
    def scalar(self, every: Sequence[Instruction]) -> str:
        """``float`` or ``double``: what vector registers hold, where no vectors are used."""
