"""Reading the predictions that somebody made elsewhere for a cohort of this project.

Parquet, CSV (comma, semicolon or tab) or ``.npz``, with ``record_id`` and one column or array per concept; an
``.npz`` may instead hold ``scores`` ``[records, outputs]`` and ``outputs``. A ``fingerprint`` (a column, an
array, or metadata of Parquet) says which state of the cohort they were made on.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.checks import Floats as Doubles
from benchmark.models.concept_names import unknown_concept
from benchmark.models.contract import Floats
from benchmark.scoring.columns import checked_ids, finite, read_table, record_ids, score_column, text_column
from benchmark.scoring.tables import RECORD, check_size, columns_beside, open_table, reason
from benchmark.text import printable, some
from cohorts.errors import UsageError

FINGERPRINT = "fingerprint"
NPZ_FAULTS = (
    OSError, ValueError, EOFError, KeyError, MemoryError, RuntimeError, SyntaxError, OverflowError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip
"""What numpy and zipfile raise between them for a file that is damaged or made to deceive."""

MOST = float(np.finfo(np.float32).max)
"""The largest score: predictions are kept in single precision."""

Column = npt.NDArray[Any]
Content = tuple["pd.Index[Any]", str | None, dict[str, Doubles]]
"""Record ids, fingerprint, and concept -> scores as they stand in the file."""


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
        Parquet, CSV or ``.npz``, as its first bytes say.
    concepts
        Which columns there may be.

    Raises
    ------
    UsageError
        If the file is not such a table: naming the column and the record that is wrong.
    """
    ids, fingerprint, columns = (_from_npz if _is_archive(path) else _from_table)(path, concepts)
    scores = np.empty((len(ids), len(columns)), np.float32)
    tied = []
    for position, (name, column) in enumerate(columns.items()):
        scores[:, position] = finite(path, name, column, ids, MOST)
        if _loses_order(column, scores[:, position]):
            tied.append(name)
    remarks = (f"Many scores of {some(tied)} differ by less than single precision keeps, and become ties.",)
    return PredictionTable(ids, tuple(columns), scores, fingerprint, remarks if tied else ())


def _is_archive(path: Path) -> bool:
    try:
        check_size(path, path.stat().st_size)
        with path.open("rb") as file:
            return file.read(4).startswith(b"PK")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check the path.") from None


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
    )


def _from_npz(path: Path, concepts: Collection[str]) -> Content:
    try:
        with zipfile.ZipFile(path) as archive:
            check_size(path, sum(member.file_size for member in archive.infolist()))
        with np.load(path, allow_pickle=False) as archive:
            arrays = {str(name): np.asarray(archive[name]) for name in archive.files}
        arrays = _by_concept(path, arrays)
    except NPZ_FAULTS as error:
        raise UsageError(
            f"{path} cannot be read as npz of plain arrays ({reason(error)}); save it with numpy.savez."
        ) from None
    if RECORD not in arrays:
        raise UsageError(f"{path} has no array {RECORD} (it has {some(arrays)}); add the id of each record.")
    ids = checked_ids(path, _texts(path, RECORD, arrays.pop(RECORD)))
    if not len(ids):
        raise UsageError(f"{path} has no rows; give one for each record.")
    fingerprints = _texts(path, FINGERPRINT, arrays.pop(FINGERPRINT, np.empty(0, np.str_)))
    _check_concepts(arrays, concepts)
    if not arrays:
        raise UsageError(f"{path} has no scores beside {RECORD}; add an array for each concept.")
    return ids, _only(path, fingerprints), {name: _numbers(path, name, one) for name, one in arrays.items()}


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
        raise UsageError(f"The arrays of {path} do not all have one number per record: {shown}.")
    return arrays


def _texts(path: Path, name: str, array: Column) -> list[str]:
    if array.dtype.kind not in "USiu":
        raise UsageError(
            f"The {name}s of {path} are decimal numbers; write them as text."
            if array.dtype.kind == "f"
            else f"The array '{name}' of {path} is {array.dtype}; write text."
        )
    return [str(text).strip() for text in np.atleast_1d(array).astype(np.str_)]


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
