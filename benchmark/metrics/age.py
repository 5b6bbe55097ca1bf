"""How the age that a model tells from an ECG compares with the stated one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Floats, Groups
from benchmark.metrics.estimates import Estimate, Result, undefined
from benchmark.metrics.intervals import estimate
from benchmark.metrics.resampling import resampled_sums

FEWEST = 3
"""Records that a correlation needs: two always lie on a line."""

_NO_SPREAD = 1e-12
"""Variance below this share of the mean square is rounding."""


class AgeAgreement(Result):
    """Ages that a model tells beside stated ages, in years.

    Attributes
    ----------
    n
        Records with a stated age.
    mean_absolute_error
        Of the age told, with bootstrap interval.
    correlation
        Pearson's r of both ages, with bootstrap interval.
    """

    n: int
    mean_absolute_error: Estimate
    correlation: Estimate


def age_agreement(
    told: npt.ArrayLike, stated: npt.ArrayLike, groups: Groups, *, resamples: int, seed: int
) -> AgeAgreement:
    """Compare ages over the records with a stated one.

    Parameters
    ----------
    told
        ``[records]``, years, finite.
    stated
        ``[records]``, years, NaN where unknown.
    groups, resamples, seed
        As for `bootstrap.bootstrap`, which draws the same patients.
    """
    one, other = np.asarray(told, np.float64), np.asarray(stated, np.float64)
    known = np.isfinite(other)
    n = int(known.sum())
    if not n:
        nothing = undefined("no record has a stated age")
        return AgeAgreement(n=0, mean_absolute_error=nothing, correlation=nothing)
    # Around their means, so that the sums of squares lose no digits.
    x, y = (np.where(known, ages - ages[known].mean(), 0.0) for ages in (one, other))
    error = np.where(known, np.abs(one - other), 0.0)
    columns = np.stack([known.astype(np.float64), error, x, y, x * x, y * y, x * y], axis=1)
    sums = resampled_sums(columns, groups, resamples=resamples, seed=seed)
    whole = columns.sum(axis=0, keepdims=True)
    few = f"fewer than {FEWEST} records have a stated age" if n < FEWEST else "all have the same age"
    return AgeAgreement(
        n=n,
        mean_absolute_error=estimate(float(_mean_error(whole)[0]), _mean_error(sums)),
        correlation=estimate(float(_correlation(whole)[0]), _correlation(sums), why=few),
    )


def _mean_error(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.where(sums[:, 0] > 0, sums[:, 1] / np.maximum(sums[:, 0], 1), np.nan)


def _correlation(sums: Floats) -> Floats:
    """Pearson's r from sums of 1, error, x, y, x², y² and xy; NaN where it is undefined."""
    n = np.maximum(sums[:, 0], 1)
    x, y, xx, yy, xy = (sums[:, 2:] / n[:, None]).T
    of_x, of_y = xx - x * x, yy - y * y
    defined = (sums[:, 0] >= FEWEST) & (of_x > _NO_SPREAD * xx) & (of_y > _NO_SPREAD * yy)
    spread = np.sqrt(np.where(defined, of_x * of_y, 1.0))
    return np.where(defined, np.clip((xy - x * y) / spread, -1.0, 1.0), np.nan)
