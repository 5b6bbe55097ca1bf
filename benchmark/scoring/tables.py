"""Opening tables of scores, labels and calls: what columns they have, and whether they can be read at all."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa

from benchmark.files import MOST_TABLE_BYTES, refusing, regular_size
from benchmark.records.parquet import TooLargeError, parquet_schema
from benchmark.scoring.excel import sheet_header
from benchmark.scoring.kinds import Kind, kind_of
from benchmark.text import printable, some
from cohorts.errors import UsageError

RECORD, PATIENT = "record_id", "patient_id"

LONGEST_HEADER = 2**20  # bytes

MOST_UNPACKED = 2**30
"""Of a compressed CSV, which is unpacked into memory."""

INDEX = "__index_level_"
"""What pandas calls the columns of a row index without a name."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table of which only the header was read, on disk or in memory.

    Attributes
    ----------
    path
        Where it is; what a table in memory is called.
    columns
        With ``record_id`` among them, also where the ids are pandas' row index.
    index
        What the column of ids is called in a Parquet file that has them in pandas' row index.
    metadata
        Of Parquet, as its bytes are.
    remarks
        Sentences for the user: what was taken for something, or ignored.
    held
        The table itself, if it is in memory.
    """

    path: Path
    columns: list[str]
    kind: Kind
    delimiter: str = ","
    index: str | None = None
    metadata: Mapping[bytes, bytes] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    held: pa.Table | None = None


def open_frame(frame: pd.DataFrame, name: str) -> TableFile:
    """Look at a table of pandas as if it had been written to Parquet.

    Parameters
    ----------
    name
        What errors call it.

    Raises
    ------
    UsageError
        As `open_table`, and if a column holds what no table on disk can.
    """
    path = Path(f"{name} (DataFrame)")
    with refusing(lambda why: UsageError(f"{path} cannot be read ({why}); correct it.")):
        held = pa.Table.from_pandas(frame, preserve_index=False if RECORD in frame.columns else None)
    file = replace(_of_schema(path, held.schema), kind="frame", held=held)
    _check_names(file)
    return file


def open_table(path: Path) -> TableFile:
    """Look at the header only.

    Raises
    ------
    UsageError
        If the file is no table with distinct column names and a ``record_id``, or is absurdly large.
    """
    kind = kind_of(path)
    with refusing(lambda why: UsageError(f"{path} cannot be read ({why}); check the file.")):
        check_size(path, regular_size(path))
        if kind == "npz":
            raise UsageError(
                f"{path} is npz, which is read for predictions on a cohort only; write the table as CSV or "
                "Parquet."
            )
        if kind == "parquet":
            file = _open_parquet(path)
        elif kind == "excel":
            file = TableFile(path, sheet_header(path), kind)
        else:
            header, delimiter = _csv_header(path, _first_line(path, kind))
            file = TableFile(path, header, kind, delimiter)
    _check_names(file)
    return file


def _check_names(file: TableFile) -> None:
    path, header = file.path, file.columns
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


def check_size(path: Path, size: int) -> None:
    """Refuse a file that is, unpacks to or declares more than any table of scores."""
    if size > MOST_TABLE_BYTES:
        raise too_large(path, f"{size / 2**30:,.0f} GiB")


def too_large(path: Path, what: str) -> UsageError:
    """Make the error of a file that has so much."""
    return UsageError(
        f"{path} has {what}, and no table of scores has more than {MOST_TABLE_BYTES // 2**30} GiB; check the "
        "file."
    )


def _open_parquet(path: Path) -> TableFile:
    try:
        schema = parquet_schema(path, cell_bytes=8)
    except TooLargeError as error:
        raise too_large(path, str(error)) from None
    return _of_schema(path, schema)


def _of_schema(path: Path, schema: pa.Schema) -> TableFile:
    """Find the columns; text in pandas' row index is the record ids where no column is."""
    names = [str(name) for name in schema.names]
    metadata = schema.metadata or {}
    indexes = [name for name in names if name.startswith(INDEX)]
    others = [name for name in names if name not in indexes]
    if not indexes:
        return TableFile(path, names, "parquet", metadata=metadata)
    if RECORD in others:
        remark = f"The row index of {path} was ignored, since it has a column {RECORD}."
        return TableFile(path, others, "parquet", metadata=metadata, remarks=(remark,))
    kind = schema.field(indexes[0]).type
    if len(indexes) > 1 or not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise UsageError(
            f"{path} has no column {RECORD}, and its nameless row index is {printable(str(kind), 40)}; "
            f"if that holds the ids, name it {RECORD} (rename_axis in pandas), or write them as a column."
        )
    remark = f"The row index of {path} was taken for the {RECORD}s."
    return TableFile(
        path, [RECORD, *others], "parquet", index=indexes[0], metadata=metadata, remarks=(remark,)
    )


def _first_line(path: Path, kind: Kind) -> bytes:
    with gzip.open(path) if kind == "packed csv" else path.open("rb") as file:
        start = file.readline(LONGEST_HEADER)
    if not start.strip():
        found = "begins with a blank line" if start else "is empty"
        raise UsageError(f"{path} {found}; give a table with a header and one row per record.")
    return start


def unpacked(path: Path) -> pa.Buffer:
    """Unpack a compressed CSV into memory, all of it, and check its sum.

    Raises
    ------
    UsageError
        If it unpacks to more than is read so.
    """
    with gzip.open(path) as file:
        content = file.read(MOST_UNPACKED + 1)
    if len(content) > MOST_UNPACKED:
        raise UsageError(f"{path} unpacks to more than {MOST_UNPACKED // 2**30} GiB; unpack it first.")
    return pa.py_buffer(content)


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
