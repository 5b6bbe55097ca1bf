"""Bootstrap of AUROC and average precision: patients drawn with replacement, all concepts at once.

Each score column is sorted once; every resample is then a column of integer counts over the sorted
records. The resamples of a cohort depend on the seed, the number of the resample and the grouping of
its records alone: all concepts and all models see the same, so differences are paired.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Groups as Groups
from benchmark.metrics.checks import check_finite, checked_groups
from benchmark.metrics.discrimination import odds_against
from benchmark.metrics.resampling import CHUNK_BYTES
from benchmark.metrics.resampling import group_records as group_records
from benchmark.metrics.resampling import missing_ids as missing_ids
from cohorts.errors import UsageError

Values = npt.NDArray[np.float64]

CHUNK_RESAMPLES = 256
"""Resamples side by side: few enough that the kernel's sums stay in the first-level cache."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Values on the full data and in every resample; NaN where undefined.

    Attributes
    ----------
    auroc, auprc
        float64 ``[concepts]``: on the full data.
    auroc_resamples, auprc_resamples
        float64 ``[resamples, concepts]``: row r of two models of one cohort is the same resample.
    """

    auroc: Values
    auprc: Values
    auroc_resamples: Values
    auprc_resamples: Values


@dataclass(frozen=True, slots=True)
class Ranking:
    """Annotated records of each column by falling score, one column after the other.

    Attributes
    ----------
    order
        int32: row of the record.
    positive
        bool: whether it is positive.
    last
        bool: whether it is the last of its group of tied scores.
    starts
        int64 ``[columns + 1]``: where each column starts.
    """

    order: npt.NDArray[np.int32]
    positive: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.int64]


def bootstrap(
    labels: npt.NDArray[np.int8],
    scores: npt.NDArray[Any],
    groups: Groups,
    *,
    resamples: int,
    seed: int,
    prevalence: npt.ArrayLike | None = None,
    chunk: int | None = None,
    threads: int | None = None,
    device: str = "cpu",
) -> Bootstrap:
    """AUROC and average precision of every column, on the full data and in every resample.

    Parameters
    ----------
    labels
        int8 ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated (left out per concept).
    scores
        ``[records, concepts]``, finite.
    groups
        int64 ``[records]``: the patient of each record, numbered from 0 (see `group_records`). As many
        patients as there are, are drawn with replacement, each with all of its records.
    resamples, seed
        How many resamples, and from which seed (0 to 2**64 - 1).
    prevalence
        ``[concepts]`` or one number: the average precision is as if this fraction were positive (see
        `discrimination.average_precision`), NaN for as drawn; as drawn everywhere if not given.
    chunk
        Resamples that one thread counts at a time. It bounds memory and changes no value.
    threads
        At most this many; the processors, or fewer by ``NUMBA_NUM_THREADS``, if not given. It changes
        no value.
    device
        As torch names it. On a CUDA one `device.bootstrap_on_device` computes the same; elsewhere, and where
        its memory does not suffice, the processors do.

    Raises
    ------
    UsageError
        If shapes do not fit, or labels, groups or prevalence are not as described.
    ModelError
        If a score is not finite.
    """
    if device.startswith("cuda"):
        from benchmark.metrics.device import OutOfMemoryError, bootstrap_on_device

        with contextlib.suppress(OutOfMemoryError):  # the processors need no memory of the device
            return bootstrap_on_device(
                labels, scores, groups, resamples=resamples, seed=seed, device=device, prevalence=prevalence
            )
    from benchmark.metrics.kernel import THREADS, draw_counts, weighted_areas

    records, concepts = labels.shape
    threads = threads or THREADS
    ranking, odds, groups = prepare(labels, scores, groups, prevalence, threads=threads)
    number_of_groups = int(groups.max(initial=-1)) + 1
    if chunk is None:
        affordable = CHUNK_BYTES // max(1, threads * records)
        chunk = max(16, min(CHUNK_RESAMPLES, affordable, -(-resamples // threads)))
    found = np.empty((2, 1 + resamples, concepts))

    def areas(counts: npt.NDArray[np.uint8], first: int) -> None:
        auroc, auprc = np.empty((2, concepts, counts.shape[1]))
        weighted_areas(
            ranking.order, ranking.positive, ranking.last, ranking.starts, odds, counts, auroc, auprc
        )
        rows = slice(first, first + counts.shape[1])
        found[0, rows], found[1, rows] = auroc.T, auprc.T

    def resample(first: int) -> None:
        counts = np.empty((records, min(chunk, resamples - first)), np.uint8)
        draw_counts(groups, number_of_groups, np.uint64(seed), first, counts)
        areas(counts, 1 + first)

    areas(np.ones((records, 1), np.uint8), 0)
    _in_threads(resample, range(0, resamples, chunk), threads)
    return Bootstrap(found[0, 0], found[1, 0], found[0, 1:], found[1, 1:])


def mean_bootstrap(fits: Sequence[Bootstrap]) -> Bootstrap:
    """Average several fits of one model on the same records, in the full data and in each resample.

    What is undefined is so by the labels alone, hence in all fits alike.
    """
    first, *others = fits
    if not others:
        return first
    names = ("auroc", "auprc", "auroc_resamples", "auprc_resamples")
    return Bootstrap(*(np.mean([getattr(fit, name) for fit in fits], axis=0) for name in names))


def prepare(
    labels: npt.NDArray[np.int8],
    scores: npt.NDArray[Any],
    groups: Groups,
    prevalence: npt.ArrayLike | None,
    *,
    threads: int = 1,
) -> tuple[Ranking, Values, Groups]:
    """Check what `bootstrap` is given, and do what has to be done once for all resamples.

    Returns
    -------
    tuple
        The sorted columns; for each of them the negatives for one positive at its reference prevalence, NaN
        for as drawn; the groups.

    Raises
    ------
    UsageError, ModelError
        As `bootstrap`.
    """
    if scores.shape != labels.shape:
        raise UsageError(f"The labels {labels.shape} and scores {scores.shape} do not fit.")
    groups = checked_groups(groups, len(labels))
    odds = _odds(prevalence, labels.shape[1])
    return rank(labels, scores, threads=threads), odds, groups


def rank(labels: npt.NDArray[np.int8], scores: npt.NDArray[Any], *, threads: int = 1) -> Ranking:
    """Sort every column once.

    Parameters
    ----------
    labels, scores
        As for `bootstrap`.
    threads
        Columns sorted at the same time.

    Raises
    ------
    UsageError
        If a label is none of 1, 0 and -1.
    ModelError
        If a score is not finite.
    """
    annotated = np.count_nonzero(labels >= 0, axis=0)
    starts = np.concatenate([[0], np.cumsum(annotated)]).astype(np.int64)
    order = np.empty(starts[-1], np.int32)
    positive = np.empty(starts[-1], np.bool_)
    last = np.empty(starts[-1], np.bool_)

    def sort(column: int) -> None:
        truth, values = labels[:, column], scores[:, column]
        if truth.min(initial=0) < -1 or truth.max(initial=0) > 1:
            raise UsageError(f"The labels of column {column} have values other than 1, 0 and -1.")
        check_finite(values, f"column {column}")
        rows = np.flatnonzero(truth >= 0)
        rows = rows[np.argsort(values[rows])[::-1]]
        values = values[rows]
        part = slice(starts[column], starts[column + 1])
        order[part] = rows
        positive[part] = truth[rows] == 1
        last[part] = np.append(values[:-1] != values[1:], True)[: len(rows)]

    _in_threads(sort, range(labels.shape[1]), threads)
    return Ranking(order, positive, last, starts)


def _odds(prevalence: npt.ArrayLike | None, concepts: int) -> Values:
    """Negatives for each positive at the reference prevalence of each column, NaN for as drawn."""
    wanted = np.full(concepts, np.nan if prevalence is None else prevalence, np.float64)
    return np.array([share if np.isnan(share) else odds_against(share) for share in wanted], np.float64)


def _in_threads(function: Callable[[int], None], items: Iterable[int], threads: int) -> None:
    """Call the function on each item; it must let go of the interpreter lock to gain from it."""
    if threads == 1:
        for item in items:
            function(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(function, items):
            pass
