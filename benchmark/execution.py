"""Executing one cell: scores, then metrics, then the record, each saved when it is whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from platform import python_version

import pandas as pd

from benchmark.cell_statistics import CellStatistics, cell_statistics
from benchmark.cell_subgroups import usual_members
from benchmark.environment import package_versions, platform_name, source_commit
from benchmark.hardware import Hardware
from benchmark.metrics.evaluation import Evaluation, Resampled, evaluate_resampled
from benchmark.plan import ELIGIBLE_MINIMUM, Cell, RunSettings
from benchmark.predictions import content_hash, load_predictions, save_predictions, score_tables
from benchmark.progress import Callback
from benchmark.protocols.scorers import Workshop, pretraining_of
from benchmark.resamples import resamples_path, save_resamples
from benchmark.results import (
    CohortFacts,
    OntologyFacts,
    PredictionsFile,
    Pretraining,
    Provenance,
    Quarantined,
    RecordCounts,
    ResultRecord,
    load_record,
    save_record,
)
from benchmark.thresholds import Thresholds
from cohorts.errors import LeadboardError


@dataclass(frozen=True)
class Predicted:
    """The predictions of a cell and how they were made."""

    predictions: pd.DataFrame
    weights_sha256: tuple[str, ...]
    pretraining: Pretraining | None
    provenance: Provenance

    def with_thresholds(self, thresholds: Thresholds) -> Predicted:
        """Add the thresholds that the scores are to be called at."""
        return replace(self, provenance=self.provenance.model_copy(update={"thresholds": thresholds}))


def former_predictions(cell: Cell) -> Predicted | None:
    """Predictions of an earlier run of this cell, if they are whole and made under the same key."""
    if not (cell.path.is_file() and cell.predictions_path.is_file()):
        return None
    try:
        predictions, key = load_predictions(cell.predictions_path)
        record = load_record(cell.path)
    except LeadboardError:
        return None  # damaged: made again
    if key != cell.predictions_key or record.predictions.sha256 != content_hash(predictions):
        return None
    return Predicted(predictions, record.weights_sha256, record.pretraining, record.provenance)


def predict_and_save(cell: Cell, workshop: Workshop, progress: Callback) -> Predicted:
    """Let a model score the records of a cell, and save the predictions.

    Raises
    ------
    ModelError
        If the model raises or breaks its contract.
    LeadboardError
        If a file cannot be read or written.
    """
    positions = cell.positions()
    scored = workshop.score(cell, positions, progress)
    ids = cell.store.index["record_id"].iloc[positions]
    outputs = tuple(cell.model.card.outputs)
    predictions = save_predictions(ids, scored.scores, outputs, cell.predictions_key, cell.predictions_path)
    provenance = _provenance(cell, workshop.hardware, len(positions), scored.seconds)
    return Predicted(predictions, scored.weights_sha256, pretraining_of(cell.model), provenance)


def evaluate_and_save(cell: Cell, scored: Predicted, settings: RunSettings) -> ResultRecord:
    """Make the result record of a cell from its predictions; the model is not needed."""
    positions = cell.positions()
    index = cell.store.index.iloc[positions].reset_index(drop=True)
    labels = cell.store.labels.iloc[positions].reset_index(drop=True)
    evaluation, resampled = _evaluate(scored.predictions, labels, index, settings)
    statistics = cell_statistics(
        labels,
        score_tables(scored.predictions)[0],
        index["patient_id"],
        evaluation,
        probabilities=cell.model.card.probabilities,
        thresholds=scored.provenance.thresholds,
        members=usual_members(index),
    )
    result = _result(cell, scored, evaluation, statistics)
    save_resamples(result, resampled, resamples_path(cell.path))
    save_record(result, cell.path)
    return result


def _evaluate(
    predictions: pd.DataFrame, labels: pd.DataFrame, index: pd.DataFrame, settings: RunSettings
) -> tuple[Evaluation, Resampled]:
    """Evaluate every output that the cohort annotates."""
    fits, outputs = score_tables(predictions)
    annotated = [name for name in outputs if (labels[name] >= 0).any()]
    return evaluate_resampled(
        labels[annotated],
        [fit[annotated] for fit in fits],
        index["patient_id"],
        resamples=settings.resamples,
        seed=settings.seed,
        minimum=ELIGIBLE_MINIMUM,
    )


def _provenance(cell: Cell, hardware: Hardware, records: int, seconds: float) -> Provenance:
    elsewhere = {f"model's {name}": version for name, version in cell.model.source.environment}
    return Provenance(
        leadboard=package_versions()["leadboard"],
        commit=source_commit(),
        python=python_version(),
        platform=platform_name(),
        packages={**package_versions(), **elsewhere},
        device=hardware.device,
        dtype="float32",
        batch_size=hardware.batch_size,
        seconds=round(seconds, 3),
        records_per_second=round(records / max(seconds, 1e-6), 1),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _result(
    cell: Cell, scored: Predicted, evaluation: Evaluation, statistics: CellStatistics
) -> ResultRecord:
    store, card = cell.store, cell.store.card
    groups = store.quarantine.groupby("reason", sort=True)["record_id"]
    quarantined = tuple(Quarantined(reason=str(reason), record_ids=tuple(ids)) for reason, ids in groups)
    return ResultRecord(
        key=cell.key,
        model=cell.model.card,
        weights_sha256=scored.weights_sha256,
        training=tuple(fit.training() for fit in cell.model.fits),
        pretraining=scored.pretraining,
        protocol=cell.model.protocol.name,
        cohort=CohortFacts(
            id=card.id,
            name=card.name,
            version=card.version,
            fingerprint=store.fingerprint,
            simulated=card.simulated,
            release_records=None if card.simulated else card.records,
        ),
        relation=cell.relation,
        records=RecordCounts(
            selection=cell.selection,
            found=len(store) + len(store.quarantine),
            scored=len(scored.predictions),
            unselected=len(store) - len(scored.predictions),
            quarantined=quarantined,
        ),
        ontology=OntologyFacts(version=store.ontology_version, hash=store.ontology_hash),
        evaluation=evaluation,
        statistics=statistics,
        predictions=PredictionsFile(
            file=cell.predictions_path.name,
            sha256=content_hash(scored.predictions),
            rows=len(scored.predictions),
        ),
        provenance=scored.provenance,
    )
