"""From a prepared cohort to one row of scores a record."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.models.contract import Batch, Model, ModelCard
from benchmark.models.guard import asked, guarded
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import PreparedRecords
from cohorts.errors import ModelError


def checked_scores(answer: Any, batch: Batch, card: ModelCard) -> npt.NDArray[np.float32]:
    """Check what ``predict`` returned against the contract.

    Raises
    ------
    ModelError
        If it is not a finite number for each record and output.
    """
    outputs = card.outputs if card.outputs != "any" else ()
    expected = (len(batch), len(outputs))
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
        column = outputs[int(np.argmax(bad.any(axis=0)))]
        raise ModelError(
            f"{card.name} returned {int(bad.sum())} NaN or infinite scores in one batch, first for {column}."
        )
    return scores


def predict(
    model: Model,
    card: ModelCard,
    records: PreparedRecords,
    hardware: Hardware,
    progress: Callable[[int, int], None] | None = None,
) -> npt.NDArray[np.float32]:
    """Score all records; windows of one record are averaged.

    Returns
    -------
    float32 ``[records, outputs]``

    Raises
    ------
    ModelError
        If the model raises, takes too long for a batch, or breaks its contract.
    """
    width = len(card.outputs) if card.outputs != "any" else 0
    total = np.zeros((len(records), width), dtype=np.float64)
    windows = np.zeros(len(records), dtype=np.int64)
    for batch, rows in records.window_batches(hardware.batch_size):
        ask = functools.partial(model.predict, batch)
        answer = asked(f"{card.name}.predict", model, ask, hardware.deadline)
        scores = checked_scores(answer, batch, card)
        np.add.at(total, rows, scores)
        np.add.at(windows, rows, 1)
        if progress is not None:
            progress(int(rows[-1]) + 1, len(records))
    return (total / windows[:, None]).astype(np.float32)
