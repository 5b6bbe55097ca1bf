"""What did a model look at? Parts of a recording are erased one at a time, and the model is asked again.

Works for every model that can be asked, since nothing but scores is needed. A map is a claim, so it is
tested: the parts are then erased together, in the order of the map and in random order, and in random groups.

Sources: occlusion, Zeiler and Fergus, ECCV 2014, arXiv:1311.2901; deletion, Petsiuk et al., BMVC 2018,
arXiv:1806.07421; rank correlation over random groups, Bhatt et al., IJCAI 2020, arXiv:2005.00631.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import spearmanr

from benchmark.protocols.harmonise import RecordingSource
from cohorts.recording import Floats, Recording

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SECONDS = 0.2
"""Length of a part: a QRS complex with its borders, or about a T wave."""

SHOWN_SECONDS = 10.0
"""As much of a recording has parts, as an ECG sheet shows; what follows is left as it is."""

STEPS = 20
GROUPS = 100
GROUP_SHARE = 0.1
"""A random group has a tenth of all parts."""

Scale = Literal["score", "logit"]

Scores = Callable[[RecordingSource], Doubles]
"""Gives one score a recording."""


@dataclass(frozen=True, slots=True)
class OcclusionMap:
    """How much each part of a recording speaks for a concept, and whether that is true.

    Attributes
    ----------
    leads
        Names of the rows of ``importance``.
    seconds
        Length of a part.
    scale
        What ``score`` and all that follows is: the ``"score"`` that the model gives, or its ``"logit"``.
    score
        Of the whole recording.
    importance
        float64 ``[leads, parts]``: the score minus that without the part; above 0 where it speaks for the
        concept.
    deletion, random
        float64 ``[steps + 1]``: scores while parts are erased, the most important first, and in random order.
    agreement
        Spearman's rank correlation, over random groups of parts, of the sum of their importances with what
        the score loses without them; None where either does not vary.
    """

    leads: tuple[str, ...]
    seconds: float
    scale: Scale
    score: float
    importance: Doubles
    deletion: Doubles
    random: Doubles
    agreement: float | None

    @property
    def advantage(self) -> float:
        """How much lower the score lies, on average, when the map decides what is erased first."""
        return float(np.mean(self.random - self.deletion))


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
        self._edges = _edges(recording, seconds)
        self.index = pd.concat([row] * len(erased), ignore_index=True)
        self.labels = pd.DataFrame(index=self.index.index)

    def recording(self, position: int) -> Recording:
        """Give a copy: across each erased stretch runs a straight line between its neighbours."""
        signal = self._recording.signal.copy()
        for lead, mask in enumerate(self._erased[position]):
            for first, last in _stretches(mask):
                _bridge(signal[lead], self._edges[first], self._edges[last])
        return Recording(signal, self._recording.sampling_rate, self._recording.leads)


def occlusion_map(
    scores: Scores,
    recording: Recording,
    row: pd.DataFrame,
    *,
    scale: Scale = "score",
    seconds: float = SECONDS,
    seed: int = 0,
) -> OcclusionMap:
    """Erase every part of every lead in turn, then test what that seemed to show.

    Parameters
    ----------
    scores
        Asks the model for its score of one concept.
    recording, row
        As for `Erased`.
    scale
        What ``scores`` gives.
    seed
        Of the random orders and groups.
    """
    shape = (len(recording.leads), len(_edges(recording, seconds)) - 1)
    parts = int(np.prod(shape))

    def ask(masks: Bools) -> Doubles:
        return scores(Erased(recording, row, [mask.reshape(shape) for mask in masks], seconds))

    found = ask(np.vstack([np.zeros((1, parts), np.bool_), np.eye(parts, dtype=np.bool_)]))
    score, importance = float(found[0]), found[0] - found[1:]
    random = np.random.default_rng(seed)
    orders = [np.argsort(-importance, kind="stable"), random.permutation(parts)]
    sizes = np.round(np.linspace(0, parts, STEPS + 1)).astype(int)
    curves = np.zeros((2 * len(sizes), parts), np.bool_)
    for at, (order, size) in enumerate((order, size) for order in orders for size in sizes):
        curves[at, order[:size]] = True
    groups = np.zeros((GROUPS, parts), np.bool_)
    for group in groups:
        group[random.choice(parts, max(1, round(GROUP_SHARE * parts)), replace=False)] = True
    tested = ask(np.vstack([curves, groups]))
    deletion, at_random = tested[: len(curves)].reshape(2, -1)
    return OcclusionMap(
        recording.leads,
        seconds,
        scale,
        score,
        importance.reshape(shape),
        deletion,
        at_random,
        _agreement(groups @ importance, score - tested[len(curves) :]),
    )


def _agreement(claimed: Doubles, lost: Doubles) -> float | None:
    if np.ptp(claimed) == 0 or np.ptp(lost) == 0:
        return None
    return float(spearmanr(claimed, lost).statistic)


def _edges(recording: Recording, seconds: float) -> npt.NDArray[np.int64]:
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
