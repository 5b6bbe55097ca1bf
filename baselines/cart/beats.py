"""Finding the beats of a recording and the one beat that stands for all.

A few lines on scipy's filters and peaks. The libraries that delineate ECGs were tried first: neurokit2 0.3.0
asks for a setuptools below 82, which nothing else here does, warns where a recording has no beat, and takes a
fifth of a second for one lead of ten seconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import signal

Doubles = npt.NDArray[np.float64]

RATE = 250
"""Hz, of the signals that are measured."""

BEFORE, AFTER = round(0.40 * RATE), round(0.60 * RATE)
"""Samples of the typical beat in front of and behind its steepest moment."""

REFRACTORY = round(0.25 * RATE)
STEEP = signal.butter(2, (8, 25), "bandpass", fs=RATE, output="sos")
WANDER = signal.butter(2, 0.5, "highpass", fs=RATE, output="sos")


class Beats(NamedTuple):
    """The beats of a recording.

    Attributes
    ----------
    moments
        Samples of the steepest moments.
    typical
        The median of all whole beats, mV ``[leads, BEFORE + AFTER]``; None where there is none.
    """

    moments: npt.NDArray[np.intp]
    typical: Doubles | None


def find_beats(recording: Doubles) -> Beats:
    """Find the beats of a recording, mV ``[leads, samples]`` at `RATE`."""
    moments = _moments(recording)
    steady = signal.sosfiltfilt(WANDER, recording)
    whole = [at for at in moments if BEFORE <= at <= recording.shape[1] - AFTER]
    if not whole:
        return Beats(moments, None)
    cut = np.stack([steady[:, at - BEFORE : at + AFTER] for at in whole])
    return Beats(moments, np.median(cut, axis=0))


def steepness(leads: Doubles) -> Doubles:
    """Give how fast all leads together change, mV per sample ``[samples]``."""
    moved: Doubles = np.sqrt(np.square(np.gradient(leads, axis=1)).mean(axis=0))
    return moved


def _moments(recording: Doubles) -> npt.NDArray[np.intp]:
    energy = np.square(signal.sosfiltfilt(STEEP, recording)).sum(axis=0)
    smooth = np.sqrt(signal.fftconvolve(energy, np.hanning(round(0.12 * RATE)), mode="same").clip(min=0))
    highest = np.median([part.max() for part in np.array_split(smooth, 5)])
    if highest < 1e-3:  # nothing moves
        return np.array([], dtype=np.intp)
    found, _ = signal.find_peaks(
        smooth, height=0.35 * highest, distance=REFRACTORY, prominence=0.25 * highest
    )
    return np.asarray(found, dtype=np.intp)
