"""Which fingerprints of two cohorts are of the same recordings.

A mark agrees with another if their intervals differ by `INTERVAL` at most and their signs in `SIGNS` places
at most. By chance one in some hundreds does, so a pair of records is a pair of copies only if several marks
agree that also lie equally far apart in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cohorts.overlap.fingerprint import BITS, TICK, Fingerprints, Marks
from cohorts.overlap.same_recording import compare
from cohorts.recording import Recording, select_leads
from cohorts.store import Store

INTERVAL = 0.006
"""Greatest difference of two intervals between the same beats, in seconds."""

SIGNS = 8
"""Greatest number of signs, of 32, in which two marks of the same beats differ."""

CANDIDATE = 2
"""Least number of agreeing marks of a pair that is given at all."""

CANDIDATE_DIFFERING = 0.06
"""Greatest share of the signs in which such a pair differs, for each agreeing mark."""

MOST_CANDIDATE_DIFFERING = 0.2
"""The same however many marks agree."""

COPY = 4
"""Least number of agreeing marks of a pair that counts as found without a look at the signals."""

COPY_SHARE = 0.7
"""Least share of the marks of such a pair that agree, in the time that both recordings cover."""

COPY_DIFFERING = 0.025
"""Greatest share of the signs in which such a pair differs, for each agreeing mark."""

MOST_COPY_DIFFERING = 0.15
"""The same however many marks agree."""

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The leads that an electrocardiograph records; it derives the others."""

_LAG = round(0.012 / TICK)  # by which two marks of the same beats may lie apart
_PAIRS_AT_ONCE = 1 << 22


class Pair(NamedTuple):
    """Two records that may be the same.

    Attributes
    ----------
    a, b
        Their positions.
    time_a, time_b
        The same moment in both, in seconds from the start of each.
    agreeing
        How many marks agree.
    common
        How many marks each has, the one with fewer, in the time that both cover.
    differing
        Share of the signs in which the marks of the same moments differ.
    """

    a: int
    b: int
    time_a: float
    time_b: float
    agreeing: int
    common: int
    differing: float

    @property
    def sure(self) -> bool:
        """Whether this is enough without a look at the signals."""
        enough = self.agreeing >= max(COPY, COPY_SHARE * self.common)
        return enough and self.differing <= min(MOST_COPY_DIFFERING, COPY_DIFFERING * self.agreeing)

    @property
    def possible(self) -> bool:
        """Whether this is enough to compare the signals."""
        most = min(MOST_CANDIDATE_DIFFERING, CANDIDATE_DIFFERING * self.agreeing)
        return self.agreeing >= CANDIDATE and self.differing <= most


def find_pairs(a: Fingerprints, b: Fingerprints) -> list[Pair]:
    """Find the pairs of records that may be the same, in the order of ``a``; see `CANDIDATE`.

    Time grows with the product of the two sizes: some million pairs of records a second.
    """
    order = np.argsort(b.marks["interval"], kind="stable")
    record_b, marks_b = b.record[order], b.marks[order]
    record_a = a.record
    votes = [np.empty((0, 3), np.int64)]
    for left, right in _close(a.marks, marks_b):
        differing = np.bitwise_count(a.marks["code"][left] ^ marks_b["code"][right])
        left, right = left[differing <= SIGNS], right[differing <= SIGNS]
        lag = marks_b["start"][right].astype(np.int64) - a.marks["start"][left]
        votes.append(np.stack([record_a[left], record_b[right], lag], axis=1))
    pieces_a, pieces_b = a.bounds, b.bounds
    best: dict[tuple[int, int], Pair] = {}
    for one, other, lag in _often(np.concatenate(votes)):
        marks_of_a = a.marks[pieces_a[one] : pieces_a[one + 1]]
        pair = _pair(one, other, lag, marks_of_a, b.marks[pieces_b[other] : pieces_b[other + 1]])
        before = best.get((one, other))
        if pair.possible and (before is None or _rank(pair) > _rank(before)):
            best[one, other] = pair
    return [best[key] for key in sorted(best)]


def confirmed(pairs: Iterable[Pair], a: Store, b: Store) -> list[Pair]:
    """Keep the pairs that are sure, and those whose signals are the same lead by lead.

    A filter that turns the phases of slow waves makes other signals, but hardly other fingerprints, so that
    either will do. Signals are compared by `cohorts.overlap.same_recording`: all leads, whatever they are
    called; or the eight that the others can be derived from, by their names: in some releases the limb leads
    do not go together, and derived ones are not those that were recorded.
    """
    return [
        pair for pair in pairs if pair.sure or _same_signals(pair, a.recording(pair.a), b.recording(pair.b))
    ]


def _same_signals(pair: Pair, one: Recording, other: Recording) -> bool:
    leads = ((one, other), (_independent(one), _independent(other)))
    return any(compare(x, y, pair.time_a, pair.time_b) is not None for x, y in leads)


def _independent(recording: Recording) -> Recording:
    return select_leads(recording, INDEPENDENT)


def _rank(pair: Pair) -> tuple[int, float]:
    return pair.agreeing, -pair.differing


def _close(a: Marks, b: Marks) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield pairs of marks with intervals of about the same length; those of ``b`` are sorted by theirs."""
    reach = round(INTERVAL / TICK)
    intervals = b["interval"].astype(np.int64)
    first = np.searchsorted(intervals, a["interval"].astype(np.int64) - reach)
    counts = np.searchsorted(intervals, a["interval"].astype(np.int64) + reach, "right") - first
    block = np.cumsum(counts) // _PAIRS_AT_ONCE
    for number in np.unique(block):
        rows = np.flatnonzero(block == number)
        times = counts[rows]
        within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        yield np.repeat(rows, times), np.repeat(first[rows], times) + within


def _often(votes: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yield the pairs of records that `CANDIDATE` votes in a row give nearly the same lag, and that lag."""
    votes = votes[np.lexsort((votes[:, 2], votes[:, 1], votes[:, 0]))]
    ahead = votes[CANDIDATE - 1 :]
    behind = votes[: len(ahead)]
    alike = (ahead[:, :2] == behind[:, :2]).all(axis=1) & (ahead[:, 2] - behind[:, 2] <= _LAG)
    for (one, other, lag), (_, _, last) in zip(behind[alike].tolist(), ahead[alike].tolist(), strict=True):
        yield one, other, (lag + last) // 2


def _pair(one: int, other: int, lag: int, a: Marks, b: Marks) -> Pair:
    """Lay two fingerprints upon each other, and count which marks of the same moments agree."""
    there = a["start"].astype(np.int64) + lag
    starts = b["start"].astype(np.int64)
    right = np.searchsorted(starts, there).clip(1, max(1, len(starts) - 1))
    nearest = np.where(
        np.abs(starts[right - 1] - there) <= np.abs(starts[right.clip(max=len(starts) - 1)] - there),
        right - 1,
        right.clip(max=len(starts) - 1),
    )
    apart = np.abs(a["interval"].astype(np.int64) - b["interval"][nearest])
    same = (np.abs(starts[nearest] - there) <= _LAG) & (apart <= round(INTERVAL / TICK))
    differing = np.bitwise_count(a["code"][same] ^ b["code"][nearest[same]])
    agreeing = np.flatnonzero(same)[differing <= SIGNS]
    middle = agreeing[len(agreeing) // 2] if len(agreeing) else 0
    return Pair(
        one,
        other,
        float(a["start"][middle]) * TICK,
        float(b["start"][nearest[middle]]) * TICK,
        len(agreeing),
        min(_covered(there, starts), _covered(starts, there)),
        float(differing.mean()) / BITS if len(differing) else 1.0,
    )


def _covered(times: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> int:
    """Count the marks in the time that others cover."""
    return int(((times >= others.min() - _LAG) & (times <= others.max() + _LAG)).sum())
