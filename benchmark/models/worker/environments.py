"""Where a worker runs, and how long the suite waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmark.config import from_home

WORKER = Path(__file__).with_name("worker.py").resolve()


class Launcher(Protocol):
    """Where a worker runs: `Interpreter` or `benchmark.models.worker.containers.Container`."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def needs(self) -> str:
        """One sentence for a user whose worker does not start."""

    @property
    def address_space(self) -> int | None:
        """Bytes that the worker is to limit itself to; None for no limit, or where it is set from outside."""

    def command(self, label: str, file: Path | None, device: str) -> list[str]:
        """Give the command that runs the worker; ``file`` is the model's, None if it is installed there."""

    def stop(self, label: str) -> None:
        """End what is outside of the command's process group."""


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
    """

    python: str
    address_space: int | None = None
    needs = "It has to be a Python 3.8 or newer with numpy 1.20 or newer, such as ENV/bin/python"

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.python

    def command(self, label: str, file: Path | None, device: str) -> list[str]:
        """Give the command that runs the worker."""
        return [str(from_home(self.python)), "-u", str(WORKER)]

    def stop(self, label: str) -> None:
        """Leave it to the process group."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds after which a worker is given up: with one batch, and from its start to a loaded model."""

    batch: float = 300.0
    start: float = 300.0


@dataclass(frozen=True, slots=True)
class WorkerEnvironment:
    """Where models run that are not to run in this process, and how long an answer may take."""

    launcher: Launcher
    deadlines: Deadlines = Deadlines()
