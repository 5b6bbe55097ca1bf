"""Tables as hospitals have them, read as text: CSV of any separator, Parquet, Excel.

Whole columns are read, never row by row, so that a million rows take seconds. No cell gets into an error.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa

from cohorts.errors import UsageError
from cohorts.own.csv_table import csv_columns, csv_encoding, read_csv
from cohorts.own.parquet_table import parquet_columns, read_parquet
from cohorts.own.workbook import read_sheet, sheet_columns

_DAMAGE = (OSError, ValueError, TypeError, LookupError, pa.ArrowException, zipfile.BadZipFile, csv.Error)


def read_columns(
    path: Path,
    columns: Collection[str],
    *,
    separator: str | None = None,
    encoding: str = "utf-8",
    sheet: str | None = None,
) -> pd.DataFrame:
    """Read columns of a table as text without blank ends; an empty cell is "".

    A whole number that became a float on the way ("12345.0", as Excel and pandas write it beside empty
    cells) is written as the whole number again.

    Parameters
    ----------
    separator, encoding
        Of a CSV; the separator is the one under which the header has all columns.
    sheet
        Of a workbook with several.

    Returns
    -------
    pandas.DataFrame
        One row a row of the table, in its order.

    Raises
    ------
    UsageError
        If it is no table, is empty, or lacks a column; with the nearest that there is.
    """
    wanted = list(dict.fromkeys(columns))
    with _told(path):
        kind = _kind(path)
        if kind == "parquet":
            table = read_parquet(path, wanted)
        elif kind == "excel":
            table = read_sheet(path, wanted, sheet)
        else:
            table = read_csv(path, wanted, separator, encoding)
    if table.empty:
        raise UsageError(f"{path} has a header and no rows.")
    return table.apply(_clean)


def column_names(path: Path, *, encoding: str = "utf-8", sheet: str | None = None) -> list[str]:
    """Read the header of a table: names of the columns that can be read as text, in their order.

    Of a CSV they are those of the separator under which there are most.

    Raises
    ------
    UsageError
        If it is no table.
    """
    with _told(path):
        kind = _kind(path)
        if kind == "parquet":
            return parquet_columns(path)
        if kind == "excel":
            return sheet_columns(path, sheet)
        return csv_columns(path, encoding)


def likely_encoding(path: Path) -> str:
    """Give ``"cp1252"``, which Windows writes, for a CSV that is not in UTF-8; else ``"utf-8"``."""
    with _told(path):
        return csv_encoding(path) if _kind(path) == "csv" else "utf-8"


def _kind(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"{path} is not there; correct its name in the description of the cohort.")
    suffix = path.suffix.lower()
    if suffix == ".xls":
        raise UsageError(f"{path} is of the Excel of before 2007; save it as .xlsx or as CSV.")
    if suffix in (".xlsx", ".xlsm"):
        return "excel"
    return "parquet" if suffix in (".parquet", ".pq") else "csv"


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell whatever a damaged table raises without a word of what is in it."""
    try:
        yield
    except UnicodeError:
        raise UsageError(
            f"{path} is not written in the stated encoding; state it, for example "
            'encoding = "cp1252" (Windows) or "latin-1".'
        ) from None
    except ImportError:
        raise UsageError(
            f"{path} is an Excel file, and openpyxl, which reads those, is not installed: install "
            "leadboard[excel], or save the table as CSV."
        ) from None
    except _DAMAGE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise UsageError(f"{path} cannot be read as a table ({reason}); open it and save it again.") from None


def _clean(column: pd.Series[str]) -> pd.Series[str]:
    """Take blanks from both ends, and NUL bytes out; whole numbers that became floats are whole again."""
    text = column.str.strip().str.replace("\0", "\N{REPLACEMENT CHARACTER}", regex=False)
    filled = text[text != ""]
    if len(filled) and filled.str.fullmatch(r"-?\d+\.0+").all():
        return text.str.replace(r"\.0+$", "", regex=True)
    return text


def filled(cells: pd.DataFrame, column: str | None) -> pd.Series[str]:
    """Give a column of text, NA where it is empty; NA everywhere if none is named."""
    if column is None:
        return pd.Series([None] * len(cells), dtype="str")
    return cells[column].where(cells[column] != "")
