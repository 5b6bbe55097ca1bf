"""Cells whose scores come from a file, and how they are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version

import pandas as pd

from benchmark.files import sweep
from benchmark.models.cards import read_card
from benchmark.models.contamination import relation_of
from benchmark.models.model_card import ModelCard
from benchmark.records.comparability import resampling_of, why_not_of
from benchmark.records.measuring import (
    PREDICTIONS,
    CellFacts,
    RunSettings,
    Selection,
    keys_of,
    measure,
    selected_rows,
)
from benchmark.records.overlap import Overlap, also_in
from benchmark.records.predictions import predictions_path, predictions_table, save_predictions
from benchmark.records.provenance import package_versions, platform_name, software, source_commit
from benchmark.records.record import Provenance, ResultRecord
from benchmark.records.resamples import save_measured
from benchmark.records.run_file import RunFile
from benchmark.records.run_folder import (
    cell_path,
    change_run,
    find_run_file,
    finished_cell,
    load_named_record,
    lock_path,
    run_name,
)
from benchmark.scoring.prediction_files import PredictionTable, match, read_prediction_file
from benchmark.text import some
from cohorts.counts import plural
from cohorts.errors import LeadboardError, UsageError
from cohorts.labelled import Labelled
from cohorts.locks import alone
from cohorts.ontology.ontology import load_ontology
from cohorts.store import Rows, rows_of


def _provenance() -> Provenance:
    """Say what measured the predictions; of what made them only the authors can tell."""
    return Provenance(
        leadboard=package_versions()["leadboard"],
        commit=source_commit(),
        python=python_version(),
        platform=platform_name(),
        packages=package_versions(),
        device="not stated",
        dtype="float32",
        batch_size=0,
        seconds=0.0,
        records_per_second=0.0,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


@dataclass(frozen=True, slots=True)
class Submitted:
    """Checked predictions, and the card of the model that made them."""

    table: PredictionTable
    card: ModelCard


def read_submitted(file: Path, name: str | None = None, card: Path | None = None) -> Submitted:
    """Read and check predictions and what is said about them; no cohort is needed for that.

    Parameters
    ----------
    name
        Of the model, where the card does not give it.
    card
        YAML or JSON; without one it is undisclosed what the model was trained on.

    Raises
    ------
    UsageError
        If one of the files cannot be read, or they do not belong together.
    """
    table = read_prediction_file(file, frozenset(map(str, load_ontology().concepts.index)))
    return Submitted(table, read_card(card, name, table.outputs))


def score_submitted(
    submitted: Submitted,
    store: Labelled,
    run: Path,
    settings: RunSettings,
    say: Callable[[str], None],
    *,
    allow_missing: bool = False,
    overlap: Overlap | None = None,
    device: str = "cpu",
) -> ResultRecord:
    """Measure predictions on a cohort, and enter the result in a run.

    Parameters
    ----------
    say
        Told what was odd about the file, one sentence a call.
    allow_missing
        Whether records without a prediction are left out; otherwise they are an error.
    overlap
        Where the recordings of the cohort were found, if no document tells.
    device
        Of the bootstrap.

    Raises
    ------
    UsageError
        If the predictions are not of this cohort, or the run is of other data.
    """
    table, card = submitted.table, submitted.card
    cohort = store.card.id
    related = relation_of(card, cohort, also_in=also_in(overlap))
    has_test_fold = len(rows_of(store, "test")) > 0
    selection: Selection = "test" if related == "internal" and has_test_fold else "all"
    _check_run(run, store)
    selected = selected_rows(store, selection)
    found = _found(table, store, selected, selection, allow_missing=allow_missing)
    for remark in table.remarks:
        say(remark)
    rows = selected[found >= 0]
    path = cell_path(run, card.name, PREDICTIONS, cohort)
    facts = CellFacts(
        key="",
        model=card,
        protocol=PREDICTIONS,
        relation=related,
        selection=selection,
        predictions_file=predictions_path(path).name,
        provenance=_provenance(),
        overlap=overlap,
    )
    scores = table.scores[found[found >= 0]]
    predictions = predictions_table(store.index["record_id"].iloc[rows], scores[None], tuple(card.outputs))
    record, resampled = measure(facts, predictions, store, rows, settings, device)
    scores_key, key = keys_of(record)
    record = record.model_copy(update={"key": key})
    with alone(lock_path(run, path), f"scoring {card.name} on {cohort}"):
        sweep((path.parent,))
        change_run(run, lambda content: content or _begun(run, record))  # records without it are a damage
        save_predictions(predictions, scores_key, predictions_path(path))
        save_measured(record, resampled, path)
        change_run(run, lambda content: _joined(run, content, record))
    return record


def _found(
    table: PredictionTable, store: Labelled, selected: Rows, selection: Selection, *, allow_missing: bool
) -> Rows:
    """Row of the table of each selected record, -1 where there is none and that is allowed."""
    cohort = store.card.id
    wanted = store.index["record_id"].iloc[selected]
    known = [*store.index["record_id"], *store.quarantine["record_id"]]
    found = match(table, known, pd.Index(wanted), store.fingerprint, cohort)
    lacking = wanted[found < 0]
    which = f"{len(wanted):,} {'test ' if selection == 'test' else ''}records of {cohort}"
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
    content = find_run_file(run)
    if content is None:
        usual = RunSettings()
        return RunSettings(
            seed=usual.seed if seed is None else seed,
            resamples=usual.resamples if resamples is None else resamples,
        )
    if seed not in (None, content.seed) or resamples not in (None, content.resamples):
        raise UsageError(
            f"The run in {run} has {plural(content.resamples, 'resample')} and seed {content.seed}; leave "
            "both out, or choose another folder with --out."
        )
    return RunSettings(seed=content.seed, resamples=content.resamples)


def _check_run(run: Path, store: Labelled) -> None:
    """Refuse a run whose cells were measured on another state of the cohort or under another labelling.

    Raises
    ------
    UsageError
        Naming one.
    """
    content, cohort = find_run_file(run), store.card.id
    for cell in () if content is None else content.cells:
        if cell.status != "done" or cell.cohort != cohort:
            continue
        try:
            record = load_named_record(cell_path(run, *cell.name), cell.name)
        except LeadboardError:
            continue  # it is not in the table either
        if why_not_of(record, store):
            raise UsageError(
                f"{cell.model} on {cohort} in {run} is from other data or other labels; run it again, or "
                "choose another folder with --out."
            )


def _begun(run: Path, record: ResultRecord) -> RunFile:
    """Give what ``run.json`` says before its first cell."""
    seed, resamples, _ = resampling_of(record)
    return RunFile(
        name=run_name(run),
        seed=seed,
        resamples=resamples,
        cells=(),
        absent=(),
        warnings=(),
        environment=software(),
    )


def _joined(run: Path, content: RunFile | None, record: ResultRecord) -> RunFile:
    """Enter a record in ``run.json``, in place of an earlier one of the same model and cohort.

    Raises
    ------
    UsageError
        If another call has made it a run of other resamples while this one measured.
    """
    seed, resamples, _ = resampling_of(record)
    cell = finished_cell(record)
    content = content or _begun(run, record)
    if content.drawn != (seed, resamples):
        raise UsageError(
            f"Another call has begun a run with {plural(content.resamples, 'resample')} and seed "
            f"{content.seed} in {run}; score again, or choose another folder with --out."
        )
    kept = [old for old in content.cells if old.name != cell.name]
    absent = tuple(one for one in content.absent if one.cohort != cell.cohort)
    return content.model_copy(update={"cells": (*kept, cell), "absent": absent})
