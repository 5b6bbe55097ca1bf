"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.models.worker.environments import Launcher, WorkerEnvironment

DataOption = Annotated[Path | None, Parameter(name="--data")]
CacheOption = Annotated[Path | None, Parameter(name="--cache")]
JsonOption = Annotated[bool, Parameter(name="--json", negative=())]
Repeated = Annotated[tuple[str, ...], Parameter(negative=())]


def at_least_one(**numbers: int) -> None:
    """Refuse options below 1.

    Raises
    ------
    UsageError
        Naming the option.
    """
    for name, number in numbers.items():
        if number < 1:
            raise UsageError(f"--{name.replace('_', '-')} is {number}; it has to be 1 or more.")


def other_environment(
    python: str | None, container: str | None, deadline: float, memory: float | None
) -> WorkerEnvironment | None:
    """Give the environment that models are to run in, None for this process.

    Raises
    ------
    UsageError
        If both kinds are given, a number is out of range, or limits are given without an environment.
    """
    if deadline <= 0 or (memory is not None and memory <= 0):
        raise UsageError("--deadline and --memory have to be more than 0.")
    if python and container:
        raise UsageError("--python and --container are two environments; give one of them.")
    size = None if memory is None else int(memory * 2**30)
    launcher: Launcher
    if python:
        from benchmark.models.worker.environments import Interpreter

        launcher = Interpreter(python, size)
    elif container:
        from benchmark.models.worker.containers import Container

        launcher = Container(container, memory=size)
    elif memory is not None:
        raise UsageError(
            "--memory limits a model that --python or --container runs; give one of them with it."
        )
    else:
        return None
    from benchmark.models.worker.environments import Deadlines, WorkerEnvironment

    return WorkerEnvironment(launcher, Deadlines(batch=deadline, start=max(deadline, Deadlines().start)))


def print_json(content: object) -> None:
    """Print strict JSON."""
    print(json.dumps(content, indent=2, allow_nan=False))
