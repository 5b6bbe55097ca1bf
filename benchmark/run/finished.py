"""Whether a cell is done: its record is of the planned key, and every file beside it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmark.files import sha256_of
from benchmark.records.predictions import content_hash, load_predictions, predictions_path
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.resamples import load_resamples, resamples_path
from benchmark.records.thresholds import VALIDATION
from benchmark.run.plan import Cell
from benchmark.text import some
from cohorts.errors import LeadboardError


class Finished(NamedTuple):
    """What there is of a cell.

    Attributes
    ----------
    record
        Of this or of an earlier key; None where there is none that can be read.
    files
        SHA-256 of each file by its name; empty where the cell is not done.
    reason
        Why a result of the planned key cannot stay; empty where it can, or where there is none.
    """

    record: ResultRecord | None
    files: Mapping[str, str]
    reason: str

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return bool(self.files)


def find_finished(cell: Cell, known: Mapping[str, str]) -> Finished:
    """Look at the files of a cell.

    Reading every table takes longer than all else in a run that has nothing to do. Those whose bytes were
    found whole before are therefore not read again.

    Parameters
    ----------
    known
        SHA-256 of each file, by its name, when all of them were last found whole; empty if they never were.
    """
    if not cell.path.is_file():
        return Finished(None, {}, "")
    try:
        record = load_record(cell.path)
    except LeadboardError as error:
        return Finished(None, {}, str(error))
    if record.key != cell.key:
        return Finished(record, {}, "")
    if not cell.model.source.files.are_still(record.provenance.files):
        return Finished(record, {}, "files that the model opens have changed")
    try:
        return Finished(record, whole_files(cell.path, record, known), "")
    except LeadboardError as error:
        return Finished(record, {}, str(error))


def whole_files(path: Path, record: ResultRecord, known: Mapping[str, str]) -> dict[str, str]:
    """Look whether the files of a result are those that it was made with.

    Parameters
    ----------
    known
        As for `find_finished`.

    Returns
    -------
    SHA-256 of each file by its name.

    Raises
    ------
    LeadboardError
        Naming a file that is missing, damaged or of another result.
    """
    paths = _files(path, record)
    missing = [file.name for file in paths if not file.is_file()]
    if missing:
        raise LeadboardError(f"without {some(missing)}")
    files = {file.name: sha256_of(file) for file in paths}
    if files == known:
        return files
    if known and known.get(path.name) != files[path.name]:
        raise LeadboardError(f"{path.name} was changed after it was made")
    _check_tables(path, record)
    return files


def sums_of(cell: Cell, record: ResultRecord) -> dict[str, str]:
    """SHA-256 of each file of a cell that has just been made, by its name."""
    return {path.name: sha256_of(path) for path in _files(cell.path, record)}


def _files(path: Path, record: ResultRecord) -> list[Path]:
    chosen_here = record.provenance.thresholds.predictions_sha256 is not None
    validation = [path.with_name(VALIDATION)] if chosen_here else []
    return [path, predictions_path(path), resamples_path(path), *validation]


def _check_tables(path: Path, record: ResultRecord) -> None:
    """Compare predictions and resamples with the record.

    Raises
    ------
    LeadboardError
        Saying which file is damaged or of another result.
    """
    stated = {
        predictions_path(path).name: record.predictions.sha256,
        VALIDATION: record.provenance.thresholds.predictions_sha256,
    }
    for name, sha256 in stated.items():
        if sha256 is not None and content_hash(load_predictions(path.with_name(name))[0]) != sha256:
            raise LeadboardError(f"{name} has other predictions than the result was made from")
    load_resamples(record, resamples_path(path))
