"""Confidence intervals from resampled values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def percentile_interval(values: npt.NDArray[np.float64], level: float = 0.95) -> tuple[float, float] | None:
    """Percentile interval over the defined values (Efron and Tibshirani 1993, chapter 13).

    Quantiles are interpolated linearly between order statistics: numpy's default, type 7 of Hyndman
    and Fan (The American Statistician 50:361, 1996).

    Parameters
    ----------
    values
        ``[resamples]``, NaN where undefined.
    level
        Confidence level, between 0 and 1.

    Returns
    -------
    tuple or None
        ``(low, high)``; None with fewer than two defined values.
    """
    defined = values[~np.isnan(values)]
    if len(defined) < 2:
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail], method="linear")
    return float(low), float(high)
