"""Where in a simulated recording a finding was drawn, as the parts that an occlusion map erases.

The places are those of the criteria by which people make the diagnosis (AHA/ACCF/HRS recommendations for the
standardization and interpretation of the electrocardiogram, part III, 2009), at the times at which the
simulator drew the beats. Nothing of the simulator is changed by asking.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmark.protocols.occlusion import SECONDS, SHOWN_SECONDS, Bools
from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.recordings import Simulated

LEADS = {
    "PVC": STANDARD_LEADS,  # a premature beat is premature in every lead
    "RBBB": ("I", "V1", "V2", "V6"),  # R' in V1 or V2, a wide S in I and V6
    "LBBB": ("I", "aVL", "V5", "V6"),  # a broad, notched R
    "STEI": ("II", "III", "aVF"),
    "STEA": ("V1", "V2", "V3", "V4"),
    "STEL": ("I", "aVL", "V5", "V6"),
}
"""Condition of the simulator -> leads in which it shows."""

FINDINGS = {"PVC": ("PVC",), "RBBB": ("RBBB",), "LBBB": ("LBBB",), "STE": ("STEI", "STEA", "STEL")}
"""Concept that is asked for -> conditions of the simulator that are it; a heart has one of them at most."""


def condition_of(recording: Simulated, finding: str) -> str | None:
    """Name the condition that was drawn for a finding, None if there is none."""
    return next((condition for condition in FINDINGS[finding] if condition in recording.present), None)


def drawn_parts(recording: Simulated, condition: str, seconds: float = SECONDS) -> Bools:
    """Mark the parts of a recording that lie where a condition was drawn.

    A part lies there if half of it does, or half of the wave lies in it: a QRS complex is shorter than one.

    Parameters
    ----------
    condition
        ``"PVC"`` (premature beats, from the onset of QRS to the end of T, in all leads), ``"RBBB"`` or
        ``"LBBB"`` (every conducted QRS complex, in the leads of the criteria), ``"STEI"``, ``"STEA"`` or
        ``"STEL"`` (every ST segment, from the J point to the rise of T, in the leads over the wall).
    seconds
        Length of a part.

    Returns
    -------
    bool ``[12, parts]``, rows as `STANDARD_LEADS`.
    """
    length = min(recording.signal.shape[1] / recording.rate, SHOWN_SECONDS)
    starts = np.arange(0, length - 1e-9, seconds)
    ends = np.minimum(starts + seconds, length)
    inside = np.zeros(len(starts), np.bool_)
    for first, last in _waves(recording, condition):
        shared = np.minimum(ends, last) - np.maximum(starts, first)
        inside |= shared >= np.minimum(ends - starts, last - first) / 2
    return np.outer([lead in LEADS[condition] for lead in STANDARD_LEADS], inside)


def _waves(recording: Simulated, condition: str) -> Iterator[tuple[float, float]]:
    """Seconds at which each wave of a condition begins and ends."""
    heart, beats = recording.heart, recording.beats
    onsets, first, last = beats.qrs, 0.0, heart.qrs.duration
    if condition == "PVC":
        onsets, last = beats.pvc, max(heart.qt, 0.36)  # as the simulator draws the QT of a premature beat
    if condition.startswith("STE"):
        first, last = last, heart.qt * (1 - 0.095 / 0.4)  # as it draws the end of the ST segment
    for onset in onsets.tolist():
        yield onset + first, onset + last
