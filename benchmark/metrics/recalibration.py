"""Do probabilities mean what they say in another hospital, and how to set them right with a few labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import (
    Column,
    Floats,
    Groups,
    checked_groups,
    column,
    probability_column,
    why_undefined,
)
from benchmark.metrics.estimates import Estimate, estimate_of, undefined
from benchmark.metrics.intervals import LEVEL, NORMAL
from benchmark.metrics.logistic import CLIP, clipped_logit, fit_logistic
from cohorts.errors import UsageError


@dataclass(frozen=True, slots=True)
class Recalibration:
    """How probabilities would have to be moved on the logit scale.

    Attributes
    ----------
    slope
        1 is right; below 1 the probabilities are too extreme, above 1 too timid.
    intercept
        With the slope fixed at 1 (calibration in the large): 0 is right; below 0 they are too high.
    clipped
        Records whose probability lies within `logistic.CLIP` of 0 or 1 and was taken as that near.
    """

    slope: Estimate
    intercept: Estimate
    clipped: int


@dataclass(frozen=True, slots=True)
class Platt:
    """A map from scores to probabilities, ``1 / (1 + exp(-(slope * score + intercept)))``."""

    slope: float
    intercept: float

    def apply(self, scores: npt.ArrayLike) -> Floats:
        """Probabilities of scores of any shape."""
        from scipy.special import expit

        probabilities: Floats = expit(self.slope * np.asarray(scores, np.float64) + self.intercept)
        return probabilities


def recalibration(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    groups: Groups | None = None,
    *,
    level: float = LEVEL,
    name: str = "this column",
) -> Recalibration:
    """Calibration slope and intercept (Cox, Biometrika 45:562, 1958).

    Parameters
    ----------
    labels
        ``[records]``: 1 positive, 0 negative, -1 not annotated (left out).
    probabilities
        ``[records]``, in 0 to 1.
    groups
        Patient of each record (see `bootstrap.group_records`): intervals then allow for dependence within
        patients. Every record by itself if not given.
    name
        What an error calls the column.

    Returns
    -------
    Recalibration
        With Wald intervals. Both are undefined without both classes, the slope also where one probability
        separates the classes (it would be infinite) and where all probabilities are the same.

    Raises
    ------
    UsageError, ModelError
        As `checks.probability_column`.

    Notes
    -----
    Weak calibration in the hierarchy of Van Calster et al., BMC Medicine 17:230, 2019.
    """
    found = probability_column(labels, probabilities, name)
    patients = None if groups is None else checked_groups(groups, len(np.asarray(labels)))[found.rows]
    clipped = int(np.count_nonzero((found.scores < CLIP) | (found.scores > 1 - CLIP)))
    positives = int(found.positive.sum())
    if why := why_undefined(positives, len(found.positive) - positives):
        return Recalibration(undefined(why), undefined(why), clipped)
    target, x = found.positive.astype(np.float64), clipped_logit(found.scores)
    constant = np.ones((len(x), 1))
    why = why_no_slope(Column(found.rows, found.positive, x))
    fits = [
        None if why else fit_logistic(np.column_stack([x, constant]), target, groups=patients),
        fit_logistic(constant, target, offset=x, groups=patients),
    ]
    slope, intercept = (
        undefined(why or "the regression has no finite solution")
        if fit is None
        else _wald(float(fit.coefficients[0]), float(fit.covariance[0, 0]), level)
        for fit in fits
    )
    return Recalibration(slope, intercept, clipped)


def fit_platt(labels: npt.ArrayLike, scores: npt.ArrayLike, name: str = "this column") -> Platt:
    """Fit a map to probabilities on a small sample of another hospital (Platt 1999).

    Parameters
    ----------
    labels
        ``[records]`` of the sample: 1 positive, 0 negative, -1 not annotated (left out). Records used here
        must not be evaluated afterwards.
    scores
        ``[records]``, any scale. Give ``logistic.clipped_logit(p)`` for probabilities p.
    name
        What an error calls the column.

    Raises
    ------
    UsageError
        As `checks.column`; also if there is no positive or no negative, or all scores are the same.
    ModelError
        As `checks.column`.

    Notes
    -----
    Targets are ``(P + 1) / (P + 2)`` and ``1 / (N + 2)`` instead of 1 and 0 for P positives and N negatives,
    so that a sample that is separated has a finite answer too (Platt, Advances in Large Margin Classifiers).
    """
    found = column(labels, scores, name)
    m, n = int(found.positive.sum()), int((~found.positive).sum())
    why = why_undefined(m, n) or ("all scores are the same" if np.ptp(found.scores) == 0 else "")
    if why:
        raise UsageError(f"{name} cannot be recalibrated: {why}; give a sample with both classes.")
    target = np.where(found.positive, (m + 1) / (m + 2), 1 / (n + 2))
    centre, spread = float(found.scores.mean()), float(found.scores.std())
    design = np.column_stack([(found.scores - centre) / spread, np.ones(m + n)])
    fit = fit_logistic(design, target)
    if fit is None:
        raise UsageError(f"{name} cannot be recalibrated: its scores are too uneven; give a larger sample.")
    slope = float(fit.coefficients[0]) / spread
    return Platt(slope, float(fit.coefficients[1]) - slope * centre)


def why_no_slope(found: Column) -> str:
    """Say why a regression on the scores of both classes has no finite slope; empty if it has one."""
    positive, negative = found.scores[found.positive], found.scores[~found.positive]
    if np.ptp(found.scores) == 0:
        return "all probabilities are the same"
    if negative.max() <= positive.min() or positive.max() <= negative.min():
        return "one probability separates positives from negatives, so that the slope is infinite"
    return ""


def _wald(value: float, variance: float, level: float) -> Estimate:
    half = NORMAL.inv_cdf((1 + level) / 2) * math.sqrt(variance)
    return estimate_of(value, value - half, value + half)
