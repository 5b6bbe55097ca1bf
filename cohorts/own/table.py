"""Tables as hospitals have them, read as text: CSV of any separator, Parquet, Excel.

Whole columns are read, never row by row, so that a million rows take seconds. No cell gets into an error.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from cohorts.errors import UsageError, some
from cohorts.own.workbook import EXACT, cell_text, moment, rows_of_sheet

_SEPARATORS = ",;\t|"
_HEADER_BYTES = 2**20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NAME = re.compile(r"(?!\d)[\w .()/%°#+-]{1,60}")
_LONG_NUMBER = re.compile(r"\d{4}")
"""In a name of a column no year and no id is expected."""

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
            table = _parquet(path, wanted)
        elif kind == "excel":
            table = _excel(path, wanted, sheet)
        else:
            table = _csv(path, wanted, separator, encoding)
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
            schema = pyarrow.parquet.read_schema(path)
            return [field.name for field in schema if not _is_no_text(field.type)]
        if kind == "excel":
            with rows_of_sheet(path, sheet) as (names, _):
                return names
        return _header(path, _head(path, encoding)[0], [], None)[0]


def likely_encoding(path: Path) -> str:
    """Give ``"cp1252"``, which Windows writes, for a CSV that is not in UTF-8; else ``"utf-8"``."""
    with _told(path):
        content = path.read_bytes() if _kind(path) == "csv" else b""
    try:
        content.decode("utf-16" if content[:2] in _UTF16 else "utf-8")
    except UnicodeError:
        return "cp1252"
    return "utf-8"


def _kind(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"{path} is not there; correct its name in the description of the cohort.")
    suffix = path.suffix.lower()
    if suffix == ".xls":
        raise UsageError(f"{path} is of the Excel of before 2007; save it as .xlsx or as CSV.")
    if suffix in (".xlsx", ".xlsm"):
        return "excel"
    return "parquet" if suffix in (".parquet", ".pq") else "csv"


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


def _head(path: Path, encoding: str) -> tuple[str, str]:
    """Decode the beginning of a CSV, and give the encoding that it has by its first bytes, or as stated."""
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    if head[:2] in _UTF16:
        encoding = "utf-16"
    elif head[:2] == b"PK" or b"\0" in head:
        raise UsageError(f"{path} is no text; is it a CSV?")
    elif head.startswith(codecs.BOM_UTF8) or encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    try:
        text = head.decode(encoding, "ignore" if len(head) == _HEADER_BYTES else "strict")
    except LookupError:
        raise UsageError(
            f"There is no encoding '{encoding}'; state one such as utf-8, cp1252 or latin-1."
        ) from None
    if text.removeprefix("\ufeff").lower().startswith(("sep=", '"sep=')):
        raise UsageError(
            f"The first line of {path} is a 'sep=' for Excel, not the names of the columns; remove that line."
        )
    return text, encoding


def _csv(path: Path, wanted: list[str], separator: str | None, encoding: str) -> pd.DataFrame:
    text, encoding = _head(path, encoding)
    names, lines, separator = _header(path, text, wanted, separator)
    broken = _Broken()
    table = pyarrow.csv.read_csv(
        path if encoding == "utf-8-sig" else io.BytesIO(path.read_bytes().decode(encoding).encode()),
        read_options=pyarrow.csv.ReadOptions(
            skip_rows=lines, column_names=[str(at) for at in range(len(names))]
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=separator, newlines_in_values=True, invalid_row_handler=broken
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=[str(names.index(name)) for name in wanted],
            column_types={str(at): pa.string() for at in range(len(names))},
            strings_can_be_null=False,
        ),
    )
    if broken.rows:
        raise UsageError(
            f"{broken.rows:,} row{'s' if broken.rows > 1 else ''} of {path} with another number of cells "
            f"than the header, the first with {broken.first} instead of {len(names)}; is the separator "
            f"'{separator}' in a cell without quotes?"
        )
    _check_quotes(path, encoding, separator, table.num_rows + lines)
    return pd.DataFrame(
        {name: column.to_pandas().astype("str") for name, column in zip(wanted, table.columns, strict=True)}
    )


def _check_quotes(path: Path, encoding: str, separator: str, rows: int) -> None:
    """Refuse a quote that is not closed: every row up to the next quote would be part of its cell."""
    content = path.read_bytes()
    if b'"' not in content or content.count(b"\n") <= rows:
        return
    reader = csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=separator, strict=True)
    try:
        for _ in reader:
            pass
    except csv.Error:
        raise UsageError(
            f"{path} has a quote that is not closed, or is within a cell, before the end of line "
            f"{reader.line_num:,}; rows would be lost in that cell."
        ) from None


class _Broken:
    """Counts rows of another length than the header; what is in them is not kept."""

    def __init__(self) -> None:
        self.rows = self.first = 0

    def __call__(self, row: Any) -> str:
        self.first = self.first or row.actual_columns
        self.rows += 1
        return "skip"


def _header(path: Path, text: str, wanted: list[str], separator: str | None) -> tuple[list[str], int, str]:
    """Names of the columns, lines that they take, and the separator under which they are found."""
    found = []
    for candidate in separator or _SEPARATORS:
        rows = csv.reader(io.StringIO(text), delimiter=candidate)
        names = [name.strip() for name in next(rows, [])]
        found.append((len(set(wanted) & set(names)), len(names), names, rows.line_num, candidate))
    _, _, names, lines, best = max(found, key=lambda one: one[:2])
    if not any(names):
        raise UsageError(f"{path} is empty, or begins with an empty line.")
    check_columns(path, wanted, names)
    return names, lines, best


def _parquet(path: Path, wanted: list[str]) -> pd.DataFrame:
    check_columns(path, wanted, pyarrow.parquet.read_schema(path).names)
    table = pyarrow.parquet.read_table(path, columns=wanted, partitioning=None)
    return pd.DataFrame({name: _as_text(path, name, table.column(name)) for name in wanted})


def _as_text(path: Path, name: str, column: pa.ChunkedArray) -> pd.Series[str]:
    """Write a typed column as text: whole numbers without a point, dates as ISO 8601, true as 1."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    text: pd.Series[str]
    if pa.types.is_floating(kind):
        values = column.to_pandas()
        exact = {"halffloat": 2**11, "float": 2**24}.get(str(kind), EXACT)
        if ((values % 1 == 0) & (values.abs() >= exact)).any():  # two ids may have become one
            raise UsageError(
                f"The column '{name}' of {path} holds whole numbers of {exact:,} or more as {kind}, which "
                "no longer holds each of them; write it as text or as integers."
            )
        whole = values.isna() | (values % 1 == 0)
        text = values.astype("Int64" if whole.all() else "float64").astype("string").fillna("").astype("str")
        return text
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif pa.types.is_timestamp(kind):
        column = pa.chunked_array([column.to_pandas().map(moment, na_action="ignore").astype("str")])
    elif _is_no_text(kind):
        raise UsageError(f"The column '{name}' of {path} holds {kind}, not text or numbers.")
    text = column.cast(pa.string()).fill_null("").to_pandas().astype("str")
    return text


def _is_no_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind))


def _excel(path: Path, wanted: list[str], sheet: str | None) -> pd.DataFrame:
    with rows_of_sheet(path, sheet) as (names, rows):
        check_columns(path, wanted, names)
        places = [names.index(name) for name in wanted]
        cells = [
            [cell_text(row[at]) if at < len(row) else "" for at in places]
            for row in rows
            if any(cell is not None for cell in row)
        ]
    return pd.DataFrame(cells, columns=wanted, dtype="str")
