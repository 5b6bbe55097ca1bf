"""From a prepared cohort to one row of scores a record."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.models.contract import AgeTeller, Model
from benchmark.models.guard import guarded
from benchmark.models.label_map import joined_scores
from benchmark.models.model_card import ModelCard
from benchmark.models.worker.standalone import NoNumbersError, numbers
from benchmark.protocols.batches import BatchSize
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.precision import ScoringPrecision, asked_in
from cohorts.errors import ModelError


def checked_scores(answer: Any, records: int, card: ModelCard) -> npt.NDArray[np.float32]:
    """Check what ``predict`` returned against the contract.

    Raises
    ------
    ModelError
        If it is not a finite number for each record and column.
    """
    columns = card.columns
    expected = (records, len(columns))
    scores = array_of(answer, card.name)
    if scores.shape != expected:
        raise ModelError(
            f"{card.name} returned scores of shape {scores.shape}; the card promises {expected}"
            f"{_advice(scores.shape, expected)}."
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


def checked_ages(answer: Any, records: int, who: str) -> npt.NDArray[np.float64]:
    """Check what ``ages`` returned.

    Raises
    ------
    ModelError
        If it is not one finite number of years for each record.
    """
    years = array_of(answer, f"{who}.ages").astype(np.float64)
    if years.shape != (records,):
        raise ModelError(f"{who}.ages returned an array of shape {years.shape} instead of ({records},).")
    bad = int(np.count_nonzero(~np.isfinite(years)))
    if bad:
        raise ModelError(f"{who}.ages returned {bad} NaN or infinite ages in one batch.")
    return years


def array_of(answer: Any, who: str) -> npt.NDArray[Any]:
    """Give an answer as an array of real numbers, or raise `ModelError`."""
    try:
        array: npt.NDArray[Any] = guarded(
            f"What {who} returned", functools.partial(numbers, answer, np), NoNumbersError
        )
    except NoNumbersError as error:
        raise ModelError(f"{who} returned {error}.") from None
    return array


def _advice(shape: tuple[int, ...], expected: tuple[int, int]) -> str:
    """Say how an array of another shape becomes the one that was promised, where that is plain."""
    records, outputs = expected
    if shape[:2] == expected and set(shape[2:]) == {1}:
        return f", without the last {'axis' if len(shape) == 3 else 'axes'}: squeeze it"
    if outputs == 1 and shape == (records,):
        return ": add an axis with [:, None]"
    if shape == (outputs, records):
        return ": transpose it"
    if len(shape) > 2 and shape[0] == records:
        return ": one number for each record and output, not one for each moment"
    return ""


def tell_ages(
    model: AgeTeller, name: str, records: PreparedRecords, hardware: Hardware
) -> npt.NDArray[np.float32]:
    """Ask for the age that each record looks like; windows of a record are averaged.

    Returns
    -------
    float32 ``[records]``, years

    Raises
    ------
    ModelError
        If the model raises, takes too long for a batch, or breaks its contract.
    """
    total, windows = np.zeros(len(records)), np.zeros(len(records))
    size = BatchSize(hardware, model)
    for batch, rows in records.window_batches(size.read):
        for some, answer in size.answers(f"{name}.ages", model, model.ages, batch):
            np.add.at(total, rows[some], checked_ages(answer, len(rows[some]), name))
        np.add.at(windows, rows, 1)
    return (total / windows).astype(np.float32)


def predict(
    model: Model,
    card: ModelCard,
    records: PreparedRecords,
    hardware: Hardware,
    progress: Callable[[int, int], None] | None = None,
    size: BatchSize | None = None,
    precision: ScoringPrecision = "float32",
) -> npt.NDArray[np.float32]:
    """Score all records; windows of a record are averaged, then a model's own labels joined to concepts.

    Parameters
    ----------
    size
        Of the batches, as far as it is known from earlier records.
    precision
        In which the model computes.

    Returns
    -------
    float32 ``[records, outputs]``

    Raises
    ------
    ModelError
        If the model raises, takes too long for a batch, or breaks its contract.
    """
    total = np.zeros((len(records), len(card.columns)), dtype=np.float64)
    windows = np.zeros(len(records), dtype=np.int64)
    size = size or BatchSize(hardware, model)
    ask = asked_in(precision, hardware.device, model.predict)
    for batch, rows in records.window_batches(size.read):
        for some, answer in size.answers(f"{card.name}.predict", model, ask, batch):
            np.add.at(total, rows[some], checked_scores(answer, len(rows[some]), card))
        np.add.at(windows, rows, 1)
        if progress is not None:
            progress(int(rows[-1]) + 1, len(records))
    averages = total / windows[:, None]
    if card.labels:
        averages = joined_scores(averages, card.labels, card.outputs)
    return averages.astype(np.float32)
