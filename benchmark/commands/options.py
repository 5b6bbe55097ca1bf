"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cohorts.errors import UsageError

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


def print_json(content: object) -> None:
    """Print strict JSON."""
    print(json.dumps(content, indent=2, allow_nan=False))
