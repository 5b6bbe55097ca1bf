"""Executing one cell: scores, then metrics, then the record, each saved when it is whole."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from platform import python_version

import pandas as pd

from benchmark.environment import package_versions, platform_name, source_commit
from benchmark.harmonise import PreparedRecords
from benchmark.inference import predict
from benchmark.metrics.evaluation import Evaluation, evaluate
from benchmark.models import Model
from benchmark.plan import ELIGIBLE_MINIMUM, Cell, EvaluatedModel, RunSettings
from benchmark.predictions import content_hash, load_predictions, save_predictions, score_matrix
from benchmark.progress import Callback
from benchmark.results import (
    CohortFacts,
    OntologyFacts,
    PredictionsFile,
    Provenance,
    Quarantined,
    RecordCounts,
    ResultRecord,
    Training,
    load_record,
    save_record,
)
from benchmark.training import load_trained
from cohorts.errors import LeadboardError, UsageError


@dataclass(frozen=True, slots=True)
class Hardware:
    """How to compute; none of it may move a score."""

    device: str = "cpu"
    batch_size: int = 64
    workers: int = 2

    def check(self) -> None:
        """Refuse a device that is not there, before anything is computed.

        Raises
        ------
        UsageError
            With what torch says about it.
        """
        if self.device == "cpu":
            return
        import torch

        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            words = str(error).partition("\n")[0].rstrip(".")
            raise UsageError(
                f"The device '{self.device}' cannot be used here ({words}); try --device cpu."
            ) from None


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, ready to predict."""

    model: Model
    training: Training | None
    weights_sha256: str | None


def load(evaluated: EvaluatedModel, device: str) -> LoadedModel:
    """Build a model, with the weights that the suite trained where it did."""
    if evaluated.training is None:
        return LoadedModel(evaluated.source.build(device), None, None)
    return LoadedModel(*load_trained(evaluated.training, device))


@dataclass(frozen=True)
class Scored:
    """The predictions of a cell and how they were made."""

    predictions: pd.DataFrame
    training: Training | None
    weights_sha256: str | None
    provenance: Provenance


def former_scores(cell: Cell) -> Scored | None:
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
    return Scored(predictions, record.training, record.weights_sha256, record.provenance)


def score(cell: Cell, loaded: LoadedModel, hardware: Hardware, progress: Callback | None = None) -> Scored:
    """Let a model score the records of a cell, and save the predictions.

    Raises
    ------
    ModelError
        If the model raises or breaks its contract.
    LeadboardError
        If a file cannot be read or written.
    """
    card = cell.model.card
    records = PreparedRecords(cell.store, cell.positions(), card.input, workers=hardware.workers)
    started = time.perf_counter()
    scores = predict(loaded.model, card, records, hardware.batch_size, progress)
    seconds = time.perf_counter() - started
    outputs = card.outputs if card.outputs != "any" else ()
    predictions = save_predictions(
        records.record_ids, scores, outputs, cell.predictions_key, cell.predictions_path
    )
    provenance = _provenance(hardware, len(records), seconds)
    return Scored(predictions, loaded.training, loaded.weights_sha256, provenance)


def evaluate_and_save(cell: Cell, scored: Scored, settings: RunSettings) -> ResultRecord:
    """Make the result record of a cell from its predictions; the model is not needed."""
    positions = cell.positions()
    index = cell.store.index.iloc[positions].reset_index(drop=True)
    labels = cell.store.labels.iloc[positions].reset_index(drop=True)
    evaluation = _evaluate(scored.predictions, labels, index, settings)
    result = _result(cell, scored, evaluation)
    save_record(result, cell.path)
    return result


def _evaluate(
    predictions: pd.DataFrame, labels: pd.DataFrame, index: pd.DataFrame, settings: RunSettings
) -> Evaluation:
    """Evaluate every output that the cohort annotates."""
    outputs = [name for name in predictions.columns if name != "record_id"]
    annotated = [name for name in outputs if (labels[name] >= 0).any()]
    scores = pd.DataFrame(score_matrix(predictions), columns=outputs)
    return evaluate(
        labels[annotated],
        scores[annotated],
        index["patient_id"],
        resamples=settings.resamples,
        seed=settings.seed,
        minimum=ELIGIBLE_MINIMUM,
    )


def _provenance(hardware: Hardware, records: int, seconds: float) -> Provenance:
    return Provenance(
        leadboard=package_versions()["leadboard"],
        commit=source_commit(),
        python=python_version(),
        platform=platform_name(),
        packages=package_versions(),
        device=hardware.device,
        dtype="float32",
        batch_size=hardware.batch_size,
        seconds=round(seconds, 3),
        records_per_second=round(records / seconds, 1),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _result(cell: Cell, scored: Scored, evaluation: Evaluation) -> ResultRecord:
    store, card = cell.store, cell.store.card
    groups = store.quarantine.groupby("reason", sort=True)["record_id"]
    quarantined = tuple(Quarantined(reason=str(reason), record_ids=tuple(ids)) for reason, ids in groups)
    return ResultRecord(
        key=cell.key,
        model=cell.model.card,
        weights_sha256=scored.weights_sha256,
        training=scored.training,
        protocol=cell.protocol,
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
        predictions=PredictionsFile(
            file=cell.predictions_path.name,
            sha256=content_hash(scored.predictions),
            rows=len(scored.predictions),
        ),
        provenance=scored.provenance,
    )
