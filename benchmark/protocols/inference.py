"""From a prepared cohort to one row of scores a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.models.contract import Batch, Model, ModelCard
from benchmark.models.guard import guarded
from benchmark.models.label_map import joined_scores
from benchmark.protocols.harmonise import PreparedRecords
from cohorts.errors import ModelError


def checked_scores(answer: Any, batch: Batch, card: ModelCard) -> npt.NDArray[np.float32]:
    """Check what ``predict`` returned against the contract.

    Raises
    ------
    ModelError
        If it is not a finite number for each record and column.
    """
    columns = card.columns
    expected = (len(batch), len(columns))
    scores = guarded(f"What {card.name} returned", lambda: np.asarray(answer))
    if not np.issubdtype(scores.dtype, np.number) or np.iscomplexobj(scores):
        raise ModelError(f"{card.name} returned {scores.dtype} instead of real numbers.")
    if scores.shape != expected:
        raise ModelError(
            f"{card.name} returned scores of shape {scores.shape}; the card promises {expected}."
        )
    with np.errstate(over="ignore"):  # what does not fit float32 becomes infinite and is refused below
        scores = scores.astype(np.float32)
    bad = ~np.isfinite(scores)
    if bad.any():
        column = columns[int(np.argmax(bad.any(axis=0)))]
        raise ModelError(
            f"{card.name} returned {int(bad.sum())} NaN or infinite scores in one batch, first for {column}."
        )
    return scores


def predict(
    model: Model,
    card: ModelCard,
    records: PreparedRecords,
    batch_size: int,
    progress: Callable[[int, int], None] | None = None,
) -> npt.NDArray[np.float32]:
    """Score all records; windows of a record are averaged, then a model's own labels joined to concepts.

    Returns
    -------
    float32 ``[records, outputs]``

    Raises
    ------
    ModelError
        If the model raises or breaks its contract.
    """
    total = np.zeros((len(records), len(card.columns)), dtype=np.float64)
    windows = np.zeros(len(records), dtype=np.int64)
    for batch, rows in records.window_batches(batch_size):
        answer = guarded(f"{card.name}.predict", lambda batch=batch: model.predict(batch))  # type: ignore[misc]
        scores = checked_scores(answer, batch, card)
        np.add.at(total, rows, scores)
        np.add.at(windows, rows, 1)
        if progress is not None:
            progress(int(rows[-1]) + 1, len(records))
    averages = total / windows[:, None]
    if card.labels:
        averages = joined_scores(averages, card.labels, card.outputs)
    return averages.astype(np.float32)
