"""What machines can do: peak operations a second and memory, from their makers' data sheets.

Dense bfloat16 with float32 accumulation. NVIDIA's sheets print twice as much, "with
sparsity": H100 (SXM 1,979, PCIe 1,513, NVL 1,671 TFLOPS), H200 (1,979), B200 (4,500);
A100 (312, printed dense).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from irsmith.records import IrsmithError

TERA = 1e12
GIB = float(1 << 30)

# Names as torch.cuda.get_device_name gives them begin so; the longest that fits counts.
_PEAKS = {
    "NVIDIA H100": 989.4 * TERA,
    "NVIDIA H100 PCIe": 756.5 * TERA,
    "NVIDIA H100 NVL": 835.5 * TERA,
    "NVIDIA H200": 989.4 * TERA,
    "NVIDIA B200": 2250.0 * TERA,
    "NVIDIA A100": 312.0 * TERA,
}


def peak_of(name: str) -> float | None:
    """Peak operations a second of a device by its name; None if it is not in the table."""
    fits = [known for known in _PEAKS if name.startswith(known)]
    return _PEAKS[max(fits, key=len)] if fits else None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine to estimate for.

    Attributes:
        name: as the command line has it.
        devices: accelerators.
        peak: operations a second of one.
        memory: bytes of one.
        share: of the peak that training is assumed to reach (MFU).
    """

    name: str
    devices: int
    peak: float
    memory: float
    share: float


def machine(name: str) -> Machine:
    """A machine by name: ``h100``, ``8xh100``, ``cluster-16x8`` (16 nodes of 8 H100).

    The share of the peak is an assumption: 0.40 on one node, 0.35 across nodes.

    Raises:
        IrsmithError: no such machine.
    """
    found = re.fullmatch(r"(?:(\d+)x)?h100|cluster-(\d+)x(\d+)", name)
    if not found:
        raise IrsmithError(f"no machine {name!r}: write h100, 8xh100 or cluster-16x8")
    one, nodes, each = found.groups()
    devices = int(nodes) * int(each) if nodes else int(one or 1)
    if devices < 1:
        raise IrsmithError(f"machine {name!r} has no device")
    share = 0.35 if nodes and int(nodes) > 1 else 0.40
    return Machine(name, devices, _PEAKS["NVIDIA H100"], 80e9, share)
