"""Whether two signals are the same heart beats, recorded once.

Two recordings of one patient can be nearly as alike as two copies of one: with a pacemaker every beat looks
like the last. What a copy has and no other recording can have is what tells each single beat from the
others: its noise, its breath, its interval. So each second of a recording is set against the most similar
second elsewhere in the same recording. With the distance of these two as the unit, a copy lies near the
first, and another recording of the same heart does not.

The three limits were measured. *Copies* are 543 recordings of seven releases (PTB-XL, Georgia,
Chapman-Shaoxing, Ningbo, CPSC-2018 and its extra set, PTB), each against itself at 100 or 257 Hz, cut, or
multiplied and rounded to whole microvolts. *Look-alikes* are 1,742 pairs of separate 10 s pieces of one
recording of PTB or the CPSC-2018 extra set, laid upon each other where they agree best. *Strangers* are the
147,153 pairs of different recordings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cohorts.recording import STANDARD_LEADS, Recording
from cohorts.resampling import resample

SIMILARITY = 0.95
"""Least correlation of a copy, all leads together, in the median second.

Copies: 0.999 or more at another rate or cut; times 0.03 and rounded, 99 % above 0.997; times 0.01 and
rounded, 99 % above 0.964. Strangers: at most 0.927. Look-alikes: at most 0.998, 364 of them above 0.95.
"""

DISTANCE = 0.75
"""Greatest square of the distance from a recording to its copy; 1 is that to the most similar other beats.

Copies: at most 0.25 at another rate or cut; times 0.03, 0.40; times 0.01, 99 % below 0.83. Of the 364
look-alikes, one below 0.75 and another below 1.
"""

ASIDE = 0.2
"""Farthest that a copy may lie on the way to the most similar other beats (1), or on the other side.

Copies: at most 0.12 at another rate or cut; times 0.03, 0.11; times 0.01, 99 % below 0.15. Beats that
differ by noise alone: about 0.5, whatever the noise. Of the 364 look-alikes, nine below 0.2, none of them
within `DISTANCE`.
"""

BORDER = 0.5
"""Seconds at either end that are not looked at: a publisher's resampling rings there (it does in PTB-XL's
100 Hz files), and the filter reaches beyond the end."""

Floats = npt.NDArray[np.floating[Any]]

_RATE = 500  # Hz
_SLIDE = 10  # samples by which the times that `compare` is given may be wrong
_REACH = 15.0  # s on either side of these times that are looked at
_FEWEST = 4  # seconds in which there is something to compare


@dataclass(frozen=True, slots=True)
class Match:
    """How two recordings agree.

    Attributes
    ----------
    similarity
        At most 1; see `SIMILARITY`.
    start
        When the first recording starts, in seconds from the start of the second; negative if before it.
    gain
        How many times as large the second one is.
    renamed
        What the second recording calls a lead of the first, for every lead that it calls otherwise.
    """

    similarity: float
    start: float
    gain: float
    renamed: dict[str, str]


def compare(x: Recording, y: Recording, time_x: float, time_y: float) -> Match | None:
    """Compare two recordings lead by lead, near a moment that is thought to be the same in both.

    Parameters
    ----------
    x, y
        Of the standard leads, whose names need not be right.
    time_x, time_y
        The moment, in seconds from the start of each, to 0.02 s.

    Returns
    -------
    Match or None
        None if they are not the same.
    """
    first, start_x = _excerpt(x, time_x)
    second, start_y = _excerpt(y, time_y)
    shift = round((time_y - start_y - time_x + start_x) * _RATE)
    start, stop = max(0, -shift) + _SLIDE, min(first.shape[1], second.shape[1] - shift) - _SLIDE
    if stop - start < _FEWEST * _RATE:
        return None
    here = first[:, start:stop]
    order = _assignment(here, second[:, start + shift : stop + shift])
    second = second[order]
    lag = _lag(here, second[:, start + shift - _SLIDE : stop + shift + _SLIDE]) - _SLIDE
    whole = math.floor(lag)
    start_there, stop_there = start + shift + whole, stop + shift + whole
    there = (1 - lag + whole) * second[:, start_there:stop_there]
    there += (lag - whole) * second[:, start_there + 1 : stop_there + 1]
    similarity = _similarity(here, there)
    if similarity < SIMILARITY:
        return None
    # Of a clean recording and a noisy copy, the clean one finds the other farther away, and is the one
    # that does not see it aside.
    (distance, _), (_, aside) = sorted(
        [_seen_from(here, first, start, there), _seen_from(there, second, start_there, here)]
    )
    if distance > DISTANCE or aside > ASIDE:
        return None
    power_x, power_y = (here**2).sum(axis=1), (there**2).sum(axis=1)
    live = (power_x > 0) & (power_y > 0)
    return Match(
        similarity,
        start_y - start_x + (shift + lag) / _RATE,
        float(np.sqrt(np.median(power_y[live] / power_x[live]))),
        {STANDARD_LEADS[i]: STANDARD_LEADS[j] for i, j in enumerate(order) if i != j},
    )


def _excerpt(recording: Recording, time: float) -> tuple[Floats, float]:
    """Cut out what is near a time, band-passed, at 500 Hz; the time of its first sample comes second."""
    rate = recording.sampling_rate
    start = max(0, round((time - _REACH) * rate))
    signal = resample(filled(recording.signal[:, start : round((time + _REACH) * rate)]), rate, _RATE)
    return band_pass(signal.astype(np.float64), _RATE, 0.04), start / rate + BORDER


def _assignment(x: Floats, y: Floats) -> npt.NDArray[np.intp]:
    """Find the row of ``y`` that belongs to each row of ``x``; as they are, unless another order is better.

    A pair of leads costs the energy that it leaves unexplained: nothing for two that differ by a gain alone.
    """
    from scipy.optimize import linear_sum_assignment

    power_x, power_y = np.einsum("it,it->i", x, x), np.einsum("it,it->i", y, y)
    products = np.einsum("it,jt->ij", x, y)  # small: threads of a matrix product would cost more than it
    correlation = _quotient(products, np.sqrt(np.outer(power_x, power_y)))
    share_x, share_y = _quotient(power_x, power_x.sum()), _quotient(power_y, power_y.sum())
    cost = (share_x[:, None] + share_y) / 2 * (1 - correlation)
    rows, order = linear_sum_assignment(cost)
    return rows if np.trace(cost) - cost[rows, order].sum() <= 0.001 else order


def _lag(x: Floats, y: Floats) -> float:
    """Find where ``x`` lies in the somewhat longer ``y``, in samples and parts of one."""
    places = range(y.shape[1] - x.shape[1] + 1)
    products = np.array([np.einsum("it,it->", x, y[:, place : place + x.shape[1]]) for place in places])
    best = int(products[1:-2].argmax()) + 1
    return best + float(summit(*products[best - 1 : best + 2]))


def _similarity(x: Floats, y: Floats) -> float:
    """Correlate the leads in every second, weigh them by their sizes, and take the median of the seconds.

    The median, because one electrode pop has more energy than all heart beats, and looks the same in
    everybody. Seconds in which both are silent say nothing.
    """
    x, y = _in_seconds(x), _in_seconds(y)
    heard = _heard(x) | _heard(y)
    if heard.sum() < _FEWEST:
        return 0.0
    sizes = (np.linalg.norm(x, axis=2) * np.linalg.norm(y, axis=2)).sum(axis=0)
    return float(np.median(_quotient(np.einsum("lst,lst->s", x, y), sizes)[heard]))


def _seen_from(x: Floats, whole: Floats, start: int, y: Floats) -> tuple[float, float]:
    """Measure where ``y`` lies, seen from ``x``, in units of the way from ``x`` to other beats of its heart.

    Parameters
    ----------
    whole, start
        The recording of which ``x`` is a part, and the sample at which that part begins.

    Returns
    -------
    distance, aside
        Medians over the seconds: the square of how far ``y`` is from ``x``, in squared units, and how far
        that leads towards the other beats or away from them.
    """
    scale = _quotient(np.einsum("it,it->i", x, y), np.einsum("it,it->i", y, y))[:, None]
    other = _in_seconds(_most_similar_elsewhere(x, whole, start))
    x, y = _in_seconds(x), _in_seconds(scale * y)
    heard = _heard(x)
    way, difference = (other - x)[:, heard], (y - x)[:, heard]
    unit = np.einsum("lst,lst->s", way, way)
    distance = _quotient(np.einsum("lst,lst->s", difference, difference), unit)
    aside = _quotient(np.einsum("lst,lst->s", difference, way), unit)
    return float(np.median(distance)), float(np.median(np.abs(aside)))


def _most_similar_elsewhere(x: Floats, whole: Floats, start: int) -> Floats:
    """Put together, for every second of ``x``, the most similar one that begins 0.3 s from it or more."""
    from scipy.fft import irfft, next_fast_len, rfft  # which takes a third of a second to import

    pieces, summed = _in_seconds(x).sum(axis=0), whole.sum(axis=0)
    places = np.arange(len(summed) - _RATE + 1)
    size = next_fast_len(len(summed) + _RATE, real=True)
    products = irfft(rfft(summed, size) * np.conj(rfft(pieces, size)), size)[:, : len(places)]
    power = np.concatenate([[0.0], np.cumsum(summed**2)])
    norm = np.sqrt(np.maximum(power[_RATE:] - power[:-_RATE], 1e-12 * power[-1]))
    own = start + _RATE * np.arange(len(pieces))
    elsewhere = np.abs(places - own[:, None]) >= 0.3 * _RATE
    best = np.where(elsewhere, _quotient(products, norm), -np.inf).argmax(axis=1)
    return np.concatenate([whole[:, place : place + _RATE] for place in best], axis=1)


def _in_seconds(x: Floats) -> Floats:
    """Fold ``[leads, samples]`` into ``[leads, seconds, samples]``, without what is left over at the end."""
    seconds = x.shape[1] // _RATE
    return x[:, : seconds * _RATE].reshape(len(x), seconds, _RATE)


def _heard(x: Floats) -> npt.NDArray[np.bool_]:
    """Tell the seconds in which there is something from those in which no lead moves."""
    power = np.einsum("lst,lst->s", x, x)
    return np.asarray(power > 1e-6 * power.max(initial=0.0))


def _quotient(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; 0 where the denominator is."""
    zeros = np.zeros(np.broadcast_shapes(numerator.shape, denominator.shape))
    return np.asarray(np.divide(numerator, denominator, out=zeros, where=denominator > 0))


def summit(before: Any, here: Any, after: Any) -> npt.NDArray[np.float64]:
    """Give the place of a maximum between samples: that of the parabola through three of them."""
    curvature = np.minimum(before - 2 * here + after, -1e-300)
    return np.asarray(np.clip((before - after) / (2 * curvature), -0.5, 0.5))


def filled(signal: Floats) -> Floats:
    """Take the mean off every lead; a missing sample becomes 0."""
    present = np.isfinite(signal)
    known = np.where(present, signal, 0.0)
    mean = known.sum(axis=1, keepdims=True) / np.maximum(present.sum(axis=1, keepdims=True), 1)
    return np.where(present, signal - mean, 0.0).astype(np.float32)


def window(seconds: float, rate: float) -> Floats:
    """Give a Hann window of area 1 with an odd number of samples."""
    values = np.hanning((int(seconds * rate) | 1) + 2)[1:-1]
    return np.asarray(values / values.sum())


def band_pass(signal: Floats, rate: float, shortest: float) -> Floats:
    """Smooth over ``shortest`` seconds, take off what is smooth over 0.5 s, and cut both borders off.

    The filter has a finite length, so that what is cut out of a longer recording is filtered as it was there.
    """
    from scipy.signal import oaconvolve  # which takes a second to import

    kernel, narrow = -window(0.5, rate), window(shortest, rate)
    middle = (len(kernel) - len(narrow)) // 2
    kernel[middle : middle + len(narrow)] += narrow
    shape = (1,) * (signal.ndim - 1) + (-1,)
    smoothed = oaconvolve(signal, kernel.reshape(shape), mode="same", axes=-1)
    border = int(BORDER * rate)
    return np.asarray(smoothed[..., border : smoothed.shape[-1] - border])
