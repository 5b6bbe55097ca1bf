"""ROC and precision-recall curves, with a band from resamples of the patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Floats, Groups
from benchmark.metrics.intervals import LEVEL
from benchmark.metrics.resampling import drawn_counts

CurveName = Literal["roc", "pr"]

GRID: Floats = np.linspace(0, 1, 101)
"""Fixed rates of false alarms, or recalls, at which a band is taken."""

ROUNDING = 1e-12
"""Rates that differ by less are the same: 0.1 + 0.2 reaches 0.3."""

CHUNK = 64
"""Resamples at a time: the counts of 100,000 records then take 50 MB."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve and its band.

    Attributes
    ----------
    x, y
        ROC: false positive rate and sensitivity at every distinct score, from (0, 0) to (1, 1). PR: recall
        and precision, without a point at recall 0, where no precision is defined.
    grid, low, high
        Ends of the band above fixed ``x``; NaN with fewer than two resamples.
    resamples, undefined
        How many were drawn, and how many of them have no positive or, of ROC, no negative.
    """

    x: Floats
    y: Floats
    grid: Floats
    low: Floats
    high: Floats
    resamples: int
    undefined: int


def curve(
    name: CurveName,
    labels: npt.NDArray[Any],
    scores: npt.NDArray[Any],
    groups: Groups,
    *,
    resamples: int,
    seed: int,
    level: float = LEVEL,
) -> Curve:
    """Draw a curve through all thresholds, and a vertical band: percentiles of ``y`` above fixed ``x``.

    Sensitivities are interpolated linearly between thresholds; the precision at a recall is that of the first
    threshold that reaches it, as the average precision takes it.

    Parameters
    ----------
    labels, scores
        ``[records]``; -1 is not annotated and left out, but drawn like any other.
    groups, resamples, seed
        As for `benchmark.metrics.bootstrap.bootstrap`: the resamples are the same draws.
    """
    known = np.flatnonzero(labels >= 0)
    order = known[np.argsort(-scores[known], kind="stable")]
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    positive = (labels[order] == 1)[:, None]
    x, y = _points(name, positive, ends, np.ones((len(order), 1), np.uint8))
    grid = GRID if name == "roc" else GRID[1:]
    heights = np.full((resamples, len(grid)), np.nan)
    for first, counts in drawn_counts(groups, resamples, seed, CHUNK):
        of_x, of_y = _points(name, positive, ends, counts[order])
        for at in range(counts.shape[1]):
            if np.isfinite(of_x[-1, at]):
                heights[first + at] = _above(name, of_x[:, at], of_y[:, at], grid)
    defined = heights[np.isfinite(heights[:, 0])]
    low = high = np.full(len(grid), np.nan)
    if len(defined) > 1:
        low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Curve(x[:, 0], y[:, 0], grid, low, high, resamples, resamples - len(defined))


def _points(
    name: CurveName,
    positive: npt.NDArray[np.bool_],
    ends: npt.NDArray[np.intp],
    counts: npt.NDArray[np.uint8],
) -> tuple[Floats, Floats]:
    """Points of the curves of several resamples, ``[thresholds, resamples]``; NaN where undefined."""
    hits = np.cumsum(counts * positive, axis=0, dtype=np.int64)[ends]
    alarms = np.cumsum(counts * ~positive, axis=0, dtype=np.int64)[ends]
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = hits / hits[-1]
        if name == "pr":
            return recall, hits / (hits + alarms)
        nothing = np.zeros((1, counts.shape[1]))
        rate, both = alarms / alarms[-1], np.isfinite(recall[-1])
        return (
            np.concatenate([nothing, np.where(both, rate, np.nan)]),
            np.concatenate([nothing, recall]),
        )


def _above(name: CurveName, x: Floats, y: Floats, grid: Floats) -> Floats:
    """Height of one curve above each ``x`` of a grid."""
    if name == "pr":
        return y[np.searchsorted(x, grid - ROUNDING)]
    left = np.searchsorted(x, grid + ROUNDING, side="right") - 1
    right = np.minimum(left + 1, len(x) - 1)
    width = x[right] - x[left]
    part = np.divide(grid - x[left], width, out=np.zeros(len(grid)), where=width > 0)
    heights: Floats = y[left] + part * (y[right] - y[left])
    return heights
