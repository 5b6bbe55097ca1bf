"""Reading the predictions that somebody made elsewhere for a cohort of this project.

Parquet, CSV (comma, semicolon or tab), Excel or ``.npz``, with ``record_id`` and one column or array per
concept; an ``.npz`` may instead hold ``scores`` ``[records, outputs]`` and ``outputs``. A ``fingerprint`` (a
column, an array, or metadata of Parquet) says which state of the cohort they were made on.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.files import MOST_TABLE_BYTES, refusing
from benchmark.metrics.checks import Floats as Doubles
from benchmark.models.concept_names import unknown_concept
from benchmark.models.contract import Floats
from benchmark.records.npz import read_npz
from benchmark.scoring.columns import checked_ids, finite, read_table, record_ids, score_column, text_column
from benchmark.scoring.kinds import kind_of
from benchmark.scoring.tables import RECORD, check_size, columns_beside, open_table
from benchmark.text import printable, some
from cohorts.counts import plural
from cohorts.errors import UsageError

FINGERPRINT = "fingerprint"
MOST = float(np.finfo(np.float32).max)
"""The largest score: predictions are kept in single precision."""

Column = npt.NDArray[Any]
Content = tuple["pd.Index[Any]", str | None, dict[str, Doubles], tuple[str, ...]]
"""Record ids, fingerprint, concept -> scores as they stand in the file, and remarks."""


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
        Parquet, CSV, Excel or ``.npz``, as its first bytes say.
    concepts
        Which columns there may be.

    Raises
    ------
    UsageError
        If the file is not such a table: naming the column and the record that is wrong.
    """
    read = _from_npz if kind_of(path) == "npz" else _from_table
    ids, fingerprint, columns, remarks = read(path, concepts)
    scores = np.empty((len(ids), len(columns)), np.float32)
    tied = []
    for position, (name, column) in enumerate(columns.items()):
        scores[:, position] = finite(path, name, column, ids, MOST)
        if _loses_order(column, scores[:, position]):
            tied.append(name)
    if tied:
        remarks += (
            f"Many scores of {some(tied)} differ by less than single precision keeps, and become ties.",
        )
    return PredictionTable(ids, tuple(columns), scores, fingerprint, remarks)


def _check_concepts(names: Iterable[str], concepts: Collection[str]) -> None:
    for name in names:
        if name not in concepts:
            raise unknown_concept(name, concepts)


def _from_table(path: Path, concepts: Collection[str]) -> Content:
    file = open_table(path)
    names = columns_beside(file, RECORD, FINGERPRINT)
    _check_concepts(names, concepts)
    stated = [FINGERPRINT] if FINGERPRINT in file.columns else []
    table = read_table(file, [RECORD, *stated], numbers=names)
    ids = record_ids(file, table)
    fingerprints: Iterable[str] = text_column(file, table, FINGERPRINT) if stated else ()
    if FINGERPRINT.encode() in file.metadata and not stated:
        fingerprints = [file.metadata[FINGERPRINT.encode()].decode("utf-8", "replace")]
    return (
        ids,
        _only(path, fingerprints),
        {name: score_column(file, table, name, ids) for name in names},
        file.remarks,
    )


def _from_npz(path: Path, concepts: Collection[str]) -> Content:
    check_size(path, path.stat().st_size)
    with refusing(
        lambda why: UsageError(
            f"{path} cannot be read as npz of plain arrays ({why}); save it with numpy.savez."
        )
    ):
        with zipfile.ZipFile(path) as archive:
            check_size(path, sum(member.file_size for member in archive.infolist()))
        arrays = _by_concept(path, read_npz(path, MOST_TABLE_BYTES))
    if RECORD not in arrays:
        raise UsageError(f"{path} has no array {RECORD} (it has {some(arrays)}); add the id of each record.")
    ids = checked_ids(path, _texts(path, RECORD, arrays.pop(RECORD)))
    if not len(ids):
        raise UsageError(f"{path} has no rows; give one for each record.")
    fingerprints = _texts(path, FINGERPRINT, arrays.pop(FINGERPRINT, np.empty(0, np.str_)))
    _check_concepts(arrays, concepts)
    if not arrays:
        raise UsageError(f"{path} has no scores beside {RECORD}; add an array for each concept.")
    columns = {name: _numbers(path, name, one) for name, one in arrays.items()}
    return ids, _only(path, fingerprints), columns, ()


def _by_concept(path: Path, arrays: dict[str, Column]) -> dict[str, Column]:
    """Take ``scores`` apart by ``outputs``, where they are given so, and check that all lengths agree."""
    if "scores" in arrays and "outputs" in arrays:
        scores = arrays.pop("scores")
        outputs = _clean(path, "output", [str(name) for name in np.ravel(arrays.pop("outputs"))])
        if scores.ndim != 2 or scores.shape[1] != len(outputs) or len(set(outputs)) != len(outputs):
            raise UsageError(
                f"In {path} scores has shape {scores.shape} and outputs names "
                f"{plural(len(set(outputs)), 'concept')}; give [records, outputs]."
            )
        arrays |= dict(zip(outputs, scores.T, strict=True))
    shapes = {name: array.shape for name, array in arrays.items() if name != FINGERPRINT}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        shown = some(f"{name} {shape}" for name, shape in shapes.items())
        raise UsageError(f"The arrays of {path} do not all have one number per record: {shown}.")
    return arrays


def _texts(path: Path, name: str, array: Column) -> list[str]:
    if array.dtype.kind not in "USiu":
        raise UsageError(
            f"The {name}s of {path} are decimal numbers; write them as text."
            if array.dtype.kind == "f"
            else f"The array '{name}' of {path} is {array.dtype}; write text."
        )
    return _clean(path, name, [str(text).strip() for text in np.atleast_1d(array).astype(np.str_)])


def _clean(path: Path, name: str, texts: list[str]) -> list[str]:
    """Refuse halves of characters and numbers above all, which a NumPy array can hold and no other file."""
    try:
        "".join(texts).encode().decode()
    except UnicodeError:
        raise UsageError(f"The {name}s of {path} hold what is no character; write them again.") from None
    return texts


def _numbers(path: Path, name: str, array: Column) -> Doubles:
    if array.dtype.kind not in "biuf":
        raise UsageError(f"The array '{printable(name, 40)}' of {path} is {array.dtype}; write numbers.")
    return array.astype(np.float64)


def _only(path: Path, fingerprints: Iterable[str]) -> str | None:
    stated = {text.strip() for text in fingerprints}
    if len(stated) > 1:
        raise UsageError(
            f"{path} does not give one {FINGERPRINT} for all records; predict one cohort per file."
        )
    return stated.pop() if stated else None


def _loses_order(column: Column, scores: Floats) -> bool:
    """Whether rounding makes ties of more than a tenth of the distinct scores."""
    if (scores == column).all():
        return False
    return len(np.unique(scores)) < 0.9 * len(np.unique(column))


def match(
    table: PredictionTable, known: Sequence[str], wanted: pd.Index[Any], fingerprint: str, cohort: str
) -> npt.NDArray[np.intp]:
    """Find the rows of a table that hold the records of a cohort.

    Parameters
    ----------
    known
        Every record id of the cohort, also those that cannot be measured.
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
    every = frozenset(known)
    unknown = [name for name in table.ids if name not in every]
    if unknown:
        raise UsageError(
            f"{len(unknown):,} of {len(table.ids):,} records are not of {cohort} ({some(unknown)}); its ids "
            f"are like {', '.join(known[:3])}."
        )
    return np.asarray(table.ids.get_indexer(wanted), np.intp)
