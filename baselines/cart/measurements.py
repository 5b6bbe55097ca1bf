"""Measurements of a recording as a cart prints them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from baselines.cart.beats import BEFORE, RATE, Doubles, find_beats, steepness
from benchmark.models.contract import Floats
from cohorts.recording import STANDARD_LEADS

MS = 1000 / RATE

RHYTHM = ("rate", "shortest_rr", "longest_rr", "rr_deviation", "rr_difference", "odd_rr")
INTERVALS = ("p", "pr", "qrs", "qt", "qtc")
AXES = ("p_axis", "qrs_axis", "t_axis")
VOLTAGES = ("sokolow", "cornell")
OF_A_LEAD = ("p", "q", "r", "s", "area", "st", "st60", "t")

NAMES = (
    *RHYTHM,
    *INTERVALS,
    *AXES,
    *VOLTAGES,
    *(f"{lead}_{name}" for lead in STANDARD_LEADS for name in OF_A_LEAD),
)
"""Of the measurements: 1/min, ms, degrees, mV, and mV ms for areas, in this order."""


def measure(signals: Floats) -> Floats:
    """Measure recordings.

    Parameters
    ----------
    signals
        mV ``[records, 12, samples]`` at 250 Hz, leads in the standard order.

    Returns
    -------
    float32 ``[records, len(NAMES)]``; NaN where something cannot be measured.
    """
    return np.stack([_of_one(one.astype(np.float64)) for one in signals]).astype(np.float32)


def _of_one(recording: Doubles) -> Doubles:
    moments, typical = find_beats(recording)
    values = np.full(len(NAMES), np.nan)
    rhythm = _rhythm(np.diff(moments) * MS)
    values[: len(rhythm)] = rhythm
    if typical is not None:
        shape = _shape(typical, values[0])
        values[len(rhythm) : len(rhythm) + len(shape)] = shape
    return values


def _rhythm(rr: Doubles) -> Doubles:
    """Give `RHYTHM` of the distances of the beats in ms."""
    if not len(rr):
        return np.full(len(RHYTHM), np.nan)
    middle = np.median(rr)
    steps = np.abs(np.diff(rr)).mean() if len(rr) > 1 else np.nan
    odd = (np.abs(rr - middle) > 0.15 * middle).mean()
    return np.array([60_000 / middle, rr.min(), rr.max(), rr.std(), steps, odd])


def _shape(typical: Doubles, rate: float) -> Doubles:
    """Give everything else of the typical beat ``[leads, samples]``."""
    start, end = _qrs(typical)
    level = np.median(typical[:, max(start - 8, 0) : max(start - 2, 1)], axis=1, keepdims=True)
    beat = typical - level
    distance = round(60_000 / rate / MS) if np.isfinite(rate) else BEFORE + BEFORE
    p_start, p_end, p_peak = _wave(beat, max(start - 75, BEFORE - round(0.45 * distance), 0), start - 5, 0.3)
    t_last = min(end + 125, BEFORE + round(0.75 * distance), beat.shape[1])
    _, t_end, t_peak = _wave(beat, end + 15, t_last, 0.15)
    heights = [
        _at(beat, p_peak),
        *_deflections(beat[:, start : end + 1]),
        beat[:, start : end + 1].sum(axis=1) * MS,
        _at(beat, end),
        _at(beat, end + round(60 / MS)),
        _at(beat, t_peak),
    ]
    qt = (t_end - start) * MS
    intervals = [
        (p_end - p_start) * MS,
        (start - p_start) * MS,
        (end - start) * MS,
        qt,
        qt / np.cbrt(60 / rate),  # Fridericia
    ]
    axes = [_axis(heights[wave]) for wave in (0, 4, 7)]
    per_lead = np.stack(heights, axis=1)
    return np.concatenate([intervals, axes, _voltages(per_lead), per_lead.ravel()])


def _qrs(typical: Doubles) -> tuple[int, int]:
    """Find where the fast part around the middle begins and ends: below a tenth of its speed for 12 ms."""
    speed = steepness(typical)
    near = slice(BEFORE - 25, BEFORE + 25)
    fastest = BEFORE - 25 + int(speed[near].argmax())
    quiet = speed < 0.1 * speed[fastest]
    calm = quiet[:-2] & quiet[1:-1] & quiet[2:]
    before, after = np.flatnonzero(calm[: fastest - 1]), np.flatnonzero(calm[fastest:])
    start = int(before[-1]) + 2 if len(before) else 0
    end = fastest + int(after[0]) if len(after) else typical.shape[1] - 1
    return max(start, fastest - 40), min(end, fastest + 50)


def _wave(beat: Doubles, first: int, last: int, share: float) -> tuple[float, float, float]:
    """Find beginning, end and peak of the highest wave between two samples; NaN where there is no room.

    A wave reaches as far as all leads together are above a share of its height.
    """
    if last - first < 10:
        return np.nan, np.nan, np.nan
    height = np.sqrt(np.square(beat[:, first:last]).mean(axis=0))
    peak = int(height.argmax())
    low = height < share * height[peak]
    before, after = np.flatnonzero(low[:peak]), np.flatnonzero(low[peak:])
    begin = first + (before[-1] if len(before) else 0)
    finish = first + (peak + after[0] if len(after) else len(height) - 1)
    return float(begin), float(finish), float(first + peak)


def _at(beat: Doubles, sample: float) -> Doubles:
    """Give the level of each lead at a sample; NaN where that was not found or lies behind the beat."""
    known = np.isfinite(sample) and sample < beat.shape[1]
    return beat[:, int(sample)] if known else np.full(len(beat), np.nan)


def _deflections(qrs: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Give the depth before the highest point of each lead, its height, and the depth after it."""
    highest = qrs.argmax(axis=1)
    samples = np.arange(qrs.shape[1])
    before, after = samples <= highest[:, None], samples >= highest[:, None]
    q = np.where(before, qrs, np.inf).min(axis=1)
    s = np.where(after, qrs, np.inf).min(axis=1)
    return np.minimum(q, 0), np.maximum(qrs.max(axis=1), 0), np.minimum(s, 0)


def _axis(leads: Doubles) -> float:
    """Give the direction in the frontal plane, in degrees, of what I and aVF show."""
    one, down = leads[STANDARD_LEADS.index("I")], leads[STANDARD_LEADS.index("aVF")]
    return float(np.degrees(np.arctan2(2 * down / np.sqrt(3), one)))


def _voltages(per_lead: npt.NDArray[np.float64]) -> list[float]:
    """Give the sums of Sokolow and Lyon and of Cornell, mV."""
    r = dict(zip(STANDARD_LEADS, per_lead[:, OF_A_LEAD.index("r")], strict=True))
    s = dict(zip(STANDARD_LEADS, per_lead[:, OF_A_LEAD.index("s")], strict=True))
    return [max(r["V5"], r["V6"]) - s["V1"], r["aVL"] - s["V3"]]
