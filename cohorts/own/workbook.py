"""Sheets of Excel, read as text."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from cohorts.errors import UsageError, some
from cohorts.own.column_names import check_columns

EXACT = 2**53
"""Up to here a float holds every whole number."""
_MOST_UNPACKED = 2**29
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")


def read_sheet(path: Path, wanted: list[str], sheet: str | None) -> pd.DataFrame:
    """Read columns of a sheet as text; the sheet need be named only where there are several."""
    with _rows_of_sheet(path, sheet) as (names, rows):
        check_columns(path, wanted, names)
        places = [names.index(name) for name in wanted]
        cells = [
            [_cell_text(row[at]) if at < len(row) else "" for at in places]
            for row in rows
            if any(cell is not None for cell in row)
        ]
    return pd.DataFrame(cells, columns=wanted, dtype="str")


def sheet_columns(path: Path, sheet: str | None) -> list[str]:
    """Names of a sheet's columns."""
    with _rows_of_sheet(path, sheet) as (names, _):
        return names


@contextmanager
def _rows_of_sheet(path: Path, sheet: str | None) -> Iterator[tuple[list[str], Iterator[Any]]]:
    """Open a workbook and give the names of a sheet's columns and its other rows."""
    from openpyxl import load_workbook

    _check_workbook(path)
    with path.open("rb") as file:
        workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        if sheet is not None and sheet not in workbook.sheetnames:
            raise UsageError(f"{path} has no sheet '{sheet}'; it has {some(workbook.sheetnames)}.")
        if sheet is None and len(workbook.sheetnames) > 1:
            raise UsageError(f'{path} has {len(workbook.sheetnames)} sheets; say which with sheet = "NAME".')
        page: Any = workbook[sheet or workbook.sheetnames[0]]
        page.reset_dimensions()
        rows = page.iter_rows(values_only=True)
        yield [str(cell).strip() if cell is not None else "" for cell in next(rows, ())], rows


def _check_workbook(path: Path) -> None:
    """Refuse what would not fit in memory, and formulas, whose values may not be there."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > _MOST_UNPACKED:
            raise UsageError(f"{path} is too large for Excel; save the table as CSV or Parquet.")
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and _FORMULA.search(archive.read(name)):
                raise UsageError(
                    f"{path} has formulas, whose values may not have been stored; paste their values instead."
                )


def _cell_text(cell: object) -> str:
    """Write a cell of Excel as text."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= EXACT:
        return str(int(cell))
    if isinstance(cell, datetime):
        return moment(cell)
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def moment(when: datetime) -> str:
    """Write a moment as ISO 8601, at midnight as its day."""
    at_midnight = (when.hour, when.minute, when.second, when.microsecond) == (0, 0, 0, 0)
    return when.date().isoformat() if at_midnight else when.isoformat(sep=" ")
