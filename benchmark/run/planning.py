"""Planning a run: its cells, what became of each, and ``run.json``, which says so on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.config import Places
from benchmark.models.worker.remote import Elsewhere
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.pretraining import check_sources
from benchmark.protocols.protocol import find_protocol
from benchmark.records.comparability import resampling_of, why_not_of
from benchmark.records.measuring import RunSettings
from benchmark.records.provenance import package_versions, platform_name, source_commit
from benchmark.records.published_tasks import is_task
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.run_folder import (
    RUN,
    AbsentCohort,
    AbsentModel,
    PlannedCell,
    RunFile,
    cell_path,
    load_run_file,
    save_run,
)
from benchmark.run.cohorts import choose_cohorts, choose_task, is_here, prepare_all, prepared
from benchmark.run.entries import Entries, EntrySettings, find_models, plan_entries
from benchmark.run.finished import find_finished, sums_of
from benchmark.run.plan import Cell, plan_cells
from benchmark.run.thresholds import find_source
from cohorts.errors import LeadboardError, UsageError
from cohorts.store import Store, Stores


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
    elsewhere
        The environment of models that are named by file or module; None for this process.
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
    elsewhere: Elsewhere | None = None
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
    damage
        Why a cell has to be computed again although it was done; empty otherwise.
    """

    cell: Cell
    state: PlannedCell
    former: ResultRecord | None = None
    damage: str = ""

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
            cells=(*self.kept, *self.cells),
            absent=tuple(self.absent),
            absent_models=tuple(
                AbsentModel(model=name, reason=reason) for name, reason in self.entries.absent.items()
            ),
            warnings=tuple(
                f"{name}: {text}" for name, store in self.stores.items() for text in store.warnings
            ),
            environment={
                **package_versions(),
                "platform": platform_name(),
                "commit": source_commit() or "unknown",
            },
        )

    def save(self) -> None:
        """Write ``run.json``, atomically."""
        save_run(self.options.folder, self.run_file())


def make_plan(options: RunOptions, reporter: Reporter) -> Plan:
    """Prepare the cohorts, find the models, and say of each cell whether it is done; nothing is computed.

    Raises
    ------
    UsageError
        If a name is unknown or there is nothing to evaluate.
    """
    if options.elsewhere is None:  # what devices there are elsewhere, this process cannot tell
        options.hardware.check()
    check_folder(options.folder, options.task)
    if options.task:
        chosen, absent = choose_task(options.task, options.places), list[AbsentCohort]()
    else:
        chosen, absent = choose_cohorts(options.cohorts, options.places)
    check_sources(options.pretrain_on)
    sources, unusable = find_models(options.models, options.elsewhere)
    for protocol in options.protocols:
        find_protocol(protocol)
    give = prepared(options.places, reporter)
    stores, left_out = prepare_all(chosen, give, reporter)
    entries = plan_entries(sources, _entry_settings(options, give))
    entries.broken.update(unusable)
    for name, reason in entries.broken.items():
        reporter.say(f"FAILED {name}: {reason}")
    if not entries.evaluated and not entries.broken:
        raise UsageError(_why_no_model(entries, options.protocols))
    source = find_source(
        options.learns_from,
        is_here(options.learns_from, options.places),
        lambda: _cohort(options.learns_from, give),
    )
    cells = plan_cells(entries.evaluated, list(stores.values()), options.settings, options.folder, source)
    former = _former_states(options.folder)
    tasks = [_task(cell, former.get(_name(cell))) for cell in cells]
    unplanned = [
        _unplanned(name, cohort, reason) for name, reason in entries.broken.items() for cohort in stores
    ]
    planned = {_place(state) for state in (*(task.state for task in tasks), *unplanned)}
    others = [state for place, state in former.items() if place not in planned]
    return Plan(
        options=options,
        stores=stores,
        source=source,
        entries=entries,
        absent=[*absent, *left_out],
        tasks=tasks,
        unplanned=unplanned,
        kept=_comparable(others, options, stores, reporter),
    )


def _entry_settings(options: RunOptions, give: Stores) -> EntrySettings:
    return EntrySettings(
        cache=options.places.cache,
        seed=options.settings.seed,
        protocols=options.protocols,
        source=lambda: _cohort(options.learns_from, give),
        pretraining=lambda: [_cohort(name, give) for name in options.pretrain_on or (options.source,)],
        precision=options.precision,
        task=options.task,
    )


def _cohort(name: str, give: Stores) -> Store:
    store = give(name)
    if store is None:
        raise UsageError(f"it has to learn from {name} first, which is not on this machine.")
    return store


def _why_no_model(entries: Entries, protocols: Sequence[str]) -> str:
    if entries.absent:
        name, reason = next(iter(entries.absent.items()))
        return f"No model can be evaluated: {name}: {reason}."
    return f"None of the models can be asked under {', '.join(protocols)}."


Place = tuple[str, str, str]
"""Model, protocol, cohort."""


def _place(state: PlannedCell) -> Place:
    return state.model, state.protocol, state.cohort


def _name(cell: Cell) -> Place:
    return cell.model.card.name, cell.model.protocol.name, cell.store.card.id


def check_folder(folder: Path, task: str) -> None:
    """Refuse to mix a published task with anything else in one run: its models learnt other classes.

    Raises
    ------
    UsageError
        If the run in the folder is of something else.
    """
    content = load_run_file(folder).cells if (folder / RUN).is_file() else ()
    for cohort in dict.fromkeys(state.cohort for state in content):
        if (cohort == task) if task else not is_task(cohort):
            continue
        raise UsageError(
            f"The run in {folder} is of {cohort}, and a published task has a folder of its own; choose "
            "another with --out."
        )


def _former_states(folder: Path) -> dict[Place, PlannedCell]:
    """What became of the cells of earlier calls."""
    content = load_run_file(folder).cells if (folder / RUN).is_file() else ()
    return {_place(state): state for state in content}


def _task(cell: Cell, former: PlannedCell | None) -> Task:
    """Look whether a cell is done."""
    found = find_finished(cell, former.files if former is not None else {})
    model, protocol, cohort = _name(cell)
    state = PlannedCell(
        model=model,
        protocol=protocol,
        cohort=cohort,
        relation=cell.relation,
        key=cell.key,
        status="done" if found.done else "planned",
        files=dict(found.files),
    )
    return Task(cell, state, None if found.done else found.record, found.damage)


def _unplanned(model: str, cohort: str, reason: str) -> PlannedCell:
    """A cell of a model that is broken."""
    return PlannedCell(
        model=model,
        protocol="as-is",
        cohort=cohort,
        relation="unknown",
        key="",
        status="failed",
        reason=reason,
    )


def _comparable(
    states: Sequence[PlannedCell], options: RunOptions, stores: Mapping[str, Store], reporter: Reporter
) -> list[PlannedCell]:
    """Finished cells of earlier calls that may stand beside this call's in one table.

    They may not where the release, the labelling or the resamples have changed since.
    """
    kept = []
    for state in states:
        if state.status != "done":
            continue
        try:
            record = load_record(cell_path(options.folder, *_place(state)))
        except LeadboardError as error:
            reporter.say(f"Left out of the table: {state.model} on {state.cohort}: {error}")
            continue
        store = stores.get(state.cohort)
        settings = options.settings
        same_data = store is None or not why_not_of(record, store)
        if same_data and resampling_of(record)[:2] == (settings.seed, settings.resamples):
            kept.append(state)
        else:
            reporter.say(
                f"Left out of the table: {state.model} on {state.cohort}, from other data or settings; "
                f"name it with --model to run it again."
            )
    return kept
