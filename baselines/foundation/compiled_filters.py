"""The inner loops of the filters on a processor, compiled; they give scipy's values to the last digit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.metrics.compiled import compiled

Doubles = npt.NDArray[np.float64]


@compiled
def through_sections(x: Doubles, sections: Doubles, start: Doubles) -> Doubles:
    """Filter all rows together, one moment after the other, so that a processor takes several at a time.

    Parameters
    ----------
    x
        ``[samples, rows]``, C-contiguous.
    sections
        Second-order sections ``[sections, 6]``, in the direct form II transposed.
    start
        ``[sections, 2]``: what `scipy.signal.sosfilt_zi` gives; it is scaled by the first sample of each row.
    """
    samples, rows = x.shape
    count = len(sections)
    first, second = np.empty((count, rows)), np.empty((count, rows))
    for section in range(count):
        for row in range(rows):
            first[section, row] = start[section, 0] * x[0, row]
            second[section, row] = start[section, 1] * x[0, row]
    filtered = x.copy()
    for moment in range(samples):
        y = filtered[moment]
        for section in range(count):
            b0, b1, b2 = sections[section, 0], sections[section, 1], sections[section, 2]
            a1, a2 = sections[section, 4], sections[section, 5]
            one, two = first[section], second[section]
            for row in range(rows):
                given = y[row]
                made = b0 * given + one[row]
                one[row] = b1 * given - a1 * made + two[row]
                two[row] = b2 * given - a2 * made
                y[row] = made
    return filtered


@compiled
def moving_medians(x: Doubles, order: npt.NDArray[np.int64], samples: int) -> Doubles:
    """Give the median of every run of so many samples, an odd number.

    A run moves by one sample, so its median moves by few of the ranks that samples have in the whole row.

    Parameters
    ----------
    x
        ``[rows, values]``
    order
        ``[rows, values]``: the positions of the values of each row, from the lowest to the highest.

    Returns
    -------
    ``[rows, values - samples + 1]``
    """
    rows, values = x.shape
    runs = values - samples + 1
    medians = np.empty((rows, runs))
    rank = np.empty(values, np.int64)
    inside = np.empty(values, np.bool_)
    for row in range(rows):
        for place in range(values):
            rank[order[row, place]] = place
        inside[:] = False
        for position in range(samples):
            inside[rank[position]] = True
        at, below = 0, 0  # a rank, and how many of the run rank lower
        for run in range(runs):
            if run:
                leaves, comes = rank[run - 1], rank[run - 1 + samples]
                inside[leaves], inside[comes] = False, True
                below += int(comes < at) - int(leaves < at)
            while below > samples // 2:
                at -= 1
                below -= int(inside[at])
            while below < samples // 2 or not inside[at]:
                below += int(inside[at])
                at += 1
            medians[row, run] = x[row, order[row, at]]
    return medians
