"""Planning a run: who takes part, which cells there are, and which of them are done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmark.files import sha256_of
from benchmark.progress import Reporter
from benchmark.protocols.pretraining import check_sources
from benchmark.protocols.protocol import find_protocol, missing_for
from benchmark.records.comparability import resampling_of, why_not_of
from benchmark.records.published_tasks import is_task
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName
from benchmark.records.run_file import PlannedCell, RunFile
from benchmark.records.run_folder import (
    cell_path,
    find_run_file,
    finished_cell,
    load_named_record,
    unlisted_records,
)
from benchmark.run.cohorts import choose_cohorts, choose_task, is_here, prepare_all, prepared
from benchmark.run.entries import Entries, EntrySettings, find_models, plan_entries
from benchmark.run.finished import find_finished, whole_files
from benchmark.run.overlaps import find_overlaps
from benchmark.run.plan import Cell, plan_cells
from benchmark.run.states import Plan, RunOptions, Task
from benchmark.run.thresholds import find_source
from cohorts.errors import LeadboardError, UsageError
from cohorts.store import Store, Stores


def make_plan(
    options: RunOptions, reporter: Reporter, prepare_first: Callable[[Sequence[str]], None] = lambda _: None
) -> Plan:
    """Prepare the cohorts, find the models, and say of each cell whether it is done; nothing is computed.

    Parameters
    ----------
    prepare_first
        Told the cohorts that are needed, before they are opened; what is not prepared then is prepared here.

    Raises
    ------
    UsageError
        If a name is unknown or there is nothing to evaluate.
    """
    if options.environment is None and not options.elsewhere:  # which has devices that are not here
        options.hardware.check()
    check_folder(options.folder, options.task)
    chosen, absent = (
        (choose_task(options.task, options.places), [])
        if options.task
        else choose_cohorts(options.cohorts, options.places)
    )
    check_sources(options.pretrain_on)
    sources, unusable = find_models(
        options.models,
        options.environment,
        options.places.cache,
        options.hardware.deadlines,
    )
    for protocol in options.protocols:
        find_protocol(protocol)
    needed = dict.fromkeys((*chosen, options.learns_from, *options.pretrain_on))
    prepare_first([name for name in needed if is_here(name, options.places)])
    give = prepared(options.places, reporter)
    stores, left_out = prepare_all(chosen, give, reporter)
    entries = plan_entries(sources, entry_settings(options, give))
    entries.broken.update(unusable)
    _tell_broken(entries, options.protocols, reporter)
    source = find_source(
        options.learns_from,
        is_here(options.learns_from, options.places),
        lambda: _cohort(options.learns_from, give),
    )
    overlaps = find_overlaps(stores.values(), entries.trained_on, give, options.places, reporter)
    cells = plan_cells(
        entries.evaluated, list(stores.values()), options.settings, options.folder, source, overlaps
    )
    content = find_run_file(options.folder)
    former = former_states(content)
    tasks = [plan_task(cell, former.get(cell.name)) for cell in cells]
    unplanned = [
        _unplanned(name, cohort, reason) for name, reason in entries.broken.items() for cohort in stores
    ]
    planned = {state.name for state in (*(task.state for task in tasks), *unplanned)}
    others = [state for name, state in former.items() if name not in planned]
    alike = content is not None and content.drawn == options.settings.drawn
    kept, dropped = _sorted_out(others, alike, options, stores, reporter)
    kept += _found_again({*planned, *former}, options, stores)
    return Plan(
        options=options,
        stores=stores,
        source=source,
        entries=entries,
        absent=[*absent, *left_out],
        tasks=tasks,
        unplanned=unplanned,
        former=former,
        kept=kept,
        left_out=dropped,
        overlaps=overlaps,
    )


def entry_settings(options: RunOptions, give: Stores) -> EntrySettings:
    """What decides the entries of a call.

    Parameters
    ----------
    give
        Gives the cohorts that models learn from.
    """
    return EntrySettings(
        cache=options.places.cache,
        seeds=options.seeds,
        protocols=options.protocols,
        source=lambda: _cohort(options.learns_from, give),
        pretraining=lambda: [_cohort(name, give) for name in options.pretrain_on or (options.source,)],
        training_precision=options.training_precision,
        precision=options.precision,
        recipe=options.recipe,
        task=options.task,
    )


def _cohort(name: str, give: Stores) -> Store:
    store = give(name)
    if store is None:
        raise UsageError(f"it has to learn from {name} first, which is not on this machine; see --data.")
    return store


def _tell_broken(entries: Entries, protocols: Sequence[str], reporter: Reporter) -> None:
    """Say which models cannot be evaluated, and refuse a run without any that might have been."""
    for name, reason in entries.broken.items():
        reporter.say(f"FAILED {name}: {reason}")
    if not entries.evaluated and not entries.broken:
        raise UsageError(_why_no_model(entries, protocols))


def _why_no_model(entries: Entries, protocols: Sequence[str]) -> str:
    if entries.absent:
        name, reason = next(iter(entries.absent.items()))
        return f"No model can be evaluated: {name}: {reason}."
    needs = "; ".join(f"{name} needs {missing_for(find_protocol(name))}" for name in protocols)
    return f"None of the models can be asked under {', '.join(protocols)}: {needs}."


def check_folder(folder: Path, task: str) -> None:
    """Refuse to mix a published task with anything else in one run: its models learnt other classes.

    Raises
    ------
    UsageError
        If the run in the folder is of something else.
    """
    content = find_run_file(folder)
    cells = () if content is None else content.cells
    for cohort in dict.fromkeys(state.cohort for state in cells):
        if (cohort == task) if task else not is_task(cohort):
            continue
        raise UsageError(
            f"The run in {folder} is of {cohort}, and a published task has a folder of its own; choose "
            "another with --out."
        )


def former_states(content: RunFile | None) -> dict[CellName, PlannedCell]:
    """What became of the cells of earlier calls, and of calls that are at work."""
    return {} if content is None else {state.name: state for state in content.cells}


def plan_task(cell: Cell, former: PlannedCell | None) -> Task:
    """Look whether a cell is done."""
    found = find_finished(cell, former.files if former is not None else {})
    model, protocol, cohort = cell.name
    state = PlannedCell(
        model=model,
        protocol=protocol,
        cohort=cohort,
        relation=cell.relation,
        key=cell.key,
        status="done" if found.done else "planned",
        files=dict(found.files),
    )
    return Task(cell, state, None if found.done else found.record, found.reason)


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


def _sorted_out(
    states: Sequence[PlannedCell],
    alike: bool,
    options: RunOptions,
    stores: Mapping[str, Store],
    reporter: Reporter,
) -> tuple[list[PlannedCell], list[PlannedCell]]:
    """Say of the cells of other calls which stand beside this call's in one table, and which do not.

    Finished ones do not where the release, the labelling or the resamples have changed since, which is said.
    One whose record was changed by hand has failed; damage beside a whole record is said. A cell that failed
    stays until it is computed; one that was never begun, or whose model could not even be planned, is the
    business of the call that asked for it.

    Parameters
    ----------
    alike
        Whether they were planned with the settings of this call.
    """
    kept: list[PlannedCell] = []
    left_out: list[PlannedCell] = []
    for state in states:
        if state.status != "done":
            stays = alike and state.status == "failed" and state.key
            (kept if stays else left_out).append(state)
            continue
        shown = f"{state.model} on {state.cohort}"
        path = cell_path(options.folder, *state.name)
        try:
            record = load_named_record(path, state.name)
        except LeadboardError as error:
            reporter.say(f"Left out of the table: {shown}: {error}")
            left_out.append(state)
            continue
        if not _comparable(record, options, stores):
            reporter.say(
                f"Left out of the table: {shown}, from other data or settings; "
                f"name it with --model to run it again."
            )
            left_out.append(state)
            continue
        try:
            files = whole_files(path, record, state.files)
            kept.append(state.model_copy(update={"files": files}))
        except LeadboardError as error:
            wrong = f"{error}; name it with --model to run it again."
            reporter.say(f"{shown}: {wrong}")
            edited = state.files and state.files.get(path.name) != sha256_of(path)
            failed = {"status": "failed", "reason": wrong}  # with its sums, by which it is known again
            kept.append(state.model_copy(update=failed) if edited else state)
    return kept, left_out


def _found_again(
    listed: set[CellName], options: RunOptions, stores: Mapping[str, Store]
) -> list[PlannedCell]:
    """Finished cells that lie in the folder and stand in no plan: each belongs in a table that it fits."""
    return [
        finished_cell(record)
        for record in unlisted_records(options.folder, listed)
        if _comparable(record, options, stores)
    ]


def _comparable(record: ResultRecord, options: RunOptions, stores: Mapping[str, Store]) -> bool:
    """Whether a record may stand beside this call's in one table."""
    store, settings = stores.get(record.cohort.id), options.settings
    same_data = store is None or not why_not_of(record, store)
    of_same_kind = is_task(record.cohort.id) == bool(options.task)
    return same_data and of_same_kind and resampling_of(record)[:2] == settings.drawn
