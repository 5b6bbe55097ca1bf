"""When the atria and the ventricles beat.

Sinus intervals vary with respiration (high frequency) and the 0.1 Hz rhythm of blood pressure (low
frequency), the two peaks of McSharry et al. (2003). Everything else is built on that sequence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_LEAD_IN = 2.5  # seconds before the recording, so that it begins in the middle of things


@dataclass
class Rhythm:
    """What decides the sequence of beats.

    Attributes
    ----------
    kind
        Who leads: the sinus node, fibrillating or fluttering atria, a re-entry between atria and
        ventricles, a ventricular escape rhythm under a complete block, or a pacemaker.
    rate
        Sinus rate, or the ventricular rate where the sinus node does not lead, per minute.
    atrial_rate
        P waves per minute under a complete block.
    respiratory, low_frequency
        Relative size of the two modulations of the sinus intervals.
    dropped
        ``"wenckebach"`` (PR grows until a beat is dropped), ``"mobitz"`` (PR stays), or None.
    cycle
        Every ``cycle``-th P wave is dropped.
    conduction
        Atrial beats per ventricular beat in flutter; 0 for a varying ratio.
    early_atrial, early_ventricular
        How many premature beats there are in ten seconds.
    pattern
        2 for bigeminy, 3 for trigeminy, else 0.
    """

    kind: Literal["sinus", "fibrillation", "flutter", "re-entry", "escape", "paced"] = "sinus"
    rate: float = 72.0
    atrial_rate: float = 80.0
    respiratory: float = 0.03
    low_frequency: float = 0.02
    dropped: Literal["wenckebach", "mobitz"] | None = None
    cycle: int = 4
    conduction: int = 2
    early_atrial: float = 0.0
    early_ventricular: float = 0.0
    pattern: int = 0

    @property
    def ventricular_rate(self) -> float:
        """Ventricular beats per minute."""
        if self.kind == "flutter":
            return self.atrial_rate / (self.conduction or 3)
        return self.rate


@dataclass
class Beats:
    """Onsets in s from the start of the recording; some lie outside it.

    Attributes
    ----------
    p, early_p
        Sinus and other P waves.
    qrs, pvc
        Conducted, escape or paced beats, and premature ventricular ones.
    flutter_start, flutter_cycle
        Phase and length of the flutter wave.
    """

    p: Doubles = field(default_factory=lambda: np.empty(0))
    early_p: Doubles = field(default_factory=lambda: np.empty(0))
    qrs: Doubles = field(default_factory=lambda: np.empty(0))
    pvc: Doubles = field(default_factory=lambda: np.empty(0))
    flutter_start: float = 0.0
    flutter_cycle: float = 0.2


def beats_of(rhythm: Rhythm, pr: float, seconds: float, now: np.random.Generator) -> Beats:
    """Draw the beats of one recording.

    Parameters
    ----------
    pr
        PR interval of conducted beats in s.
    seconds
        Length of the recording.
    """
    if rhythm.kind == "fibrillation":
        return _with_ventricular_ectopy(_fibrillation(rhythm, seconds, now), rhythm, seconds, now)
    if rhythm.kind == "flutter":
        return _flutter(rhythm, seconds, now)
    if rhythm.kind == "re-entry":
        onsets = _onsets(_steady(rhythm.rate, seconds, now, 0.004), now)
        return Beats(early_p=onsets + 0.09, qrs=onsets)
    if rhythm.kind == "escape":
        atrial = _onsets(_sinus(rhythm, rhythm.atrial_rate, seconds, now), now)
        return Beats(p=atrial, qrs=_onsets(_steady(rhythm.rate, seconds, now, 0.01), now))
    if rhythm.kind == "paced":
        onsets = _onsets(_steady(rhythm.rate, seconds, now, 0.001), now)
        return Beats(p=onsets - 0.17, qrs=onsets)
    return _with_ventricular_ectopy(_conducted(rhythm, pr, seconds, now), rhythm, seconds, now)


def _count(rate: float, seconds: float) -> int:
    return int((seconds + 2 * _LEAD_IN) * rate / 60 * 1.4) + 8


def _sinus(rhythm: Rhythm, rate: float, seconds: float, now: np.random.Generator) -> Doubles:
    """Intervals in s with respiratory and 0.1 Hz modulation."""
    mean = 60.0 / rate
    time = np.arange(_count(rate, seconds)) * mean
    high = np.sin(2 * np.pi * (now.uniform(0.18, 0.30) * time + now.random()))
    low = np.sin(2 * np.pi * (now.uniform(0.07, 0.13) * time + now.random()))
    own = now.normal(0.0, 0.008, len(time))
    return np.asarray(mean * (1 + rhythm.respiratory * high + rhythm.low_frequency * low + own))


def _steady(rate: float, seconds: float, now: np.random.Generator, jitter: float) -> Doubles:
    return np.asarray(60.0 / rate * now.normal(1.0, jitter, _count(rate, seconds)))


def _onsets(intervals: Doubles, now: np.random.Generator) -> Doubles:
    return np.asarray(np.cumsum(intervals) - _LEAD_IN - now.random() * intervals[0])


def _visible(onsets: Doubles, seconds: float, margin: float) -> npt.NDArray[np.int64]:
    """Positions of beats that lie well inside the recording, the first two left out."""
    inside = (onsets > margin) & (onsets < seconds - margin)
    inside[:2] = False
    return np.flatnonzero(inside)


def _chosen(
    candidates: npt.NDArray[np.int64], wanted: float, pattern: int, now: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Positions of premature beats: in a pattern, or at random with a normal beat between two."""
    if pattern:
        return candidates[now.integers(0, pattern) :: pattern]
    spread = candidates[now.integers(0, 2) :: 2] if len(candidates) > 2 else candidates
    size = min(len(spread), max(1, round(wanted)))
    return np.sort(now.choice(spread, size=size, replace=False))


def _conducted(rhythm: Rhythm, pr: float, seconds: float, now: np.random.Generator) -> Beats:
    """Sinus beats, with premature atrial ones and dropped ones."""
    intervals = _sinus(rhythm, rhythm.rate, seconds, now)
    phase = now.random() * intervals[0]
    early = np.empty(0, np.int64)
    if rhythm.early_atrial:
        onsets = np.cumsum(intervals) - _LEAD_IN - phase
        wanted = rhythm.early_atrial * seconds / 10
        early = _chosen(_visible(onsets, seconds, 1.2), wanted, rhythm.pattern, now)
        # intervals[i] ends at beat i. The early beat resets the sinus node, so the pause after it
        # is a little longer than one interval but not compensatory.
        intervals[early] *= now.uniform(0.56, 0.70, len(early))
        after = early[early + 1 < len(intervals)] + 1
        intervals[after] *= now.uniform(1.05, 1.2, len(after))
    p = np.cumsum(intervals) - _LEAD_IN - phase
    delay = np.full(len(p), pr)
    conducted = np.ones(len(p), bool)
    if rhythm.dropped:
        place = (np.arange(len(p)) + now.integers(0, rhythm.cycle)) % rhythm.cycle
        conducted = place < rhythm.cycle - 1
        if rhythm.dropped == "wenckebach":
            delay = pr + np.array([0.0, 0.10, 0.16, 0.20, 0.22, 0.23])[np.minimum(place, 5)]
    is_early = np.isin(np.arange(len(p)), early)
    return Beats(p=p[~is_early], early_p=p[is_early], qrs=(p + delay)[conducted])


def _with_ventricular_ectopy(beats: Beats, rhythm: Rhythm, seconds: float, now: np.random.Generator) -> Beats:
    """Put premature ventricular beats in the place of conducted ones.

    The sinus node is not reset: the next conducted beat comes on time, so the pause is fully
    compensatory.
    """
    if not rhythm.early_ventricular:
        return beats
    candidates = _visible(beats.qrs, seconds, 1.1)
    early = _chosen(candidates, rhythm.early_ventricular * seconds / 10, rhythm.pattern, now)
    early = early[early > 0]
    before, planned = beats.qrs[early - 1], beats.qrs[early]
    coupling = now.uniform(0.58, 0.68) + now.normal(0, 0.01, len(early))
    beats.pvc = before + np.maximum((planned - before) * coupling, 0.32)
    beats.qrs = np.delete(beats.qrs, early)
    return beats


def _fibrillation(rhythm: Rhythm, seconds: float, now: np.random.Generator) -> Beats:
    """Irregularly irregular: no interval tells the next."""
    size = _count(rhythm.rate, seconds)
    intervals = 60.0 / rhythm.rate * np.exp(now.normal(-0.03, 0.235, size))
    return Beats(qrs=_onsets(np.maximum(intervals, 0.3), now))


def _flutter(rhythm: Rhythm, seconds: float, now: np.random.Generator) -> Beats:
    """Every second, third or fourth flutter wave is conducted."""
    cycle = 60.0 / rhythm.atrial_rate
    size = _count(rhythm.atrial_rate / 2, seconds)
    ratios = (
        np.full(size, rhythm.conduction)
        if rhythm.conduction
        else now.choice([2, 3, 4], size, p=[0.4, 0.2, 0.4])
    )
    start = -_LEAD_IN - now.random() * cycle
    onsets = start + cycle * (np.cumsum(ratios) + 0.45) + now.normal(0, 0.003, size)
    return Beats(qrs=onsets, flutter_start=start, flutter_cycle=cycle)
