"""Brier score and its parts, and the expected calibration error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Column, Floats, Groups, checked_groups, probability_column
from benchmark.metrics.estimates import Estimate
from benchmark.metrics.intervals import LEVEL, estimate
from benchmark.metrics.resampling import resampled_sums
from cohorts.errors import UsageError

BINS = 10

Binning = Literal["equal width", "equal mass"]


@dataclass(frozen=True, slots=True)
class BrierParts:
    """``brier = reliability - resolution + uncertainty + within_variance - within_covariance``, exactly.

    Attributes
    ----------
    brier
        Mean squared difference of probability and outcome: 0 is best.
    reliability
        How far the bins' mean probabilities are from the frequencies there: 0 is best.
    resolution
        How far the frequencies in the bins are from the prevalence: more is better.
    uncertainty
        ``prevalence (1 - prevalence)``: the Brier score of always saying the prevalence.
    within_variance, within_covariance
        What the first three miss because probabilities differ within a bin.
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float


def brier(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    groups: Groups | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
    name: str = "this column",
) -> Estimate:
    """Brier score (Monthly Weather Review 78:1, 1950) with a bootstrap interval.

    Parameters
    ----------
    labels
        ``[records]``: 1 positive, 0 negative, -1 not annotated (left out).
    probabilities
        ``[records]``, in 0 to 1.
    groups, resamples, seed
        As for `bootstrap.bootstrap`; every record by itself without groups.
    name
        What an error calls the column.

    Raises
    ------
    UsageError, ModelError
        As `checks.probability_column`.
    """
    found = probability_column(labels, probabilities, name)
    errors = np.zeros((len(np.asarray(labels)), 2))
    errors[found.rows, 0] = (found.scores - found.positive) ** 2
    errors[found.rows, 1] = 1
    drawn = resampled_sums(errors, checked_groups(groups, len(errors)), resamples=resamples, seed=seed)
    resampled = np.divide(drawn[:, 0], drawn[:, 1], out=np.full(resamples, np.nan), where=drawn[:, 1] > 0)
    value = float(errors[:, 0].sum() / len(found.rows)) if len(found.rows) else math.nan
    return estimate(value, resampled, why="no annotated record", level=level)


def brier_parts(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    bins: int = BINS,
    binning: Binning = "equal width",
    name: str = "this column",
) -> BrierParts:
    """Take the Brier score apart (Stephenson, Coelho and Jolliffe, Weather and Forecasting 23:752, 2008).

    Parameters
    ----------
    labels, probabilities, name
        As for `brier`.
    bins, binning
        As for `calibration_error`.

    Returns
    -------
    BrierParts
        All NaN without an annotated record.

    Raises
    ------
    UsageError, ModelError
        As `checks.probability_column`; UsageError also without a bin.
    """
    found = probability_column(labels, probabilities, name)
    if not len(found.rows):
        return BrierParts(*[math.nan] * 6)
    p, outcome = found.scores, found.positive.astype(np.float64)
    of_bin, share, predicted, observed = _bin_means(found, bins, binning)
    prevalence = float(outcome.mean())
    spread = p - predicted[of_bin]
    return BrierParts(
        brier=float(np.mean((p - outcome) ** 2)),
        reliability=float(np.sum(share * (predicted - observed) ** 2)),
        resolution=float(np.sum(share * (observed - prevalence) ** 2)),
        uncertainty=prevalence * (1 - prevalence),
        within_variance=float(np.mean(spread**2)),
        within_covariance=2 * float(np.mean(spread * (outcome - observed[of_bin]))),
    )


def calibration_error(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    bins: int = BINS,
    binning: Binning = "equal width",
    name: str = "this column",
) -> float:
    """Expected calibration error: mean over records of |predicted - observed| of their bin.

    Parameters
    ----------
    labels, probabilities, name
        As for `brier`.
    bins, binning
        Number of bins from 0 to 1, each without its lower edge: of equal width, or of (nearly) the same
        number of records, where equal probabilities stay together.

    Returns
    -------
    float
        NaN without an annotated record. It depends on the bins and is above 0 by chance alone, more so
        with few records: it ranks nothing.

    Raises
    ------
    UsageError, ModelError
        As `checks.probability_column`; UsageError also without a bin.

    Notes
    -----
    Naeini, Cooper and Hauskrecht, AAAI 2015; bins of equal mass: Nguyen and O'Connor, EMNLP 2015.
    """
    found = probability_column(labels, probabilities, name)
    if not len(found.rows):
        return math.nan
    _, share, predicted, observed = _bin_means(found, bins, binning)
    return float(np.sum(share * np.abs(predicted - observed)))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Records with nearly the same probability: how many, how many of them positive, mean probability."""

    n: int
    positives: int
    predicted: float


def reliability_bins(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    bins: int = BINS,
    binning: Binning = "equal width",
    name: str = "this column",
) -> list[ReliabilityBin]:
    """Give the bins that `calibration_error` is the mean over, without empty ones; parameters as there."""
    found = probability_column(labels, probabilities, name)
    if not len(found.rows):
        return []
    of_bin, _, predicted, _ = _bin_means(found, bins, binning)
    sizes, positives = np.bincount(of_bin), np.bincount(of_bin[found.positive], minlength=len(predicted))
    return [
        ReliabilityBin(int(n), int(m), float(p)) for n, m, p in zip(sizes, positives, predicted, strict=True)
    ]


def _bin_means(
    found: Column, bins: int, binning: Binning
) -> tuple[npt.NDArray[np.int64], Floats, Floats, Floats]:
    """Bin of each record; share of the records, mean probability and frequency of each bin that has some."""
    if bins < 1:
        raise UsageError(f"{bins} bins hold no record; give at least 1.")
    inner = np.arange(1, bins) / bins
    edges = inner if binning == "equal width" else np.quantile(found.scores, inner)
    used, of_bin = np.unique(np.searchsorted(edges, found.scores), return_inverse=True)
    count = np.bincount(of_bin, minlength=len(used))
    predicted = np.bincount(of_bin, found.scores) / count
    observed = np.bincount(of_bin, found.positive) / count
    return of_bin, count / len(of_bin), predicted, observed
