"""Why machine code cannot be lifted."""

from irsmith.records import IrsmithError


class UnliftableError(IrsmithError):
    """An instruction, an operand or a shape of code that lifting does not know."""
