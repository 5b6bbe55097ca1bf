"""The compiled part of the bootstrap. Importing this module imports numba."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from benchmark.metrics.compiled import compiled
from benchmark.metrics.prefetch import LINE, fetch

AHEAD = 12
"""Rows of counts that are on their way while one is added: they lie scattered over hundreds of MiB."""

config: Any = numba.config
THREADS = int(config.NUMBA_NUM_THREADS)
"""The processors, or fewer if ``NUMBA_NUM_THREADS`` says so."""


@compiled
def split_mix(state: Any) -> Any:
    """Scramble 64 bits: the output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@compiled
def draw_counts(groups: Any, number_of_groups: int, seed: Any, first: int, counts: Any) -> None:
    """Fill ``counts`` with how often each record is drawn in resamples ``first``, ``first + 1``, ...

    Resample r draws as many groups as there are, with replacement, from its own SplitMix64 stream,
    which starts at ``split_mix(split_mix(seed + G) + r)`` with G the golden gamma. It depends on the
    seed, on r and on the groups alone, so it is the same for every model, concept, chunk and thread.

    Parameters
    ----------
    groups
        int64 ``[records]``: which group a record belongs to, from 0.
    number_of_groups
        How many there are.
    seed
        uint64.
    first
        Number of the first resample.
    counts
        uint8 ``[records, resamples]``. A count above 255 would need one group drawn 256 times, which
        for N draws out of N has a chance below N / 256! < 1e-490.
    """
    gamma = np.uint64(0x9E3779B97F4A7C15)
    start = split_mix(seed + gamma)
    records, resamples = counts.shape
    tile = min(64, resamples)  # drawn before they are turned round: a cache line is then written whole
    drawn = np.empty((tile, number_of_groups), np.uint8)
    for left in range(0, resamples, tile):
        width = min(tile, resamples - left)
        for j in range(width):
            row = drawn[j]
            row[:] = 0
            state = split_mix(start + np.uint64(first + left + j))
            for _ in range(number_of_groups):
                state += gamma
                uniform = np.float64(split_mix(state) >> np.uint64(11)) * 2.0**-53
                row[np.int64(uniform * number_of_groups)] += np.uint8(1)
        for i in range(records):
            group = groups[i]
            for j in range(width):
                counts[i, left + j] = drawn[j, group]


@compiled
def weigh_negatives(order: Any, positive: Any, odds: float, counts: Any, weight: Any) -> None:
    """Fill ``weight`` ``[resamples]`` with what a negative counts for ``odds`` of them a positive.

    A negative of a resample with P positives and N negatives then counts ``odds * P / N``; without odds
    (NaN), and without a negative, it counts 1.
    """
    weight[:] = 1.0
    if np.isnan(odds):
        return
    resamples = counts.shape[1]
    drawn = np.zeros((2, resamples), np.int64)
    for k in range(len(order)):
        row = counts[order[k]]
        kind = drawn[1] if positive[k] else drawn[0]
        for j in range(resamples):
            kind[j] += row[j]
    for j in range(resamples):
        if drawn[0, j]:
            weight[j] = odds * drawn[1, j] / drawn[0, j]


@compiled
def weighted_areas(
    order: Any, positive: Any, last: Any, starts: Any, odds: Any, counts: Any, auroc: Any, auprc: Any
) -> None:
    """AUROC and average precision of all columns in all resamples, walking each sorted column once.

    The inner loops run over resamples, side by side in memory, and so become vector instructions.
    Everything that decides an AUROC is an integer until the one division at the end.

    Parameters
    ----------
    order
        int32: the annotated records of one column after the other, each by falling score.
    positive, last
        bool, in the same order: positive records; last record of each group of tied scores.
    starts
        int64 ``[columns + 1]``: where each column starts in the three.
    odds
        float64 ``[columns]``: negatives for each positive at which the precision is taken; NaN as drawn.
    counts
        uint8 ``[records, resamples]``.
    auroc, auprc
        float64 ``[columns, resamples]``, written; NaN without a positive or a negative.
    """
    resamples = counts.shape[1]
    above = np.empty(resamples, np.int64)  # negatives so far
    hits = np.empty(resamples, np.int64)  # positives so far
    before = np.empty(resamples, np.int64)  # negatives above the tied scores
    tied = np.empty(resamples, np.int64)  # positives among the tied scores
    lost = np.empty(resamples, np.int64)  # twice the pairs in the wrong order, ties counting one
    area = np.empty(resamples, np.float64)
    weight = np.empty(resamples, np.float64)  # of a negative in the precision
    for column in range(len(starts) - 1):
        above[:] = 0
        hits[:] = 0
        lost[:] = 0
        area[:] = 0.0
        k, end = starts[column], starts[column + 1]
        weigh_negatives(order[k:end], positive[k:end], odds[column], counts, weight)
        fetched = k
        while k < end:
            while fetched < min(k + AHEAD, end):
                for j in range(0, resamples, LINE):
                    fetch(counts, order[fetched], j)
                fetched += 1
            if k + 4 <= end and last[k + 3] and not positive[k : k + 4].any():
                # Most records are negatives. Four at a time save three of four passes over the sums.
                one, two, three, four = order[k], order[k + 1], order[k + 2], order[k + 3]
                for j in range(resamples):
                    above[j] += np.int64(counts[one, j]) + counts[two, j] + counts[three, j] + counts[four, j]
                k += 4
                continue
            if last[k] and not positive[k]:
                row = counts[order[k]]
                for j in range(resamples):
                    above[j] += row[j]
                k += 1
                continue
            if last[k]:
                row = counts[order[k]]
                for j in range(resamples):
                    hits[j] += row[j]
                    lost[j] += 2 * row[j] * above[j]
                    area[j] += row[j] * hits[j] / max(hits[j] + weight[j] * above[j], 1.0)
                k += 1
                continue
            before[:] = above
            tied[:] = 0
            more = True
            while more:
                row = counts[order[k]]
                if positive[k]:
                    for j in range(resamples):
                        tied[j] += row[j]
                else:
                    for j in range(resamples):
                        above[j] += row[j]
                more = not last[k]
                k += 1
            for j in range(resamples):
                hits[j] += tied[j]
                lost[j] += tied[j] * (before[j] + above[j])
                area[j] += tied[j] * hits[j] / max(hits[j] + weight[j] * above[j], 1.0)
        for j in range(resamples):
            pairs = 2 * hits[j] * above[j]
            if pairs == 0:
                auroc[column, j] = np.nan
                auprc[column, j] = np.nan
            else:
                auroc[column, j] = (pairs - lost[j]) / pairs
                auprc[column, j] = area[j] / hits[j]
