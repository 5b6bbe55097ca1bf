"""Where a worker runs, and how long the suite waits for it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self

from benchmark.files import from_home

WORKER = Path(__file__).with_name("worker.py").resolve()

FIT_SECONDS = 24 * 3600.0
"""Seconds that a training in a worker may take unless others are asked for."""

NOTHING: Mapping[Path, bool] = MappingProxyType({})

VARIABLES = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP"),
    *("LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_MESSAGES"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"),
    *("PYTHONPATH", "PYTHONHASHSEED", "PYTHONWARNINGS", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE"),
    *("XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TORCH_HOME"),
    *("KERAS_HOME", "KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "XLA_FLAGS", "JAX_PLATFORMS", "MPLCONFIGDIR"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_HOME", "CUBLAS_WORKSPACE_CONFIG"),
    *("NVIDIA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    *("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ENABLE_MPS_FALLBACK"),
)
"""Variables of the environment that a worker inherits: where things are and how to compute, no secrets."""


def inherited(more: Iterable[str] = ()) -> dict[str, str]:
    """Give those variables of this process that a worker may see.

    Parameters
    ----------
    more
        Further names.
    """
    return {name: os.environ[name] for name in (*VARIABLES, *more) if name in os.environ}


class Launcher(Protocol):
    """Where a worker runs: `Interpreter` or `benchmark.models.worker.containers.Container`."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def needs(self) -> str:
        """One sentence for a user whose worker does not start."""

    def advice(self, code: int | None) -> str:
        """One sentence for a user whose command cannot be started (None), or ended at once with this code."""

    @property
    def address_space(self) -> int | None:
        """Bytes that the worker is to limit itself to; None for no limit, or where it is set from outside."""

    @property
    def shown(self) -> bool:
        """Whether the worker sees folders only if they are named when it starts."""

    def command(
        self, label: str, file: Path | None, device: str, folders: Mapping[Path, bool] = NOTHING
    ) -> list[str]:
        """Give the command that runs the worker.

        Parameters
        ----------
        file
            The model's, None if it is installed there.
        folders
            What the worker has to see beside it -> whether it may write there.
        """

    def environment(self) -> dict[str, str]:
        """Give all variables that the command gets."""

    def stop(self, label: str) -> None:
        """End what stems from no process of the command."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Another Python on this machine.

    Attributes
    ----------
    python
        Path of the interpreter, or a name that the shell would find.
    address_space
        Bytes of address space that the worker may use. The driver of an accelerator reserves far more
        than it uses, so there no limit makes sense.
    variables
        Names of the environment's variables that it inherits besides `VARIABLES`.
    """

    python: str
    address_space: int | None = None
    variables: tuple[str, ...] = ()
    needs = "It has to be a Python 3.8 or newer with numpy 1.20 or newer, such as ENV/bin/python"
    shown = False

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.python

    def command(
        self, label: str, file: Path | None, device: str, folders: Mapping[Path, bool] = NOTHING
    ) -> list[str]:
        """Give the command that runs the worker."""
        return [str(from_home(self.python)), "-u", str(WORKER)]

    def advice(self, code: int | None) -> str:
        """Say what it has to be; whatever ended at once may have been something else."""
        return self.needs

    def environment(self) -> dict[str, str]:
        """Give the named variables and no others: passwords lie among the rest."""
        return inherited(self.variables)

    def stop(self, label: str) -> None:
        """Leave it to what is known of its processes."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds after which a worker is given up.

    Attributes
    ----------
    batch
        With one batch.
    start
        From its start to a loaded model; also with saving and loading weights.
    fit
        With a training.
    """

    batch: float = 300.0
    start: float = 300.0
    fit: float = FIT_SECONDS

    @classmethod
    def of(cls, batch: float, fit: float = FIT_SECONDS) -> Self:
        """Give those of a user's ``--deadline`` and ``--fit-deadline``; loading may take as long as ever."""
        return cls(batch, max(batch, cls().start), fit)


@dataclass(frozen=True, slots=True)
class WorkerEnvironment:
    """Where models run that are not to run in this process, and how long an answer may take."""

    launcher: Launcher
    deadlines: Deadlines = Deadlines()
