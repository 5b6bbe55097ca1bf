"""Scoring a file of predictions on a cohort, so that it stands in a run beside the models of that run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.config import Places
from benchmark.environment import package_versions, platform_name, source_commit
from benchmark.plan import RunSettings
from benchmark.predicted_cells import PredictedCell, plan_predicted, score_predicted
from benchmark.prediction_files import PredictionTable, match, read_prediction_file
from benchmark.progress import Reporter
from benchmark.protocols.subsets import Rows
from benchmark.results import ResultRecord
from benchmark.run_folder import PlannedCell, RunFile, load_run, load_run_file, save_run
from benchmark.selection import is_here, prepare_cohort
from benchmark.submitted_card import read_card
from benchmark.untrusted import some
from cohorts.catalogue import find_cohort
from cohorts.errors import UsageError
from cohorts.ontology.ontology import load_ontology
from cohorts.store import Store


@dataclass(frozen=True)
class Submitted:
    """A file of predictions and what is said about it.

    Attributes
    ----------
    name
        Of the model, where the card does not give it.
    card
        YAML or JSON; without one it is undisclosed what the model was trained on.
    allow_missing
        Whether records without a prediction are left out; otherwise they are an error.
    """

    file: Path
    name: str | None = None
    card: Path | None = None
    allow_missing: bool = False


def score_submitted(
    submitted: Submitted, cohort: str, run: Path, settings: RunSettings, places: Places, reporter: Reporter
) -> ResultRecord:
    """Measure predictions on a cohort, and enter the result in a run.

    Raises
    ------
    UsageError
        If the cohort is not here, or the file, its card and the cohort do not belong together.
    """
    find_cohort(cohort)
    if not is_here(cohort, places):
        raise UsageError(f"{cohort} is not on this machine; give the folder of the releases with --data.")
    table = read_prediction_file(submitted.file, frozenset(map(str, load_ontology().concepts.index)))
    card = read_card(submitted.card, submitted.name, table.outputs)
    store = prepare_cohort(cohort, places, reporter)
    _check_run(run, store)
    cell = plan_predicted(store, card, run)
    found = _found(table, cell, allow_missing=submitted.allow_missing)
    for remark in table.remarks:
        reporter.say(remark)
    predicted = found >= 0
    record = score_predicted(cell, cell.rows[predicted], table.scores[found[predicted]], settings)
    _join(run, record)
    return record


def _found(table: PredictionTable, cell: PredictedCell, *, allow_missing: bool) -> Rows:
    """Row of the table of each record of the cell, -1 where there is none and that is allowed."""
    store, cohort = cell.store, cell.store.card.id
    wanted = store.index["record_id"].iloc[cell.rows]
    known = {*store.index["record_id"], *store.quarantine["record_id"]}
    found = match(table, known, pd.Index(wanted), store.fingerprint, cohort)
    lacking = wanted[found < 0]
    which = f"{len(wanted):,} {'test ' if cell.selection == 'test' else ''}records of {cohort}"
    if len(lacking) == len(wanted):
        raise UsageError(f"None of the {which} has a prediction.")
    if len(lacking) and not allow_missing:
        raise UsageError(
            f"{len(lacking):,} of the {which} have no prediction ({some(lacking)}); add them, or leave them "
            "out with --allow-missing."
        )
    return found


def settings_of(run: Path, seed: int | None, resamples: int | None) -> RunSettings:
    """Give the settings of a run that predictions are to join; the usual ones where there is no run yet.

    Raises
    ------
    UsageError
        If others are asked for: numbers of one table must be made alike.
    """
    if not (run / "run.json").is_file():
        usual = RunSettings()
        return RunSettings(
            seed=usual.seed if seed is None else seed,
            resamples=usual.resamples if resamples is None else resamples,
        )
    content = load_run_file(run)
    if seed not in (None, content.seed) or resamples not in (None, content.resamples):
        raise UsageError(
            f"The run in {run} has {content.resamples:,} resamples and seed {content.seed}; leave both out, "
            "or choose another folder with --out."
        )
    return RunSettings(seed=content.seed, resamples=content.resamples)


def _check_run(run: Path, store: Store) -> None:
    """Refuse a run whose cells were measured on another state of the cohort or under another labelling.

    Raises
    ------
    UsageError
        Naming one.
    """
    for record in load_run(run)[1] if (run / "run.json").is_file() else ():
        same_cohort = record.cohort.id == store.card.id
        if (same_cohort and record.cohort.fingerprint != store.fingerprint) or (
            record.ontology.hash != store.ontology_hash
        ):
            raise UsageError(
                f"{record.model.name} on {record.cohort.id} in {run} is from other data or other labels; "
                "run it again, or choose another folder with --out."
            )


def _join(run: Path, record: ResultRecord) -> None:
    """Enter a record in ``run.json``, in place of an earlier one of the same model and cohort."""
    bootstrap = record.evaluation.bootstrap
    cell = PlannedCell(
        model=record.model.name,
        protocol=record.protocol,
        cohort=record.cohort.id,
        relation=record.relation,
        key=record.key,
        status="done",
    )
    environment = {
        **package_versions(),
        "platform": platform_name(),
        "commit": source_commit() or "unknown",
    }
    content = RunFile(
        name=run.absolute().name,
        seed=bootstrap.seed,
        resamples=bootstrap.resamples,
        cells=(),
        absent=(),
        warnings=(),
        environment=environment,
    )
    if (run / "run.json").is_file():
        content = load_run_file(run)
    place = (cell.model, cell.protocol, cell.cohort)
    kept = [old for old in content.cells if (old.model, old.protocol, old.cohort) != place]
    save_run(run, content.model_copy(update={"cells": (*kept, cell)}))
