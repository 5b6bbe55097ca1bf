"""Score any table of predictions against any table of labels: the core of ``leadboard score``.

Both are CSV (comma, semicolon or tab) or Parquet, joined by ``record_id``; row order is free.
"""

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

from benchmark.metrics.evaluation import RESAMPLES, Evaluation, evaluate
from cohorts.errors import UsageError

RECORD, PATIENT = "record_id", "patient_id"

LABELS = {"1": 1, "true": 1, "0": 0, "false": 0, "": -1, "na": -1, "nan": -1}
"""How a label is read, in any case; numbers equal to 1 and 0 (``1.0``) are labels too."""

NUMERIC = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)


def score_table(
    scores_path: Path | str, labels_path: Path | str, *, resamples: int = RESAMPLES, seed: int = 0
) -> Evaluation:
    """Metrics of a table of scores against a table of labels.

    Parameters
    ----------
    scores_path
        Columns ``record_id`` and one for each concept, by any name: finite numbers, higher for more
        likely.
    labels_path
        Columns ``record_id``, optionally ``patient_id``, and at least the concepts of the scores: 1, 0
        or empty (not annotated). Further columns are ignored, with a note.
    resamples, seed
        Of the bootstrap.

    Returns
    -------
    Evaluation
        Concepts in the order of the scores. The order of the rows of the files does not matter.

    Raises
    ------
    UsageError
        If a file cannot be read, or the two do not belong together.
    """
    scores_file, labels_file = _open(Path(scores_path)), _open(Path(labels_path))
    concepts = _concepts(scores_file, labels_file)
    scores_table = _read(scores_file, [RECORD], numbers=concepts)
    grouping = [PATIENT] if PATIENT in labels_file.columns else []
    labels_table = _read(labels_file, [RECORD, *grouping, *concepts])

    ids, truth_ids = _ids(scores_file, scores_table), _ids(labels_file, labels_table)
    _check_same_records(scores_file, ids, labels_file, truth_ids)
    records = ids.sort_values()
    rows, truth_rows = ids.get_indexer(records), truth_ids.get_indexer(records)
    scores = {name: _scores(scores_file, scores_table, name)[rows] for name in concepts}
    labels = {name: _labels(labels_file, labels_table, name)[truth_rows] for name in concepts}
    patients = None
    if grouping:
        patients = _text(labels_file, labels_table, PATIENT).iloc[truth_rows].set_axis(records)

    evaluation = evaluate(
        pd.DataFrame(labels, index=records),
        pd.DataFrame(scores, index=records),
        patients,
        resamples=resamples,
        seed=seed,
    )
    ignored = [name for name in labels_file.columns if name not in (RECORD, PATIENT, *concepts)]
    if not ignored:
        return evaluation
    note = f"{labels_path} has columns without scores, which are ignored: {_some(ignored)}."
    return evaluation.model_copy(update={"notes": (*evaluation.notes, note)})


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    columns: list[str]
    delimiter: str | None  # None for Parquet


def _open(path: Path) -> _File:
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
            f"{path} has no column {RECORD} (it has {_some(header)}); add it, to name the record of each row."
        )
    return _File(path, header, delimiter)


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


def _concepts(scores: _File, labels: _File) -> list[str]:
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
            f"{scores.path} has columns that {labels.path} does not have ({_some(unknown)}); its columns are "
            f"{_some(labels.columns, 40)}: rename or remove them."
        )
    return concepts


def _read(file: _File, text: list[str], numbers: Iterable[str] = ()) -> pa.Table:
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
            _find_non_number(file, _read(file, columns), numbers)
        raise UsageError(f"{file.path} cannot be read as a table ({_reason(error)}); correct it.") from None
    if table.num_rows == 0:
        raise UsageError(f"{file.path} has a header but no rows; give one row a record.")
    return table


def _find_non_number(file: _File, table: pa.Table, columns: Iterable[str]) -> None:
    ids = _text(file, table, RECORD)
    for name in columns:
        for record, value in zip(ids, _text(file, table, name), strict=True):
            try:
                float(value or "nan")
            except ValueError:
                raise UsageError(
                    f"{file.path} has '{_short(value)}' in column '{name}' of record '{_short(record)}', "
                    "which is not a number; write scores as numbers with a decimal point."
                ) from None


def _text(file: _File, table: pa.Table, name: str) -> pd.Series[Any]:
    """Read a column as text without surrounding blanks, "" where missing."""
    try:
        column = pc.utf8_trim_whitespace(table[name].cast(pa.string()))
    except pa.ArrowException:
        raise UsageError(f"Column '{name}' of {file.path} is {table[name].type}; write it as text.") from None
    return pd.Series(column.fill_null("").to_pandas(), dtype="str")


def _ids(file: _File, table: pa.Table) -> pd.Index[Any]:
    """Record ids as text: leading zeros stay, ``NA`` is an id like any other."""
    if pa.types.is_floating(table[RECORD].type):
        raise UsageError(f"The {RECORD}s of {file.path} are decimal numbers; write them as text.")
    ids: pd.Index[Any] = pd.Index(_text(file, table, RECORD))
    blank = np.flatnonzero(ids == "")
    if len(blank):
        raise UsageError(
            f"{file.path} has no {RECORD} in row {blank[0] + 1} below the header; every row needs one."
        )
    if not ids.is_unique:
        twice = ids[ids.duplicated()].unique()
        raise UsageError(
            f"{file.path} has {len(twice)} {RECORD}s in more than one row ({_some(twice)}); give each record "
            "one row."
        )
    return ids


def _check_same_records(scores: _File, ids: pd.Index[Any], labels: _File, truth_ids: pd.Index[Any]) -> None:
    for file, other, lacking in (
        (scores, labels, truth_ids.difference(ids)),
        (labels, scores, ids.difference(truth_ids)),
    ):
        if len(lacking):
            raise UsageError(
                f"{file.path} lacks {len(lacking)} records of {other.path} ({_some(lacking)}); both must "
                "have the same records."
            )


def _scores(file: _File, table: pa.Table, name: str) -> npt.NDArray[np.float64]:
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


def _labels(file: _File, table: pa.Table, name: str) -> npt.NDArray[np.int8]:
    """int8: 1, 0, or -1 for empty. There are few different words, so each is read once."""
    codes, words = pd.factorize(_text(file, table, name))
    meaning = np.array([_label(word) for word in words], dtype=np.float64)
    unreadable = np.flatnonzero(np.isnan(meaning))
    if len(unreadable):
        row = np.flatnonzero(codes == unreadable[0])[0]
        record = _text(file, table, RECORD)[row]
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


def _some(names: Iterable[Any], most: int = 5) -> str:
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
