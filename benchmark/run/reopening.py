"""A finished cell, opened again: its model can be asked about its recordings once more."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmark.config import Places
from benchmark.models.worker.environments import WorkerEnvironment
from benchmark.progress import Reporter
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.precision import TrainingPrecision
from benchmark.protocols.protocol import find_protocol
from benchmark.protocols.scorer import Scorer
from benchmark.records.fit_seeds import run_seeds
from benchmark.records.record import ResultRecord
from benchmark.run.cohorts import prepare_cohort, prepared
from benchmark.run.entries import EntrySettings, find_models, plan_entries
from cohorts.errors import LeadboardError, UsageError
from cohorts.store import Store


@dataclass(frozen=True)
class OpenedCell:
    """A model as it was evaluated, and the cohort that it was evaluated on.

    Attributes
    ----------
    record
        What the run says of the cell.
    """

    record: ResultRecord
    model: EvaluatedModel
    store: Store
    scorer: Scorer

    def row_of(self, record_id: str) -> int:
        """Find a recording by its id.

        Raises
        ------
        UsageError
            If the cohort has no such usable recording.
        """
        rows = np.flatnonzero(self.store.index["record_id"].to_numpy() == record_id)
        if not len(rows):
            first = ", ".join(self.store.index["record_id"].iloc[:3])
            raise UsageError(
                f"{self.store.card.id} has no usable record '{record_id}'; its first ones are {first}."
            )
        return int(rows[0])

    def said_of(self, record_id: str, concept: str) -> str:
        """Say what the cohort states of a recording."""
        value = int(self.store.labels[concept].iloc[self.row_of(record_id)])
        return {1: "positive", 0: "negative"}.get(value, "not annotated")


def reopen(
    record: ResultRecord,
    spec: str,
    places: Places,
    hardware: Hardware,
    reporter: Reporter,
    environment: WorkerEnvironment | None = None,
) -> OpenedCell:
    """Find the model and the cohort of a cell again; what the model has learnt is made again if need be.

    It is asked in float32, whatever precision the cell was scored in.

    Parameters
    ----------
    spec
        The model, as it was given to the run: a name, or path/to/file.py:Class.

    Raises
    ------
    LeadboardError
        If model or cohort are not here any more, or are not those of the cell.
    """
    give = prepared(places, reporter)

    def here(cohort: str) -> Store:
        store = give(cohort)
        if store is None:
            raise UsageError(f"{cohort}, which {record.model.name} learnt from, is not on this machine.")
        return store

    store = prepare_cohort(record.cohort.id, places, reporter)
    if store.fingerprint != record.cohort.fingerprint:
        raise LeadboardError(f"{record.cohort.id} has changed since it was evaluated; run it again.")
    sources, broken = find_models([spec], environment, places.cache, hardware.deadlines)
    settings = EntrySettings(
        cache=places.cache,
        seeds=_seeds(record),
        protocols=(find_protocol(record.protocol).name,),
        source=lambda: here(record.training[0].source if record.training else "ptb-xl"),
        pretraining=lambda: (
            [here(one.cohort) for one in record.pretraining.sources]
            if record.pretraining
            else [here("ptb-xl")]
        ),
        training_precision=_training_precision(record),
        recipe=(record.pretraining.recipe if record.pretraining else None) or {},
    )
    entries = plan_entries(sources, settings)
    for reason in (*broken.values(), *entries.broken.values(), *entries.absent.values()):
        raise LeadboardError(f"{record.model.name} cannot be asked again: {reason}")
    [model] = entries.evaluated
    if model.card.name != record.model.name:
        raise UsageError(f"{spec} calls itself '{model.card.name}'; the cell is of '{record.model.name}'.")
    model = replace(model, card=model.card.model_copy(update={"outputs": record.model.outputs}))
    return OpenedCell(record, model, store, Scorer(places.cache, hardware, reporter))


def _seeds(record: ResultRecord) -> tuple[int, ...]:
    if record.training:
        return run_seeds(record.training[0].percent, [fit.seed for fit in record.training])
    return (record.pretraining.seed if record.pretraining else 0,)


def _training_precision(record: ResultRecord) -> TrainingPrecision:
    """Give that of the pre-training, else that of the first fit: one call trains in one precision."""
    learnt = record.pretraining or next(iter(record.training), None)
    return "bf16-mixed" if learnt is not None and learnt.precision == "bf16-mixed" else "32-true"
