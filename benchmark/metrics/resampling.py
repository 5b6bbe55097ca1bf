"""Patients drawn with replacement: the resamples that all metrics, concepts and models of a cohort share.

They depend on the seed, the number of the resample and the grouping of the records alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.checks import Floats, Groups, checked_groups

CHUNK_BYTES = 1 << 29
"""Counts held in memory at the same time, over all threads."""

MOST_RESAMPLES = 1024
"""Resamples drawn at a time where nothing else bounds them."""


def drawn_counts(
    groups: Groups, resamples: int, seed: int, chunk: int | None = None
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Yield how often each record is drawn in each resample, so that memory does not grow with resamples.

    Parameters
    ----------
    groups, resamples, seed
        As for `bootstrap.bootstrap`, which draws the same.
    chunk
        Resamples at a time; what `CHUNK_BYTES` allows with eight bytes for each count if not given.

    Yields
    ------
    tuple
        Number of the first resample of the part, and uint8 ``[records, resamples of the part]``.
    """
    from benchmark.metrics.kernel import draw_counts

    if chunk is None:
        chunk = max(16, min(MOST_RESAMPLES, CHUNK_BYTES // (9 * max(1, len(groups)))))
    number_of_groups = int(groups.max(initial=-1)) + 1
    for first in range(0, resamples, chunk):
        counts = np.empty((len(groups), min(chunk, resamples - first)), np.uint8)
        draw_counts(groups, number_of_groups, np.uint64(seed), first, counts)
        yield first, counts


def resampled_sums(values: npt.NDArray[Any], groups: Groups, *, resamples: int, seed: int) -> Floats:
    """Sum columns over the records of each resample: all that a count, a mean or a ratio of sums needs.

    Parameters
    ----------
    values
        ``[records, columns]``, numbers.
    groups, resamples, seed
        As for `bootstrap.bootstrap`: row r is the same resample.

    Returns
    -------
    array
        float64 ``[resamples, columns]``, exact for integers.
    """
    groups = checked_groups(groups, len(values))
    totals = np.zeros((int(groups.max(initial=-1)) + 1, values.shape[1]))
    np.add.at(totals, groups, values)
    sums = np.zeros((resamples, values.shape[1]))
    for first, counts in drawn_counts(np.arange(len(totals)), resamples, seed):
        sums[first : first + counts.shape[1]] = counts.T.astype(np.float64) @ totals
    return sums


def group_records(patients: pd.Series[Any]) -> Groups:
    """Give patients the numbers 0, 1, ... by first appearance, so that their names do not matter.

    Parameters
    ----------
    patients
        Patient id of each record. A record with a missing or blank one is a group of its own.

    Returns
    -------
    array
        int64 ``[records]``.
    """
    codes, ids = pd.factorize(patients)
    unknown = missing_ids(patients)
    codes[unknown] = len(ids) + np.arange(np.count_nonzero(unknown))
    return pd.factorize(codes)[0].astype(np.int64)


def missing_ids(patients: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """Tell which records have no patient id, or a blank one: bool ``[records]``."""
    text = patients.astype("string").str.strip().fillna("")
    return (text == "").to_numpy(dtype=np.bool_)
