"""Cells whose scores come from a file, and how they are measured."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version

import numpy as np
import pandas as pd

from benchmark.contamination import cohort_cards, relation_of, unstated_training
from benchmark.environment import package_versions, platform_name, source_commit
from benchmark.execution import Predicted, evaluate_and_save
from benchmark.models import Floats, ModelCard
from benchmark.plan import ELIGIBLE_MINIMUM, Cell, EvaluatedModel, RunSettings
from benchmark.plugins import ModelSource
from benchmark.predictions import save_predictions
from benchmark.protocols.protocol import Protocol
from benchmark.protocols.subsets import Rows, rows_of
from benchmark.results import Provenance, ResultRecord, save_record
from benchmark.run_folder import cell_path
from benchmark.untrusted import some
from cohorts.store import Store

PREDICTIONS = Protocol("predictions", "as-is")
"""Not one that a run offers: whoever made the predictions knows how the model was asked."""


@dataclass(frozen=True)
class PredictedCell(Cell):
    """A cell that takes its scores as they are.

    Attributes
    ----------
    rows
        Rows of the store that have a prediction.
    """

    rows: Rows

    def positions(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Rows of the store that this cell scores."""
        return self.rows

    def unpredicted(self) -> tuple[str, ...]:
        """Ids of the records that the cell should score and has no prediction for."""
        lacking = np.setdiff1d(super().positions(), self.rows)
        return tuple(str(name) for name in self.store.index["record_id"].iloc[lacking])


def plan_predicted(store: Store, card: ModelCard, run: Path) -> PredictedCell:
    """Plan the cell of a prediction file; its rows are, as yet, those that should have a prediction."""
    related = relation_of(card, store.card.id, cohort_cards())
    fold = rows_of(store, "test")
    test = related == "internal" and len(fold) > 0
    return PredictedCell(
        model=EvaluatedModel(ModelSource("a prediction file", None, "", card), PREDICTIONS, card),
        store=store,
        relation=related,
        selection="test" if test else "all",
        predictions_key="",
        key="",
        path=cell_path(run, card.name, PREDICTIONS.name, store.card.id),
        rows=fold if test else np.arange(len(store)),
    )


def score_predicted(cell: PredictedCell, rows: Rows, scores: Floats, settings: RunSettings) -> ResultRecord:
    """Measure predictions, and save them and the result record.

    Parameters
    ----------
    rows
        Rows of the store that have a prediction, rising.
    scores
        float32 ``[rows, outputs]``.
    """
    cell = replace(cell, rows=rows)
    ids = cell.store.index["record_id"].iloc[rows]
    table = pd.DataFrame(scores, columns=list(cell.model.card.outputs))
    table.insert(0, "record_id", ids.to_numpy())
    record = measure(cell, Predicted(table, (), None, _provenance()), settings)
    scores_key, key = keys_of(record)
    save_predictions(ids, scores[None], tuple(cell.model.card.outputs), scores_key, cell.predictions_path)
    record = record.model_copy(update={"key": key})
    save_record(record, cell.path)
    return record


def keys_of(record: ResultRecord) -> tuple[str, str]:
    """Hash what decides the scores of submitted predictions, and that with what decides their metrics.

    Unlike the keys of a model that the suite has run, anyone can compute them again from the record.
    """
    bootstrap = record.evaluation.bootstrap
    decides_scores = {
        "model": record.model.model_dump(mode="json"),
        "protocol": record.protocol,
        "scores": record.predictions.sha256,
        "cohort": record.cohort.fingerprint,
        "selection": record.records.selection,
    }
    decides_metrics = {
        "relation": record.relation,
        "ontology": record.ontology.hash,
        "seed": bootstrap.seed,
        "resamples": bootstrap.resamples,
        "minimum": ELIGIBLE_MINIMUM,
    }
    return _hashed(decides_scores), _hashed({"scores": decides_scores, "metrics": decides_metrics})


def measure(cell: PredictedCell, scored: Predicted, settings: RunSettings) -> ResultRecord:
    """Make and save the result record of a cell whose predictions are given.

    The notes of submitted ones say how many records have none, and what training the card keeps silent.
    """
    record = evaluate_and_save(cell, scored, settings)
    if cell.model.protocol.name != PREDICTIONS.name:
        return record
    notes = list(record.evaluation.notes)
    lacking = cell.unpredicted()
    if lacking:
        notes.append(
            f"No prediction was submitted for {len(lacking):,} of {len(lacking) + len(cell.rows):,} records "
            f"({some(lacking)}); they are left out."
        )
    unstated = unstated_training(record.model, cohort_cards())
    notes += [unstated] if unstated else []
    evaluation = record.evaluation.model_copy(update={"notes": tuple(notes)})
    record = record.model_copy(update={"evaluation": evaluation})
    save_record(record, cell.path)
    return record


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


def _hashed(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
