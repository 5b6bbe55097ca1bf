"""A ROC and precision-recall curve in a few of its own points, and how far the others lie from them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Floats, column


@dataclass(frozen=True, slots=True)
class Thinned:
    """Some thresholds of one column of scores, from the highest down; the last calls every record.

    Attributes
    ----------
    thresholds
        A record is called at or above. Each is the shortest decimal that calls the same records as the score
        that it stands for.
    tp, fp
        Positives, and negatives, that are called there.
    positives, negatives
        All that are annotated.
    roc_error
        No point of the ROC curve is further from the straight lines between those given, from (0, 0) on.
    pr_error
        The same for precision, read above the same recall.
    """

    thresholds: tuple[float, ...]
    tp: tuple[int, ...]
    fp: tuple[int, ...]
    positives: int
    negatives: int
    roc_error: float
    pr_error: float


def thinned(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    most: int,
    *,
    close: float = 0.0,
    name: str = "this column",
) -> Thinned | None:
    """Choose the points of a curve that tell most of it; None without both classes.

    Parameters
    ----------
    labels, scores
        As for `benchmark.metrics.discrimination.auroc`.
    most
        Points at most, 2 or more.
    close
        No more are chosen once none of the curves is missed by more than this.

    Raises
    ------
    UsageError, ModelError
        As `checks.column`.

    Notes
    -----
    Points are added one by one where the lines miss the curve by most (Douglas and Peucker, Cartographica
    10:112, 1973, from the top down).
    """
    found = column(labels, scores, name)
    positives = int(np.count_nonzero(found.positive))
    negatives = len(found.positive) - positives
    if not positives or not negatives:
        return None
    order = np.argsort(-found.scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(found.scores[order])), len(order) - 1)
    values = found.scores[order][ends]
    hits = np.cumsum(found.positive[order])[ends]
    curve = _Curve(hits, ends + 1 - hits, positives, negatives)
    kept = curve.keep(most, close)
    lower = np.append(values[1:], -np.inf)
    return Thinned(
        tuple(_shortest(float(values[at]), float(lower[at])) for at in kept),
        tuple(int(hits[at]) for at in kept),
        tuple(int(ends[at] + 1 - hits[at]) for at in kept),
        positives,
        negatives,
        *curve.errors(kept),
    )


class _Curve:
    """All points of a curve; place -1 is that where nothing is called, which has no precision."""

    def __init__(self, tp: npt.NDArray[Any], fp: npt.NDArray[Any], positives: int, negatives: int) -> None:
        self.x: Floats = np.append(fp / negatives, 0.0)
        self.y: Floats = np.append(tp / positives, 0.0)
        self.precision: Floats = np.append(tp / (tp + fp), np.nan)
        self.last = len(tp) - 1

    def keep(self, most: int, close: float) -> list[int]:
        """Places of the points to be kept, rising; the first and the last are among them."""
        kept = {0, self.last}
        waiting = [self._worst(0, self.last)]
        while waiting and len(kept) < most:
            missed, at, first, last = heapq.heappop(waiting)
            if -missed <= close:
                break
            kept.add(at)
            heapq.heappush(waiting, self._worst(first, at))
            heapq.heappush(waiting, self._worst(at, last))
        return sorted(kept)

    def errors(self, kept: list[int]) -> tuple[float, float]:
        """How far ROC and precision are missed at most."""
        missed = [self._missed(*ends) for ends in zip([-1, *kept], kept, strict=False)]
        return max(float(roc.max(initial=0)) for roc, _ in missed), max(
            float(pr.max(initial=0)) for _, pr in missed
        )

    def _worst(self, first: int, last: int) -> tuple[float, int, int, int]:
        """What is missed most between two places, negative so that the heap gives the largest first."""
        both = np.maximum(*self._missed(first, last))
        if not len(both):
            return 0.0, first, first, last
        at = int(np.argmax(both))
        return -float(both[at]), first + 1 + at, first, last

    def _missed(self, first: int, last: int) -> tuple[Floats, Floats]:
        """Distance of the points between two places from the line between these, and of their precisions."""
        inside = slice(first + 1, last)
        x, y = self.x[inside] - self.x[first], self.y[inside] - self.y[first]
        across, up = self.x[last] - self.x[first], self.y[last] - self.y[first]
        roc = np.abs(across * y - up * x) / np.hypot(across, up)
        if first < 0:
            return roc, np.zeros(len(roc))
        if up == 0:  # the same recall, where precision only falls
            return roc, np.zeros(len(roc))
        line = self.precision[first] + y / up * (self.precision[last] - self.precision[first])
        return roc, np.abs(self.precision[inside] - line)


def _shortest(score: float, lower: float) -> float:
    """Find the shortest decimal above ``lower`` and not above ``score``: at or above it are the same records.

    Examples
    --------
    >>> _shortest(0.83712, 0.8351), _shortest(0.5000001, 0.4999), _shortest(-1.25, -float("inf"))
    (0.837, 0.5, -2.0)
    """
    for digits in range(1, 17):
        rounded = float(Context(prec=digits, rounding=ROUND_FLOOR).create_decimal(Decimal(score)))
        if lower < rounded <= score:
            return rounded
    return score
