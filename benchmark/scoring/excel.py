"""Tables in Excel (.xlsx): one sheet, read as the text that a CSV of it would hold.

Nothing is guessed: what Excel may have changed or not stored (dates among ids, formulas, merged cells) is
refused with what to do about it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.files import refusing
from benchmark.text import printable, some
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MOST_BYTES = 2**29
"""Unpacked: about ten million cells, which take some GiB of memory."""

MOST_ROWS = 2**20
"""Of a sheet; one that claims more is damaged."""

_TAGS = re.compile(rb"<(?:\w+:)?(mergeCell|f)[ />]")
_OBJECTIONS = {
    b"mergeCell": "merged cells; unmerge them and fill in every cell",
    b"f": "formulas, whose values another program may not have stored; paste their values instead",
}
_CHUNK = 2**20

Texts = dict[str, list[str | None]]


def sheet_header(path: Path) -> list[str]:
    """Read the names of the columns, which stand in the first row.

    Raises
    ------
    UsageError
        If the file is no workbook with one sheet of plain values.
    """
    with refusing(_refusal(path)):
        _check(path)
        with _opened(path) as workbook:
            return _header(path, next(_rows(workbook, _only_sheet(path, workbook)), ()))


def sheet_columns(path: Path, names: list[str], exact: tuple[str, ...]) -> Texts:
    """Read columns as text; an empty cell is None, and an empty row is none at all.

    Parameters
    ----------
    exact
        Columns of ids, in which Excel must not have made numbers or dates of the text.

    Raises
    ------
    UsageError
        Naming the cell that is wrong.
    """
    with refusing(_refusal(path)), _opened(path) as workbook:
        rows = _rows(workbook, _only_sheet(path, workbook))
        header = _header(path, next(rows, ()))
        found: Texts = {name: [] for name in names}
        places = {name: header.index(name) for name in names}
        for number, row in enumerate(rows, start=2):
            if any(cell is not None for cell in row[len(header) :]):
                raise UsageError(f"Row {number} of {path} has more cells than the header; correct it.")
            if all(cell is None for cell in row):
                continue
            for name, at in places.items():
                cell = row[at] if at < len(row) else None
                if name in exact and isinstance(cell, float | date | time | timedelta):
                    raise UsageError(
                        f"Excel has made {_text(cell)} of an id in column '{name}', row {number}, of "
                        f"{path}; format the column as text and enter it again."
                    )
                found[name].append(_text(cell))
        return found


def _refusal(path: Path) -> Any:
    return lambda why: UsageError(f"{path} cannot be read as Excel ({why}); save the table as CSV.")


@contextmanager
def _opened(path: Path) -> Iterator[Workbook]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise UsageError(
            f"{path} is an Excel file, and openpyxl, which reads those, is not installed: install "
            "leadboard[excel], or save the table as CSV."
        ) from None
    with path.open("rb") as file:
        workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            yield workbook
        finally:
            workbook.close()


def _check(path: Path) -> None:
    """Refuse what would not fit in memory, and cells whose value is not there."""
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise UsageError(
                f"{path} unpacks to {size / 2**30:,.1f} GiB, too much for Excel; save the table as CSV."
            )
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/"):
                continue
            with archive.open(name) as sheet:
                last = b""
                while chunk := sheet.read(_CHUNK):
                    found = _TAGS.search(last + chunk)
                    if found:
                        raise UsageError(f"{path} has {_OBJECTIONS[found[1]]}.")
                    last = chunk[-64:]


def _only_sheet(path: Path, workbook: Workbook) -> str:
    """Name the one sheet that has something in it."""
    filled = [
        sheet.title
        for sheet in workbook.worksheets
        if any(cell is not None for row in _rows(workbook, sheet.title) for cell in row)
    ]
    if len(filled) != 1:
        what = f"{len(filled)} sheets with content ({some(filled)})" if filled else "no cell with content"
        raise UsageError(f"{path} has {what}; give a workbook with one sheet, or save that as CSV.")
    return str(filled[0])


def _rows(workbook: Workbook, title: str) -> Iterator[tuple[Any, ...]]:
    sheet: Any = workbook[title]
    sheet.reset_dimensions()  # what the file states of its size need not be so
    return iter(sheet.iter_rows(max_row=MOST_ROWS, values_only=True))


def _header(path: Path, row: tuple[Any, ...]) -> list[str]:
    names = ["" if cell is None else str(cell).strip() for cell in row]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UsageError(
            f"{path} begins with a blank row; give a table with a header and one row per record."
        )
    return [printable(name, 1000) if not name.isprintable() else name for name in names]


def _text(cell: Any) -> str | None:
    """Write a cell as CSV has it; a float with all its digits."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return repr(cell) if isinstance(cell, float) else str(cell)
