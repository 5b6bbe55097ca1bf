"""AUROC and average precision without each patient in turn, from one sort of each column."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.metrics.bootstrap import rank
from benchmark.metrics.checks import Floats, Groups, checked_groups

Counts = npt.NDArray[np.int64]


def jackknife(
    labels: npt.NDArray[np.int8], scores: npt.NDArray[Any], groups: Groups | None = None
) -> tuple[Floats, Floats]:
    """Leave each patient out, with all of his or her records.

    Parameters
    ----------
    labels, scores, groups
        As for `bootstrap.bootstrap`; every record by itself without groups.

    Returns
    -------
    tuple of arrays
        AUROC and average precision, float64 ``[patients, concepts]``; NaN where no positive or no
        negative remains.

    Raises
    ------
    UsageError, ModelError
        As `bootstrap.bootstrap`.

    Notes
    -----
    Nothing is sorted again: a left-out record lowers counts at and below its own rank, which sums from
    there to the end answer. The time is O(n log n) for each column where patients have few records.
    """
    groups = checked_groups(groups, len(labels))
    ranking = rank(labels, scores)
    patients = int(groups.max(initial=-1)) + 1
    found = np.empty((2, patients, labels.shape[1]))
    for column, (start, end) in enumerate(pairwise(ranking.starts)):
        last, positive = ranking.last[start:end], ranking.positive[start:end]
        tie: Counts = np.cumsum(last) - last
        found[:, :, column] = _without_each(tie, positive, groups[ranking.order[start:end]], patients)
    return found[0], found[1]


def _without_each(tie: Counts, positive: npt.NDArray[np.bool_], patient: Groups, patients: int) -> Floats:
    """Both areas of one column, ``[2, patients]``.

    ``tie`` numbers the distinct scores from the best. Below, H and A count positives and negatives at or
    above a score; an entry is what one patient has at one score: a positives and b negatives.
    """
    ties = int(tie.max(initial=-1)) + 1
    p = np.bincount(tie[positive], minlength=ties)
    q = np.bincount(tie[~positive], minlength=ties)
    H, A = np.cumsum(p), np.cumsum(q)
    all_p, all_q = int(p.sum()), int(q.sum())

    keys, entry = np.unique(patient * max(ties, 1) + tie, return_inverse=True)
    who, at = np.divmod(keys, max(ties, 1))
    a = np.bincount(entry[positive], minlength=len(keys))
    b = np.bincount(entry[~positive], minlength=len(keys))
    own_p = _per_patient(a, who, patients)
    own_q = _per_patient(b, who, patients)
    first = np.searchsorted(who, who)  # the patient's first entry
    gone_p = np.cumsum(a) - (np.cumsum(a) - a)[first]  # the patient's own at or above the entry's score
    gone_q = np.cumsum(b) - (np.cumsum(b) - b)[first]

    left_p, left_q = all_p - own_p, all_q - own_q
    defined = (left_p > 0) & (left_q > 0)
    wins = int(np.sum(p * (2 * (all_q - A) + q)))  # twice the pairs in the right order, ties counting one
    lost = a * (2 * (all_q - A[at]) + q[at]) + b * (2 * (H[at] - p[at]) + p[at])
    both = a * (2 * (own_q[who] - gone_q) + b)  # pairs within the patient were taken off twice
    kept = wins - _per_patient(lost - both, who, patients)
    auroc = np.where(defined, kept / np.maximum(2 * left_p * left_q, 1), np.nan)

    next_at = np.append(at[1:], ties)[: len(at)]
    until = np.where(np.append(who[1:] == who[:-1], False)[: len(at)], next_at, ties)
    steps = _precision_sums(p, H, A, a, at, until, gone_p, gone_q)
    untouched = np.append(0.0, np.cumsum(p * H / np.maximum(H + A, 1)))
    start = np.full(patients, ties)
    start[who[::-1]] = at[::-1]
    area = untouched[start] + np.bincount(who, steps, minlength=patients)
    return np.stack([auroc, np.where(defined, area / np.maximum(left_p, 1), np.nan)])


def _precision_sums(
    p: Counts, H: Counts, A: Counts, a: Counts, at: Counts, until: Counts, gone_p: Counts, gone_q: Counts
) -> Floats:
    """For each entry, the sum of positives x precision from its score to the patient's next one.

    There the patient's records above are gone from H and A. Entries with the same number gone share
    one running sum over the scores.
    """
    sums = np.zeros(len(at))
    width = int(gone_q.max(initial=0)) + 1
    kinds, kind = np.unique(gone_p * width + gone_q, return_inverse=True)
    members = np.argsort(kind, kind="stable")
    bounds = np.append(0, np.cumsum(np.bincount(kind, minlength=len(kinds))))
    for code, (begin, end) in zip(kinds, pairwise(bounds), strict=True):
        i = members[begin:end]
        less_p, less_q = divmod(int(code), width)
        precision = np.maximum(H - less_p, 0) / np.maximum(H + A - less_p - less_q, 1)
        running = np.append(0.0, np.cumsum(p * precision))
        sums[i] = running[until[i]] - running[at[i]] - a[i] * precision[at[i]]
    return sums


def _per_patient(values: Counts, who: Counts, patients: int) -> Counts:
    totals = np.zeros(patients, np.int64)
    np.add.at(totals, who, values)
    return totals
