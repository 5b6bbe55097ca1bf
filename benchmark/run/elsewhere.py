"""Cohorts and cells in another process, maybe on another machine: what is sent there, what comes back.

What is sent names everything and holds nothing large: the other process opens the same stores, finds the same
model and plans the same entry, and computes nothing unless all of it has the hashes that the plan has.
"""

from __future__ import annotations

import errno
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.config import Places
from benchmark.metrics.cell.operating_points import Thresholds
from benchmark.progress import Reporter
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.scorer import Scorer
from benchmark.records.run_folder import find_run_file
from benchmark.run.cohorts import is_here, prepare_cohort
from benchmark.run.entries import find_models, plan_entries
from benchmark.run.execution import CellPredictions, predict_and_save, shards_folder
from benchmark.run.plan import Cell, scores_key
from benchmark.run.planning import entry_settings
from benchmark.run.states import Plan, RunOptions, Task
from benchmark.run.thresholds import Validation
from cohorts.catalogue import register
from cohorts.errors import LeadboardError
from cohorts.own.cohort import home_of, own_cohort
from cohorts.store import Store

_NO_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


@dataclass(frozen=True)
class Job:
    """A cell to compute.

    Attributes
    ----------
    options
        Of the call, but for this model and protocol alone.
    files
        Cohorts that are scored or learnt from, and where their stores lie.
    data
        These stores and the source of the plan, pickled; opened again, and compared, where the job is done.
    cell
        The fields of the cell but its model and its store.
    scored
        Whether its predictions are there already.
    folder
        That relative paths are from.
    """

    options: RunOptions
    files: Mapping[str, Path]
    data: bytes
    model: str
    cohort: str
    cell: Mapping[str, Any]
    scored: bool
    folder: Path


@dataclass(frozen=True)
class Answer:
    """What came of a job.

    Attributes
    ----------
    predictions
        None if they were there already, or a shard of them was asked for.
    failed
        Why there is no result.
    unlearnt
        Whether that was so because the model could not learn what it needs; no other cell has to try.
    refused
        Why nothing can be computed where the job was sent: what lies there is not what was planned with, or
        the disk there is full.
    full
        Whether it is the disk.
    """

    predictions: CellPredictions | None = None
    thresholds: Thresholds | None = None
    failed: str = ""
    unlearnt: bool = False
    refused: str = ""
    full: bool = False


def pack(task: Task, plan: Plan, hardware: Hardware, *, scored: bool) -> bytes:
    """Put together what another process needs to compute a cell."""
    cell, model = task.cell, task.cell.model
    learnt_from = [fit.store for fit in model.fits] + list(getattr(model.base, "stores", ()))
    stores = {store.card.id: store for store in (*learnt_from, *plan.stores.values())}
    if isinstance(plan.source, Store):
        stores[plan.source.card.id] = plan.source
    own = replace(
        plan.options, models=(model.source.spec,), protocols=(model.protocol.name,), hardware=hardware
    )
    facts = {
        name: getattr(cell, name)
        for name in ("relation", "selection", "predictions_key", "key", "path", "overlap")
    }
    files = {name: store.path for name, store in stores.items()}
    data = pickle.dumps((stores, plan.source))
    job = Job(own, files, data, model.card.name, cell.store.card.id, facts, scored, Path.cwd().absolute())
    return pickle.dumps(job)


def answer(packed: bytes, reporter: Reporter, shard: int | None = None) -> Answer:
    """Compute a cell, in a process that does nothing else.

    Parameters
    ----------
    shard
        First record of the one shard that is computed, and kept for who computes the cell.
    """
    try:
        job: Job = pickle.loads(packed)  # noqa: S301 - from the process that started this one
        os.chdir(job.folder)
        if find_run_file(job.options.folder) is None:
            return Answer(refused=f"{job.options.folder} is another folder there.")
        job.options.hardware.check()
        stores, source = _opened(job, reporter)
        cell = _planned(job, stores)
    except (LeadboardError, OSError, ImportError, AttributeError) as error:
        return Answer(refused=str(error), full=_is_full(error))
    if isinstance(cell, str):
        return Answer(refused=cell)
    scorer = Scorer(job.options.places.cache, job.options.hardware, reporter)
    try:
        scorer.make(cell.model)
    except LeadboardError as error:
        return _failed(error, unlearnt=True)
    try:
        if shard is not None:
            folder = shards_folder(cell, scorer.cache)
            scorer.score_shard(cell.model, cell.store, cell.rows, shard, folder)
            reporter.say(f"{cell.label}: the shard from record {shard:,} on is there")
            return Answer()
        predictions = None
        if not job.scored:
            with reporter.step(cell.label, quiet_without_work=True) as progress:
                predictions = predict_and_save(cell, scorer, progress)
        return Answer(predictions, Validation(source, scorer, reporter).thresholds(cell))
    except LeadboardError as error:
        return _failed(error)


def _failed(error: LeadboardError, *, unlearnt: bool = False) -> Answer:
    """Say why there is no result: a full disk is no fault of the model, so another machine may do better."""
    if _is_full(error):
        return Answer(refused=str(error), full=True)
    return Answer(failed=str(error), unlearnt=unlearnt)


def _is_full(error: BaseException) -> bool:
    """Whether something went wrong because nothing can be written to a disk."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _NO_DISK:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def prepare_elsewhere(cohort: str, places: Places, reporter: Reporter) -> str:
    """Prepare a cohort where the driver's process is not; says why it could not be, or nothing."""
    try:
        for file in places.own.values():
            own = own_cohort(file)
            register(own, home_of(own))
        if not is_here(cohort, places):
            return "it is not found there"
        prepare_cohort(cohort, places, reporter).close()
    except LeadboardError as error:
        return str(error)
    return ""


def _opened(job: Job, reporter: Reporter) -> tuple[Mapping[str, Store], Store | str]:
    """Open the stores; one that is not there is prepared first, from the release that is there.

    Raises
    ------
    LeadboardError
        If one cannot be prepared, or is not the one that the run was planned with.
    """
    for cohort, path in job.files.items():
        if not path.exists() and (why := prepare_elsewhere(cohort, job.options.places, reporter)):
            raise LeadboardError(f"{path} is not there, and {cohort} cannot be prepared there: {why}")
    opened: tuple[Mapping[str, Store], Store | str] = pickle.loads(job.data)  # noqa: S301 - as the job
    return opened


def _planned(job: Job, stores: Mapping[str, Store]) -> Cell | str:
    """Plan the cell again; gives a sentence if it is not the one that was sent."""
    options, store = job.options, stores[job.cohort]
    found, broken = find_models(
        options.models, options.environment, options.places.cache, options.hardware.deadlines
    )
    entries = plan_entries(found, entry_settings(options, stores.get))
    broken |= entries.broken | entries.absent
    fitting = [model for model in entries.evaluated if _is(model, job)]
    if not fitting:
        return " ".join([f"{job.model} cannot be asked there.", *broken.values()])
    cell = Cell(model=fitting[0], store=store, **job.cell)
    if scores_key(cell.model, store, cell.selection) != cell.predictions_key:
        return f"{job.model} has other code, packages, weights or data there than where the run was planned."
    return cell


def _is(model: EvaluatedModel, job: Job) -> bool:
    return model.card.name == job.model and (model.protocol.name,) == tuple(job.options.protocols)
