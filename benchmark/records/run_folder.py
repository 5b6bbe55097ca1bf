"""The folder of one run: ``run.json``, and ``<model>/<protocol>/<cohort>`` with three suffixes.

``.json`` is the result record, ``.parquet`` the predictions, ``.resamples.npz`` the resampled figures.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from benchmark.files import read_json, write_atomically
from benchmark.metrics.cell.evaluation import Resampled
from benchmark.models.contamination import Relation
from benchmark.records.comparability import resampling_of
from benchmark.records.measuring import RunSettings
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.resamples import CellName, Draws, load_resamples, name_of, resamples_path
from benchmark.text import readable, unnamed
from cohorts.errors import LeadboardError, UsageError

logger = logging.getLogger("leadboard")

RUN = "run.json"


class PlannedCell(BaseModel):
    """One line of the plan, and what became of it.

    Attributes
    ----------
    files
        SHA-256 of each file of a finished cell by its name, when all of them were last found whole.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    protocol: str
    cohort: str
    relation: Relation
    key: str
    status: Literal["planned", "done", "failed"]
    reason: str | None = None
    files: dict[str, str] = Field(default_factory=dict)

    @property
    def name(self) -> CellName:
        """Model, protocol, cohort."""
        return self.model, self.protocol, self.cohort


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

    name: Annotated[str, AfterValidator(readable)]
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
    write_atomically(run / RUN, content.model_dump_json(indent=2) + "\n")


def read_run_file(run: Path) -> RunFile:
    """Read ``run.json`` as it is: strict JSON, nothing else.

    Raises
    ------
    UsageError
        If the folder is not a run.
    LeadboardError
        If the file is damaged.
    """
    path = run / RUN
    if not path.is_file():
        raise UsageError(f"No {RUN} in {run}; make a run there first with 'leadboard run --out {run}'.")
    try:
        return RunFile.model_validate(read_json(path))
    except ValidationError as error:
        first: Any = error.errors()[0]
        raise LeadboardError(
            f"{path} is damaged ({first['msg']}); 'leadboard run --out {run}' makes it again."
        ) from None


def load_run_file(run: Path) -> RunFile:
    """Read ``run.json``; if it is damaged, make it again from the records of the run, and say so.

    Raises
    ------
    UsageError
        If the folder is not a run.
    """
    try:
        return read_run_file(run)
    except UsageError:
        raise
    except LeadboardError as error:
        content = _from_records(run)
        logger.warning("%s Made again from %d records.", error, len(content.cells))
        return content


def _from_records(run: Path) -> RunFile:
    """Put the plan of a run together from its records; those of the commonest seed and resamples belong."""
    found: dict[tuple[int, int], list[PlannedCell]] = {}
    for path in sorted(run.glob("*/*/*.json")):
        try:
            record = load_record(path)
        except LeadboardError:
            continue
        if path == cell_path(run, *name_of(record)):
            seed, resamples, _ = resampling_of(record)
            found.setdefault((seed, resamples), []).append(finished_cell(record))
    usual = RunSettings()
    seed, resamples = max(found, key=lambda drawn: len(found[drawn]), default=(usual.seed, usual.resamples))
    return RunFile(
        name=run.absolute().name,
        seed=seed,
        resamples=resamples,
        cells=tuple(found.get((seed, resamples), ())),
        absent=(),
        warnings=(),
        environment={},
    )


def finished_cell(record: ResultRecord) -> PlannedCell:
    """The line of the plan whose result this record is."""
    return PlannedCell(
        model=record.model.name,
        protocol=record.protocol,
        cohort=record.cohort.id,
        relation=record.relation,
        key=record.key,
        status="done",
    )


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
    paths = [cell_path(run, *cell.name) for cell in done]
    return content, [(path, load_record(path)) for path in paths]


def load_draws(cells: Iterable[tuple[Path, ResultRecord]]) -> tuple[Draws, dict[CellName, str]]:
    """Read the resampled figures of finished cells.

    Parameters
    ----------
    cells
        Records with their paths, as `load_cells` gives them.

    Returns
    -------
    tuple
        What could be read, and why the others could not.
    """
    found: dict[CellName, Resampled] = {}
    lacking: dict[CellName, str] = {}
    for path, record in cells:
        try:
            found[name_of(record)] = load_resamples(record, resamples_path(path))
        except LeadboardError as error:
            lacking[name_of(record)] = unnamed(str(error))
    return found, lacking
