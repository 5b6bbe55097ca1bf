"""Names of the columns of a table: which are asked for and missing, and which are no names at all."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

from cohorts.errors import UsageError, some

_NAME = re.compile(r"(?!\d)[\w .()/%°#+-]{1,60}")
_LONG_NUMBER = re.compile(r"\d{4}")
"""In a name of a column no year and no id is expected."""


def check_columns(path: Path, wanted: Collection[str], there: Sequence[str]) -> None:
    """Refuse a table without one of the columns, or with one of them twice.

    Raises
    ------
    UsageError
        Naming the column and the nearest that there is.
    """
    missing = [name for name in wanted if name not in there]
    if missing:
        folded = {name.casefold(): name for name in there}
        near = [folded[name] for name in get_close_matches(missing[0].casefold(), folded, n=1)]
        hint = f"did you mean '{near[0]}'?" if near and len(missing) == 1 else named(there)
        lacking = ", ".join(f"'{name}'" for name in missing)
        raise UsageError(f"{path} has no column {lacking}; {hint}")
    twice = [name for name in wanted if list(there).count(name) > 1]
    if twice:
        raise UsageError(f"{path} has the column '{twice[0]}' more than once; rename one of them.")


def named(there: Sequence[str]) -> str:
    """Name the columns that there are, unless they may be the cells of a first row: a patient's."""
    if not all(map(is_name, there)):
        return (
            "its first line does not look like names of columns; they must stand there, with the separator "
            "that is stated."
        )
    return "it has " + some(there, 20) + "."


def is_name(name: str) -> bool:
    """Whether this looks like the name of a column, and not like a cell."""
    return bool(_NAME.fullmatch(name)) and not _LONG_NUMBER.search(name)
