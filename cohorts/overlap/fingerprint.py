"""Fingerprints: enough of a recording to know it again, too little to see it or its patient.

Two recordings of one patient share the shape of the beats. What a copy alone shares is when each beat comes,
and how each beat differs from the one before: by noise and by breath. A fingerprint keeps nothing else. For
every two beats that follow each other it holds a *mark* of 10 bytes:

- when the first one is, and how long it is to the next, in tenths of a millisecond;
- 32 signs. The sum of all leads, which no exchange of leads changes, is band-passed, and the second beat is
  taken from the first. What a change of size or a shift in time of one of its waves explains is taken out,
  and so is a slope. What is left is set against 32 directions that are the same for everybody; the signs
  say on which side of each it lies.

Nothing is kept of a lead, of an amplitude or of the shape of a beat, nor an id, an age or a label. Of the
rhythm everything is kept: whoever has a fingerprint can tell atrial fibrillation from sinus rhythm, and
whoever has the recording itself can tell that it is in there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cohorts.overlap.same_recording import BORDER, Floats, band_pass, filled, summit, window
from cohorts.recording import Recording
from cohorts.resampling import resample
from cohorts.store import Store

SHORTEST = 6.0
"""Recordings of fewer seconds have no fingerprint: too few beats are left between their borders."""

BITS = 32
"""Signs of a mark."""

SEED = 0
"""Of the directions that the signs are taken against."""

TICK = 1e-4
"""Seconds of one unit of time in a mark."""

MARK = np.dtype([("start", "<u4"), ("interval", "<u2"), ("code", "<u4")])
"""One mark: when the first beat is, how long it is to the second, and the signs of their difference."""

Marks = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]

_RATE = 100  # Hz
_APART = 0.3  # s: nothing within this time of a beat is another one
_REGION = 1.5  # s: a beat moves at least `_LEAST` times as much as the strongest within this time
_LEAST = 0.15
_PIECE = np.arange(-25, 46)  # samples around a beat
_PARTS = [np.isin(_PIECE, np.arange(*ends)) for ends in ((-25, -8), (-8, 10), (10, 28), (28, 46))]
"""P wave, QRS complex, T wave, and what comes after it: in a fast rhythm the next beat."""
_LONGEST = 6.0  # s from one beat to the next
_PLANES = np.random.default_rng(SEED).normal(size=(len(_PIECE), BITS))


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The fingerprints of a cohort.

    Attributes
    ----------
    marks
        `MARK` ``[marks]``, record after record, each in the order of time.
    counts
        int64 ``[records]``, marks of each record; 0 where a recording is too short or has no beats.
    """

    marks: Marks
    counts: Counts

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def record(self) -> npt.NDArray[np.int64]:
        """Position of the record that each mark is of."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def bounds(self) -> npt.NDArray[np.int64]:
        """Where the marks of each record begin, and where the last ones end; ``[records + 1]``."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def usable(self) -> int:
        """How many records can be known again at all."""
        return int((self.counts > 0).sum())

    def anonymous(self) -> Self:
        """Give the same in an order that says nothing about the order in the cohort."""
        pieces = np.split(self.marks, self.bounds[1:-1]) if len(self) else []
        order = sorted(range(len(self)), key=lambda at: pieces[at].tobytes())
        return type(self)(
            np.concatenate([pieces[at] for at in order]) if order else self.marks, self.counts[order]
        )


def fingerprints_of(store: Store, progress: Callable[[int, int], None] | None = None) -> Fingerprints:
    """Take the fingerprints of a prepared cohort, in the order of its records; reads every signal once.

    Parameters
    ----------
    progress
        Called with (records read, records to read).
    """
    found = []
    for position in range(len(store)):
        found.append(marks_of(store.recording(position)))
        if progress is not None:
            progress(position + 1, len(store))
    counts = np.array([len(marks) for marks in found], np.int64)
    return Fingerprints(np.concatenate(found) if found else np.empty(0, MARK), counts)


def marks_of(recording: Recording) -> Marks:
    """Take the fingerprint of one recording of the standard leads, whose names need not be right.

    Returns
    -------
    `MARK` ``[marks]`` in the order of time; empty if it is shorter than `SHORTEST` or has no two beats.
    """
    if recording.signal.shape[1] < SHORTEST * recording.sampling_rate:
        return np.empty(0, MARK)
    with np.errstate(over="ignore", invalid="ignore"):  # of garbage, which has no beats
        summed = resample(filled(recording.signal).sum(axis=0), recording.sampling_rate, _RATE)
        return _marks(summed.astype(np.float64))


def _marks(summed: Floats) -> Marks:
    """Take the fingerprint of the sum of all leads."""
    from scipy.interpolate import CubicSpline  # which takes a second to import

    place, signal = _beats(summed), band_pass(summed, _RATE, 0.04)
    place = place[(place + _PIECE[0] >= 0) & (place + _PIECE[-1] <= len(signal) - 1)]
    if len(place) < 2 or not np.isfinite(signal).all():
        return np.empty(0, MARK)
    pieces = CubicSpline(np.arange(len(signal)), signal)(place[:, None] + _PIECE)
    time = place / _RATE + BORDER
    interval = np.diff(time)
    kept = interval <= _LONGEST
    marks = np.empty(int(kept.sum()), MARK)
    marks["start"] = np.rint(time[:-1][kept] / TICK)
    marks["interval"] = np.rint(interval[kept] / TICK)
    marks["code"] = _signs(pieces)[kept]
    return marks


def _beats(summed: Floats) -> Floats:
    """Find where a signal moves most, in samples and parts of one after its border."""
    from scipy.ndimage import maximum_filter1d

    signal = band_pass(summed, _RATE, 0.09)
    energy = np.convolve(np.gradient(signal) ** 2, window(0.15, _RATE), "same")
    peaks = energy == maximum_filter1d(energy, 2 * int(_APART * _RATE) + 1)
    peaks &= energy > _LEAST * maximum_filter1d(energy, 2 * int(_REGION * _RATE) + 1)
    peaks[[0, -1]] = False
    at = np.flatnonzero(peaks)
    # Between samples, so that it does not depend on where the samples happen to lie.
    return np.asarray(at + summit(energy[at - 1], energy[at], energy[at + 1]))


def _signs(pieces: Floats) -> npt.NDArray[np.uint32]:
    """Give the signs of what tells each piece from the next, beyond level, and size and time of each wave."""
    difference, mean = np.diff(pieces, axis=0), (pieces[1:] + pieces[:-1]) / 2
    shift = np.gradient(mean, axis=1)
    waves = [wave * part for part in _PARTS for wave in (mean, shift)]
    level = [np.ones_like(mean), np.broadcast_to(_PIECE, mean.shape)]
    basis = np.linalg.qr(np.stack([*level, *waves], axis=2))[0]
    left = difference - np.einsum("nij,nj->ni", basis, np.einsum("nij,ni->nj", basis, difference))
    signs = np.einsum("ni,ib->nb", left, _PLANES) > 0
    return np.asarray((signs * (np.uint64(1) << np.arange(BITS, dtype=np.uint64))).sum(axis=1), np.uint32)
