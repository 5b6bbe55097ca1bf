"""Tables of text: read from CSV, and refused in a sentence that names the row which is wrong."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from cohorts.counts import plural
from cohorts.errors import LeadboardError, nearest


def read_table(path: Path, columns: tuple[str, ...], table: str) -> pd.DataFrame:
    """Read a table of text; its index is the line of the file at which a row ends.

    Parameters
    ----------
    table
        What an error calls it.

    Raises
    ------
    LeadboardError
        If it is no table with these columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LeadboardError(f"{path} cannot be read ({error}); restore the file.") from None
    if not rows or tuple(rows[0][1]) != columns:
        raise LeadboardError(f"{path} must have exactly the columns {', '.join(columns)}, in this order.")
    if len(rows) == 1:
        raise LeadboardError(f"{path} has no rows; restore the file.")
    for line, row in rows[1:]:
        if len(row) != len(columns):
            raise broken(table, line, f"{plural(len(row), 'cell')} instead of {len(columns)}")
        if row != [cell.strip() for cell in row] or not "".join(row).isprintable():
            raise broken(table, line, "a cell with blanks at an end or an unprintable character")
    return pd.DataFrame(
        [row for _, row in rows[1:]], columns=list(columns), index=[line for line, _ in rows[1:]], dtype="str"
    )


def split(cell: str) -> tuple[str, ...]:
    """Items of a cell that are separated by semicolons; an empty cell has none."""
    return tuple(item.strip() for item in cell.split(";")) if cell else ()


def broken(table: str, line: object, what: str) -> LeadboardError:
    """Make the error of a row: what is wrong, and the line of the file or what else it is known by."""
    where = f"for {line}" if isinstance(line, str) else f"in line {line}"
    return LeadboardError(f"{table} has {what} {where}; correct it.")


def require(table: str, values: pd.Series[str], allowed: Collection[str], what: str) -> None:
    """Refuse a value that is not one of those allowed."""
    wrong = values[~values.isin(list(allowed))]
    if len(wrong):
        value, line = str(wrong.iloc[0]), wrong.index[0]
        near = nearest(value, allowed)
        said = f"the {what} '{value}', which is not known" + (f" (did you mean {near}?)" if near else "")
        if line == value:  # the rows are known by this column
            raise LeadboardError(f"{table} has {said}; correct it.")
        raise broken(table, line, f"{said},")


def require_text(table: str, values: pd.Series[str], what: str) -> None:
    """Refuse an empty cell."""
    empty = values[values == ""]
    if len(empty):
        raise broken(table, empty.index[0], f"no {what}")


def require_unique(table: str, rows: pd.DataFrame) -> None:
    """Refuse a row that stands there twice."""
    again = rows[rows.duplicated()]
    if len(again):
        raise broken(table, again.index[0], f"{' / '.join(filter(None, again.iloc[0]))} a second time")
