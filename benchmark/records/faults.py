"""Where a stranger's file departs from its schema."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from benchmark.text import printable

MOST_FAULTS = 1_000
"""Of one file that are looked at one by one: what pydantic says of each takes memory."""


def first_fault(error: ValidationError) -> str:
    """Say where it first does, and how."""
    if error.error_count() > MOST_FAULTS:
        return f"{error.error_count():,} faults"
    first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{printable(where, 80)}: {printable(first['msg'], 120)}"
