"""Rows of a release's table, by column name."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from pathlib import Path

from cohorts.errors import UsageError


def csv_rows(
    path: Path, columns: Collection[str], delimiter: str = ","
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line at which each row ends, and its cells in these columns; a missing cell is "".

    A byte-order mark, blanks around a column's name and bytes that are no UTF-8 are borne.

    Parameters
    ----------
    delimiter
        What stands between cells, such as ``";"``.

    Raises
    ------
    UsageError
        If a column is missing or the file is no table; where a row is found broken, the rows before
        it have been given.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter)
        try:
            names = [name.strip() for name in next(rows, [])]
            missing = sorted(set(columns) - set(names))
            if missing:
                hint = "is it the table of this release?"
                if len(names) == 1 and set(names[0]) & set(",;|\t"):
                    hint = f"is there a {delimiter!r} between its cells? If not, state the delimiter."
                raise UsageError(f"{path} has no column {', '.join(missing)}; {hint}")
            place = {name: names.index(name) for name in columns}
            for row in rows:
                if row:
                    yield (
                        rows.line_num,
                        {name: row[at] if at < len(row) else "" for name, at in place.items()},
                    )
        except csv.Error as error:
            raise UsageError(f"{path} cannot be read near line {rows.line_num}: {error}.") from None
