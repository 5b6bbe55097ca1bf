"""Thresholds chosen where the model was made, and what they do elsewhere.

A threshold is chosen on the validation fold of the source cohort and applied unchanged to any other.
A record is called positive where its score, as float64, is at or above the threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Floats, Groups, checked_groups, column, why_undefined
from benchmark.metrics.discrimination import by_score
from benchmark.metrics.estimates import Estimate, Result, estimate_of
from benchmark.metrics.intervals import LEVEL, estimate, wilson_interval
from benchmark.metrics.resampling import resampled_sums
from cohorts.errors import UsageError

TARGETS = (0.9, 0.95)
"""Sensitivities, and specificities, at which a threshold is chosen."""

COLUMNS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold, None with the reason where there is none by the rule."""

    value: float | None
    reason: str | None = None


class Calls(Result):
    """Counts of records called right and wrong, and the rates that follow.

    Attributes
    ----------
    tp, fp, fn, tn
        Annotated records: true and false positives, false and true negatives.
    sensitivity, specificity, ppv, npv, f1
        ``tp / (tp + fn)``, ``tn / (tn + fp)``, ``tp / (tp + fp)``, ``tn / (tn + fn)`` and
        ``2 tp / (2 tp + fp + fn)``.
    """

    tp: int
    fp: int
    fn: int
    tn: int
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    f1: Estimate


def choose_thresholds(
    labels: npt.ArrayLike, scores: npt.ArrayLike, name: str = "this column"
) -> dict[str, Threshold]:
    """Choose the usual thresholds of one concept, on the validation fold of the source cohort.

    Parameters
    ----------
    labels, scores
        ``[records]`` each, as for `discrimination.auroc`.
    name
        What an error calls the column.

    Returns
    -------
    dict
        ``"youden"``: the largest sensitivity + specificity - 1 (Youden, Cancer 3:32, 1950).
        ``"sensitivity 90 %"``: the most specific one that is at least so sensitive.
        ``"specificity 90 %"``: the most sensitive one that is at least so specific; likewise for 95 %.
        Among equals the higher one. A threshold lies half-way between two scores of the fold, so that
        rounding on another device does not move a record across it.

    Raises
    ------
    UsageError, ModelError
        As `checks.column`.
    """
    found = column(labels, scores, name)
    distinct, positives, negatives = by_score(found)
    m, n = int(positives.sum()), int(negatives.sum())
    if why := why_undefined(m, n):
        return {rule: Threshold(None, why) for rule in _rules()}
    tp, fp = np.cumsum(positives), np.cumsum(negatives)
    chosen = [int(np.argmax(tp * n - fp * m))]  # in integers, so that equals are equal
    chosen += [int(np.argmax(tp / m >= target)) for target in TARGETS]
    chosen += [int(np.count_nonzero((n - fp) / n >= target)) - 1 for target in TARGETS]  # it only falls
    thresholds = _half_way(distinct)
    none = Threshold(None, "even the highest score alone is less specific")
    return {
        rule: Threshold(float(thresholds[at])) if at >= 0 else none
        for rule, at in zip(_rules(), chosen, strict=True)
    }


def measure_calls(
    labels: npt.NDArray[np.int8],
    calls: npt.NDArray[np.bool_],
    groups: Groups | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
) -> list[Calls]:
    """Sensitivity, specificity, predictive values and F1 of calls, with intervals.

    Parameters
    ----------
    labels
        ``[records, columns]``: 1 positive, 0 negative, -1 not annotated (left out).
    calls
        bool ``[records, columns]``: called positive.
    groups, resamples, seed
        As for `bootstrap.bootstrap`; every record by itself without groups.

    Returns
    -------
    list of Calls
        One for each column. Proportions of independent records have Wilson intervals (JASA 22:209, 1927),
        which hold near 0 and 1 too (Brown, Cai and DasGupta, Statistical Science 16:101, 2001). F1, which
        is no proportion, and all of them where a patient has several records, have bootstrap intervals.

    Raises
    ------
    UsageError
        If shapes, labels or groups are not as described.
    """
    if labels.ndim != 2 or calls.shape != labels.shape or calls.dtype != np.bool_:
        raise UsageError(
            f"The labels {labels.shape} and calls {calls.shape} must be tables of one shape, the calls bool."
        )
    if not np.isin(labels, (-1, 0, 1)).all():
        raise UsageError("The labels have values other than 1, 0 and -1; use -1 for not annotated.")
    groups = checked_groups(groups, len(labels))
    alone = int(groups.max(initial=-1)) + 1 == len(groups)
    found = []
    for first in range(0, labels.shape[1], COLUMNS_AT_ONCE):
        truth, called = (table[:, first : first + COLUMNS_AT_ONCE] for table in (labels, calls))
        kinds = [(truth == 1) & called, (truth == 0) & called, (truth == 1) & ~called, (truth == 0) & ~called]
        drawn = resampled_sums(np.concatenate(kinds, axis=1), groups, resamples=resamples, seed=seed)
        drawn = drawn.reshape(resamples, 4, truth.shape[1])
        for k in range(truth.shape[1]):
            counts = [int(np.count_nonzero(kind[:, k])) for kind in kinds]
            found.append(_calls(counts, drawn[:, :, k], alone, level))
    return found


def at_threshold(scores: npt.ArrayLike, threshold: float | None) -> npt.NDArray[np.bool_]:
    """Call records positive: bool of the shape of the scores, compared as float64.

    Raises
    ------
    UsageError
        If the threshold is None: where none could be chosen, none can be applied.
    """
    if threshold is None:
        raise UsageError("There is no threshold to apply; leave out the rules that have none.")
    called: npt.NDArray[np.bool_] = np.asarray(scores, np.float64) >= threshold
    return called


def _rules() -> list[str]:
    kinds = [f"{kind} {100 * target:g} %" for kind in ("sensitivity", "specificity") for target in TARGETS]
    return ["youden", *kinds]


def _half_way(distinct: Floats) -> Floats:
    """Thresholds between each score and the next lower one; the lowest score has nothing below it."""
    middle = distinct[:-1] / 2 + distinct[1:] / 2
    thresholds = distinct.copy()
    thresholds[:-1] = np.where(middle > distinct[1:], middle, distinct[:-1])
    return thresholds


def _calls(counts: list[int], drawn: Floats, alone: bool, level: float) -> Calls:
    tp, fp, fn, tn = counts
    some = drawn[:, 0], drawn[:, 1], drawn[:, 2], drawn[:, 3]

    def proportion(hits: int, misses: int, why: str) -> Estimate:
        of = (counts[hits], counts[hits] + counts[misses])
        if alone and of[1]:
            return estimate_of(of[0] / of[1], *wilson_interval(*of, level))
        return estimate(_ratio(*of), _ratios(some[hits], some[hits] + some[misses]), why=why, level=level)

    f1 = estimate(
        _ratio(2 * tp, 2 * tp + fp + fn),
        _ratios(2 * some[0], 2 * some[0] + some[1] + some[2]),
        why="no positive record and none called positive",
        level=level,
    )
    return Calls(
        tp=tp,
        fp=fp,
        fn=fn,
        tn=tn,
        sensitivity=proportion(0, 2, "no positive record"),
        specificity=proportion(3, 1, "no negative record"),
        ppv=proportion(0, 1, "no record called positive"),
        npv=proportion(3, 2, "no record called negative"),
        f1=f1,
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _ratios(part: Floats, whole: Floats) -> Floats:
    ratios: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratios
