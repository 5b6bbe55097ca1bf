"""AUROC and average precision of one column, from integer counts in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Column, Floats, column
from cohorts.errors import UsageError

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
    UsageError
        If the shapes differ or a label is none of 1, 0 and -1.
    ModelError
        If a score is not finite.

    Notes
    -----
    The Mann-Whitney statistic over the number of pairs (Hanley and McNeil, Radiology 143:29, 1982).

    Examples
    --------
    >>> auroc([0, 0, 1, 1, -1], [0.1, 0.4, 0.4, 0.8, 0.9])
    0.875
    """
    _, positives, negatives = by_score(column(labels, scores))
    pairs = int(positives.sum()) * int(negatives.sum())
    if pairs == 0:
        return float("nan")
    below = negatives.sum() - np.cumsum(negatives)
    return int(np.sum(positives * (2 * below + negatives))) / (2 * pairs)


def average_precision(labels: npt.ArrayLike, scores: npt.ArrayLike, prevalence: float | None = None) -> float:
    """Area under the precision-recall curve as a sum of steps, one for each distinct score.

    Parameters
    ----------
    labels
        ``[records]``: 1 positive, 0 negative, -1 not annotated (left out).
    scores
        ``[records]``, finite, higher for more likely; any scale.
    prevalence
        As if this fraction of the records were positive, above 0 and below 1; as they are if not given.

    Returns
    -------
    float
        NaN where there is no positive or no negative.

    Raises
    ------
    UsageError
        If the shapes differ, a label is none of 1, 0 and -1, or the prevalence is no such fraction.
    ModelError
        If a score is not finite.

    Notes
    -----
    Sum over thresholds of (recall step) x (precision), without interpolation, which would be too
    optimistic (Davis and Goadrich, ICML 2006); the definition of scikit-learn. A useless score gets
    about the prevalence, which is therefore always shown beside it.

    That makes two cohorts of different prevalence incomparable (Boyd et al., ICML 2012). At a common
    prevalence p the precision is ``p TPR / (p TPR + (1 - p) FPR)``, which is what positives and negatives
    weighted to that prevalence give (Siblini et al., "Master your metrics with calibration", IDA 2020).

    Examples
    --------
    >>> average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.8333333333333333
    >>> average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], prevalence=0.2)
    0.6666666666666666
    """
    _, positives, negatives = by_score(column(labels, scores))
    if not positives.sum() or not negatives.sum():
        return float("nan")
    weight = 1.0
    if prevalence is not None:
        weight = float(odds_against(prevalence)) * int(positives.sum()) / int(negatives.sum())
    true = np.cumsum(positives)
    precision = true / np.maximum(true + weight * np.cumsum(negatives), 1)
    return float(np.sum(positives * precision) / true[-1])


def odds_against(prevalence: float) -> float:
    """Negatives for each positive at a prevalence.

    Raises
    ------
    UsageError
        If it is not above 0 and below 1.
    """
    if not 0 < prevalence < 1:
        raise UsageError(f"A reference prevalence of {prevalence} is not above 0 and below 1.")
    return (1 - prevalence) / prevalence


def by_score(found: Column) -> tuple[Floats, Counts, Counts]:
    """Distinct scores, and the positives and negatives at each of them, highest score first."""
    distinct, group = np.unique(found.scores, return_inverse=True)
    positives = np.bincount(group[found.positive], minlength=len(distinct))[::-1]
    negatives = np.bincount(group[~found.positive], minlength=len(distinct))[::-1]
    return distinct[::-1], positives.astype(np.int64), negatives.astype(np.int64)
