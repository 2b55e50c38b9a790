"""Record what clang runs at each level: `python recipes/record_pipelines.py`.

The clang wheel generates code for x86-64 only, so AArch64 needs another clang of
the same version that has that target, such as Debian's package `clang-22`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from irsmith.toolchain.clang import DEFAULT_TARGETS
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.pipelines import LEVELS

OUTPUT = Path(__file__).resolve().parent.parent / "irsmith/toolchain/data/pipelines.json"


def ask(clang: str, triple: str, level: str) -> str:
    """Clang's own text for a target and a level."""
    command = [clang, f"-{level}", "-mllvm", "-print-pipeline-passes", f"--target={triple}"]
    command += ["-c", "-x", "c", "-", "-o", "/dev/null"]
    done = subprocess.run(command, input="", text=True, capture_output=True, check=True)
    return done.stdout.strip()


def main() -> None:
    """Write the recorded texts into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clang-x86", default=str(find_toolchain().need_clang()))
    parser.add_argument("--clang-aarch64", default="/usr/bin/clang-22")
    arguments = parser.parse_args()
    clangs = {"X86": arguments.clang_x86, "AArch64": arguments.clang_aarch64}
    recorded = {
        find_toolchain().version: {
            arch: {level: ask(clang, DEFAULT_TARGETS[arch], level) for level in LEVELS}
            for arch, clang in clangs.items()
        }
    }
    beside = OUTPUT.with_suffix(".tmp")
    beside.write_text(json.dumps(recorded, indent=1) + "\n")
    beside.rename(OUTPUT)
    print(f"wrote {OUTPUT.name} for LLVM {find_toolchain().version}")


if __name__ == "__main__":
    main()
