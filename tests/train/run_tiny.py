"""Runs a tiny training in a process of its own: ``run_tiny.py DATA OUT [field=value ...]``.

``golden`` as the first field makes arithmetic the same on every x86-64: no instruction set
beyond the common one, no library that picks kernels by processor.
"""

import os
import sys

words = sys.argv[3:]
golden = "golden" in words
if golden:  # read when torch is loaded
    words.remove("golden")
    os.environ |= {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}

from pathlib import Path  # noqa: E402

import torch  # noqa: E402
from packed import tiny  # noqa: E402

from irsmith.records import IrsmithError  # noqa: E402
from irsmith.train.config import with_settings  # noqa: E402
from irsmith.train.loop import train  # noqa: E402

torch.set_num_threads(1)
resume = "resume" in words
words = [word for word in words if word != "resume"]
limit = [word for word in words if word.startswith("file-limit=")]
if limit:
    import resource

    size = int(limit[0].partition("=")[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
settings = [word for word in words if word not in limit]
with torch.backends.mkldnn.flags(enabled=not golden):
    try:
        train(with_settings(tiny(), settings), Path(sys.argv[1]), Path(sys.argv[2]), resume=resume)
    except IrsmithError as error:
        sys.exit(f"irsmith: {error}")
