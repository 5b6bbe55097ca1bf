"""More about a table of probabilities: smooth calibration curves, and what a little local data repair."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.calibration import brier, calibration_error
from benchmark.metrics.calibration_curve import calibration_curve
from benchmark.metrics.cell.results import BootstrapSettings
from benchmark.metrics.cell.statistics import FEWER_RESAMPLES
from benchmark.metrics.checks import Groups
from benchmark.metrics.estimates import Estimate, Result, none_if_nan
from benchmark.metrics.logistic import clipped_logit
from benchmark.metrics.recalibration import fit_platt
from benchmark.metrics.resampling import group_records
from cohorts.counts import plural
from cohorts.errors import UsageError

POINTS = 25


class SmoothCurve(Result):
    """Frequency as a smooth function of probability (`metrics.calibration_curve`).

    Attributes
    ----------
    predicted, observed, low, high
        Points of the curve and its pointwise 95 % interval; empty with the reason where there is none.
    index
        Integrated calibration index: mean distance of curve and diagonal over the records.
    """

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    index: float | None
    reason: str | None


class Recalibrated(Result):
    """Calibration of one concept before and after a map fitted on a sample, both on the other records.

    Attributes
    ----------
    sample, sample_positives
        Annotated records that the map was fitted on, and the positive ones.
    n, positives
        Annotated records that were measured.
    slope, intercept
        Of the map, on the log odds of the probabilities (Platt 1999).
    brier_before, brier_after
        With intervals.
    ece_before, ece_after
        Over ten bins of equal mass.
    reason
        Why there is no map.
    """

    sample: int
    sample_positives: int
    n: int
    positives: int
    slope: float | None = None
    intercept: float | None = None
    brier_before: Estimate | None = None
    brier_after: Estimate | None = None
    ece_before: float | None = None
    ece_after: float | None = None
    reason: str | None = None


def smooth_curves(
    labels: pd.DataFrame, probabilities: pd.DataFrame, groups: Groups
) -> dict[str, SmoothCurve]:
    """Draw the calibration curve of every concept, ``[records, concepts]`` each."""
    found = {}
    for name in labels.columns:
        curve = calibration_curve(labels[name], probabilities[name], groups, points=POINTS, name=str(name))
        found[str(name)] = SmoothCurve(
            predicted=tuple(curve.predicted.tolist()),
            observed=tuple(curve.observed.tolist()),
            low=tuple(curve.low.tolist()),
            high=tuple(curve.high.tolist()),
            index=curve.index,
            reason=curve.reason,
        )
    return found


def check_sample(groups: Groups, patients: int) -> int:
    """Count the patients there are.

    Raises
    ------
    UsageError
        If they are not more than the ``patients`` that are to be drawn for a sample.
    """
    count = int(groups.max(initial=-1)) + 1
    if not 0 < patients < count:
        there = f"there {'is' if count == 1 else 'are'} {plural(count, 'patient')}"
        raise UsageError(f"--recalibrate {patients} leaves nothing to measure: {there}.")
    return count


def recalibrate(
    labels: pd.DataFrame,
    probabilities: pd.DataFrame,
    groups: Groups,
    patients: int,
    settings: BootstrapSettings,
) -> dict[str, Recalibrated]:
    """Fit a map on some patients of the hospital and measure all others before and after it.

    Parameters
    ----------
    labels, probabilities
        ``[records, concepts]``.
    groups
        Patient of each record, numbered from 0 without gaps.
    patients
        How many are drawn for the sample, without replacement, from the seed of the settings. None of their
        records is measured afterwards.

    Raises
    ------
    UsageError
        As `check_sample`.
    """
    count = check_sample(groups, patients)
    drawn = np.random.default_rng(settings.seed).choice(count, patients, replace=False)
    sampled = np.isin(groups, drawn)
    return {
        str(name): _recalibrated(
            labels[name].to_numpy(np.int8),
            probabilities[name].to_numpy(np.float64),
            groups,
            sampled,
            settings,
        )
        for name in labels.columns
    }


def _recalibrated(
    truth: npt.NDArray[np.int8],
    values: npt.NDArray[np.float64],
    groups: Groups,
    sampled: npt.NDArray[np.bool_],
    settings: BootstrapSettings,
) -> Recalibrated:
    rest, others = truth[~sampled], group_records(pd.Series(groups[~sampled]))
    counts = {
        "sample": int((truth[sampled] >= 0).sum()),
        "sample_positives": int((truth[sampled] == 1).sum()),
        "n": int((rest >= 0).sum()),
        "positives": int((rest == 1).sum()),
    }
    try:
        platt = fit_platt(truth[sampled], clipped_logit(values[sampled]), "the sample")
    except UsageError as error:
        return Recalibrated(**counts, reason=str(error))
    before, after = values[~sampled], platt.apply(clipped_logit(values[~sampled]))
    fewer = min(FEWER_RESAMPLES, settings.resamples)
    scores = [brier(rest, some, others, resamples=fewer, seed=settings.seed) for some in (before, after)]
    errors = [calibration_error(rest, some, binning="equal mass") for some in (before, after)]
    return Recalibrated(
        **counts,
        slope=platt.slope,
        intercept=platt.intercept,
        brier_before=scores[0],
        brier_after=scores[1],
        ece_before=none_if_nan(errors[0]),
        ece_after=none_if_nan(errors[1]),
    )
