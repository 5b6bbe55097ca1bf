"""Bootstrap of AUROC and average precision: patients drawn with replacement, all concepts at once.

Each score column is sorted once; every resample is then a column of integer counts over the sorted
records. The resamples of a cohort depend on the seed, the number of the resample and the grouping of
its records alone: all concepts and all models see the same, so differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Groups = npt.NDArray[np.int64]

CHUNK_BYTES = 1 << 28
"""Counts held in memory at once, over all threads."""

CHUNK_RESAMPLES = 256
"""Resamples side by side: the kernel's accumulators stay in the first-level cache."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Values on the full data and in every resample; NaN where undefined.

    Attributes
    ----------
    auroc, auprc
        float64 ``[concepts]``: on the full data.
    auroc_resamples, auprc_resamples
        float64 ``[resamples, concepts]``.
    """

    auroc: Values
    auprc: Values
    auroc_resamples: Values
    auprc_resamples: Values


@dataclass(frozen=True, slots=True)
class Ranking:
    """Annotated records of each column by falling score, columns one after the other.

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
    chunk: int | None = None,
    threads: int | None = None,
) -> Bootstrap:
    """AUROC and average precision of every column, on the full data and in every resample.

    Parameters
    ----------
    labels
        int8 ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated (left out per concept).
    scores
        ``[records, concepts]``, finite.
    groups
        int64 ``[records]``: the patient of each record, from 0 (see `group_records`). As many patients
        as there are, are drawn with replacement, each with all of its records.
    resamples, seed
        How many resamples and from which seed (0 to 2**64 - 1).
    chunk
        Resamples counted at a time by one thread; it bounds memory and changes no value.
    threads
        At most this many; numba's own limit (``NUMBA_NUM_THREADS``, else the processors) by default.
        It changes no value.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a score is not finite.
    """
    from numba import config

    from benchmark.metrics.kernel import draw_counts, weighted_areas

    records, concepts = labels.shape
    if scores.shape != labels.shape or groups.shape != (records,):
        raise ValueError(f"labels {labels.shape}, scores {scores.shape} and groups {groups.shape} do not fit")
    threads = threads or int(config.NUMBA_NUM_THREADS)
    if chunk is None:
        fitting = CHUNK_BYTES // max(1, threads * records)
        chunk = max(16, min(CHUNK_RESAMPLES, fitting, -(-resamples // threads)))
    ranking = rank(labels, scores, threads=threads)
    number_of_groups = int(groups.max(initial=-1)) + 1
    found = np.empty((2, 1 + resamples, concepts))

    def areas(counts: npt.NDArray[np.uint8], rows: slice) -> None:
        auroc, auprc = np.empty((2, concepts, counts.shape[1]))
        weighted_areas(ranking.order, ranking.positive, ranking.last, ranking.starts, counts, auroc, auprc)
        found[0, rows], found[1, rows] = auroc.T, auprc.T

    def part(first: int) -> None:
        counts = np.empty((records, min(chunk, resamples - first)), np.uint8)
        draw_counts(groups, number_of_groups, np.uint64(seed), first, counts)
        areas(counts, slice(1 + first, 1 + first + counts.shape[1]))

    areas(np.ones((records, 1), np.uint8), slice(0, 1))
    _in_threads(part, range(0, resamples, chunk), threads)
    return Bootstrap(found[0, 0], found[1, 0], found[0, 1:], found[1, 1:])


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
    ValueError
        If a score is not finite.
    """
    annotated = np.count_nonzero(labels >= 0, axis=0)
    starts = np.concatenate([[0], np.cumsum(annotated)]).astype(np.int64)
    order = np.empty(starts[-1], np.int32)
    positive = np.empty(starts[-1], np.bool_)
    last = np.empty(starts[-1], np.bool_)

    def one(column: int) -> None:
        part = slice(starts[column], starts[column + 1])
        rows = np.flatnonzero(labels[:, column] >= 0)
        values = scores[rows, column]
        if not np.isfinite(values).all():
            raise ValueError(f"column {column} has scores that are not finite")
        falling = np.argsort(values)[::-1]
        values, rows = values[falling], rows[falling]
        order[part] = rows
        positive[part] = labels[rows, column] == 1
        last[part][:-1] = values[:-1] != values[1:]
        last[part][-1:] = True

    _in_threads(one, range(labels.shape[1]), threads)
    return Ranking(order, positive, last, starts)


def resample_counts(groups: Groups, resamples: int, seed: int) -> npt.NDArray[np.uint8]:
    """How often each record is drawn in each resample: uint8 ``[records, resamples]``.

    For small cohorts and comparisons: it holds everything in memory at once.
    """
    from benchmark.metrics.kernel import draw_counts

    counts = np.empty((len(groups), resamples), np.uint8)
    draw_counts(groups, int(groups.max(initial=-1)) + 1, np.uint64(seed), 0, counts)
    return counts


def percentile_interval(values: Values, level: float = 0.95) -> tuple[float, float] | None:
    """Percentile interval over the defined values (Efron and Tibshirani 1993, chapter 13).

    Quantiles are interpolated linearly between order statistics (numpy's default, Hyndman and Fan's
    type 7).

    Parameters
    ----------
    values
        ``[resamples]``, NaN where undefined.
    level
        Confidence level.

    Returns
    -------
    tuple or None
        ``(low, high)``, None with fewer than two defined values.
    """
    defined = values[~np.isnan(values)]
    if len(defined) < 2:
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail], method="linear")
    return float(low), float(high)


def _in_threads(function: Callable[[int], None], items: Iterable[int], threads: int) -> None:
    if threads == 1:
        for item in items:
            function(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(function, items):
            pass
