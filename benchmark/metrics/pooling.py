"""One figure for many hospitals, and what to expect in the next: random-effects meta-analysis."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Floats
from benchmark.metrics.estimates import PooledEstimate
from benchmark.metrics.intervals import LEVEL, NORMAL
from cohorts.errors import UsageError

STEPS = 1000


def pool(
    estimates: npt.ArrayLike, variances: npt.ArrayLike, *, level: float = LEVEL, cautious: bool = True
) -> PooledEstimate:
    """Pool estimates of independent cohorts.

    Parameters
    ----------
    estimates, variances
        ``[cohorts]``: of AUROC differences, or of anything that is near normal; for AUROCs see
        `pool_aurocs`. A cohort with an undefined estimate, or a variance that is undefined or not above 0,
        has no weight and is left out.
    cautious
        Never let the Hartung-Knapp factor narrow the interval, as it does where few cohorts happen to
        agree (Knapp and Hartung, Statistics in Medicine 22:2693, 2003; Röver, Knapp and Friede,
        BMC Medical Research Methodology 15:99, 2015).

    Returns
    -------
    PooledEstimate
        With no cohort nothing is defined; with one its own value and normal interval; with two no
        prediction interval, as its t distribution would have no degree of freedom.

    Raises
    ------
    UsageError
        If there is not one variance for each estimate.

    Notes
    -----
    tau2 by restricted maximum likelihood (Viechtbauer, Journal of Educational and Behavioral Statistics
    30:261, 2005). Interval of Hartung, Knapp, Sidik and Jonkman with k - 1 degrees of freedom (IntHout,
    Ioannidis and Borm, BMC Medical Research Methodology 14:25, 2014). I2 is tau2 / (tau2 + s2) with the
    typical variance s2 of Higgins and Thompson, Statistics in Medicine 21:1539, 2002.
    Prediction interval: mean +- t(k - 2) sqrt(tau2 + SE^2) (Higgins, Thompson and Spiegelhalter, JRSS A
    172:137, 2009) with the same SE.
    """
    y, v = np.asarray(estimates, np.float64), np.asarray(variances, np.float64)
    if y.ndim != 1 or y.shape != v.shape:
        raise UsageError(f"The estimates {y.shape} and variances {v.shape} do not fit.")
    usable = np.isfinite(y) & np.isfinite(v) & (v > 0)
    left_out = tuple(int(i) for i in np.flatnonzero(~usable))
    y, v = y[usable], v[usable]
    k = len(y)
    if k == 0:
        return _pooled(None, None, reason="no cohort has a figure with a variance", left_out=left_out)
    if k == 1:
        error = float(np.sqrt(v[0]))
        why = "one cohort: nothing is known of the variance between cohorts"
        half = NORMAL.inv_cdf((1 + level) / 2) * error
        return _pooled(float(y[0]), half, standard_error=error, cohorts=1, left_out=left_out, reason=why)

    from scipy.special import stdtrit

    tau2 = _restricted_likelihood(y, v)
    w = 1 / (v + tau2)
    mean = float(np.sum(w * y) / np.sum(w))
    factor = float(np.sum(w * (y - mean) ** 2)) / (k - 1)
    if cautious:
        factor = max(1.0, factor)
    error = math.sqrt(factor / float(np.sum(w)))
    fixed = 1 / v
    typical = (k - 1) * np.sum(fixed) / (np.sum(fixed) ** 2 - np.sum(fixed**2))
    half = float(stdtrit(k - 1, (1 + level) / 2)) * error
    ahead = float(stdtrit(k - 2, (1 + level) / 2)) * math.sqrt(tau2 + error**2) if k > 2 else None
    return _pooled(
        mean,
        half,
        ahead,
        tau2=tau2,
        i2=float(100 * tau2 / (tau2 + typical)),
        standard_error=error,
        cohorts=k,
        left_out=left_out,
        reason=None if k > 2 else "two cohorts: no prediction interval",
    )


def _pooled(
    mean: float | None,
    half: float | None,
    ahead: float | None = None,
    *,
    tau2: float | None = None,
    i2: float | None = None,
    standard_error: float | None = None,
    cohorts: int = 0,
    left_out: tuple[int, ...],
    reason: str | None,
) -> PooledEstimate:
    """Put a summary together from half the widths of its two intervals."""

    def end(width: float | None, side: int) -> float | None:
        return None if mean is None or width is None else mean + side * width

    return PooledEstimate(
        value=mean,
        low=end(half, -1),
        high=end(half, 1),
        reason=reason,
        undefined_fraction=0.0,
        prediction_low=end(ahead, -1),
        prediction_high=end(ahead, 1),
        tau2=tau2,
        i2=i2,
        standard_error=standard_error,
        cohorts=cohorts,
        left_out=left_out,
    )


def pool_aurocs(
    aurocs: npt.ArrayLike, variances: npt.ArrayLike, *, level: float = LEVEL, cautious: bool = True
) -> PooledEstimate:
    """Pool AUROCs on the logit scale, where they are nearer to normal and intervals stay between 0 and 1.

    Parameters
    ----------
    aurocs, variances
        ``[cohorts]``, NaN where undefined: on the scale of the AUROC, from `delong.delong_covariance` or from
        the resamples. An AUROC of 0 or 1 has no logit; such a cohort is left out and named.
    cautious
        As for `pool`.

    Returns
    -------
    PooledEstimate
        As `pool`, with value and intervals as AUROCs; ``tau2`` and ``standard_error`` are of logits.

    Raises
    ------
    UsageError
        As `pool`, or if an AUROC is outside 0 to 1.

    Notes
    -----
    ``Var(logit A) = Var(A) / (A (1 - A))^2`` (Debray et al., BMJ 356:i6460, 2017, and Statistical Methods in
    Medical Research 28:2768, 2019, for pooling the areas of prediction models).
    """
    from scipy.special import expit, logit

    a, v = np.asarray(aurocs, np.float64), np.asarray(variances, np.float64)
    if a.ndim != 1 or a.shape != v.shape:
        raise UsageError(f"The AUROCs {a.shape} and variances {v.shape} do not fit.")
    if ((a < 0) | (a > 1)).any():
        raise UsageError("An AUROC to be pooled is outside 0 to 1.")
    inside = (a > 0) & (a < 1)
    safe = np.where(inside, a, 0.5)
    found = pool(
        np.where(inside, logit(safe), np.nan),
        v / (safe * (1 - safe)) ** 2,
        level=level,
        cautious=cautious,
    )

    def back(end: float | None) -> float | None:
        return None if end is None else float(expit(end))

    return replace(
        found,
        value=back(found.value),
        low=back(found.low),
        high=back(found.high),
        prediction_low=back(found.prediction_low),
        prediction_high=back(found.prediction_high),
    )


def _restricted_likelihood(y: Floats, v: Floats) -> float:
    """Between-cohort variance at the maximum of the restricted likelihood, 0 where that is at the edge.

    Fisher scoring, halved where it overshoots (Viechtbauer 2005).
    """

    def at(tau2: float) -> tuple[float, Floats, float, Floats]:
        """Likelihood; weights, their sum, and squared deviations from the mean, which the next step needs."""
        w = 1 / (v + tau2)
        total = add(w)
        squared = (y - add(w * y) / total) ** 2
        return float(add(np.log(w)) - np.log(total) - add(w * squared)) / 2, w, total, squared

    add, least = np.add.reduce, float(v.min())  # of a few cohorts: np.sum is mostly the call of it
    tau2 = max(0.0, float(np.var(y, ddof=1) - np.mean(v)))
    reached, w, total, squared = at(tau2)
    for _ in range(STEPS):
        squares = add(w**2)
        slope = add(w**2 * squared) - total + squares / total
        information = squares - 2 * add(w**3) / total + (squares / total) ** 2
        moved = max(0.0, float(tau2 + slope / information))
        there = at(moved)
        while there[0] < reached and abs(moved - tau2) > 1e-14 * (tau2 + least):
            moved = (moved + tau2) / 2
            there = at(moved)
        if abs(moved - tau2) <= 1e-12 * (tau2 + least):
            return moved
        tau2, (reached, w, total, squared) = moved, there
    return tau2
