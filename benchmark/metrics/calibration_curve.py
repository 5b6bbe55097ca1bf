"""Calibration as a smooth curve: how often it is true where a model says 20 %, 50 %, 80 %."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import (
    ELIGIBLE_MINIMUM,
    Floats,
    Groups,
    checked_groups,
    probability_column,
    why_undefined,
)
from benchmark.metrics.intervals import LEVEL, NORMAL
from benchmark.metrics.logistic import clipped_logit, fit_logistic
from benchmark.metrics.recalibration import why_no_slope

KNOTS = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of the logits at which the pieces of the curve meet (Harrell 2015, four knots)."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A smooth calibration curve.

    Attributes
    ----------
    predicted
        float64 ``[points]``: probabilities from their 1st to their 99th percentile.
    observed, low, high
        float64 ``[points]``: estimated frequency there, with its pointwise interval.
    index
        Integrated calibration index: mean distance of curve and diagonal over the records (Austin and
        Steyerberg, Statistics in Medicine 38:4051, 2019).
    reason
        Why there is no curve (all the above are then empty or None).
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    index: float | None
    reason: str | None = None


def calibration_curve(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    groups: Groups | None = None,
    *,
    points: int = 50,
    level: float = LEVEL,
    name: str = "this column",
) -> Curve:
    """Frequency as a smooth function of probability: logistic regression on a spline of the logit.

    Parameters
    ----------
    labels, probabilities, groups, name
        As for `recalibration.recalibration`.
    points
        Probabilities at which the curve is given.

    Returns
    -------
    Curve
        Without points, and with the reason, where there are fewer than `ELIGIBLE_MINIMUM` of either class,
        where the knots fall together, or where the classes are separated.

    Raises
    ------
    UsageError, ModelError
        As `checks.probability_column`.

    Notes
    -----
    A restricted cubic spline, straight beyond its outer knots (Harrell, Regression Modeling Strategies,
    2015, section 2.4.5; for calibration Austin and Steyerberg, Statistics in Medicine 33:517, 2014).
    """
    from scipy.special import expit

    found = probability_column(labels, probabilities, name)
    m, n = int(found.positive.sum()), int((~found.positive).sum())
    x = clipped_logit(found.scores)
    why = why_undefined(m, n) or (
        f"fewer than {ELIGIBLE_MINIMUM} positives or negatives" if min(m, n) < ELIGIBLE_MINIMUM else ""
    )
    knots = np.quantile(x, KNOTS) if not why else np.empty(0)
    if not why and len(np.unique(knots)) < len(KNOTS):
        why = "too few different probabilities"
    why = why or why_no_slope(found)
    patients = None if groups is None else checked_groups(groups, len(np.asarray(labels)))[found.rows]
    fit = None if why else fit_logistic(_spline(x, knots), found.positive.astype(np.float64), groups=patients)
    if fit is None:
        nothing = np.empty(0)
        why = why or "the regression has no finite solution"
        return Curve(nothing, nothing, nothing, nothing, None, why)
    low, high = np.quantile(found.scores, [0.01, 0.99])
    predicted = np.linspace(float(low), float(high), points)
    at = _spline(clipped_logit(predicted), knots)
    middle = at @ fit.coefficients
    half = NORMAL.inv_cdf((1 + level) / 2) * np.sqrt(np.einsum("ij,jk,ik->i", at, fit.covariance, at))
    index = float(np.mean(np.abs(expit(_spline(x, knots) @ fit.coefficients) - found.scores)))
    return Curve(predicted, expit(middle), expit(middle - half), expit(middle + half), index)


def _spline(x: Floats, knots: Floats) -> Floats:
    """Constant, x, and the two cubic terms, ``[records, 4]``."""
    *inner, before, end = knots

    def cube(knot: float) -> Floats:
        return np.maximum(x - knot, 0) ** 3

    terms = [
        cube(knot)
        - cube(before) * (end - knot) / (end - before)
        + cube(end) * (before - knot) / (end - before)
        for knot in inner
    ]
    return np.column_stack([np.ones(len(x)), x, *(term / (end - knots[0]) ** 2 for term in terms)])
