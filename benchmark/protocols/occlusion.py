"""What did a model look at? Parts of a recording are erased one at a time, and the model is asked again.

Works for every model that can be asked, since nothing but scores is needed. Whether a map is right is tested
in `benchmark.protocols.map_test`.

Source: occlusion, Zeiler and Fergus, ECCV 2014, arXiv:1311.2901.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.protocols.harmonise import RecordingSource
from cohorts.recording import Floats, Recording

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SECONDS = 0.2
"""Length of a part: a QRS complex with its borders, or about a T wave."""

SHOWN_SECONDS = 10.0
"""As much of a recording has parts, as an ECG sheet shows; what follows is left as it is."""

Scores = Callable[[RecordingSource], Doubles]
"""Gives one score a recording."""


class Erased:
    """A recording and copies of it without some of its parts, as a source of recordings.

    Parameters
    ----------
    recording
        In mV.
    row
        Its row of the index, with ``record_id``, ``age`` and ``sex``.
    erased
        One mask ``[leads, parts]`` for each copy; True is erased.
    seconds
        Length of a part.
    """

    def __init__(
        self, recording: Recording, row: pd.DataFrame, erased: Sequence[Bools], seconds: float = SECONDS
    ) -> None:
        self._recording = recording
        self._erased = erased
        self._edges = edges_of(recording, seconds)
        self.index = pd.concat([row] * len(erased), ignore_index=True)
        self.labels = pd.DataFrame(index=self.index.index)

    def recording(self, position: int) -> Recording:
        """Give a copy: across each erased stretch runs a straight line between its neighbours."""
        signal = self._recording.signal.copy()
        for lead, mask in enumerate(self._erased[position]):
            for first, last in _stretches(mask):
                _bridge(signal[lead], self._edges[first], self._edges[last])
        return Recording(signal, self._recording.sampling_rate, self._recording.leads)


class Parts:
    """A recording in parts, and the score that it has without some of them.

    Parameters
    ----------
    scores
        Asks the model for its score of one concept.
    recording, row
        As for `Erased`.
    seconds
        Length of a part.

    Attributes
    ----------
    samples, rate
        Of the whole recording, and its sampling rate in Hz.
    shape
        Leads and parts of each.
    """

    def __init__(
        self, scores: Scores, recording: Recording, row: pd.DataFrame, seconds: float = SECONDS
    ) -> None:
        self.leads = recording.leads
        self.samples, self.rate = recording.signal.shape[1], recording.sampling_rate
        self.seconds = seconds
        self.shape = (len(recording.leads), len(edges_of(recording, seconds)) - 1)
        self._scores, self._recording, self._row = scores, recording, row

    def __len__(self) -> int:
        return self.shape[0] * self.shape[1]

    def without(self, masks: Bools) -> Doubles:
        """Give the score without the parts of each mask, bool ``[masks, parts of all leads]``."""
        erased = [mask.reshape(self.shape) for mask in masks]
        return self._scores(Erased(self._recording, self._row, erased, self.seconds))


def occluded(parts: Parts) -> Doubles:
    """Erase every part of every lead in turn.

    Returns
    -------
    float64 ``[leads, parts]``: the score minus that without the part; above 0 where it speaks for the
    concept.
    """
    alone = np.eye(len(parts), dtype=np.bool_)
    found = parts.without(np.vstack([np.zeros((1, len(parts)), np.bool_), alone]))
    importance: Doubles = (found[0] - found[1:]).reshape(parts.shape)
    return importance


def edges_of(recording: Recording, seconds: float) -> npt.NDArray[np.int64]:
    """First samples of the parts, and the end of the last; a short one is one too."""
    samples = min(recording.signal.shape[1], round(SHOWN_SECONDS * recording.sampling_rate))
    starts = np.arange(0, samples / recording.sampling_rate, seconds) * recording.sampling_rate
    return np.append(np.round(starts[starts < samples]), samples).astype(np.int64)


def _stretches(mask: Bools) -> list[tuple[int, int]]:
    """First part of each run of erased ones, and the one after its last."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in changes.reshape(-1, 2)]


def _bridge(lead: Floats, first: int, last: int) -> None:
    """Draw a straight line between the samples around a stretch; at an end of the lead, a level one."""
    ends = [lead[at] for at in (first - 1, last) if 0 <= at < len(lead)]
    known = [float(value) for value in ends if np.isfinite(value)]
    left, right = (known[0], known[-1]) if known else (0.0, 0.0)
    lead[first:last] = np.linspace(left, right, last - first + 2, dtype=np.float32)[1:-1]
