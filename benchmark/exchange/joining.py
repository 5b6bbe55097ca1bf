"""One board of results that were made in different places: which cell counts, and what is the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmark.exchange.gathering import Cell, Results, Source, Told
from benchmark.exchange.items import Item, apart, of_cell, of_told, shortened
from benchmark.exchange.model_names import name_models
from benchmark.metrics.cell.evaluation import Resampled
from benchmark.records.comparability import resampling_of, same_labels
from benchmark.records.locations import RecordFiles, in_run
from benchmark.records.published_tasks import is_task
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName, Draws, ReadAhead, name_of
from benchmark.records.run_file import AbsentCohort, AbsentModel, RunFile
from benchmark.records.run_folder import finished_cell, load_cells, load_draws
from benchmark.text import printable, some
from cohorts.counts import plural


@dataclass(frozen=True, slots=True)
class Joined:
    """What a board is made from.

    Attributes
    ----------
    draws, lacking
        As from `benchmark.records.run_folder.load_draws`.
    files
        Of each record.
    told
        Cells of aggregate submissions, none of which is among the records.
    sources
        Empty for the board of one run.
    """

    plan: RunFile
    records: tuple[ResultRecord, ...]
    draws: Draws
    lacking: Mapping[CellName, str]
    files: Mapping[CellName, RecordFiles] = field(default_factory=dict)
    told: tuple[Told, ...] = ()
    sources: tuple[Source, ...] = ()


def join(results: Results, name: str, key: bytes | None = None) -> Joined:
    """Join cells by model, protocol and cohort; none counts twice.

    Models are the same where card, code, environment and own weights are, under whichever protocol and
    whatever they have learnt for it; private cohorts where they have the same data.
    Of one cell in several sources that with predictions counts, then the newest, then the one named last.
    What must not be compared gets a name of its own, and everything that is decided here is said.

    Parameters
    ----------
    name
        Of the board.
    key
        Secret of this site, if it has one: it tells that an aggregate is of a private cohort that is here
        too.
    """
    items = [of_cell(cell, key) for cell in results.cells] + [of_told(one) for one in results.told]
    said = [*name_models(items)]
    items, twice = _each_once(items)
    said += [*twice, *_name_cohorts(items)]
    cells = [_renamed_cell(item, item.found) for item in items if isinstance(item.found, Cell)]
    told = tuple(_renamed_told(item, item.found) for item in items if isinstance(item.found, Told))
    draws, lacking, drawn = _draws(cells)
    records = tuple(cell.record for cell in cells)
    warnings = [*results.warnings, *said]
    for source, plan in results.plans.items():
        warnings += [f"{source}: {warning}" for warning in plan.warnings]
    plan = _plan(results.plans.values(), records, name, drawn, warnings)
    files = {name_of(cell.record): cell.files for cell in cells}
    return Joined(plan, records, draws, lacking, files, told, tuple(results.sources))


def one_run(run: Path) -> Joined:
    """Give what the board of a single run is made from."""
    with ReadAhead() as ahead:
        plan, cells = load_cells(run, ahead)
        draws, lacking = load_draws(cells, ahead)
    files = {name_of(record): in_run(path) for path, record in cells}
    return Joined(plan, tuple(record for _, record in cells), draws, lacking, files)


def _moment(text: str) -> datetime:
    """When a record says that it was made; before everything else where that is no time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _each_once(items: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """Choose the one that counts of each cell; say which, and why."""
    same: dict[tuple[object, ...], list[Item]] = {}
    for item in items:
        state = item.state if item.private else ""
        key = (item.model, item.protocol, item.cohort, item.simulated, item.private, state)
        same.setdefault(key, []).append(item)
    decided: dict[tuple[str, str, str], list[str]] = {}
    chosen = []
    for several in same.values():
        best, why = _best(several)
        chosen.append(best)
        if len(several) > 1:
            others = some(dict.fromkeys(item.source for item in several))
            cell = f"{best.model}, {best.protocol} on {best.cohort}"
            decided.setdefault((others, best.source, why), []).append(cell)
    said = [
        printable(
            f"{plural(len(cells), 'cell is', 'cells are')} in several sources ({others}): "
            f"what is in {source} counts, {why} ({some(cells, 3)}).",
            500,
        )
        for (others, source, why), cells in decided.items()
    ]
    return chosen, said


def _best(several: Sequence[Item]) -> tuple[Item, str]:
    """Choose one of several of one cell: that with predictions, then the newest, then the one named last."""
    cells = {at: item.found for at, item in enumerate(several) if isinstance(item.found, Cell)}
    if not cells:
        return several[-1], "which was named last"
    if len({cell.record.predictions.sha256 for cell in cells.values()}) == 1:
        drawn = [at for at, cell in cells.items() if not isinstance(cell.draws, str)]
        why = "which can be recomputed" if len(cells) == 1 else "of the same predictions"
        return several[(drawn or list(cells))[0]], why
    return several[max(cells, key=lambda at: _moment(cells[at].record.provenance.created))], "the newest"


def _name_cohorts(items: Sequence[Item]) -> list[str]:
    """Give each state of a cohort that must not be compared with another a name of its own, and say so.

    Private cohorts of one name are different hospitals, and all get one. Of a release, the state that most
    models were measured on keeps the name. A published task keeps it always: nothing is ranked on one.
    """
    said = []
    published = {item.cohort for item in items if not item.private}
    for kind in dict.fromkeys((item.cohort, item.simulated, item.private) for item in items):
        cohort, _, private = kind
        if is_task(cohort):
            continue
        same = [item for item in items if (item.cohort, item.simulated, item.private) == kind]
        groups = sorted(_alike(same), key=len, reverse=True)
        if len(groups) < 2 and not (private and cohort in published):
            continue
        hashes = [f"{group[0].state}{group[0].ontology.hash}" for group in groups]
        if len({group[0].state for group in groups}) == len(groups):
            hashes = [group[0].state for group in groups]
        elif len({group[0].ontology.hash for group in groups}) == len(groups):
            hashes = [group[0].ontology.hash for group in groups]
        short = shortened(hashes)
        for group, whole in list(zip(groups, hashes, strict=True))[0 if private else 1 :]:
            for item in group:
                item.cohort = f"{cohort} [{short[whole]}]"
        what = (
            f"{plural(len(groups), 'hospital calls itself', 'hospitals call themselves')} {cohort}"
            if private
            else f"{cohort} was measured in {len(groups)} states of the release or of its labels, which are "
            "kept apart"
        )
        said.append(apart(what, same, cohorts=True))
    real = {item.cohort for item in items if not item.simulated}
    for item in items:
        if item.simulated and item.cohort in real:
            item.cohort = f"{item.cohort} [simulated]"
    return said


def _alike(items: Sequence[Item]) -> list[list[Item]]:
    """Group the cells of a cohort by what may be compared: the same data, labelled alike."""
    groups: list[list[Item]] = []
    for item in items:
        for group in groups:
            labels = all(same_labels(item.ontology, other.ontology) for other in group)
            if item.state == group[0].state and (labels or item.private):
                group.append(item)
                break
        else:
            groups.append([item])
    return groups


def _renamed_cell(item: Item, cell: Cell) -> Cell:
    record = cell.record
    model = record.model.model_copy(update={"name": item.model})
    cohort = record.cohort.model_copy(update={"id": item.cohort})
    return replace(cell, record=record.model_copy(update={"model": model, "cohort": cohort}))


def _renamed_told(item: Item, told: Told) -> Told:
    cohort = told.cell.cohort.model_copy(update={"id": item.cohort})
    return replace(told, cell=told.cell.model_copy(update={"model": item.model, "cohort": cohort}))


def _draws(cells: Sequence[Cell]) -> tuple[Draws, dict[CellName, str], tuple[int, int]]:
    """Give the resampled figures that are of the same draws as most, why others are not, and those draws."""
    counted = Counter(resampling_of(cell.record) for cell in cells)
    usual = counted.most_common(1)[0][0] if counted else (0, 0, 0.95)
    draws: dict[CellName, Resampled] = {}
    lacking: dict[CellName, str] = {}
    for cell in cells:
        name, (seed, resamples, level) = name_of(cell.record), resampling_of(cell.record)
        if isinstance(cell.draws, str):
            lacking[name] = cell.draws
        elif (seed, resamples, level) != usual:
            lacking[name] = (
                f"{resamples:,} resamples from seed {seed}, but most cells have {usual[1]:,} from seed "
                f"{usual[0]}"
            )
        else:
            draws[name] = cell.draws
    return draws, lacking, (usual[0], usual[1])


def _plan(
    plans: Iterable[RunFile],
    records: Sequence[ResultRecord],
    name: str,
    drawn: tuple[int, int],
    warnings: Sequence[str],
) -> RunFile:
    """Put one plan together: what has a result somewhere is not missing."""
    cells = {cell.name: cell for cell in map(finished_cell, records)}
    models, cohorts = {record.model.name for record in records}, {record.cohort.id for record in records}
    absent: dict[str, AbsentCohort] = {}
    absent_models: dict[str, AbsentModel] = {}
    for plan in plans:
        for cell in plan.cells:
            if cell.status != "done":
                cells.setdefault(cell.name, cell)
        absent |= {one.cohort: one for one in plan.absent if one.cohort not in cohorts}
        absent_models |= {one.model: one for one in plan.absent_models if one.model not in models}
    return RunFile(
        name=name,
        seed=drawn[0],
        resamples=drawn[1],
        cells=tuple(cells.values()),
        absent=tuple(absent.values()),
        absent_models=tuple(absent_models.values()),
        warnings=tuple(warnings),
        environment={},
    )
