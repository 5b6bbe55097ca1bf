"""Cells that were really measured, of made-up scores and labels, with their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.metrics.cell.operating_points import Thresholds, concept_thresholds
from benchmark.models.contamination import Relation
from benchmark.models.model_card import ModelCard
from benchmark.records.measuring import CellFacts, RunSettings, measure
from benchmark.records.predictions import predictions_path, predictions_table, save_predictions
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import save_measured
from benchmark.records.run_file import save_run
from benchmark.records.run_folder import cell_path
from cohorts.catalogue import cohort_cards
from cohorts.cohort import CohortCard
from cohorts.labelled import Labelled, LabelledCohorts
from tests.benchmark.report.report_factory import record as made_by_hand
from tests.benchmark.report.report_factory import run_file

CONCEPTS = ("AF", "LBBB")
SETTINGS = RunSettings(seed=3, resamples=60)


@dataclass
class Store:
    """A cohort as far as measuring needs it."""

    card: CohortCard
    fingerprint: str
    index: pd.DataFrame
    labels: pd.DataFrame
    quarantine: pd.DataFrame

    def __len__(self) -> int:
        return len(self.index)


def made_store(cohort: str, records: int = 160, seed: int = 0) -> Store:
    """A cohort of women and men, of whom some have two records; not all are annotated for all concepts."""
    rng = np.random.default_rng(seed)
    ids = [f"{cohort}-{at:03}" for at in range(records)]
    index = pd.DataFrame(
        {"record_id": ids, "patient_id": [f"p{at % (records - 20)}" for at in range(records)]}
    )
    index = index.assign(age=50.0, sex=np.where(np.arange(records) % 2, "female", "male"), fold=1)
    drawn = rng.choice([-1, 0, 1], (records, len(CONCEPTS)), p=[0.1, 0.6, 0.3]).astype(np.int8)
    labels = pd.DataFrame(drawn, columns=list(CONCEPTS))
    left = pd.DataFrame({"record_id": [], "reason": []})
    return Store(cohort_cards()[cohort], "f00d", index, labels, left)


def scores_for(store: Store, seed: int, fits: int = 1, noise: float = 1.0) -> np.ndarray:
    """Probabilities, float32 ``[fits, records, concepts]``."""
    rng = np.random.default_rng(seed)
    logits = 2 * (store.labels.to_numpy() == 1) - 1 + rng.normal(0, noise, (fits, *store.labels.shape))
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def write_cell(
    run: Path,
    store: Store,
    model: str,
    scores: np.ndarray,
    *,
    protocol: str = "as-is",
    relation: Relation = "external",
    probabilities: bool = True,
) -> ResultRecord:
    """Measure a cell, with thresholds that were chosen on its own records as if these were of the source."""
    table = predictions_table(store.index["record_id"], scores, CONCEPTS)
    hand = made_by_hand(model, store.card.id, dict.fromkeys(CONCEPTS, 0.9))
    card = ModelCard(name=model, licence="MIT", outputs=CONCEPTS, probabilities=probabilities, trained_on=())
    chosen = concept_thresholds(store.labels, pd.DataFrame(scores[0], columns=list(CONCEPTS)))
    thresholds = Thresholds(source="ptb-xl", records=len(store), concepts=chosen) if probabilities else None
    provenance = hand.provenance.model_copy(update={"thresholds": thresholds} if thresholds else {})
    path = cell_path(run, model, protocol, store.card.id)
    facts = CellFacts("k", card, protocol, relation, "all", predictions_path(path).name, provenance)
    one, resampled = measure(facts, table, store, np.arange(len(store)), SETTINGS)
    save_measured(one, resampled, path)
    save_predictions(table, "k", predictions_path(path))
    return one


def write_measured(
    run: Path, cohorts: Sequence[str] = ("ptb-xl", "georgia"), model: str = "net"
) -> LabelledCohorts:
    """Write a run: a model at home and elsewhere, one with two fits, a reader, one given parts of the labels.

    Returns
    -------
    LabelledCohorts
        Gives the labels.
    """
    stores = {cohort: made_store(cohort, seed=at) for at, cohort in enumerate(cohorts)}
    records = []
    for at, store in enumerate(stores.values()):
        relation: Relation = "external" if at else "internal"
        records.append(write_cell(run, store, model, scores_for(store, 10 + at), relation=relation))
        if not at:
            continue
        records.append(write_cell(run, store, "two-fits", scores_for(store, 20 + at, 2, 2.0)))
        calls = (scores_for(store, 30 + at) > 0.5).astype(np.float32)
        records.append(write_cell(run, store, "reader", calls, probabilities=False))
        for percent in (1, 100):
            scores = scores_for(store, percent, noise=30 / (percent + 9))
            name = f"linear-probe-{percent}"
            records.append(write_cell(run, store, "encoder", scores, protocol=name))
    save_run(run, run_file(records))
    return lambda cohort, /, *, signals=True: labelled_of(stores, cohort)


def labelled_of(stores: dict[str, Store], cohort: str) -> Labelled | None:
    """A cohort of these, if it is one."""
    return stores.get(cohort)
