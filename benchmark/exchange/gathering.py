"""Reading results that were made in different places: runs, submissions, aggregate submissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from benchmark.exchange.aggregate import AggregateCell
from benchmark.exchange.checking import check_aggregate, is_aggregate, submissions_in
from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.draws import MOST_RESAMPLES
from benchmark.models.model_card import ModelCard
from benchmark.records.comparability import why_not_of
from benchmark.records.findings import Verification
from benchmark.records.locations import RecordFiles, in_run, in_submission
from benchmark.records.manifest import CARD, MANIFEST, RECORDS
from benchmark.records.predictions import load_predictions
from benchmark.records.recomputation import compared, measured_again
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.resamples import load_resamples, resamples_path
from benchmark.records.run_file import RUN, RunFile
from benchmark.records.run_folder import load_cells, load_run_file, run_name
from benchmark.records.verification import read_about, verify
from benchmark.text import printable, unnamed
from cohorts.errors import LeadboardError, UsageError
from cohorts.labelled import LabelledCohorts, signals_read

Kind = Literal["run", "submission", "aggregate submission"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell whose predictions are at hand.

    Attributes
    ----------
    draws
        Its resampled figures, or why there are none.
    source
        Name of what it is from.
    """

    record: ResultRecord
    files: RecordFiles
    draws: Resampled | str
    source: str


@dataclass(frozen=True, slots=True)
class Told:
    """A cell that an aggregate submission tells of, with the card of its model."""

    cell: AggregateCell
    card: ModelCard
    source: str


@dataclass(frozen=True, slots=True)
class Source:
    """A run or a submission, by the name that is shown: never by its path."""

    name: str
    kind: Kind
    cells: int


@dataclass
class Results:
    """What was found in all sources, in their order.

    Attributes
    ----------
    plans
        ``run.json`` of each run, by the name of its source.
    warnings
        What was left out, and why.
    """

    sources: list[Source] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    plans: dict[str, RunFile] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def gather(folders: Sequence[Path], stores: LabelledCohorts | None = None) -> Results:
    """Read every result in some folders.

    A submission is checked before anything of it is taken: one in which something differs is left out whole.

    Parameters
    ----------
    folders
        Runs, submissions of either kind, and folders of submissions; one that is named twice is read once.
    stores
        Gives the labels from which the resampled figures of submissions are made again; without it they have
        none.

    Raises
    ------
    UsageError
        If a folder holds none of these.
    """
    results = Results()
    seen: set[Path] = set()
    for folder in (one for named in folders for one in _sources_in(named)):
        if folder.resolve() not in seen:
            seen.add(folder.resolve())
            _read(results, folder, stores)
    return results


def _sources_in(folder: Path) -> list[Path]:
    if (folder / MANIFEST).is_file() or (folder / RUN).is_file():
        return [folder]
    found = submissions_in(folder)
    if found:
        return found
    try:
        load_run_file(folder)  # one whose run.json is missing is made again from its records
    except UsageError:
        raise UsageError(
            f"No {RUN} in {folder}, no {MANIFEST} of a submission, and no submission below it; name a run, a "
            "submission or a folder of submissions."
        ) from None
    return [folder]


def is_run(folder: Path) -> bool:
    """Whether a folder is to be taken for a run: it is neither a submission nor holds any."""
    return not (folder / MANIFEST).is_file() and not submissions_in(folder)


def _read(results: Results, folder: Path, stores: LabelledCohorts | None) -> None:
    if is_aggregate(folder):
        _read_aggregate(results, folder)
    elif (folder / MANIFEST).is_file():
        _read_submission(results, folder, stores)
    else:
        _read_run(results, folder)


def _name(results: Results, wanted: str) -> str:
    """Name a source; of several with one name the later ones are numbered."""
    taken = {source.name for source in results.sources}
    wanted = printable(wanted, 80)
    return next(
        name
        for name in (wanted, *(f"{wanted} ({at})" for at in range(2, len(taken) + 3)))
        if name not in taken
    )


def _read_run(results: Results, folder: Path) -> None:
    plan, cells = load_cells(folder)
    name = _name(results, plan.name)
    results.plans[name] = plan
    results.sources.append(Source(name, "run", len(cells)))
    for path, record in cells:
        draws = _tried(partial(load_resamples, record, resamples_path(path)))
        results.cells.append(Cell(record, in_run(path), draws, name))


def _read_submission(results: Results, folder: Path, stores: LabelledCohorts | None) -> None:
    name = _name(results, run_name(folder))
    found = verify(folder, lambda cohort, signals=True: None)
    if _left_out(results, name, found):
        return
    before = len(results.cells)
    for path in sorted((folder / RECORDS).glob("*/*.json")):
        record = load_record(path)
        files = in_submission(record.protocol, record.cohort.id).below(folder)
        draws: Resampled | str = "a submission has no resampled figures; give the releases with --data"
        if stores is not None:
            again = _tried(partial(_drawn_again, record, files, stores))
            if isinstance(again, _Differs):
                results.warnings.append(
                    f"{name}: {record.protocol} on {record.cohort.id} is left out: {again}."
                )
                continue
            draws = again
        results.cells.append(Cell(record, files, draws, name))
    results.sources.append(Source(name, "submission", len(results.cells) - before))


def _read_aggregate(results: Results, folder: Path) -> None:
    name = _name(results, run_name(folder))
    found = Verification()
    cells = check_aggregate(found, folder)
    cards = read_about(found, folder / CARD, dict[str, ModelCard])
    if _left_out(results, name, found) or cards is None:
        return
    results.told += [Told(cell, cards[cell.protocol], name) for cell in cells]
    results.sources.append(Source(name, "aggregate submission", len(cells)))


def _left_out(results: Results, name: str, found: Verification) -> bool:
    """Leave out a submission in which something differs, and say what."""
    for where, what in found.differences[:1]:
        more = len(found.differences) - 1
        results.warnings.append(
            f"{name} is left out: {where} {what}{f'; {more:,} more differences' if more else ''}; "
            "'leadboard verify' names all of them."
        )
    return bool(found.differences)


class _Differs(str):
    """Why a record is not what its predictions give."""


def _tried(read: Callable[[], Resampled | str]) -> Resampled | str:
    try:
        return read()
    except LeadboardError as error:
        return unnamed(str(error))


def _drawn_again(record: ResultRecord, files: RecordFiles, stores: LabelledCohorts) -> Resampled | str:
    """Make the resampled figures of a submitted cell again from its predictions and the labels here."""
    cohort, stated = record.cohort.id, record.cohort.fingerprint
    store = stores(cohort, signals=signals_read(stated))
    if store is None:
        return f"cohort {cohort} is not on this machine"
    why = why_not_of(record, store)
    if why:
        return f"{cohort} here is of {why}"
    if record.evaluation.bootstrap.resamples > MOST_RESAMPLES:
        return f"{record.evaluation.bootstrap.resamples:,} resamples are not drawn again"
    predictions, _ = load_predictions(files.predictions)
    rows = pd.Index(store.index["record_id"]).get_indexer(pd.Index(predictions["record_id"]))
    if (rows < 0).any() or (np.diff(rows) <= 0).any():
        return _Differs("its predictions are not of this cohort's records")
    found, resampled = measured_again(record, predictions, np.asarray(rows, np.intp), store)
    differing = next((one for one in compared(record, found) if not one.agrees), None)
    return resampled if differing is None else _Differs(differing.sentence)
