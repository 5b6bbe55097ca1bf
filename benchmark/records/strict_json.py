"""Reading JSON that may be a stranger's: strict, and no larger than a result is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from benchmark.files import reason, regular_size
from benchmark.text import printable
from cohorts.errors import LeadboardError

MOST_JSON_BYTES = 64 * 2**20
"""A record that names three million quarantined recordings has as much."""

MOST_JSON_COMMAS = 3_000_000
MOST_JSON_GROUPS = 50_000
"""Lists and objects; the record of a hundred concepts in twenty subgroups has a fifth of it."""

MOST_JSON_VALUES = 200_000
"""Values in objects and lists, but lists of record ids: what is said of each wrong one takes memory."""

MOST_JSON_INTEGER = 2**64
"""No count and no seed is larger, and float64 holds the quotient of any two."""


def read_json(path: Path, long: Collection[str] = (), most: int = MOST_JSON_BYTES) -> Any:
    """Read strict JSON: no NaN or infinity, no name twice in an object, no more values than a result has.

    Parameters
    ----------
    long
        Names under which a list may have millions of entries.
    most
        Bytes of the file.

    Raises
    ------
    LeadboardError
        If it is not that, is no regular file, or cannot be read.
    """
    return parsed_json(json_bytes(path, most), path, long)


def parsed_json(content: bytes, path: Path, long: Collection[str] = ()) -> Any:
    """Parse what `json_bytes` read of a file, by the rules of `read_json`."""
    plain = _plain_json(content)
    if plain is not None:
        return plain
    try:
        return json.loads(
            content,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_countable,
            object_pairs_hook=_Objects(long),
        )
    except (ValueError, RecursionError) as error:
        raise LeadboardError(f"{path} is not strict JSON ({printable(str(error), 120)}).") from None


def json_bytes(path: Path, most: int = MOST_JSON_BYTES) -> bytes:
    """Read a text that takes no more memory as JSON than one of ours may; counting its signs says so."""
    try:
        if regular_size(path) > most:
            raise LeadboardError(f"{path} is larger than {most // 2**20} MiB.")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise LeadboardError(f"{path} cannot be read ({reason(error)}).") from None
    groups, commas = _count(content, "[") + _count(content, "{"), _count(content, ",")
    if groups > MOST_JSON_GROUPS or commas > MOST_JSON_COMMAS:
        raise LeadboardError(f"{path} has {groups:,} lists and objects and {commas:,} commas; no result has.")
    if _count(content, ":") > MOST_JSON_VALUES:  # seldom: in ids, such as times of day, they are no names
        names = sum(1 for _ in re.finditer(rb'"\s*:', content))
        if names > MOST_JSON_VALUES:
            raise LeadboardError(f"{path} has {names:,} names of values; no result has.")
    return content


def _count(content: bytes, sign: str) -> int:
    """Count a sign that is met often: `bytes.count` stops at each one."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == ord(sign)))


_DIGITS = bytes(ord("0") if chr(sign).isascii() and chr(sign).isdecimal() else sign for sign in range(256))


def _plain_json(content: bytes) -> Any | None:
    """Read JSON in a quarter of the time if it plainly keeps every rule of `read_json`; None if it may not.

    Where nothing is escaped, quotes stand around names and texts alone: a text that comes back with as many
    has lost no name to another one like it. Twenty digits in a row are a large integer, or a fraction.
    """
    from pydantic_core import from_json, to_json

    signs = sum(_count(content, sign) for sign in "[{,")
    if may_have_large_integers(content) or b"\\" in content or signs > MOST_JSON_VALUES:
        return None
    try:
        found = from_json(content, allow_inf_nan=False)
        again = to_json(found)
    except ValueError:
        return None
    whole = _count(content, '"') == _count(again, '"') and b"Infinity" not in again
    return found if whole else None


def may_have_large_integers(content: bytes) -> bool:
    """Whether there are twenty digits in a row: a large integer, or a fraction."""
    shape, row = content.translate(_DIGITS), b"0" * 20
    return row in shape and shape.count(row) > shape.count(b"." + row)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large")
    return number


def _countable(text: str) -> int:
    number = int(text)
    if abs(number) > MOST_JSON_INTEGER:
        raise ValueError(f"{text} is too large")
    return number


class _Objects:
    """Makes the objects of one text, and counts what is in them."""

    def __init__(self, long: Collection[str]) -> None:
        self.long, self.values = long, 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) != len(pairs):
            raise ValueError("an object has a name twice")
        self.values += len(pairs)
        for name, value in pairs:
            if value.__class__ is list and name not in self.long:
                self.values += len(value)
        if self.values > MOST_JSON_VALUES:
            raise ValueError(f"it has more than {MOST_JSON_VALUES:,} values")
        return content
