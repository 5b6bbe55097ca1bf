"""AUROC and average precision of one column, from integer counts in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


def auroc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Parameters
    ----------
    labels
        ``[records]``: 1 positive, 0 negative, -1 not annotated (left out).
    scores
        ``[records]``, finite, higher for more likely; any scale.

    Returns
    -------
    float
        NaN where there is no positive or no negative: undefined is not 0 and not 0.5.

    Raises
    ------
    ValueError
        If the shapes differ, a label is none of 1, 0 and -1, or a score is not finite.

    Notes
    -----
    The Mann-Whitney statistic over the number of pairs (Hanley and McNeil, Radiology 143:29, 1982).

    Examples
    --------
    >>> auroc([0, 0, 1, 1, -1], [0.1, 0.4, 0.4, 0.8, 0.9])
    0.875
    """
    positives, negatives = _by_score(labels, scores)
    pairs = int(positives.sum()) * int(negatives.sum())
    if pairs == 0:
        return float("nan")
    below = negatives.sum() - np.cumsum(negatives)
    return int(np.sum(positives * (2 * below + negatives))) / (2 * pairs)


def average_precision(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Area under the precision-recall curve as a sum of steps, one for each distinct score.

    Parameters
    ----------
    labels
        ``[records]``: 1 positive, 0 negative, -1 not annotated (left out).
    scores
        ``[records]``, finite, higher for more likely; any scale.

    Returns
    -------
    float
        NaN where there is no positive or no negative.

    Raises
    ------
    ValueError
        If the shapes differ, a label is none of 1, 0 and -1, or a score is not finite.

    Notes
    -----
    Sum over thresholds of (recall step) x (precision), without interpolation, which would be too
    optimistic (Davis and Goadrich, ICML 2006); the definition of scikit-learn. A useless score gets
    about the prevalence, which is therefore always shown beside it.

    Examples
    --------
    >>> average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.8333333333333333
    """
    positives, negatives = _by_score(labels, scores)
    if not positives.sum() or not negatives.sum():
        return float("nan")
    true = np.cumsum(positives)
    precision = true / (true + np.cumsum(negatives))
    return float(np.sum(positives * precision) / true[-1])


def _by_score(labels: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Counts, Counts]:
    """Positives and negatives at each distinct score, highest score first."""
    truth: npt.NDArray[Any] = np.asarray(labels)
    values: npt.NDArray[Any] = np.asarray(scores)
    if truth.ndim != 1 or truth.shape != values.shape:
        raise ValueError(f"labels {truth.shape} and scores {values.shape} must be two columns of one length")
    if not np.isin(truth, (-1, 0, 1)).all():
        raise ValueError("labels must be 1, 0 or -1 (not annotated)")
    if not np.isfinite(values).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(values))} scores are not finite")
    truth, values = truth[truth >= 0], values[truth >= 0]
    distinct, group = np.unique(values, return_inverse=True)
    positives = np.bincount(group[truth == 1], minlength=len(distinct))[::-1]
    negatives = np.bincount(group[truth == 0], minlength=len(distinct))[::-1]
    return positives.astype(np.int64), negatives.astype(np.int64)
