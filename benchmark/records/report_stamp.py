"""Whether the report of a run is of what is in the run now, and whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.files import sha256_of, write_atomically
from benchmark.metrics.names import Metric
from benchmark.records.npz import checksums_of
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import resamples_path
from benchmark.records.run_file import RUN
from benchmark.records.run_folder import cell_path, load_run_file
from benchmark.records.strict_json import read_json
from cohorts.errors import LeadboardError
from cohorts.hashing import code_hash, hash_of_json
from cohorts.labelled import LabelledCohorts, signals_read

STAMP = "report.json"

_ROOMS = ("benchmark/metrics", "benchmark/records", "benchmark/exchange", "benchmark/report")


class _Stamp(BaseModel):
    """``report.json``: written last, so its presence says that the report is complete."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    made_from: str
    files: dict[str, str]
    without_labels: dict[str, bool]


def is_current(
    run: Path, rank_by: Metric = "auroc", sets: str = "", labels: LabelledCohorts | None = None
) -> bool:
    """Whether every file of the report is as it was written, from the run as it is now, and ranked so.

    Parameters
    ----------
    rank_by, sets
        As of `inputs_of`.
    labels
        Gives cohorts with their labels: a report that was made without those of one that it gives now lacks
        the curves.
    """
    try:
        stamp = _Stamp.model_validate(read_json(run / STAMP))
        whole = all(sha256_of(run / name) == sha256 for name, sha256 in stamp.files.items())
        if not whole or stamp.made_from != inputs_of(run, rank_by, sets):
            return False
    except (LeadboardError, ValidationError):
        return False
    return labels is None or not any(_there(labels, *cohort) for cohort in stamp.without_labels.items())


def without_labels(records: Iterable[ResultRecord], labels: LabelledCohorts | None) -> dict[str, bool]:
    """Cohorts of a report whose labels are not here, each with whether its signals were looked at."""
    asked = {record.cohort.id: signals_read(record.cohort.fingerprint) for record in records}
    return {
        cohort: signals
        for cohort, signals in asked.items()
        if labels is None or not _there(labels, cohort, signals)
    }


def _there(labels: LabelledCohorts, cohort: str, signals: bool) -> bool:
    try:
        return labels(cohort, signals=signals) is not None
    except LeadboardError:  # it cannot be read
        return False


def inputs_of(run: Path, rank_by: Metric, sets: str = "") -> str:
    """Hash everything that decides the report of a run: plan, records, resamples, code, what it ranks by.

    Parameters
    ----------
    sets
        Those that it ranks within, and a user's own; empty for the usual ones.
    """
    parts = [code_hash(*_ROOMS), rank_by, sets, _hash_if_there(run / RUN)]
    for cell in load_run_file(run).cells:
        if cell.status == "done":
            path = cell_path(run, *cell.name)
            drawn = resamples_path(path)
            parts += [_hash_if_there(path), checksums_of(drawn) if drawn.is_file() else ""]
    return hash_of_json(parts)


def _hash_if_there(path: Path) -> str:
    return sha256_of(path) if path.is_file() else ""


def note_report(run: Path, made_from: str, files: Iterable[str], lacking: dict[str, bool]) -> None:
    """Note that a report is complete.

    Parameters
    ----------
    made_from
        As `inputs_of` gave it before the run was read.
    files
        Names of its files, below the folder.
    lacking
        As from `without_labels`.
    """
    hashes = {name: sha256_of(run / name) for name in files}
    stamp = _Stamp(made_from=made_from, files=hashes, without_labels=lacking)
    write_atomically(run / STAMP, stamp.model_dump_json(indent=2) + "\n")
