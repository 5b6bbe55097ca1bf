"""Scores of any model for any recordings; nothing is evaluated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark.config import Places
from benchmark.models.worker.environments import WorkerEnvironment
from benchmark.progress import Callback, Reporter
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import RecordingSource
from benchmark.protocols.precision import ScoringPrecision, TrainingPrecision
from benchmark.protocols.protocol import find_protocol
from benchmark.protocols.scorer import Scorer
from benchmark.records.record import Rounding
from benchmark.run.cohorts import prepared
from benchmark.run.entries import EntrySettings, find_models, plan_entries
from cohorts.errors import LeadboardError, UsageError
from cohorts.store import Store

USUAL = ("as-is", "zero-shot", "fine-tune-100", "linear-probe-100")
"""The first of these that a model can be asked under is taken where the user names none."""


@dataclass(frozen=True)
class Asking:
    """Which model is asked, and what it may have to learn first.

    Attributes
    ----------
    model
        Name, path/to/file.py:Class or package.module:Class.
    protocol
        Name; empty for the first of `USUAL` that the model can be asked under.
    source
        Cohort that labels are learnt from where the model has none of its own.
    training_precision, precision
        As in `benchmark.run.entries.EntrySettings`.
    """

    model: str
    protocol: str
    source: str
    seed: int
    places: Places
    hardware: Hardware
    environment: WorkerEnvironment | None = None
    training_precision: TrainingPrecision = "32-true"
    precision: ScoringPrecision = "float32"


def find_asked(asking: Asking, reporter: Reporter) -> EvaluatedModel:
    """Plan what a model is to be asked.

    Raises
    ------
    UsageError
        If it cannot be asked under the protocol, or under any.
    LeadboardError
        If the model is broken or its weights are not here.
    """
    give = prepared(asking.places, reporter)

    def source() -> Store:
        store = give(asking.source)
        if store is None:
            raise UsageError(
                f"it has to learn from {asking.source} first, which is not on this machine; see --data."
            )
        return store

    models, broken = find_models(
        [asking.model], asking.environment, asking.places.cache, asking.hardware.deadlines
    )
    reasons = list(broken.values())
    for name in (find_protocol(asking.protocol).name,) if asking.protocol else USUAL:
        settings = EntrySettings(
            asking.places.cache,
            (asking.seed,),
            (name,),
            source,
            lambda: [source()],
            asking.training_precision,
            asking.precision,
        )
        entries = plan_entries(models, settings)
        if entries.evaluated:
            return entries.evaluated[0]
        reasons += [*entries.broken.values(), *entries.absent.values()]
    if reasons:
        raise LeadboardError(f"{asking.model} cannot be asked: {reasons[0]}")
    under = f"under {asking.protocol}" if asking.protocol else "under any protocol"
    raise UsageError(f"{asking.model} cannot be asked {under}; 'leadboard check {asking.model}' says why.")


def predict(
    evaluated: EvaluatedModel, recordings: RecordingSource, scorer: Scorer, progress: Callback
) -> tuple[pd.DataFrame, Rounding | None]:
    """Score recordings: ``record_id`` and one float32 column a concept, the mean over the fits.

    Returns
    -------
    The table, and how far lower precision has moved the scores of the fits, if the model was asked in that.

    Raises
    ------
    LeadboardError
        If the model raises or breaks its contract.
    """
    rows = np.arange(len(recordings.index), dtype=np.intp)
    scores = scorer.score(evaluated, recordings, rows, progress).scores
    table = pd.DataFrame(
        scores.mean(axis=0, dtype=np.float64).astype(np.float32), columns=list(evaluated.card.outputs)
    )
    table.insert(0, "record_id", recordings.index["record_id"].to_numpy())
    return table, scorer.rounding(evaluated, recordings, rows, scores)


def as_file(table: pd.DataFrame, suffix: str) -> bytes:
    """Give a table as the content of a ``.parquet`` or ``.csv`` file."""
    if suffix == ".csv":
        return table.to_csv(index=False, lineterminator="\n").encode()
    return table.to_parquet(index=False, compression="zstd")
