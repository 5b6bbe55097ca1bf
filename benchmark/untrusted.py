"""Reading and showing what a stranger wrote: text, JSON and paths that may be made to deceive."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from cohorts.errors import LeadboardError

MOST_JSON_BYTES = 256 * 2**20
MOST_TABLE_BYTES = 4 * 2**30
"""A table of float64 scores of the largest cohort for all concepts of the ontology is about half of it."""


def printable(text: str, most: int = 300) -> str:
    r"""Put text on one line, of visible characters only, not too long.

    Examples
    --------
    >>> printable("a\x1b[31m\nb\u202ec"), printable("abcdef", 3)
    ('a [31m b c', 'ab…')
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def some(names: Iterable[object], most: int = 5) -> str:
    """List the first few of many.

    Examples
    --------
    >>> some(["a", "b", "c"], 2)
    'a, b, ...'
    """
    listed = list(names)
    shown = ", ".join(printable(str(name), 40) for name in listed[:most])
    return shown + (", ..." if len(listed) > most else "")


def inside(folder: Path, relative: str) -> Path:
    """Join a path that is written in a file of the folder, if it stays in there.

    Raises
    ------
    LeadboardError
        If it is absolute, climbs, is not in its shortest form, has odd characters or passes a link.
    """
    parts = PurePosixPath(relative).parts
    plain = relative.isprintable() and "\\" not in relative and PurePosixPath(relative).as_posix() == relative
    if not parts or not plain or relative.startswith("/") or ".." in parts or parts == (".",):
        raise LeadboardError(f"The path '{printable(relative, 80)}' does not stay in its folder.")
    path = folder
    for part in parts:
        path /= part
        if path.is_symlink():
            raise LeadboardError(f"{printable(relative, 80)} is a link or lies behind one.")
    return path


def read_json(path: Path) -> Any:
    """Read strict JSON: no NaN or infinity, no name twice in an object.

    Raises
    ------
    LeadboardError
        If it is not that, or the file cannot be read or is too large.
    """
    try:
        if path.stat().st_size > MOST_JSON_BYTES:
            raise LeadboardError(f"{path} is larger than {MOST_JSON_BYTES // 2**20} MiB.")
        return json.loads(
            path.read_bytes(), parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_distinct
        )
    except OSError as error:
        raise LeadboardError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise LeadboardError(f"{path} is not strict JSON ({printable(str(error), 120)}).") from None


def sha256_of(path: Path) -> str:
    """Hash the bytes of a file.

    Raises
    ------
    LeadboardError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LeadboardError(f"{path} cannot be read ({error.strerror}).") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), -float("inf")):
        raise ValueError(f"{text} is too large")
    return number


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("an object has a name twice")
    return content
