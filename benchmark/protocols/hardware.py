"""How to compute: device, batch size, threads and patience."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmark.models.worker.environments import FIT_SECONDS, Deadlines
from cohorts.errors import UsageError


def processors() -> int:
    """Count the processors that this process may use: its affinity, and what its control group grants it."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    available = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(available, _granted()))


def _granted(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Processors by the quotas of the control groups that hold this process; many where there is none."""
    least = math.inf
    try:
        group = root / own.read_text().rpartition("::")[2].strip().lstrip("/")
    except OSError:
        group = root
    while group == root or root in group.parents:
        try:
            quota, period = (group / "cpu.max").read_text().split()
            least = min(least, int(quota) / int(period))
        except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
            pass
        group = group.parent
    return 1 << 16 if least == math.inf else math.ceil(least)


def spare_memory(facts: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that nobody uses, of the machine and of what its group may have; 2 GiB where nobody says."""
    spare = []
    try:
        named = dict(line.split(":", 1) for line in facts.read_text().splitlines() if ":" in line)
        spare.append(1024 * int(named["MemAvailable"].split()[0]))
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:
        used = int((group / "memory.current").read_text())
        spare.append(max(0, int((group / "memory.max").read_text()) - used))
    except (OSError, ValueError):  # no such file, or "max"
        pass
    return min(spare, default=2 << 30)


def best_device(drivers: Path = Path("/dev")) -> str:
    """Name the fastest torch device here: ``cuda``, else ``mps``, else ``cpu``.

    torch is asked only where there may be an accelerator, because importing it takes seconds.
    """
    signs = ("nvidiactl", "nvidia0", "kfd", "dxg")  # NVIDIA's and AMD's drivers, and that of Windows' Linux
    if sys.platform != "darwin" and not any((drivers / sign).exists() for sign in signs):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@dataclass(frozen=True, slots=True)
class Hardware:
    """How to compute; none of it may move a score.

    Attributes
    ----------
    device
        As torch names it; ``"auto"`` becomes the fastest one here.
    batch_size
        Windows that a model is asked about at once; for ``"auto"`` see `benchmark.protocols.batches`.
    workers
        Threads that read and resample; 0 becomes the number of processors that may be used.
    deadline
        Seconds that a model may take for a batch.
    fit_deadline
        Seconds that a model in a worker may take to learn.
    """

    device: str = "auto"
    batch_size: int | Literal["auto"] = "auto"
    workers: int = 0
    deadline: float = 300.0
    fit_deadline: float = FIT_SECONDS

    @property
    def deadlines(self) -> Deadlines:
        """Those of a model that runs in a worker though nobody asked for one."""
        return Deadlines.of(self.deadline, self.fit_deadline)

    def __post_init__(self) -> None:
        if self.device == "auto":
            object.__setattr__(self, "device", best_device())
        if not self.workers:
            object.__setattr__(self, "workers", processors())

    def check(self) -> None:
        """Refuse a device that is not there, before anything is computed.

        On a GPU it also asks for whole single precision: convolutions there keep 10 bits of 23 by default
        (TF32), and a score would move by more than rounding.

        Raises
        ------
        UsageError
            With what torch says about it.
        """
        if self.device == "cpu":
            return
        import torch

        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            words = str(error).partition("\n")[0].rstrip(".")
            raise UsageError(
                f"The device '{self.device}' cannot be used here ({words}); try --device cpu."
            ) from None
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
