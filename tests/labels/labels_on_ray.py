"""Runs commands of ``irsmith label`` on a Ray cluster of its own.

    python labels_on_ray.py FILE

FILE holds a JSON list of command lines; each gets ``--cluster auto``.
"""

import json
import sys
from pathlib import Path

import ray

from irsmith.cli.main import main

if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=75 << 20)
    try:
        lines = json.loads(Path(sys.argv[1]).read_text())
        sys.exit(max(main([*words, "--cluster", "auto"]) for words in lines))
    finally:
        ray.shutdown()
