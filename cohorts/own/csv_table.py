"""CSV of any separator and encoding, read as text."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from cohorts.errors import UsageError
from cohorts.own.column_names import check_columns

_SEPARATORS = ",;\t|"
_HEADER_BYTES = 2**20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_csv(path: Path, wanted: list[str], separator: str | None, encoding: str) -> pd.DataFrame:
    """Read columns of a CSV as text."""
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


def csv_columns(path: Path, encoding: str) -> list[str]:
    """Names of the columns, by the separator under which there are most."""
    return _header(path, _head(path, encoding)[0], [], None)[0]


def csv_encoding(path: Path) -> str:
    """Give the encoding ``"cp1252"``, which Windows writes, for a CSV that is not in UTF-8."""
    content = path.read_bytes()
    try:
        content.decode("utf-16" if content[:2] in _UTF16 else "utf-8")
    except UnicodeError:
        return "cp1252"
    return "utf-8"


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
