"""Options that several commands share, and what their values may be."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import ArgumentCollection, Parameter
from cyclopts.validators import Number
from pydantic import AfterValidator, BaseModel, Field

from benchmark.files import regular_size, why_no_folder
from benchmark.metrics.draws import MOST_RESAMPLES, MOST_SEED, check_seeds
from cohorts.errors import UsageError

LEAST_SECONDS, MOST_SECONDS = 0.001, 7 * 24 * 3600
LEAST_GIB, MOST_GIB = 2**-10, 2**20
MOST_COUNT = 10**9
"""Patients that a sample is drawn of; there are fewer."""


MOST_WINDOWS = 2**16
MOST_WORKERS = 512


def _folder(_: object, path: Path | None) -> None:
    """Validate a folder; that one to be read is missing says better who knows what it should hold."""
    why = "" if path is None else why_no_folder(path)
    if why:
        raise ValueError(f"{why}.".capitalize() if why.startswith("it ") else f"{why}.")


def _file(_: object, path: Path | None) -> None:
    """Validate a file that is read: a pipe may hang, and tables are read twice."""
    if path is not None:
        check_file(path)


def check_file(path: Path) -> None:
    """Refuse what cannot be read as a file.

    Raises
    ------
    ValueError
        Saying why.
    """
    try:
        regular_size(path)
    except OSError as error:
        raise ValueError(f"{error.strerror}.") from None


def _files(_: object, paths: tuple[Path, ...] | None) -> None:
    """Validate files that are read."""
    for path in paths or ():
        check_file(path)


def _place(_: object, path: Path | None) -> None:
    """Validate a path to a file or a folder that is to be read: it is there, and not too long a name."""
    if path is not None:
        _there(path)


def _there(path: Path) -> None:
    try:
        path.stat()
    except OSError as error:
        raise ValueError(f"{error.strerror}.") from None


def _new_file(_: object, path: Path | None) -> None:
    """Validate a path to a file that will be written."""
    if path is None:
        return
    if why := why_no_folder(path.parent):
        raise ValueError(f"{why.replace('it ', f'{path.parent} ', 1) if why.startswith('it ') else why}.")
    if _is_folder(path):
        raise ValueError("It is a folder, not a file.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise ValueError(f"{error.strerror}.") from None


def _in_tens(_: object, count: int | None) -> None:
    """Validate a minimum: steps of different widths would narrow a count down."""
    if count is not None and count % 10:
        raise ValueError("Must be 10, 20, 30, 40 or 50.")


def _listed(seeds: tuple[int, ...]) -> str:
    return ", ".join(map(str, seeds))


def _seeds(_: object, seeds: tuple[int, ...]) -> None:
    """Validate the seeds of a run."""
    check_seeds(seeds)


def _windows(kind: type, size: int | str) -> None:
    """Validate a batch size."""
    if not isinstance(size, str):
        Number(gte=1, lte=MOST_WINDOWS)(kind, size)


def _also(check: Callable[[object, Any], None]) -> AfterValidator:
    """Validate what the configuration file says as what the command line says."""

    def checked(given: Any) -> Any:
        check(None, given)
        return given

    return AfterValidator(checked)


def _model(_: object, given: str | tuple[str, ...] | None) -> None:
    """Validate path/to/file.py:Class, as far as that the machine can look for the file."""
    for spec in (given,) if isinstance(given, str) else given or ():
        try:
            Path(spec.rpartition(":")[0]).exists()
        except OSError as error:
            raise ValueError(f"{error.strerror}.") from None


Folder = Annotated[Path, Parameter(validator=_folder), _also(_folder)]
ModelName = Annotated[str, Parameter(validator=_model), _also(_model)]
ModelNames = Annotated[
    tuple[Annotated[str, _also(_model)], ...],
    Parameter(negative=(), show_default=False, validator=_model),
]
File = Annotated[Path, Parameter(validator=_file), _also(_file)]
Place = Annotated[Path, Parameter(validator=_place)]
NewFile = Annotated[Path, Parameter(validator=_new_file)]
DataOption = Annotated[Path | None, Parameter(name="--data", validator=_folder)]
FingerprintFiles = Annotated[
    tuple[Path, ...], Parameter(name="--fingerprints", negative=(), show_default=False, validator=_files)
]
CacheOption = Annotated[Path | None, Parameter(name="--cache", validator=_folder)]
CohortFiles = Annotated[
    tuple[Path, ...], Parameter(name="--cohort-file", negative=(), show_default=False, validator=_files)
]
JsonOption = Annotated[bool, Parameter(name="--json", negative=(), show_default=False)]
Repeated = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
Seed = Annotated[int, Parameter(validator=Number(gte=0, lte=MOST_SEED)), Field(ge=0, le=MOST_SEED)]
Seeds = Annotated[
    tuple[Seed, ...],
    Parameter(name="--seed", negative=(), show_default=_listed, validator=_seeds),
    _also(_seeds),
]
Resamples = Annotated[
    int, Parameter(validator=Number(gte=1, lte=MOST_RESAMPLES)), Field(ge=1, le=MOST_RESAMPLES)
]
Count = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST_COUNT))]
MinimumCount = Annotated[int, Parameter(validator=[Number(gte=10, lte=50), _in_tens])]
Windows = Annotated[
    Annotated[int, Field(ge=1, le=MOST_WINDOWS)] | Literal["auto"], Parameter(validator=_windows)
]
Workers = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST_WORKERS)), Field(ge=1, le=MOST_WORKERS)]
Precision = Literal["float32", "bf16"]
TrainPrecision = Literal["auto", "32-true", "bf16-mixed"]
Rate = Annotated[float, Parameter(validator=Number(gte=1, lte=10_000))]
Seconds = Annotated[
    float,
    Parameter(validator=Number(gte=LEAST_SECONDS, lte=MOST_SECONDS)),
    Field(ge=LEAST_SECONDS, le=MOST_SECONDS),
]
Gibibytes = Annotated[
    float, Parameter(validator=Number(gte=LEAST_GIB, lte=MOST_GIB)), Field(ge=LEAST_GIB, le=MOST_GIB)
]


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


def noting_given(options: type[Any]) -> None:
    """Let a dataclass of options remember in ``given`` which of them it was made with, whatever they are."""
    make = options.__init__

    @functools.wraps(make)
    def noted(self: Any, **given: Any) -> None:
        make(self, **given)
        object.__setattr__(self, "given", frozenset(given))

    options.__init__ = noted


def by_commas(given: Sequence[str]) -> list[str]:
    """Give names that are separated by commas or repeated."""
    return [name.strip() for one in given for name in one.split(",") if name.strip()]


def print_json(content: object) -> None:
    """Print facts or a model of pydantic as strict JSON, which is ASCII: no terminal can spoil it."""
    if isinstance(content, BaseModel):
        content = json.loads(content.model_dump_json())
    print(json.dumps(content, indent=2, allow_nan=False))
