"""Reading tables of scores, labels and calls; one clear sentence for any that cannot be."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cohorts.errors import UsageError

RECORD, PATIENT = "record_id", "patient_id"

LABELS = {"1": 1, "true": 1, "0": 0, "false": 0, "": -1, "na": -1, "nan": -1}
"""How a label is read, in any case; numbers equal to 1 and 0 (``1.0``) are labels too."""

NUMERIC = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table on disk of which only the header was read; ``delimiter`` is None for Parquet."""

    path: Path
    columns: list[str]
    delimiter: str | None


def open_table(path: Path) -> TableFile:
    """Look at the header only."""
    try:
        with path.open("rb") as file:
            start = file.readline()
        if not start.strip():
            found = "begins with a blank line" if start else "is empty"
            raise UsageError(f"{path} {found}; give a table with a header and one row a record.")
        if start.startswith(b"PAR1"):
            header, delimiter = pq.ParquetFile(path).schema_arrow.names, None
        else:
            header, delimiter = _csv_header(path, start)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read ({_reason(error)}); check the file.") from None
    if "" in header:
        raise UsageError(
            f"Column {header.index('') + 1} of {path} has no name; name it, or write the table without its "
            "row index."
        )
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise UsageError(
            f"{path} has more than one column '{_short(twice[0])}'; give each column its own name."
        )
    if RECORD not in header:
        raise UsageError(
            f"{path} has no column {RECORD} (it has {some(header)}); add it, to name the record of each row."
        )
    return TableFile(path, header, delimiter)


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


def concepts_of(scores: TableFile, labels: TableFile) -> list[str]:
    """Name the columns of scores, which must all be columns of labels."""
    concepts = [name for name in scores.columns if name != RECORD]
    if PATIENT in concepts:
        raise UsageError(
            f"{scores.path} has a column {PATIENT}, which is no score; move it to {labels.path}."
        )
    if not concepts:
        raise UsageError(f"{scores.path} has no column of scores beside {RECORD}; add one for each concept.")
    unknown = [name for name in concepts if name not in labels.columns]
    if unknown:
        raise UsageError(
            f"{scores.path} has columns that {labels.path} does not have ({some(unknown)}); its columns are "
            f"{some(labels.columns, 40)}: rename or remove them."
        )
    return concepts


def read_table(file: TableFile, text: list[str], numbers: Iterable[str] = ()) -> pa.Table:
    """Read the named columns: in CSV, ``text`` as it stands and ``numbers`` as float64."""
    columns = [*text, *numbers]
    try:
        if file.delimiter is None:
            table = pq.ParquetFile(file.path).read(columns=columns)
        else:
            types = dict.fromkeys(text, pa.string()) | dict.fromkeys(numbers, pa.float64())
            table = pacsv.read_csv(
                file.path,
                pacsv.ReadOptions(column_names=file.columns, skip_rows=1),
                pacsv.ParseOptions(delimiter=file.delimiter, newlines_in_values=True),
                pacsv.ConvertOptions(column_types=types, include_columns=columns),
            )
    except (OSError, pa.ArrowException) as error:
        if numbers:  # as text it can be read, or it says better why not
            _find_non_number(file, read_table(file, columns), numbers)
        raise UsageError(f"{file.path} cannot be read as a table ({_reason(error)}); correct it.") from None
    if table.num_rows == 0:
        raise UsageError(f"{file.path} has a header but no rows; give one row a record.")
    return table


def _find_non_number(file: TableFile, table: pa.Table, columns: Iterable[str]) -> None:
    ids = text_column(file, table, RECORD)
    for name in columns:
        for record, value in zip(ids, text_column(file, table, name), strict=True):
            try:
                float(value or "nan")
            except ValueError:
                raise UsageError(
                    f"{file.path} has '{_short(value)}' in column '{name}' of record '{_short(record)}', "
                    "which is not a number; write scores as numbers with a decimal point."
                ) from None


def text_column(file: TableFile, table: pa.Table, name: str) -> pd.Series[Any]:
    """Read a column as text without surrounding blanks, "" where missing."""
    try:
        column = pc.utf8_trim_whitespace(table[name].cast(pa.string()))
    except pa.ArrowException:
        raise UsageError(f"Column '{name}' of {file.path} is {table[name].type}; write it as text.") from None
    return pd.Series(column.fill_null("").to_pandas(), dtype="str")


def record_ids(file: TableFile, table: pa.Table) -> pd.Index[Any]:
    """Record ids as text: leading zeros stay, ``NA`` is an id like any other."""
    if pa.types.is_floating(table[RECORD].type):
        raise UsageError(f"The {RECORD}s of {file.path} are decimal numbers; write them as text.")
    ids: pd.Index[Any] = pd.Index(text_column(file, table, RECORD))
    blank = np.flatnonzero(ids == "")
    if len(blank):
        raise UsageError(
            f"{file.path} has no {RECORD} in row {blank[0] + 1} below the header; every row needs one."
        )
    if not ids.is_unique:
        twice = ids[ids.duplicated()].unique()
        raise UsageError(
            f"{file.path} has {len(twice)} {RECORD}s in more than one row ({some(twice)}); give each record "
            "one row."
        )
    return ids


def check_same_records(
    scores: TableFile, ids: pd.Index[Any], labels: TableFile, truth_ids: pd.Index[Any]
) -> None:
    """Refuse two tables that are not of the same records."""
    for file, other, lacking in (
        (scores, labels, truth_ids.difference(ids)),
        (labels, scores, ids.difference(truth_ids)),
    ):
        if len(lacking):
            raise UsageError(
                f"{file.path} lacks {len(lacking)} records of {other.path} ({some(lacking)}); both must "
                "have the same records."
            )


def score_column(file: TableFile, table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """Finite numbers, float64."""
    kind = table[name].type
    if not any(is_kind(kind) for is_kind in NUMERIC):
        raise UsageError(f"Column '{name}' of {file.path} is {kind}, not numbers; write scores as numbers.")
    values: npt.NDArray[np.float64] = table[name].cast(pa.float64(), safe=False).to_numpy()
    bad = np.count_nonzero(~np.isfinite(values))
    if bad:
        raise UsageError(
            f"{file.path} has {bad} missing or infinite scores in column '{name}'; every record "
            "needs a finite one."
        )
    return values


def label_column(file: TableFile, table: pa.Table, name: str) -> npt.NDArray[np.int8]:
    """int8: 1, 0, or -1 for empty. There are few different words, so each is read once."""
    codes, words = pd.factorize(text_column(file, table, name))
    meaning = np.array([_label(word) for word in words], dtype=np.float64)
    unreadable = np.flatnonzero(np.isnan(meaning))
    if len(unreadable):
        row = np.flatnonzero(codes == unreadable[0])[0]
        record = text_column(file, table, RECORD)[row]
        raise UsageError(
            f"{file.path} has '{_short(words[unreadable[0]])}' in column '{name}' of record "
            f"'{_short(record)}', which is no label; use 1, 0 or empty (not annotated)."
        )
    return meaning[codes].astype(np.int8)


def _label(word: str) -> float:
    """NaN for a word that is no label."""
    try:
        return LABELS[word.lower()] if word.lower() in LABELS else {0.0: 0, 1.0: 1}.get(float(word), np.nan)
    except ValueError:
        return np.nan


def some(names: Iterable[Any], most: int = 5) -> str:
    """Name a few of many."""
    listed = [_short(str(name)) for name in names]
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")


def _short(text: str) -> str:
    """Fit a cell into a sentence: one line, not too long."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"


def _reason(error: Exception) -> str:
    """Take the first line of a library's message, short enough for a sentence."""
    message = getattr(error, "strerror", None) or str(error)
    return (message.splitlines() or [type(error).__name__])[0][:200].rstrip(".")


def _table_like(labels: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Read a table of 1, 0 and empty (-1) with the records of the labels, in their order."""
    file = open_table(path)
    names = [name for name in file.columns if name != RECORD]
    unknown = [name for name in names if name not in labels.columns]
    if unknown or not names:
        raise UsageError(
            f"{path} has {some(unknown) or 'no column'}, which the scores do not have; name its columns as "
            f"theirs: {some(labels.columns, 40)}."
        )
    table = read_table(file, [RECORD, *names])
    ids = record_ids(file, table)
    lacking = labels.index.difference(ids)
    if len(lacking) or len(ids) != len(labels):
        what = f"lacks {len(lacking)} records ({some(lacking)})" if len(lacking) else "has more records"
        raise UsageError(f"{path} {what} than the labels; it must be of the same records.")
    rows = ids.get_indexer(labels.index)
    return pd.DataFrame({name: label_column(file, table, name)[rows] for name in names}, index=labels.index)
