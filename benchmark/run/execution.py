"""Executing one cell: scores, then metrics, then the record, each saved when it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version

import pandas as pd

from benchmark.metrics.cell.operating_points import Thresholds
from benchmark.progress import Callback
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.precision import DTYPES
from benchmark.protocols.scorer import Scorer, Scores, origin_of, pretraining_of
from benchmark.records.measuring import CellFacts, RunSettings, measure
from benchmark.records.predictions import content_hash, load_predictions, predictions_table, save_predictions
from benchmark.records.provenance import package_versions, platform_name, source_commit
from benchmark.records.record import Pretraining, Provenance, ResultRecord, Rounding
from benchmark.records.resamples import save_measured
from benchmark.run.plan import Cell
from cohorts.errors import LeadboardError


@dataclass(frozen=True)
class CellPredictions:
    """The predictions of a cell and how they were made."""

    table: pd.DataFrame
    weights_sha256: tuple[str, ...]
    pretraining: Pretraining | None
    provenance: Provenance


def measure_and_save(
    cell: Cell, predictions: CellPredictions, thresholds: Thresholds, settings: RunSettings, device: str
) -> ResultRecord:
    """Make the result record of a cell from its predictions, and save it; the model is not needed."""
    facts = CellFacts(
        key=cell.key,
        model=cell.model.card,
        protocol=cell.model.protocol.name,
        relation=cell.relation,
        selection=cell.selection,
        predictions_file=cell.predictions_path.name,
        provenance=predictions.provenance.model_copy(update={"thresholds": thresholds}),
        weights_sha256=predictions.weights_sha256,
        training=tuple(fit.training() for fit in cell.model.fits),
        pretraining=predictions.pretraining,
        origin=origin_of(cell.model),
        overlap=cell.overlap,
    )
    record, resampled = measure(facts, predictions.table, cell.store, cell.rows, settings, device)
    save_measured(record, resampled, cell.path)
    return record


def former_predictions(
    cell: Cell, record: ResultRecord | None, say: Callable[[str], None]
) -> CellPredictions | None:
    """Give the predictions of an earlier run of this cell, if they are whole and made under the same key.

    Parameters
    ----------
    record
        Of that run; None where there is none that can be read.
    say
        Told in one sentence if they are damaged or are not those of the record.
    """
    if record is None or not cell.predictions_path.is_file():
        return None
    try:
        table, key = load_predictions(cell.predictions_path)
    except LeadboardError as error:
        say(f"{cell.label} is scored again: {error}")
        return None
    if key != cell.predictions_key or not cell.model.source.files.are_still(record.provenance.files):
        return None
    if record.predictions.sha256 != content_hash(table):
        say(f"{cell.label} is scored again: its predictions are not those that its result was made from.")
        return None
    return CellPredictions(table, record.weights_sha256, record.pretraining, record.provenance)


def shards_folder(cell: Cell, cache: Path) -> Path:
    """Where the scores of a large cohort lie until all of them are there."""
    return cache / "shards" / cell.predictions_key[:24]


def predict_and_save(cell: Cell, scorer: Scorer, progress: Callback) -> CellPredictions:
    """Let a model score the records of a cell, and save the predictions.

    Raises
    ------
    ModelError
        If the model raises or breaks its contract.
    LeadboardError
        If a file cannot be read or written.
    """
    rows, shards = cell.rows, shards_folder(cell, scorer.cache)
    scored = scorer.score(cell.model, cell.store, rows, progress, shards)
    rounding = scorer.rounding(cell.model, cell.store, rows, scored.scores)
    ids = cell.store.index["record_id"].iloc[rows]
    ages = scorer.ages(cell.model, cell.store, rows)
    table = predictions_table(ids, scored.scores, tuple(cell.model.card.outputs), ages)
    save_predictions(table, cell.predictions_key, cell.predictions_path)
    shutil.rmtree(shards, ignore_errors=True)
    provenance = _provenance(cell, scorer.hardware, len(rows), scored, rounding)
    return CellPredictions(table, scored.weights_sha256, pretraining_of(cell.model), provenance)


def _provenance(
    cell: Cell, hardware: Hardware, records: int, scored: Scores, rounding: Rounding | None
) -> Provenance:
    environment = {f"model's {name}": version for name, version in cell.model.source.environment}
    return Provenance(
        leadboard=package_versions()["leadboard"],
        commit=source_commit(),
        python=python_version(),
        platform=platform_name(),
        packages={**package_versions(), **environment},
        device=hardware.device,
        dtype=DTYPES[cell.model.precision],
        batch_size=scored.batch_size,
        seconds=round(scored.seconds, 3),
        records_per_second=round(records / max(scored.seconds, 1e-6), 1),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files=cell.model.source.files.now(),
        rounding=rounding,
    )
