"""Making a result record: a pure function of facts, predictions and the labels of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from benchmark.metrics.age import AgeAgreement, age_agreement
from benchmark.metrics.cell.calibration import rounding_notes
from benchmark.metrics.cell.evaluation import RESAMPLES, Evaluation, Resampled, evaluate_resampled
from benchmark.metrics.cell.statistics import cell_statistics
from benchmark.metrics.cell.subgroups import USUAL, usual_members
from benchmark.metrics.checks import ELIGIBLE_MINIMUM
from benchmark.metrics.resampling import group_records
from benchmark.models.contamination import Relation, unstated_training
from benchmark.models.model_card import ModelCard
from benchmark.models.model_files import Origin
from benchmark.records.comparability import labelling_of
from benchmark.records.overlap import Overlap
from benchmark.records.predictions import ages_of, content_hash, score_tables
from benchmark.records.published_tasks import task_notes
from benchmark.records.record import (
    CohortFacts,
    PredictionsFile,
    Pretraining,
    Provenance,
    Quarantined,
    RecordCounts,
    ResultRecord,
    Training,
)
from benchmark.text import some
from cohorts.hashing import hash_of_json
from cohorts.labelled import Labelled, signals_read
from cohorts.store import Rows, rows_of

Selection = Literal["all", "test"]

PREDICTIONS = "predictions"
"""The protocol of predictions made elsewhere: whoever made them knows how the model was asked."""


SIGNALS_NOT_READ = (
    "The labels are from the annotation files alone: no signal was looked at, so records that a look at "
    "their signals would leave out are in these numbers."
)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the user decides about the numbers.

    Attributes
    ----------
    records
        ``"all"`` or ``"test"`` for every cell; by default an internal cell takes the test fold and
        any other cell all records.
    subgroups
        What records are grouped by, out of `USUAL`.
    """

    seed: int = 0
    resamples: int = RESAMPLES
    records: Selection | None = None
    subgroups: tuple[str, ...] = USUAL

    @property
    def drawn(self) -> tuple[int, int]:
        """Seed and number of the resamples."""
        return self.seed, self.resamples


@dataclass(frozen=True)
class CellFacts:
    """What a record states that no prediction can show.

    Attributes
    ----------
    key
        Of the cell; "" where `keys_of` gives it once the record is made.
    predictions_file
        Name of the Parquet file that lies, or will lie, beside the record.
    """

    key: str
    model: ModelCard
    protocol: str
    relation: Relation
    selection: Selection
    predictions_file: str
    provenance: Provenance
    weights_sha256: tuple[str, ...] = ()
    training: tuple[Training, ...] = ()
    pretraining: Pretraining | None = None
    origin: Origin | None = None
    overlap: Overlap | None = None


def facts_of(record: ResultRecord) -> CellFacts:
    """Take the facts out of a record, to make it again."""
    return CellFacts(
        key=record.key,
        model=record.model,
        protocol=record.protocol,
        relation=record.relation,
        selection=record.records.selection,
        predictions_file=record.predictions.file,
        provenance=record.provenance,
        weights_sha256=record.weights_sha256,
        training=record.training,
        pretraining=record.pretraining,
        origin=record.origin,
        overlap=record.overlap,
    )


def selected_rows(store: Labelled, selection: Selection) -> Rows:
    """Rows of a store that a cell with this selection scores."""
    return rows_of(store, "test") if selection == "test" else np.arange(len(store))


def measure(
    facts: CellFacts,
    predictions: pd.DataFrame,
    store: Labelled,
    rows: Rows,
    settings: RunSettings,
    device: str = "cpu",
) -> tuple[ResultRecord, Resampled]:
    """Make the record of a cell, and the resampled figures that lie beside it.

    Parameters
    ----------
    predictions
        One row a record as `benchmark.records.predictions` saves it.
    rows
        Row of the store of each prediction, rising.
    device
        Of the bootstrap; it changes no figure by more than 1e-12.
    """
    index = store.index.iloc[rows].reset_index(drop=True)
    labels = store.labels.iloc[rows].reset_index(drop=True)
    fits, outputs = score_tables(predictions)
    annotated = [name for name in outputs if (labels[name] >= 0).any()]
    evaluation, resampled = evaluate_resampled(
        labels[annotated],
        [fit[annotated] for fit in fits],
        index["patient_id"],
        resamples=settings.resamples,
        seed=settings.seed,
        minimum=ELIGIBLE_MINIMUM,
        device=device,
    )
    statistics = cell_statistics(
        labels,
        fits,
        index["patient_id"],
        evaluation,
        probabilities=facts.model.probabilities,
        thresholds=facts.provenance.thresholds,
        members={name: each for name, each in usual_members(index).items() if name in settings.subgroups},
        device=device,
    )
    record = ResultRecord(
        key=facts.key,
        model=facts.model,
        weights_sha256=facts.weights_sha256,
        training=facts.training,
        pretraining=facts.pretraining,
        protocol=facts.protocol,
        cohort=_cohort_facts(store),
        relation=facts.relation,
        records=_record_counts(store, facts.selection, scored=len(predictions)),
        ontology=labelling_of(store.card, facts.model.outputs),
        evaluation=_with_notes(evaluation, facts, fits, store, rows),
        statistics=statistics,
        age=_age(predictions, index, settings),
        predictions=PredictionsFile(
            file=facts.predictions_file, sha256=content_hash(predictions), rows=len(predictions)
        ),
        provenance=facts.provenance,
        origin=facts.origin,
        overlap=facts.overlap,
    )
    return record, resampled


def _age(predictions: pd.DataFrame, index: pd.DataFrame, settings: RunSettings) -> AgeAgreement | None:
    """Compare the ages that a model has told with those of the index."""
    told = ages_of(predictions)
    if told is None:
        return None
    stated = index["age"].to_numpy(dtype=np.float64, na_value=np.nan)
    patients = group_records(index["patient_id"])
    return age_agreement(told, stated, patients, resamples=settings.resamples, seed=settings.seed)


def _with_notes(
    evaluation: Evaluation, facts: CellFacts, fits: Sequence[pd.DataFrame], store: Labelled, rows: Rows
) -> Evaluation:
    """Note what else a reader has to know, such as how many predictions made elsewhere are lacking."""
    notes = [*evaluation.notes, *task_notes(evaluation, store.card.id)]
    notes += rounding_notes(fits) if facts.model.probabilities else ()
    if facts.protocol == PREDICTIONS:
        notes += _notes_on_submitted(facts, store, rows)
    return evaluation.model_copy(update={"notes": tuple(notes)})


def _notes_on_submitted(facts: CellFacts, store: Labelled, rows: Rows) -> list[str]:
    """Say how many predictions are lacking, and what the card keeps silent on training."""
    notes = []
    selected = selected_rows(store, facts.selection)
    lacking = store.index["record_id"].iloc[np.setdiff1d(selected, rows)]
    if len(lacking):
        notes.append(
            f"No prediction was submitted for {len(lacking):,} of {len(lacking) + len(rows):,} records "
            f"({some(lacking)}); they are left out."
        )
    unstated = unstated_training(facts.model)
    notes += [unstated] if unstated else []
    notes += [] if signals_read(store.fingerprint) else [SIGNALS_NOT_READ]
    return notes


def _cohort_facts(store: Labelled) -> CohortFacts:
    card = store.card
    return CohortFacts(
        id=card.id,
        name=card.name,
        version=card.version,
        fingerprint=store.fingerprint,
        simulated=card.simulated,
        private=card.access == "private",
        release_records=None if card.simulated else card.records,
    )


def _record_counts(store: Labelled, selection: Selection, scored: int) -> RecordCounts:
    groups = store.quarantine.groupby("reason", sort=True)["record_id"]
    return RecordCounts(
        selection=selection,
        found=len(store) + len(store.quarantine),
        scored=scored,
        unselected=len(store) - scored,
        quarantined=tuple(Quarantined(reason=str(reason), record_ids=tuple(ids)) for reason, ids in groups),
    )


def decided_by_overlap(overlap: Overlap | None) -> dict[str, object]:
    """Give what a key says about recordings that were found in other cohorts; nothing where none is known."""
    return {} if overlap is None else {"overlap": overlap.model_dump(mode="json")}


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
        **decided_by_overlap(record.overlap),
    }
    return hash_of_json(decides_scores), hash_of_json({"scores": decides_scores, "metrics": decides_metrics})
