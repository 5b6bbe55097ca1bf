"""Columns of tables of scores, labels and calls, each checked as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from benchmark.files import refusing
from benchmark.metrics.checks import Floats
from benchmark.records.parquet import TooLargeError, read_parquet
from benchmark.scoring.excel import sheet_columns
from benchmark.scoring.tables import (
    PATIENT,
    RECORD,
    TableFile,
    columns_beside,
    open_table,
    too_large,
    unpacked,
)
from benchmark.text import printable, some
from cohorts.counts import plural
from cohorts.errors import LeadboardError, UsageError

MISSING = ("", "na", "nan")
"""How a cell without a value is written, in any case."""

LABELS = {"1": 1, "true": 1, "0": 0, "false": 0, **dict.fromkeys(MISSING, -1)}
"""How a label is read, in any case; numbers equal to 1 and 0 (``1.0``) are labels too."""

MOST = float(np.finfo(np.float64).max)

NUMERIC = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)


def concepts_of(scores: TableFile, labels: TableFile) -> list[str]:
    """Name the columns of scores, which must all be columns of labels."""
    concepts = columns_beside(scores, RECORD)
    if PATIENT in concepts:
        raise UsageError(
            f"{scores.path} has a column {PATIENT}, which is no score; move it to {labels.path}."
        )
    unknown = [name for name in concepts if name not in labels.columns]
    if unknown:
        raise UsageError(
            f"{scores.path} has columns that {labels.path} does not have ({some(unknown)}); its columns are "
            f"{some(labels.columns, 40)}: rename or remove them."
        )
    return concepts


def read_table(file: TableFile, text: list[str], numbers: Iterable[str] = ()) -> pa.Table:
    """Read the named columns: in CSV and Excel, ``text`` as it stands and ``numbers`` as float64.

    Raises
    ------
    UsageError
        If it cannot be read, naming the cell that is no number where that is why, or has no rows.
    """
    names = list(numbers)
    refusal = _refusal(file)
    try:
        with refusing(_UnreadableError):
            table = _READERS[file.kind](file, text, names)
    except _UnreadableError as error:
        if names:  # as text it can be read, or it says better why not
            _find_non_number(file, read_table(file, [*text, *names]), names)
        raise refusal(str(error)) from None
    if table.num_rows == 0:
        raise UsageError(f"{file.path} has a header but no rows; give one row per record.")
    return table


class _UnreadableError(LeadboardError):
    """What a library said of a table; the message is its reason alone."""


def _refusal(file: TableFile) -> Callable[[str], UsageError]:
    return lambda why: UsageError(f"{file.path} cannot be read as a table ({why}); correct it.")


def _read_parquet(file: TableFile, text: list[str], numbers: list[str]) -> pa.Table:
    names = [*text, *numbers]
    try:
        return read_parquet(file.path, _stored(file, names)).rename_columns(names)
    except TooLargeError as error:
        raise too_large(file.path, str(error)) from None


def _read_frame(file: TableFile, text: list[str], numbers: list[str]) -> pa.Table:
    names = [*text, *numbers]
    assert file.held is not None  # noqa: S101 - by its kind
    return file.held.select(_stored(file, names)).rename_columns(names)


def _stored(file: TableFile, names: list[str]) -> list[str]:
    """Give the names that the columns have in Arrow: ids that are pandas' row index have another one."""
    return [file.index if file.index and name == RECORD else name for name in names]


def _read_csv(file: TableFile, text: list[str], numbers: list[str]) -> pa.Table:
    types = dict.fromkeys(text, pa.string()) | dict.fromkeys(numbers, pa.float64())
    return pacsv.read_csv(
        pa.BufferReader(unpacked(file.path)) if file.kind == "packed csv" else file.path,
        pacsv.ReadOptions(column_names=file.columns, skip_rows=1),
        pacsv.ParseOptions(delimiter=file.delimiter, newlines_in_values=True),
        pacsv.ConvertOptions(column_types=types, include_columns=[*text, *numbers]),
    )


def _read_excel(file: TableFile, text: list[str], numbers: list[str]) -> pa.Table:
    found = sheet_columns(file.path, [*text, *numbers], (RECORD, PATIENT))
    table = pa.table({name: pa.array(cells, pa.string()) for name, cells in found.items()})
    for name in numbers:
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, pc.utf8_trim_whitespace(table[name]).cast(pa.float64()))
    return table


_READERS = {
    "csv": _read_csv,
    "packed csv": _read_csv,
    "parquet": _read_parquet,
    "excel": _read_excel,
    "frame": _read_frame,
}


def _find_non_number(file: TableFile, table: pa.Table, columns: Iterable[str]) -> None:
    ids = text_column(file, table, RECORD)
    for name in columns:
        for record, value in zip(ids, text_column(file, table, name), strict=True):
            try:
                float(value or "nan")
            except ValueError:
                where = f"in column '{printable(name, 40)}' of record '{printable(record, 40)}'"
                raise UsageError(
                    f"{file.path} has '{printable(value, 40)}' {where}, which is no number; write scores as "
                    "numbers with a decimal point."
                ) from None


def text_column(file: TableFile, table: pa.Table, name: str) -> pd.Series[Any]:
    """Read a column as text without surrounding blanks, "" where missing."""
    kind = printable(str(table[name].type), 40)
    with refusing(
        lambda _: UsageError(f"Column '{printable(name, 40)}' of {file.path} is {kind}; write it as text.")
    ):
        column = pc.utf8_trim_whitespace(table[name].cast(pa.large_string()))
        column.validate(full=True)
        return pd.Series(column.fill_null("").to_pandas(), dtype="str")


def record_ids(file: TableFile, table: pa.Table) -> pd.Index[Any]:
    """Record ids as text: leading zeros stay, ``NA`` is an id like any other."""
    if pa.types.is_floating(table[RECORD].type):
        raise UsageError(f"The {RECORD}s of {file.path} are decimal numbers; write them as text.")
    return checked_ids(file.path, text_column(file, table, RECORD).to_list())


def checked_ids(path: Path, texts: list[str]) -> pd.Index[Any]:
    """Refuse record ids that are blank or occur twice."""
    ids: pd.Index[Any] = pd.Index(texts, dtype="str")
    blank = np.flatnonzero(ids == "")
    if len(blank):
        raise UsageError(
            f"{path} has no {RECORD} in row {blank[0] + 1} below the header; every row needs one."
        )
    if not ids.is_unique:
        twice = ids[ids.duplicated()].unique()
        raise UsageError(
            f"{path} has {len(twice):,} {RECORD}s in more than one row ({some(twice)}); give each record "
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
                f"{file.path} lacks {plural(len(lacking), 'record')} of {other.path} ({some(lacking)}); both "
                "must have the same records."
            )


def score_column(file: TableFile, table: pa.Table, name: str, ids: pd.Index[Any]) -> Floats:
    """Finite numbers, float64."""
    kind = table[name].type
    if not any(is_kind(kind) for is_kind in NUMERIC):
        raise UsageError(
            f"Column '{printable(name, 40)}' of {file.path} is {printable(str(kind), 40)}, not numbers; "
            "write scores as numbers."
        )
    return finite(file.path, name, table[name].cast(pa.float64(), safe=False).to_numpy(), ids)


def finite(path: Path, name: str, values: Floats, ids: pd.Index[Any], most: float = MOST) -> Floats:
    """Refuse scores that are missing, infinite or larger than ``most``."""
    bad = np.flatnonzero(~(np.abs(values) <= most))
    if len(bad):
        first = f"{len(bad):,}, the first of record {printable(ids[bad[0]], 40)}"
        raise UsageError(
            f"{path} has scores in column '{printable(name, 40)}' that are missing, infinite or too large "
            f"({first}); every record needs a finite one."
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
            f"{file.path} has '{printable(words[unreadable[0]], 40)}' in column '{name}' of record "
            f"'{printable(record, 40)}', which is no label; use 1, 0 or empty (not annotated)."
        )
    return meaning[codes].astype(np.int8)


def _label(word: str) -> float:
    """NaN for a word that is no label."""
    try:
        return LABELS[word.lower()] if word.lower() in LABELS else {0.0: 0, 1.0: 1}.get(float(word), np.nan)
    except ValueError:
        return np.nan


def table_like(labels: pd.DataFrame, path: Path) -> pd.DataFrame:
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
        what = (
            f"lacks {plural(len(lacking), 'record')} ({some(lacking)})"
            if len(lacking)
            else "has more records"
        )
        raise UsageError(f"{path} {what} than the labels; it must be of the same records.")
    rows = ids.get_indexer(labels.index)
    return pd.DataFrame({name: label_column(file, table, name)[rows] for name in names}, index=labels.index)
