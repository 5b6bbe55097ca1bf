"""Where the files of one record lie, in a run and in a submission."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from benchmark.files import inside
from benchmark.records.manifest import MANIFEST, PREDICTIONS, RECORDS, VALIDATIONS
from benchmark.records.thresholds import VALIDATION


class RecordFiles(NamedTuple):
    """The files of one record.

    Attributes
    ----------
    record, predictions
        Of the cell.
    validation
        The predictions that its thresholds were chosen from, if there are any.
    """

    record: Path
    predictions: Path
    validation: Path

    def below(self, folder: Path) -> RecordFiles:
        """Give the same files below a folder.

        Raises
        ------
        LeadboardError
            If one would not stay in there.
        """
        return RecordFiles(*(inside(folder, path.as_posix()) for path in self))


def in_run(record: Path) -> RecordFiles:
    """Files of a record of a run."""
    return RecordFiles(record, record.with_suffix(".parquet"), record.with_name(VALIDATION))


def in_submission(protocol: str, cohort: str) -> RecordFiles:
    """Files of a record of a submission, below its folder."""
    return RecordFiles(
        Path(RECORDS, protocol, f"{cohort}.json"),
        Path(PREDICTIONS, protocol, f"{cohort}.parquet"),
        Path(VALIDATIONS, f"{protocol}.parquet"),
    )


def files_of(record: Path) -> RecordFiles:
    """Files of a record, wherever it lies."""
    place = record.absolute()
    folder = place.parents[2]
    if place.parents[1].name == RECORDS and (folder / MANIFEST).is_file():
        return in_submission(place.parent.name, place.stem).below(folder)
    return in_run(record)
