"""The folder of one run: ``run.json``, and ``<model>/<protocol>/<cohort>`` with three suffixes.

``.json`` is the result record, ``.parquet`` the predictions, ``.resamples.npz`` the resampled figures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.files import write_atomically
from benchmark.metrics.cell.evaluation import Resampled
from benchmark.models.contamination import Relation
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.resamples import CellName, Draws, load_resamples, name_of, resamples_path
from cohorts.errors import LeadboardError, UsageError


class PlannedCell(BaseModel):
    """One line of the plan, and what became of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    protocol: str
    cohort: str
    relation: Relation
    key: str
    status: Literal["planned", "done", "failed"]
    reason: str | None = None


class AbsentCohort(BaseModel):
    """A known cohort that took no part, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cohort: str
    reason: str


class AbsentModel(BaseModel):
    """A model whose weights are not on this machine, and how to get them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    reason: str


class RunFile(BaseModel):
    """``run.json``: the plan and the environment of the latest call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    seed: int
    resamples: int
    cells: tuple[PlannedCell, ...]
    absent: tuple[AbsentCohort, ...]
    absent_models: tuple[AbsentModel, ...] = ()
    warnings: tuple[str, ...]
    environment: dict[str, str]


def cell_path(run: Path, model: str, protocol: str, cohort: str) -> Path:
    """Path of a cell's result record; the predictions lie beside it as ``.parquet``."""
    return run / model / protocol / f"{cohort}.json"


def save_run(run: Path, content: RunFile) -> None:
    """Write ``run.json``, atomically."""
    write_atomically(run / "run.json", content.model_dump_json(indent=2) + "\n")


def load_run_file(run: Path) -> RunFile:
    """Read ``run.json``.

    Raises
    ------
    UsageError
        If the folder is not a run.
    LeadboardError
        If the file is damaged.
    """
    path = run / "run.json"
    if not path.is_file():
        raise UsageError(f"No run.json in {run}; make a run there first with 'leadboard run --out {run}'.")
    try:
        return RunFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first: Any = error.errors()[0]
        raise LeadboardError(f"{path} is damaged ({first['msg']}); delete it and run again.") from None


def load_run(run: Path) -> tuple[RunFile, list[ResultRecord]]:
    """Read ``run.json`` and the result records of its finished cells, in plan order.

    Raises
    ------
    UsageError
        If the folder is not a run.
    LeadboardError
        If a file in it is damaged.
    """
    content, cells = load_cells(run)
    return content, [record for _, record in cells]


def load_cells(run: Path) -> tuple[RunFile, list[tuple[Path, ResultRecord]]]:
    """Do what `load_run` does, with the path of each record."""
    content = load_run_file(run)
    done = [cell for cell in content.cells if cell.status == "done"]
    paths = [cell_path(run, cell.model, cell.protocol, cell.cohort) for cell in done]
    return content, [(path, load_record(path)) for path in paths]


def load_draws(run: Path) -> tuple[Draws, dict[CellName, str]]:
    """Read the resampled figures of all finished cells of a run.

    Returns
    -------
    tuple
        What could be read, and why the others could not.

    Raises
    ------
    UsageError, LeadboardError
        As `benchmark.records.run_folder.load_run`.
    """
    found: dict[CellName, Resampled] = {}
    lacking: dict[CellName, str] = {}
    for path, record in load_cells(run)[1]:
        try:
            found[name_of(record)] = load_resamples(record, resamples_path(path))
        except LeadboardError as error:
            lacking[name_of(record)] = str(error)
    return found, lacking
