"""Options that several commands share, and what their values may be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import ArgumentCollection, Parameter
from cyclopts.validators import Number

from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.models.worker.environments import Launcher, WorkerEnvironment

DEFAULT_RUN = Path("results/runs/local")

MOST_RESAMPLES = 20_000
"""As many as `leadboard verify` recomputes; an interval hardly moves beyond a few thousand."""

MOST_SEED = 2**32 - 1
"""The largest that every library takes."""

MOST_SECONDS = 7 * 24 * 3600
MOST_GIB = 2**20

DataOption = Annotated[Path | None, Parameter(name="--data")]
CacheOption = Annotated[Path | None, Parameter(name="--cache")]
JsonOption = Annotated[bool, Parameter(name="--json", negative=(), show_default=False)]
Repeated = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
Seed = Annotated[int, Parameter(validator=Number(gte=0, lte=MOST_SEED))]
Resamples = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST_RESAMPLES))]
Count = Annotated[int, Parameter(validator=Number(gte=1))]
Seconds = Annotated[float, Parameter(validator=Number(gt=0, lte=MOST_SECONDS))]
Gibibytes = Annotated[float, Parameter(validator=Number(gt=0, lte=MOST_GIB))]


def belongs_to(option: str) -> Callable[[ArgumentCollection], None]:
    """Validate a group: all its options need one of them.

    Raises
    ------
    UsageError
        Naming the options that were given without it.
    """

    def check(arguments: ArgumentCollection) -> None:
        names = [argument.name for argument in arguments if argument.tokens]
        if names and option not in names:
            verb, them = ("belongs", "it") if len(names) == 1 else ("belong", "them")
            raise UsageError(f"{' and '.join(names)} {verb} to {option}; give that, or leave {them} out.")

    return check


def other_environment(
    python: str | None,
    container: str | None,
    deadline: float,
    memory: float | None,
    env: tuple[str, ...] = (),
) -> WorkerEnvironment | None:
    """Give the environment that models are to run in, None for this process.

    Raises
    ------
    UsageError
        If both kinds are given, or a limit is given without an environment.
    """
    if python and container:
        raise UsageError("--python and --container are two environments; give one of them.")
    size = None if memory is None else int(memory * 2**30)
    launcher: Launcher
    if python:
        from benchmark.models.worker.environments import Interpreter

        launcher = Interpreter(_absolute(python), size, env)
    elif container:
        from benchmark.models.worker.containers import Container

        launcher = Container(container, memory=size, variables=env)
    elif memory is not None or env:
        option, does = ("--memory", "limits") if env == () else ("--env", "is for")
        raise UsageError(f"{option} {does} a model in another environment; give --python or --container too.")
    else:
        return None
    from benchmark.models.worker.environments import Deadlines, WorkerEnvironment

    return WorkerEnvironment(launcher, Deadlines.of(deadline))


def _absolute(program: str) -> str:
    """Give the whole path of a program, unless the shell would look for its name."""
    return str(Path(program).expanduser().absolute()) if "/" in program else program


def print_json(content: object) -> None:
    """Print strict JSON."""
    print(json.dumps(content, indent=2, allow_nan=False))
