"""What a run was asked for, and its plan: every cell with its state, saved as ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.config import Places
from benchmark.models.worker.environments import WorkerEnvironment
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.records.provenance import software
from benchmark.records.record import ResultRecord
from benchmark.records.run_folder import AbsentCohort, AbsentModel, PlannedCell, RunFile, save_run
from benchmark.run.entries import Entries
from benchmark.run.finished import sums_of
from benchmark.run.plan import Cell
from benchmark.text import unnamed
from cohorts.store import Store


@dataclass(frozen=True)
class RunOptions:
    """What one call of ``leadboard run`` asks for.

    Attributes
    ----------
    folder
        Where records, predictions and the report go.
    models, cohorts
        What was asked for; empty for everything there is.
    source
        The cohort that labels are learnt from, and that thresholds are chosen on.
    protocols
        Names of protocols; empty for each model's usual ones.
    pretrain_on
        Cohorts that models are pre-trained on; empty for ``source``.
    precision
        Of pre-training.
    environment
        Where models that are named by file or module run; None for this process.
    task
        Name of a published task instead of cohorts and source; empty for a run of cohorts.
    """

    folder: Path
    places: Places
    settings: RunSettings
    hardware: Hardware
    models: Sequence[str] = ()
    cohorts: Sequence[str] = ()
    source: str = "ptb-xl"
    protocols: Sequence[str] = ()
    pretrain_on: Sequence[str] = ()
    precision: str = "32-true"
    environment: WorkerEnvironment | None = None
    task: str = ""

    @property
    def learns_from(self) -> str:
        """The cohort or task that labels are learnt from, and that thresholds are chosen on."""
        return self.task or self.source


@dataclass
class Task:
    """A cell of the plan and its state.

    Attributes
    ----------
    former
        The record of an earlier run of a cell that is to be computed: its predictions may serve again.
    reason
        Why a cell has to be computed again although it was done; empty otherwise.
    """

    cell: Cell
    state: PlannedCell
    former: ResultRecord | None = None
    reason: str = ""

    def finish(self, record: ResultRecord) -> None:
        """Say that the cell is done."""
        files = sums_of(self.cell, record)
        self.state = self.state.model_copy(update={"status": "done", "reason": None, "files": files})

    def fail(self, reason: str) -> None:
        """Say that the cell failed, and why."""
        self.state = self.state.model_copy(update={"status": "failed", "reason": reason, "files": {}})


@dataclass
class Plan:
    """The cells of one call, with the state of each; ``run.json`` is written from it.

    Attributes
    ----------
    source
        The cohort that thresholds are chosen on, or why it is not to be had.
    unplanned
        Cells of models that are broken: failed before they could be planned.
    kept
        Finished cells of earlier calls that stand in the same table.
    """

    options: RunOptions
    stores: Mapping[str, Store]
    source: Store | str
    entries: Entries
    absent: Sequence[AbsentCohort]
    tasks: Sequence[Task]
    unplanned: Sequence[PlannedCell]
    kept: Sequence[PlannedCell]

    @property
    def cells(self) -> list[PlannedCell]:
        """State of every cell of this call."""
        return [*(task.state for task in self.tasks), *self.unplanned]

    @property
    def to_do(self) -> list[Task]:
        """What is not computed yet."""
        return [task for task in self.tasks if task.state.status == "planned"]

    def run_file(self) -> RunFile:
        """Give the content of ``run.json``."""
        settings = self.options.settings
        return RunFile(
            name=self.options.folder.name,
            seed=settings.seed,
            resamples=settings.resamples,
            cells=(*self.kept, *map(_published, self.cells)),
            absent=tuple(AbsentCohort(cohort=one.cohort, reason=unnamed(one.reason)) for one in self.absent),
            absent_models=tuple(
                AbsentModel(model=name, reason=unnamed(reason))
                for name, reason in self.entries.absent.items()
            ),
            warnings=tuple(
                f"{name}: {unnamed(text)}" for name, store in self.stores.items() for text in store.warnings
            ),
            environment=software(),
        )

    def save(self) -> None:
        """Write ``run.json``, atomically."""
        save_run(self.options.folder, self.run_file())


def _published(cell: PlannedCell) -> PlannedCell:
    """A cell as it may be read by everyone: its reason may be the last words of a stranger's code."""
    return cell.model_copy(update={"reason": unnamed(cell.reason)}) if cell.reason else cell
