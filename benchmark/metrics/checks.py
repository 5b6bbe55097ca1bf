"""The checks that all metrics share: labels are 1, 0 or -1, and scores are finite numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cohorts.errors import ModelError, UsageError

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.int64]

ELIGIBLE_MINIMUM = 10
"""Positives, and negatives, that a concept needs to enter a macro average, a ranking or a comparison."""


ROUNDING = 1e-6
"""How far a probability may be outside 0 to 1: single precision and a softmax's sum err by less."""


@dataclass(frozen=True, slots=True)
class Column:
    """The annotated records of one concept.

    Attributes
    ----------
    rows
        int64 ``[annotated]``: their rows in the cohort.
    positive
        bool ``[annotated]``.
    scores
        float64 ``[annotated]``, finite.
    """

    rows: npt.NDArray[np.int64]
    positive: npt.NDArray[np.bool_]
    scores: Floats


def column(labels: npt.ArrayLike, scores: npt.ArrayLike, name: str = "this column") -> Column:
    """Check one column and leave out the records that are not annotated.

    Parameters
    ----------
    labels
        ``[records]``: 1 positive, 0 negative, -1 not annotated.
    scores
        ``[records]``, finite even where not annotated, so that no failure of a model stays hidden.
    name
        What an error calls the column, for example ``"'AF'"``.

    Raises
    ------
    UsageError
        If the shapes differ or a label is none of 1, 0 and -1.
    ModelError
        If a score is no finite number.
    """
    values: npt.NDArray[Any] = np.asarray(scores)
    truth = checked_labels(labels, name)
    if values.shape != truth.shape:
        raise UsageError(
            f"The labels {truth.shape} and scores {values.shape} of {name} must be of one length."
        )
    if values.dtype.kind not in "biuf":
        raise ModelError(f"The scores of {name} are not numbers but {values.dtype}.")
    check_finite(values, name)
    rows = np.flatnonzero(truth >= 0)
    return Column(rows, truth[rows] == 1, values[rows].astype(np.float64))


def probability_column(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, name: str = "this column"
) -> Column:
    """Check one column of probabilities, as `column`.

    Raises
    ------
    UsageError, ModelError
        As `column`; ModelError also for a score outside 0 to 1, and not by rounding.
    """
    found = column(labels, probabilities, name)
    found = replace(found, scores=without_rounding(found.scores))
    outside = int(np.count_nonzero(outside_unit(found.scores)))
    if outside:
        raise ModelError(
            f"{outside} of {len(found.scores)} scores of {name} are outside 0 to 1 and so no probabilities."
        )
    return found


def outside_unit(values: Floats) -> npt.NDArray[np.bool_]:
    """Find what is no probability."""
    return (values < 0) | (values > 1)


def without_rounding(values: Floats) -> Floats:
    """Put probabilities that rounding has moved out of 0 to 1, by `ROUNDING` at most, back to its ends.

    Examples
    --------
    >>> without_rounding(np.array([-1e-9, 0.5, 1.0000001, 1.1]))
    array([0. , 0.5, 1. , 1.1])
    """
    clipped = np.clip(values, 0.0, 1.0)
    return np.where(np.abs(values - clipped) <= ROUNDING, clipped, values)


def checked_labels(labels: npt.ArrayLike, name: str = "this column") -> npt.NDArray[np.int8]:
    """Labels of one column as int8.

    Raises
    ------
    UsageError
        If they are not one column or a label is none of 1, 0 and -1.
    """
    truth: npt.NDArray[Any] = np.asarray(labels)
    if truth.ndim != 1:
        raise UsageError(f"The labels of {name} have shape {truth.shape}; give one column.")
    if not np.isin(truth, (-1, 0, 1)).all():
        raise UsageError(
            f"The labels of {name} have values other than 1, 0 and -1; use -1 for not annotated."
        )
    return truth.astype(np.int8)


def check_finite(scores: npt.NDArray[Any], name: str = "this column") -> None:
    """Refuse NaN and infinity.

    Raises
    ------
    ModelError
        With the number of such scores.
    """
    bad = int(np.count_nonzero(~np.isfinite(scores)))
    if bad:
        raise ModelError(f"{bad} of {len(scores)} scores of {name} are NaN or infinite.")


def checked_groups(groups: Groups | None, records: int) -> Groups:
    """Patient of each record, as an array of its own; every record by itself if there are none.

    Raises
    ------
    UsageError
        If there is not one for each record, or they are not numbered 0, 1, 2, ... without gaps.
    """
    if groups is None:
        return np.arange(records, dtype=np.int64)
    groups = np.array(groups, dtype=np.int64)
    if groups.shape != (records,):
        raise UsageError(f"There are groups for {groups.shape} records, but labels for {records}.")
    if records and (groups.min() < 0 or not np.bincount(groups).all()):
        raise UsageError("The groups must be numbered 0, 1, 2, ... without gaps.")
    return groups


def why_undefined(positives: int, negatives: int) -> str:
    """Say why a figure that needs both classes is undefined; empty if it is not."""
    if positives + negatives == 0:
        return "no annotated record"
    if positives == 0:
        return "no positive record"
    return "no negative record" if negatives == 0 else ""
