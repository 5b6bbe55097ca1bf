"""One model against another, in one cohort and over all of them; models that share a rank."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Floats
from benchmark.metrics.estimates import PairedDifference, PooledEstimate
from benchmark.metrics.intervals import LEVEL, NORMAL, Values, bootstrap_p_value, difference
from benchmark.metrics.pooling import pool
from cohorts.errors import UsageError


def paired_difference(
    first: float, first_resamples: Values, second: float, second_resamples: Values, *, level: float = LEVEL
) -> PairedDifference:
    """A figure of one model minus that of another in the same resamples of one cohort.

    Parameters
    ----------
    first, second
        On the full data: AUROC, AUPRC, macro average; NaN where undefined.
    first_resamples, second_resamples
        float64 ``[resamples]``: row r is the same draw of patients for both (see `bootstrap.bootstrap`).

    Returns
    -------
    PairedDifference
        Percentile interval and bootstrap p value. Models that agree in every resample differ by 0 with
        a p value of 1.

    Raises
    ------
    UsageError
        If the resamples are not equally many.
    """
    if first_resamples.shape != second_resamples.shape:
        raise UsageError("The models to be compared were not evaluated in the same resamples.")
    resampled = first_resamples - second_resamples
    return difference(first - second, resampled, why="undefined for one of the models", level=level)


def pooled_difference(
    differences: npt.ArrayLike, variances: npt.ArrayLike, *, level: float = LEVEL
) -> tuple[PooledEstimate, float | None]:
    """Pool the differences of two models over cohorts, and test the mean difference.

    Parameters
    ----------
    differences, variances
        ``[cohorts]``: from `delong.delong_covariance`, or of the resampled differences.

    Returns
    -------
    tuple
        The pooled difference (see `pooling.pool`), and the two-sided p value of its being zero: of a t
        distribution with one degree of freedom less than cohorts, normal with one cohort, None with none.

    Raises
    ------
    UsageError
        If there is not one variance for each difference.
    """
    found = pool(differences, variances, level=level)
    if found.value is None or found.standard_error is None:
        return found, None
    statistic = abs(found.value) / found.standard_error
    if found.cohorts == 1:
        return found, 2 * NORMAL.cdf(-statistic)

    from scipy.special import stdtr

    return found, float(2 * stdtr(found.cohorts - 1, -statistic))


def holm(p_values: npt.ArrayLike) -> Floats:
    """Adjust p values for their number (Holm, Scandinavian Journal of Statistics 6:65, 1979).

    The chance of any false claim among all of them stays below the level, however they depend on each
    other. Give all models and cohorts that one table compares together.

    Parameters
    ----------
    p_values
        Any shape; NaN where undefined, which counts as no test.

    Returns
    -------
    array
        Of the same shape, NaN where undefined.

    Raises
    ------
    UsageError
        If a p value is outside 0 to 1.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, 0.005]).tolist()
    [0.03, 0.06, 0.06, 0.02]
    """
    p = np.asarray(p_values, np.float64)
    if ((p < 0) | (p > 1)).any():
        raise UsageError("A p value to be adjusted is outside 0 to 1.")
    adjusted = np.full(p.size, np.nan)
    tested = np.flatnonzero(~np.isnan(p.ravel()))
    rising = tested[np.argsort(p.ravel()[tested], kind="stable")]
    steps = p.ravel()[rising] * np.arange(len(rising), 0, -1)
    adjusted[rising] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted.reshape(p.shape)


def rank_groups(values: Values, resamples: Values, *, level: float = LEVEL) -> npt.NDArray[np.int64]:
    """Rank models so that those which do not differ significantly from the best share its rank.

    Parameters
    ----------
    values
        float64 ``[models]``, more is better; NaN where undefined.
    resamples
        float64 ``[resamples, models]``: row r is the same draw of patients for all.
    level
        Two models differ where the p value of their paired difference, adjusted (`holm`) for the
        comparisons with the same leader, is at most 1 - level.

    Returns
    -------
    array
        int64 ``[models]``: 1 for the best and all that do not differ from it; the next rank is led by the
        best of the others, and so on, and is the number of models before it plus 1. 0 for an undefined one.

    Raises
    ------
    UsageError
        If the models do not match.

    Notes
    -----
    Sharing a rank is not being equal: with few records no model differs significantly from any other.
    """
    if resamples.ndim != 2 or values.shape != resamples.shape[1:]:
        raise UsageError(
            f"The values {values.shape} and resamples {resamples.shape} are not of the same models."
        )
    ranks = np.zeros(len(values), np.int64)
    falling = [int(i) for i in np.argsort(-values, kind="stable") if not math.isnan(values[i])]
    while falling:
        leader, *others = falling
        p = holm([bootstrap_p_value(resamples[:, leader] - resamples[:, i]) for i in others])
        together = [leader, *(i for i, value in zip(others, p, strict=True) if not value <= 1 - level)]
        ranks[together] = np.count_nonzero(ranks) + 1
        falling = [i for i in falling if i not in together]
    return ranks
