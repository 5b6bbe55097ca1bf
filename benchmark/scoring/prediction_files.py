"""Reading the predictions that somebody made elsewhere for a cohort of this project.

Parquet, CSV (comma, semicolon or tab) or ``.npz``, with ``record_id`` and one column or array a concept; an
``.npz`` may instead hold ``scores`` ``[records, outputs]`` and ``outputs``. A ``fingerprint`` (a column, an
array, or metadata of Parquet) says which state of the cohort they were made on.
"""

from __future__ import annotations

import csv
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benchmark.files import MOST_TABLE_BYTES
from benchmark.models.contract import Floats
from benchmark.scoring.against_labels import NUMERIC, RECORD
from benchmark.text import printable, some
from cohorts.errors import UnknownNameError, UsageError

FINGERPRINT = "fingerprint"
NPZ_FAULTS = (
    OSError, ValueError, EOFError, KeyError, MemoryError, RuntimeError, SyntaxError, OverflowError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip
"""What numpy and zipfile raise between them for a file that is damaged or made to deceive."""

Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class PredictionTable:
    """Checked predictions, in the order of their file.

    Attributes
    ----------
    ids
        Record ids, text, each once.
    outputs
        Concepts, in the order of the columns.
    scores
        float32 ``[records, outputs]``, finite.
    fingerprint
        Of the cohort that they were made on, if the file says so.
    remarks
        Sentences for the user.
    """

    ids: pd.Index[Any]
    outputs: tuple[str, ...]
    scores: Floats
    fingerprint: str | None
    remarks: tuple[str, ...]


def read_prediction_file(path: Path, concepts: Collection[str]) -> PredictionTable:
    """Read and check a file of predictions.

    Parameters
    ----------
    path
        Parquet, CSV or ``.npz``, told apart by its first bytes.
    concepts
        Which columns there may be.

    Raises
    ------
    UsageError
        If the file is not such a table: naming the column and the record that is wrong.
    """
    columns = _columns(path)
    if RECORD not in columns:
        raise UsageError(f"{path} has no {RECORD} (it has {some(columns)}); add the id of each record.")
    ids = _ids(path, columns.pop(RECORD))
    fingerprint = _fingerprint(path, columns.pop(FINGERPRINT, None))
    if not columns:
        raise UsageError(f"{path} has no scores beside {RECORD}; add a column for each concept.")
    for name in columns:
        if name not in concepts:
            raise UnknownNameError("concept", printable(name, 40), concepts)
    scores = np.empty((len(ids), len(columns)), np.float32)
    tied = []
    for position, (name, column) in enumerate(columns.items()):
        scores[:, position] = _scores(path, name, column, ids)
        if _loses_order(column, scores[:, position]):
            tied.append(name)
    remarks = (f"Many scores of {some(tied)} differ by less than single precision keeps, and become ties.",)
    return PredictionTable(ids, tuple(columns), scores, fingerprint, remarks if tied else ())


def _columns(path: Path) -> dict[str, Column]:
    """Read every column of the file, whatever its format."""
    try:
        if path.stat().st_size > MOST_TABLE_BYTES:
            raise UsageError(
                f"{path} is larger than {MOST_TABLE_BYTES // 2**30} GiB; that is no table of scores."
            )
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check the path.") from None
    if start.startswith(b"PK"):
        return _from_npz(path)
    try:
        return _from_arrow(path, _parquet(path) if start == b"PAR1" else _csv(path))
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        reason = printable(str(error).partition("\n")[0], 120).rstrip(".")
        raise UsageError(f"{path} cannot be read as a table ({reason}); give Parquet, CSV or npz.") from None


def _parquet(path: Path) -> pa.Table:
    file = pq.ParquetFile(path)
    size = file.metadata.num_rows * file.metadata.num_columns * 8
    if size > MOST_TABLE_BYTES:
        raise UsageError(f"{path} declares {size / 2**30:.0f} GiB of numbers; that is no table of scores.")
    table = file.read()
    stated = (file.schema_arrow.metadata or {}).get(FINGERPRINT.encode())
    if stated is not None and FINGERPRINT not in table.column_names:
        table = table.append_column(FINGERPRINT, pa.array([stated.decode("utf-8", "replace")] * len(table)))
    return table


def _csv(path: Path) -> pa.Table:
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline(1_000_000)
    headers = {mark: next(csv.reader([line], delimiter=mark), []) for mark in ",;\t"}
    mark = max(headers, key=lambda mark: (RECORD in headers[mark], len(headers[mark])))
    text = pa.string()
    return pacsv.read_csv(
        path,
        parse_options=pacsv.ParseOptions(delimiter=mark),
        convert_options=pacsv.ConvertOptions(column_types={RECORD: text, FINGERPRINT: text}),
    )


def _from_arrow(path: Path, table: pa.Table) -> dict[str, Column]:
    row_index = [
        name for name in table.column_names if name.startswith("__index_level_")
    ]  # as pandas writes it
    table = table.drop_columns(row_index)
    names = [str(name) for name in table.column_names]
    if "" in names:
        raise UsageError(f"{path} has a column without a name; write the table without its row index.")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"{path} has the column '{printable(twice[0], 40)}' twice; give each its own name.")
    columns: dict[str, Column] = {}
    for name, column in zip(names, table.columns, strict=True):
        if name in (RECORD, FINGERPRINT) and not pa.types.is_floating(column.type):
            columns[name] = np.array(column.cast(pa.string()).fill_null("").to_pylist(), dtype=object)
        elif any(is_kind(column.type) for is_kind in NUMERIC):
            columns[name] = column.cast(pa.float64(), safe=False).to_numpy()
        else:
            raise UsageError(f"Column '{printable(name, 40)}' of {path} is {column.type}; write numbers.")
    return columns


def _from_npz(path: Path) -> dict[str, Column]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_TABLE_BYTES:
            raise UsageError(f"{path} unpacks to {size / 2**30:.0f} GiB; that is no table of scores.")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {str(name): np.asarray(archive[name]) for name in archive.files}
        return {name: _plain(path, name, array) for name, array in _by_concept(path, arrays).items()}
    except NPZ_FAULTS as error:
        reason = printable(str(error).partition("\n")[0], 120).rstrip(".")
        raise UsageError(
            f"{path} cannot be read as npz of plain arrays ({reason}); save it with numpy.savez."
        ) from None


def _by_concept(path: Path, arrays: dict[str, Column]) -> dict[str, Column]:
    """Take ``scores`` apart by ``outputs``, where they are given so, and check that all lengths agree."""
    if "scores" in arrays and "outputs" in arrays:
        scores, outputs = arrays.pop("scores"), [str(name) for name in np.ravel(arrays.pop("outputs"))]
        if scores.ndim != 2 or scores.shape[1] != len(outputs) or len(set(outputs)) != len(outputs):
            raise UsageError(
                f"In {path} scores has shape {scores.shape} and outputs names {len(set(outputs))} concepts; "
                "give [records, outputs]."
            )
        arrays |= dict(zip(outputs, scores.T, strict=True))
    shapes = {name: array.shape for name, array in arrays.items() if name != FINGERPRINT}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        shown = some(f"{name} {shape}" for name, shape in shapes.items())
        raise UsageError(f"The arrays of {path} do not all have one number a record: {shown}.")
    return arrays


def _plain(path: Path, name: str, array: Column) -> Column:
    if name in (RECORD, FINGERPRINT) and array.dtype.kind in "USiu":
        return np.atleast_1d(array.astype(np.str_).astype(object))
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    raise UsageError(f"The array '{printable(name, 40)}' of {path} is {array.dtype}; write numbers.")


def _ids(path: Path, column: Column) -> pd.Index[Any]:
    if column.dtype.kind != "O":
        raise UsageError(f"The {RECORD}s of {path} are decimal numbers; write them as text.")
    ids: pd.Index[Any] = pd.Index([text.strip() for text in column], dtype="str")
    if not len(ids):
        raise UsageError(f"{path} has no rows; give one a record.")
    if (ids == "").any():
        row = int((ids == "").argmax()) + 1
        raise UsageError(f"{path} has no {RECORD} in row {row}; every row needs one.")
    twice = ids[ids.duplicated()].unique()
    if len(twice):
        raise UsageError(
            f"{path} has {len(twice):,} records more than once ({some(twice)}); give each one row."
        )
    return ids


def _fingerprint(path: Path, column: Column | None) -> str | None:
    if column is None:
        return None
    stated = {str(value).strip() for value in np.ravel(column)}
    if len(stated) != 1:
        raise UsageError(
            f"{path} does not give one {FINGERPRINT} for all records; predict one cohort a file."
        )
    return stated.pop()


def _scores(path: Path, name: str, column: Column, ids: pd.Index[Any]) -> Floats:
    with np.errstate(over="ignore"):
        scores: Floats = column.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise UsageError(
            f"{path} has {len(bad):,} scores of {name} that are missing, infinite or too large, the first of "
            f"record {printable(ids[bad[0]], 40)}; every record needs a finite one."
        )
    return scores


def _loses_order(column: Column, scores: Floats) -> bool:
    """Whether rounding makes ties of more than a tenth of the distinct scores."""
    if (scores == column).all():
        return False
    return len(np.unique(scores)) < 0.9 * len(np.unique(column))


def match(
    table: PredictionTable, known: Collection[str], wanted: pd.Index[Any], fingerprint: str, cohort: str
) -> npt.NDArray[np.intp]:
    """Find the rows of a table that hold the records of a cohort.

    Parameters
    ----------
    known
        Every record id of the cohort.
    wanted
        The records to be measured.
    fingerprint
        Of the cohort.
    cohort
        Its id, for messages.

    Returns
    -------
    The row of each wanted record, -1 for one without a prediction.

    Raises
    ------
    UsageError
        If the table was made on another state of the cohort, or has records that are not of it.
    """
    if table.fingerprint is not None and table.fingerprint != fingerprint:
        raise UsageError(
            f"The predictions were made on another state of {cohort}: their fingerprint is "
            f"{printable(table.fingerprint, 20)}, here it is {printable(fingerprint, 20)}."
        )
    unknown = [name for name in table.ids if name not in known]
    if unknown:
        raise UsageError(
            f"{len(unknown):,} of {len(table.ids):,} records are not of {cohort} ({some(unknown)}); its ids "
            f"are like {some(wanted[:3])}."
        )
    return np.asarray(table.ids.get_indexer(wanted), np.intp)
