"""What a run was asked for, and its plan: every cell with its state, saved as ``run.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.config import Places
from benchmark.models.model_source import ModelSource
from benchmark.models.worker.environments import WorkerEnvironment
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.precision import ScoringPrecision, TrainingPrecision
from benchmark.records.measuring import RunSettings
from benchmark.records.overlap import Overlap
from benchmark.records.provenance import software
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName
from benchmark.records.run_file import AbsentCohort, AbsentModel, PlannedCell, RunFile
from benchmark.records.run_folder import change_run, run_name
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
        What was asked for, by name or as found; empty for everything there is.
    more_seeds
        From which everything that is learnt is fitted again, beside that of the settings.
    source
        The cohort that labels are learnt from, and that thresholds are chosen on.
    protocols
        Names of protocols; empty for each model's usual ones.
    pretrain_on
        Cohorts that models are pre-trained on; empty for ``source``.
    training_precision, precision
        Of what models learn, and of what they are asked; see `benchmark.run.entries.EntrySettings`.
    recipe
        Of pre-training, as the user wrote it; empty for each model's own.
    environment
        Where models that are named by file or module run; None for this process.
    task
        Name of a published task instead of cohorts and source; empty for a run of cohorts.
    elsewhere
        Whether cells are computed on other machines, which look for their devices themselves.
    """

    folder: Path
    places: Places
    settings: RunSettings
    hardware: Hardware
    models: Sequence[str | ModelSource] = ()
    cohorts: Sequence[str] = ()
    source: str = "ptb-xl"
    protocols: Sequence[str] = ()
    pretrain_on: Sequence[str] = ()
    training_precision: TrainingPrecision = "32-true"
    precision: ScoringPrecision = "float32"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    environment: WorkerEnvironment | None = None
    task: str = ""
    elsewhere: bool = False
    more_seeds: Sequence[int] = ()

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the fits; the first is that of the resamples and of pre-training too."""
        return self.settings.seed, *self.more_seeds

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
    computed
        Whether this call has computed it.
    """

    cell: Cell
    state: PlannedCell
    former: ResultRecord | None = None
    reason: str = ""
    computed: bool = False

    def finish(self, record: ResultRecord) -> None:
        """Say that the cell is done."""
        self.computed = True
        files = sums_of(self.cell, record)
        self.state = self.state.model_copy(update={"status": "done", "reason": None, "files": files})

    def fail(self, reason: str) -> None:
        """Say that the cell failed, and why."""
        self.state = self.state.model_copy(update={"status": "failed", "reason": reason, "files": {}})


@dataclass
class Plan:
    """The cells of one call, with the state of each; they are entered in ``run.json``.

    Attributes
    ----------
    source
        The cohort that thresholds are chosen on, or why it is not to be had.
    unplanned
        Cells of models that are broken: failed before they could be planned.
    former
        What ``run.json`` said when this call began.
    kept
        Cells of other calls that stand in the same table.
    left_out
        Cells of earlier calls that do not, as they were.
    overlaps
        Where the recordings of cohorts were found that no document tells of, by cohort.
    """

    options: RunOptions
    stores: Mapping[str, Store]
    source: Store | str
    entries: Entries
    absent: Sequence[AbsentCohort]
    tasks: Sequence[Task]
    unplanned: Sequence[PlannedCell]
    former: Mapping[CellName, PlannedCell]
    kept: Sequence[PlannedCell]
    left_out: Sequence[PlannedCell]
    overlaps: Mapping[str, Overlap]
    _entered: bool = field(default=False, init=False)

    @property
    def cells(self) -> list[PlannedCell]:
        """State of every cell of this call."""
        return [*(task.state for task in self.tasks), *self.unplanned]

    @property
    def to_do(self) -> list[Task]:
        """What is not computed yet."""
        return [task for task in self.tasks if task.state.status == "planned"]

    def save(self) -> None:
        """Enter this call's cells in ``run.json``; what other calls have entered meanwhile stays."""
        change_run(self.options.folder, self.entered_in)
        self._entered = True

    def entered_in(self, current: RunFile | None) -> RunFile:
        """Give the content of ``run.json`` with this call's cells in it.

        Parameters
        ----------
        current
            Its content now.
        """
        settings = self.options.settings
        cells = self._others(current)
        for cell in self.cells:
            other = cells.get(cell.name)
            if other is None or not self._was_faster(other, cell):
                cells[cell.name] = cell
        before = current if current is not None else _EMPTY
        return RunFile(
            name=run_name(self.options.folder),
            seed=settings.seed,
            resamples=settings.resamples,
            cells=tuple(map(_published, cells.values())),
            absent=self._absent(before, cells.values()),
            absent_models=self._absent_models(before, cells.values()),
            warnings=self._warnings(before, {cell.cohort for cell in cells.values()}),
            environment=software(),
        )

    def _absent(self, before: RunFile, cells: Iterable[PlannedCell]) -> tuple[AbsentCohort, ...]:
        """Cohorts that no call has a cell on: what is not on this machine may be on another."""
        taking_part = {cell.cohort for cell in cells}
        own = (AbsentCohort(cohort=one.cohort, reason=unnamed(one.reason)) for one in self.absent)
        found = {one.cohort: one for one in (*before.absent, *own)}
        return tuple(one for cohort, one in sorted(found.items()) if cohort not in taking_part)

    def _absent_models(self, before: RunFile, cells: Iterable[PlannedCell]) -> tuple[AbsentModel, ...]:
        """The same for models."""
        taking_part = {cell.model for cell in cells}
        here = [
            AbsentModel(model=name, reason=unnamed(reason)) for name, reason in self.entries.absent.items()
        ]
        found = {one.model: one for one in (*before.absent_models, *here)}
        return tuple(one for model, one in sorted(found.items()) if model not in taking_part)

    def _others(self, current: RunFile | None) -> dict[CellName, PlannedCell]:
        """Cells of ``run.json`` that stay: those of a call with other settings are of another table.

        What this call leaves out, it leaves out once: who enters it again after that is at work.
        """
        if current is None or current.drawn != self.options.settings.drawn:
            return {cell.name: cell for cell in self.kept}
        cells = {cell.name: cell for cell in current.cells}
        if self._entered:
            return cells
        cells = {name: cell for name, cell in cells.items() if cell not in self.left_out}
        for cell in self.kept:
            if cell.name not in cells or cells[cell.name].key == cell.key:
                cells[cell.name] = cell
        return cells

    def _was_faster(self, other: PlannedCell, own: PlannedCell) -> bool:
        """Whether another call has finished a cell that this one has not come to yet."""
        alike = (own.status, other.status, other.key) == ("planned", "done", own.key)
        return alike and other != self.former.get(own.name)

    def _warnings(self, before: RunFile, cohorts: set[str]) -> tuple[str, ...]:
        own = [f"{name}: {unnamed(text)}" for name, store in self.stores.items() for text in store.warnings]
        others = cohorts - self.stores.keys()
        return (*own, *(text for text in before.warnings if text.partition(": ")[0] in others))


_EMPTY = RunFile(name="", seed=0, resamples=0, cells=(), absent=(), warnings=(), environment={})


def _published(cell: PlannedCell) -> PlannedCell:
    """A cell as it may be read by everyone: its reason may be the last words of a stranger's code."""
    return cell.model_copy(update={"reason": unnamed(cell.reason)}) if cell.reason else cell
