"""Whether the report of a run is of what is in the run now, and whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.files import read_json, sha256_of, write_atomically
from benchmark.metrics.names import Metric
from benchmark.records.npz import checksums_of
from benchmark.records.resamples import resamples_path
from benchmark.records.run_folder import RUN, cell_path, load_run_file
from cohorts.errors import LeadboardError
from cohorts.hashing import code_hash, hash_of_json

STAMP = "report.json"

_ROOMS = ("benchmark/metrics", "benchmark/records", "benchmark/exchange", "benchmark/report")


class _Stamp(BaseModel):
    """``report.json``: written last, so its presence says that the report is complete."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    made_from: str
    files: dict[str, str]


def is_current(run: Path, rank_by: Metric = "auroc", sets: str = "") -> bool:
    """Whether every file of the report is as it was written, from the run as it is now, and ranked so.

    Parameters
    ----------
    rank_by, sets
        As of `inputs_of`.
    """
    try:
        stamp = _Stamp.model_validate(read_json(run / STAMP))
        whole = all(sha256_of(run / name) == sha256 for name, sha256 in stamp.files.items())
        return whole and stamp.made_from == inputs_of(run, rank_by, sets)
    except (LeadboardError, ValidationError):
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


def note_report(run: Path, made_from: str, files: Iterable[str]) -> None:
    """Note that a report is complete.

    Parameters
    ----------
    made_from
        As `inputs_of` gave it before the run was read.
    files
        Names of its files, below the folder.
    """
    stamp = _Stamp(made_from=made_from, files={name: sha256_of(run / name) for name in files})
    write_atomically(run / STAMP, stamp.model_dump_json(indent=2) + "\n")
