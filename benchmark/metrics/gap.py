"""The external gap: what a model loses away from the hospital it was made in."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from benchmark.metrics.intervals import LEVEL, Measure, Values, measure
from cohorts.errors import UsageError


def external_gap(
    internal: Values,
    internal_resamples: Values,
    external: Values,
    external_resamples: Values,
    *,
    level: float = LEVEL,
) -> list[Measure]:
    """Internal minus external AUROC (or any other figure) of each concept, with its interval.

    Parameters
    ----------
    internal, external
        float64 ``[concepts]``: on the test fold of the model's own cohort, and on another cohort; NaN where
        undefined.
    internal_resamples, external_resamples
        float64 ``[resamples, concepts]`` (see `bootstrap.bootstrap`).

    Returns
    -------
    list of Measure
        Above 0 where the model does worse away from home. Undefined where either is.

    Raises
    ------
    UsageError
        If the concepts do not match.

    Notes
    -----
    The cohorts have no patient in common, so that the difference of two independent resamples is one of
    the difference. Resample r of one is taken with resample r + 1 of the other: resamples of one number
    come from the same random stream, and those of cohorts of one size would draw the same row numbers.
    """
    if not internal.shape == external.shape == internal_resamples.shape[1:] == external_resamples.shape[1:]:
        raise UsageError("The internal and external figures are not of the same concepts.")
    pairs = min(len(internal_resamples), len(external_resamples))
    shifted = np.roll(external_resamples[:pairs], -1, axis=0)
    resampled = internal_resamples[:pairs] - shifted
    return [
        measure(
            float(internal[k] - external[k]), resampled[:, k], why=_why(internal[k], external[k]), level=level
        )
        for k in range(len(internal))
    ]


def macro_gap(
    internal: Values,
    internal_resamples: Values,
    external: Values,
    external_resamples: Values,
    eligible: npt.NDArray[np.bool_],
    *,
    level: float = LEVEL,
) -> Measure:
    """Gap of the mean over concepts, which must be the same ones on both sides.

    Parameters
    ----------
    eligible
        bool ``[concepts]``: those with enough positives and negatives in both cohorts.

    Raises
    ------
    UsageError
        As `external_gap`.
    """
    if not eligible.any():
        return Measure(math.nan, reason="no concept is eligible in both cohorts")
    sides = [values[..., eligible].mean(axis=-1, keepdims=True) for values in (internal, external)]
    drawn = [
        values[..., eligible].mean(axis=-1, keepdims=True)
        for values in (internal_resamples, external_resamples)
    ]
    return external_gap(sides[0], drawn[0], sides[1], drawn[1], level=level)[0]


def _why(internal: float, external: float) -> str:
    where = [name for name, value in (("internal", internal), ("external", external)) if math.isnan(value)]
    return f"undefined in the {' and the '.join(where)} cohort"
