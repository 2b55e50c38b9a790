"""What is known of an example without keeping its text: its length, and a digest."""

from __future__ import annotations

import hashlib

from irsmith.tasks.example import Example, Special, Text
from irsmith.tasks.render import Rendered, Renders, Request


def digest_of(example: Example) -> str:
    """16 hexadecimal digits that name an example's prompt and answer, to the character."""
    hasher = hashlib.sha256()
    for part in (*example.prompt, *example.answer):
        # Two marks, so that text that looks like a special token is another example.
        word = b"\0" + part.token.encode() if isinstance(part, Special) else b"\1" + _text(part)
        hasher.update(len(word).to_bytes(8, "little") + word)
    return hasher.hexdigest()[:16]


def characters_of(example: Example) -> int:
    """Characters of text in prompt and answer; special tokens count nothing."""
    parts = (*example.prompt, *example.answer)
    return sum(len(part.text) for part in parts if isinstance(part, Text))


def _text(part: Text) -> bytes:
    return part.text.encode("utf-8", "surrogatepass")


class Remembering:
    """Renders, and remembers the last unoptimised module: many examples share it.

    Args:
        renders: does the work.
    """

    def __init__(self, renders: Renders) -> None:
        self._renders = renders
        self._last: tuple[Request, Rendered] | None = None

    def render(self, request: Request) -> Rendered:
        """Serve a request.

        Raises:
            IrsmithError: LLVM refuses.
        """
        if request != Request(request.source, ir=True):
            return self._renders.render(request)
        if self._last is None or self._last[0] != request:
            self._last = request, self._renders.render(request)
        return self._last[1]
