"""A unit of the build as unoptimised bitcode, read by our clang as the real compiler read it."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irsmith.cc.call import words_of
from irsmith.cc.flags import NotForUsError
from irsmith.toolchain.find import Toolchain

_SECONDS = 120
_DATE = "946684800"
"""What ``__DATE__`` says where a module is only to be named: 1 January 2000."""

_LENIENT = {
    "c": ("-Wno-error=implicit-function-declaration", "-Wno-error=implicit-int",
          "-Wno-error=int-conversion", "-Wno-error=incompatible-function-pointer-types",
          "-Wno-error=return-mismatch", "-Wno-error=incompatible-pointer-types"),
    "c++": ("-Wno-error=register",),
}  # fmt: skip
"""What GCC up to 13 only warns of, and clang takes for an error."""

_WATCHED = ("-Wunknown-attributes", "-Wunknown-pragmas", "-Wdate-time")
_ATTRIBUTE = re.compile(r"unknown attribute '([^']+)' ignored")
_HARMLESS = words_of(
    "noclone externally_visible artificial no_icf access nonstring leaf fd_arg fd_arg_read "
    "fd_arg_write null_terminated_string_arg no_profile_instrument_function tainted_args hot cold "
    "warn_if_not_aligned"
)
"""Attributes of GCC that promise nothing about the code. Of the others, such as
``scalar_storage_order`` and ``optimize``, a unit is left to the real compiler."""


@dataclass(frozen=True, slots=True)
class Read:
    """A unit, read.

    Attributes:
        bitcode: unoptimised.
        dated: whether it says when it was compiled.
    """

    bitcode: bytes
    dated: bool


def read_unit(
    toolchain: Toolchain,
    source: str,
    language: str,
    triple: str,
    flags: Sequence[str],
    undated: bool = False,
) -> Read:
    """Read a source from the working folder.

    Args:
        toolchain: where clang is.
        source: as the build names it.
        language: ``c`` or ``c++``.
        triple: target.
        flags: complete, with the folders of the real compiler's headers.
        undated: let it be compiled at a fixed date.

    Raises:
        NotForUsError: clang refuses it, or does not know an attribute that matters.
    """
    kind = language if not source.endswith((".i", ".ii")) else (
        "cpp-output" if language == "c" else "c++-cpp-output"
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="irsmith-cc-") as folder:
        made = Path(folder, "unit.bc")
        command = [
            str(toolchain.need_clang()), f"--target={triple}",
            *(["--driver-mode=g++"] if language == "c++" else []),
            *flags, "-Wno-everything", *_LENIENT[language], *_WATCHED,
            *("-fno-color-diagnostics", "-fno-caret-diagnostics", "-ferror-limit=3"),
            *("-Oz", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c"),
            *("-x", kind, source, "-o", str(made)),
        ]  # fmt: skip
        outside = {k: v for k, v in os.environ.items() if not k.endswith("INCLUDE_PATH")}
        outside = {**outside, "LC_ALL": "C"}
        outside.pop("CPATH", None)
        if undated:
            outside["SOURCE_DATE_EPOCH"] = _DATE
        try:
            done = subprocess.run(
                command, env=outside, stdin=subprocess.DEVNULL, capture_output=True,
                timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise NotForUsError(f"clang did not finish within {_SECONDS} s") from error
        message = done.stderr.decode(errors="replace")
        if done.returncode:
            raise NotForUsError(f"clang refuses it: {_first_error(message)}")
        bitcode = made.read_bytes()
    for name in _ATTRIBUTE.findall(message):
        if name.strip("_") not in _HARMLESS:
            raise NotForUsError(f"clang does not know the attribute {name!r}")
    if "unknown pragma" in message:
        raise NotForUsError("clang does not know a pragma in it")
    return Read(bitcode, "-Wdate-time" in message)


def _first_error(message: str) -> str:
    lines = [line for line in message.splitlines() if "error:" in line]
    return (lines or message.splitlines() or ["it does not say why"])[0].strip()[:200]
