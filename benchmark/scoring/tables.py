"""Opening tables of scores, labels and calls: what columns they have, and whether they can be read at all."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.files import MOST_TABLE_BYTES
from benchmark.text import printable, some
from cohorts.errors import UsageError

RECORD, PATIENT = "record_id", "patient_id"

LONGEST_HEADER = 2**20  # bytes

FAULTS = (OSError, ValueError, pa.ArrowException)
"""What pyarrow raises for a file that cannot be read; a name that is not UTF-8 is a ValueError."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table on disk of which only the header was read.

    Attributes
    ----------
    delimiter
        None for Parquet.
    metadata
        Of Parquet, as its bytes are.
    """

    path: Path
    columns: list[str]
    delimiter: str | None
    metadata: Mapping[bytes, bytes] = field(default_factory=dict)


def open_table(path: Path) -> TableFile:
    """Look at the header only.

    Raises
    ------
    UsageError
        If the file is no table with distinct column names and a ``record_id``, or is absurdly large.
    """
    metadata: Mapping[bytes, bytes] = {}
    try:
        check_size(path, path.stat().st_size)
        with path.open("rb") as file:
            start = file.readline(LONGEST_HEADER)
        if not start.strip():
            found = "begins with a blank line" if start else "is empty"
            raise UsageError(f"{path} {found}; give a table with a header and one row per record.")
        if start.startswith(b"PAR1"):
            header, metadata = _parquet_header(path)
            delimiter = None
        else:
            header, delimiter = _csv_header(path, start)
    except FAULTS as error:
        raise UsageError(f"{path} cannot be read ({reason(error)}); check the file.") from None
    if "" in header:
        raise UsageError(
            f"Column {header.index('') + 1} of {path} has no name; name it, or write the table without its "
            "row index."
        )
    twice = next((name for name, times in Counter(header).items() if times > 1), None)
    if twice is not None:
        raise UsageError(
            f"{path} has more than one column '{printable(twice, 40)}'; give each column its own name."
        )
    if RECORD not in header:
        raise UsageError(
            f"{path} has no column {RECORD} (it has {some(header)}); add it, to name the record of each row."
        )
    return TableFile(path, header, delimiter, metadata)


def check_size(path: Path, size: int) -> None:
    """Refuse a file that is, unpacks to or declares more than any table of scores."""
    if size > MOST_TABLE_BYTES:
        raise UsageError(
            f"{path} has {size / 2**30:,.0f} GiB, and no table of scores has more than "
            f"{MOST_TABLE_BYTES // 2**30}; check the file."
        )


def _parquet_header(path: Path) -> tuple[list[str], Mapping[bytes, bytes]]:
    file = pq.ParquetFile(path)
    check_size(path, file.metadata.num_rows * file.metadata.num_columns * 8)
    names = [str(name) for name in file.schema_arrow.names]
    own = [name for name in names if not name.startswith("__index_level_")]  # pandas writes its row index so
    return own, file.schema_arrow.metadata or {}


def _csv_header(path: Path, line: bytes) -> tuple[list[str], str]:
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"The header of {path} is not UTF-8 text; write the table as UTF-8.") from None
    readings = {}
    for delimiter in ",;\t":
        with suppress(csv.Error):  # a quoted name need not be one for another delimiter
            cells = next(csv.reader([text], delimiter=delimiter, strict=True))
            readings[delimiter] = [cell.strip() for cell in cells]
    if not readings or "\0" in text:
        raise UsageError(f"The header of {path} is not one line of CSV; give CSV or Parquet.")
    best = max(readings, key=lambda delimiter: (RECORD in readings[delimiter], len(readings[delimiter])))
    return readings[best], best


def columns_beside(file: TableFile, *others: str) -> list[str]:
    """Name the columns that hold the scores, of which there must be one."""
    names = [name for name in file.columns if name not in others]
    if not names:
        raise UsageError(f"{file.path} has no column of scores beside {RECORD}; add one for each concept.")
    return names


def reason(error: Exception) -> str:
    """Take the first line of a library's message, short enough for a sentence."""
    message = getattr(error, "strerror", None) or str(error)
    return printable((message.splitlines() or [type(error).__name__])[0], 120).rstrip(".")
