"""Calibration of a cell whose model claims that its scores are probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.calibration import BINS, brier_parts, calibration_error
from benchmark.metrics.checks import ROUNDING, Groups, outside_unit, without_rounding
from benchmark.metrics.estimates import Estimate, Result
from benchmark.metrics.intervals import estimate
from benchmark.metrics.recalibration import recalibration
from benchmark.metrics.resampling import resampled_sums
from cohorts.counts import plural


class Brier(Result):
    """Brier score and its parts over ten bins of equal width (`calibration.brier_parts`)."""

    score: Estimate
    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float


class ConceptCalibration(Result):
    """Calibration of one concept.

    Attributes
    ----------
    mean_probability
        Against the prevalence: calibration in the large.
    slope
        1 is right; below 1 the probabilities are too extreme.
    intercept
        With the slope fixed at 1: below 0 the probabilities are too high.
    ece_equal_width, ece_equal_mass
        Expected calibration error over ten bins; above 0 by chance alone.
    clipped
        Records whose probability is 0 or 1, or nearly, and was moved for slope and intercept.
    """

    brier: Brier
    mean_probability: float
    slope: Estimate
    intercept: Estimate
    ece_equal_width: float
    ece_equal_mass: float
    clipped: int


class Calibration(Result):
    """Calibration of a cell, over its eligible concepts.

    Attributes
    ----------
    brier, ece_equal_width, ece_equal_mass
        Means over the concepts.
    slope, intercept
        Medians over the concepts that have them, since one concept can be far out.
    bins
        Of the errors and of the parts of the Brier score.
    """

    brier: Estimate
    ece_equal_width: float
    ece_equal_mass: float
    slope: float | None
    intercept: float | None
    bins: int
    concepts: dict[str, ConceptCalibration]


def calibration(
    labels: pd.DataFrame, probabilities: pd.DataFrame, groups: Groups, *, resamples: int, seed: int
) -> Calibration | str:
    """Measure the calibration of every concept.

    Parameters
    ----------
    labels, probabilities
        ``[records, concepts]``, of the same records and concepts, which all have both classes.

    Returns
    -------
    Calibration or str
        Why there is none: no concept, or scores that are no probabilities.
    """
    if not len(labels.columns):
        return "no concept is eligible"
    values = without_rounding(probabilities.to_numpy(np.float64))
    outside = int(np.count_nonzero(outside_unit(values)))
    if outside:
        return f"{outside} scores are outside 0 to 1, though the model claims probabilities"
    truth = labels.to_numpy(np.int8)
    scores, macro = _brier_scores(truth, values, groups, resamples, seed)
    found = {
        str(name): _concept(truth[:, at], values[:, at], groups, scores[at], str(name))
        for at, name in enumerate(labels.columns)
    }
    slopes = [c.slope.value for c in found.values() if c.slope.value is not None]
    intercepts = [c.intercept.value for c in found.values() if c.intercept.value is not None]
    return Calibration(
        brier=macro,
        ece_equal_width=fmean(c.ece_equal_width for c in found.values()),
        ece_equal_mass=fmean(c.ece_equal_mass for c in found.values()),
        slope=median(slopes) if slopes else None,
        intercept=median(intercepts) if intercepts else None,
        bins=BINS,
        concepts=found,
    )


def rounding_notes(fits: Sequence[pd.DataFrame]) -> tuple[str, ...]:
    """Say how many scores of a model that claims probabilities are outside 0 to 1 by rounding, if any are.

    Parameters
    ----------
    fits
        Scores ``[records, concepts]`` of each fit.
    """
    moved = 0
    for scores in fits:
        values = scores.to_numpy(np.float64)
        moved += int(np.count_nonzero(outside_unit(values) & ~outside_unit(without_rounding(values))))
    if not moved:
        return ()
    which = plural(moved, "score is", "scores are")
    return (
        f"{which} outside 0 to 1, by {ROUNDING:g} or less: taken as 0 or 1 where calibration is measured.",
    )


def _concept(
    truth: npt.NDArray[np.int8], values: npt.NDArray[np.float64], groups: Groups, score: Estimate, name: str
) -> ConceptCalibration:
    parts = brier_parts(truth, values, name=name)
    moved = recalibration(truth, values, groups, name=name)
    return ConceptCalibration(
        brier=Brier(
            score=score,
            reliability=parts.reliability,
            resolution=parts.resolution,
            uncertainty=parts.uncertainty,
            within_variance=parts.within_variance,
            within_covariance=parts.within_covariance,
        ),
        mean_probability=float(values[truth >= 0].mean()),
        slope=moved.slope,
        intercept=moved.intercept,
        ece_equal_width=calibration_error(truth, values, name=name),
        ece_equal_mass=calibration_error(truth, values, binning="equal mass", name=name),
        clipped=moved.clipped,
    )


def _brier_scores(
    truth: npt.NDArray[np.int8],
    values: npt.NDArray[np.float64],
    groups: Groups,
    resamples: int,
    seed: int,
) -> tuple[Sequence[Estimate], Estimate]:
    """Brier score of each concept and their mean, from one set of draws (`calibration.brier` draws anew)."""
    annotated = truth >= 0
    errors = np.where(annotated, (values - truth) ** 2, 0.0)
    full = errors.sum(axis=0) / annotated.sum(axis=0)
    table = np.concatenate([errors, annotated], axis=1)
    sums, counts = np.split(resampled_sums(table, groups, resamples=resamples, seed=seed), 2, axis=1)
    drawn = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    each = [estimate(float(full[at]), drawn[:, at]) for at in range(truth.shape[1])]
    return each, estimate(float(full.mean()), drawn.mean(axis=1))
