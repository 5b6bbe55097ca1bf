"""One figure for many hospitals, and what to expect in the next: random-effects meta-analysis."""

from __future__ import annotations

import math
from dataclasses import replace
from operator import mul

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Floats
from benchmark.metrics.estimates import PooledEstimate
from benchmark.metrics.intervals import LEVEL, NORMAL
from cohorts.errors import UsageError

STEPS = 1000

EPSILON = float(np.finfo(np.float64).eps)

MOST = 1e30
"""What can be squared and cubed; no figure of a cohort comes near it."""

NOISE = 1e-12
"""What a likelihood may seem to fall by: near its maximum it is flat, and its last digits are chance."""


def pool(
    estimates: npt.ArrayLike, variances: npt.ArrayLike, *, level: float = LEVEL, cautious: bool = True
) -> PooledEstimate:
    """Pool estimates of independent cohorts.

    Parameters
    ----------
    estimates, variances
        ``[cohorts]``: of AUROC differences, or of anything that is near normal; for AUROCs see
        `pool_aurocs`. A cohort with an undefined estimate, or a variance that is undefined, not above 0 or
        beyond computing, has no weight and is left out.
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
    usable = (np.abs(y) < MOST) & (v > 1 / MOST) & (v < MOST)
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
    typical = (k - 1) * np.sum(fixed) / np.sum(fixed * (np.sum(fixed) - fixed))
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


def _restricted_likelihood(estimates: Floats, variances: Floats) -> float:
    """Between-cohort variance at the maximum of the restricted likelihood, 0 where that is at the edge.

    Fisher scoring, halved where it overshoots (Viechtbauer 2005) or turns back. In plain numbers: a report
    does this some thousand times for a handful of cohorts, where a call of numpy takes longer than what it
    computes.
    """
    y: list[float] = estimates.tolist()
    v: list[float] = variances.tolist()

    def at(tau2: float) -> tuple[float, list[float], float, list[float]]:
        """Likelihood; weights, their sum, and squared deviations from the mean, which the next step needs."""
        w = [1 / (one + tau2) for one in v]
        total = sum(w)
        mean = sum(map(mul, w, y)) / total
        away = [one - mean for one in y]
        squared = list(map(mul, away, away))
        likelihood = (sum(map(math.log, w)) - math.log(total) - sum(map(mul, w, squared))) / 2
        return likelihood, w, total, squared

    least = min(v)
    tau2 = max(0.0, float(np.var(estimates, ddof=1) - np.mean(variances)))
    reached, w, total, squared = at(tau2)
    last = 0.0
    for _ in range(STEPS):
        again = list(map(mul, w, w))
        squares = sum(again)
        slope = sum(map(mul, again, squared)) - total + squares / total
        information = squares - 2 * sum(map(mul, again, w)) / total + (squares / total) ** 2
        step = slope / max(information, EPSILON * squares)  # where one cohort has nearly all the weight
        if step * last < 0 and abs(step) > abs(last) / 2:  # to and fro about the maximum
            step /= 2
        moved: float = max(0.0, tau2 + step)
        there = at(moved)
        while there[0] < reached - NOISE * (1 + abs(reached)) and abs(moved - tau2) > 1e-14 * (tau2 + least):
            moved = (moved + tau2) / 2
            there = at(moved)
        if abs(moved - tau2) <= 1e-12 * (tau2 + least):
            return moved
        last, tau2, (reached, w, total, squared) = moved - tau2, moved, there
    return tau2
