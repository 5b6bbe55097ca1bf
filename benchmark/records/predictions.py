"""The predictions table: one row a record, one float32 column a concept (and fit), as Parquet."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.files import refusing, write_atomically
from benchmark.records.parquet import TooLargeError, parquet_schema, read_parquet
from cohorts.errors import LeadboardError

_KEY = b"leadboard.key"
FIT = "#"
"""Stands between an output and the number of the fit."""

AGE = "@age"
"""Column of the ages that a model tells, in years, where it tells any; no concept has such a name."""


def content_hash(predictions: pd.DataFrame) -> str:
    """Hash record ids, column names and float32 values; independent of the Parquet writer."""
    names = (*predictions.columns, "", *predictions["record_id"], "")
    digest = hashlib.sha256("\0".join(map(str, names)).encode())
    digest.update(score_matrix(predictions).astype("<f4").tobytes())
    return digest.hexdigest()


def score_matrix(predictions: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The numbers alone, float32 ``[records, columns]``."""
    return predictions.drop(columns="record_id").to_numpy(dtype=np.float32)


def score_tables(predictions: pd.DataFrame) -> tuple[list[pd.DataFrame], list[str]]:
    """Take the fits of a table apart.

    Returns
    -------
    One table ``[records, outputs]`` for each fit, and the outputs.
    """
    predictions = predictions.drop(columns=AGE, errors="ignore")
    columns = [str(column) for column in predictions.columns if column != "record_id"]
    outputs = list(dict.fromkeys(column.partition(FIT)[0] for column in columns))
    fits = len(columns) // max(1, len(outputs))
    scores = pd.DataFrame(score_matrix(predictions), columns=columns)
    tables = []
    for fit in range(fits):
        table = scores[[f"{output}{FIT}{fit + 1}" for output in outputs] if fits > 1 else outputs]
        tables.append(table.set_axis(outputs, axis="columns"))
    return tables, outputs


def ages_of(predictions: pd.DataFrame) -> npt.NDArray[np.float32] | None:
    """Give the ages that a model has told, float32 ``[records]``, or None."""
    return predictions[AGE].to_numpy(dtype=np.float32) if AGE in predictions else None


def predictions_path(record: Path) -> Path:
    """Path of the predictions that belong to the record at a path."""
    return record.with_suffix(".parquet")


def predictions_table(
    record_ids: pd.Series[str],
    scores: npt.NDArray[np.float32],
    outputs: tuple[str, ...],
    ages: npt.NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Arrange scores ``[fits, records, outputs]`` as they are saved.

    The columns are the outputs, or ``AF#1``, ``AF#2`` ... where there are several fits; then the ages that
    the model tells, if it does.
    """
    fits = len(scores)
    columns = [f"{output}{FIT}{fit + 1}" if fits > 1 else output for fit in range(fits) for output in outputs]
    table = pd.DataFrame(np.concatenate(list(scores), axis=1), columns=columns)
    table.insert(0, "record_id", record_ids.to_numpy())
    return table if ages is None else table.assign(**{AGE: ages})


def save_predictions(table: pd.DataFrame, key: str, path: Path) -> None:
    """Write predictions with the key of what they were made from."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), _KEY: key.encode()})
    buffer = io.BytesIO()
    pq.write_table(arrow, buffer, compression="zstd")
    write_atomically(path, buffer.getvalue())


def load_predictions(path: Path) -> tuple[pd.DataFrame, str]:
    """Read a predictions table, and the key that it was made under ("" where it names none).

    It may be a stranger's: nothing is taken but text ids and single-precision scores, all of them there, and
    what would not fit in memory is not read.

    Raises
    ------
    LeadboardError
        If the file is missing, damaged, too large or not such a table.
    """
    if path.is_symlink() or not path.is_file():
        raise LeadboardError(f"The predictions {path} are not there.")
    with refusing(lambda why: LeadboardError(f"The predictions {path} cannot be read ({why}).")):
        return _load(path)


def measured_predictions(path: Path, sha256: str) -> pd.DataFrame | None:
    """Read the predictions that a cell was measured on; None if the file holds others.

    Those that were asked for last stay in memory, for who asks next: nobody may change them.

    Parameters
    ----------
    sha256
        `content_hash` of what was measured.

    Raises
    ------
    LeadboardError
        As `load_predictions`.
    """
    facts = path.stat() if path.is_file() else None
    state = () if facts is None else (facts.st_ino, facts.st_size, facts.st_mtime_ns)
    predictions, found = _latest(path, state)
    return predictions if found == sha256 else None


@lru_cache(maxsize=1)
def _latest(path: Path, _: tuple[int, ...]) -> tuple[pd.DataFrame, str]:
    predictions, _key = load_predictions(path)
    return predictions, content_hash(predictions)


def _load(path: Path) -> tuple[pd.DataFrame, str]:
    try:
        schema = parquet_schema(path, cell_bytes=4)
        plain = schema.names[:1] == ["record_id"] and len(set(schema.names)) == len(schema.names)
        text = plain and (pa.types.is_string(schema.types[0]) or pa.types.is_large_string(schema.types[0]))
        if not text or any(not pa.types.is_float32(kind) for kind in schema.types[1:]):
            raise LeadboardError(f"The predictions {path} are no table of record_id and float32 scores.")
        table = read_parquet(path, schema.names)
    except TooLargeError as error:
        raise LeadboardError(f"The predictions {path} are too large ({error}).") from None
    if any(column.null_count for column in table.columns):
        raise LeadboardError(f"The predictions {path} have missing values.")
    key = (schema.metadata or {}).get(_KEY, b"").decode("utf-8", "replace")
    return table.to_pandas(), key
