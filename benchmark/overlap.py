"""Recordings that two cohorts share, found by what the signals look like and by nothing else.

Names, folders, patients and labels are not looked at. What changes from one release to the next does not
hide a copy: another name, sampling rate, gain or offset, rounding to whole microvolts, exchanged names of
leads, or an excerpt of a longer recording, wherever it starts. Three steps, each on what the last one left:

1. *Keys.* The sum of all leads is the one linear view of a recording that no exchange of leads changes. It
   is taken at 100 Hz and band-passed; 4 s of it around an anchor, scaled to length 1, are a key of 64
   numbers. Anchors are where the signal moves most, found on the signal itself, so an excerpt has the same
   ones. One anchor in every 2 s of the smaller cohort is compared with every anchor of the larger one, in
   blocks, as one matrix product each.
2. *Contexts.* Where two keys agree, the 10 s around the anchors are compared.
3. *Signals.* What is left is read again and compared lead by lead at 500 Hz.

The thresholds were measured on 552 recordings of 10 s of seven releases (PTB-XL, Georgia, Chapman-Shaoxing,
Ningbo, CPSC-2018 and its extra set), each against all others and against altered copies of itself; see
`KEY`, `CONTEXT`, `SIMILARITY` and `DISTANCE`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import maximum_filter1d
from scipy.optimize import linear_sum_assignment
from scipy.signal import oaconvolve

from cohorts.recording import STANDARD_LEADS, Recording, resample
from cohorts.store import Store

KEY = 0.93
CONTEXT = 0.93
SIMILARITY = 0.95
DISTANCE = 0.75
ASIDE = 0.2

SHORTEST = 6.0
"""Recordings below this many seconds are not compared: nothing would be left between their borders."""

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]

_COARSE = 100.0  # Hz, of keys and contexts
_FINE = 500.0  # Hz, of the last step
# A publisher's resampling distorts the ends: in PTB-XL's own 100 Hz files the last half second does not
# agree with the 500 Hz files.
_BORDER = 0.5  # s
_KEY_SAMPLES, _CONTEXT_SAMPLES, _STEP = 64, 160, 0.0625  # one sample every 62.5 ms
_BLOCK = 2.0  # s; one anchor of the smaller cohort in each
_SLIDE = 10  # samples of the last step by which it may correct an anchor
_REACH = 15.0  # s on either side of an anchor that the last step looks at
_RECORDS_AT_ONCE = 256
_PRODUCT = 1 << 24  # numbers of one matrix product
_HITS_AT_ONCE = 1 << 15


@dataclass(frozen=True, slots=True)
class _Anchors:
    """Places in recordings, and what the sum of the leads looks like around them.

    Attributes
    ----------
    key
        float32 ``[anchors, 64]``, rows of length 1.
    context
        float16 ``[anchors, 160]``; 0 beyond the ends of the recording.
    energy
        float64 ``[anchors]``, how much the signal moves there.
    time
        float64 ``[anchors]``, seconds from the start of the recording.
    record
        int64 ``[anchors]``, position of the recording in its store.
    """

    key: Floats
    context: Floats
    energy: Floats
    time: Floats
    record: Integers

    def __getitem__(self, chosen: Any) -> Self:
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True, slots=True)
class _Match:
    """How two recordings agree; ``start`` is the time in the second one at which the first one starts."""

    similarity: float
    start: float
    gain: float
    renamed: dict[str, str]


def find_overlap(a: Store, b: Store, *, progress: Callable[[int, int], None] | None = None) -> pd.DataFrame:
    """Find the recordings that two prepared cohorts share; for a cohort and itself, its duplicates.

    An excerpt is found if it has at least 9 s in common with the longer recording; two recordings that
    start together, if both last `SHORTEST` seconds or more. Memory grows with the smaller cohort alone, by
    about 2.5 kB for 10 s of recording.

    Parameters
    ----------
    a, b
        The same store twice for duplicates: each pair is then given once, without pairs of a record and itself.
    progress
        Called with (recordings read, recordings to read).

    Returns
    -------
    pandas.DataFrame
        One row a pair, sorted by ``record_a``: ``record_a``, ``record_b``, ``similarity`` (at most 1; see
        `SIMILARITY`) and ``note``, which says in words what differs between the two.
    """
    same = a.path == b.path
    swapped = len(b) < len(a)
    few, many = (b, a) if swapped else (a, b)
    total = len(a) + len(b)
    chosen = [_one_in_each_block(anchors) for anchors in _all_anchors(few, 0, total, progress)]
    queries = _Anchors.joined([_no_anchors(), *chosen])
    found: list[tuple[int, int, _Match]] = []
    block = [_no_anchors()]
    for position, anchors in enumerate(_all_anchors(many, len(few), total, progress), start=1):
        block.append(anchors)
        if position % _RECORDS_AT_ONCE == 0 or position == len(many):
            for one, other, here, there in _candidates(queries, _Anchors.joined(block), same):
                i, j, time_a, time_b = (other, one, there, here) if swapped else (one, other, here, there)
                match = _compare(a.recording(i), b.recording(j), time_a, time_b)
                if match is not None:
                    found.append((i, j, match))
            block = [_no_anchors()]
    ids_a, ids_b = a.index["record_id"], b.index["record_id"]
    found.sort(key=lambda pair: pair[:2])
    return pd.DataFrame(
        {
            "record_a": pd.Series([ids_a[i] for i, _, _ in found], dtype="str"),
            "record_b": pd.Series([ids_b[j] for _, j, _ in found], dtype="str"),
            "similarity": pd.Series([round(match.similarity, 4) for _, _, match in found], dtype="float64"),
            "note": pd.Series([_note(a, b, i, j, match) for i, j, match in found], dtype="str"),
        }
    )


def summarise(pairs: pd.DataFrame, a: Store, b: Store) -> dict[str, Any]:
    """Count what `find_overlap` found; plain numbers and text, ready for JSON.

    ``shared_a`` is how many records of ``a`` are also in ``b`` (of a cohort and itself: that occur more
    than once), ``too_short_a`` how many could not be compared because they are shorter than `SHORTEST`.
    """
    same = a.path == b.path
    records_a, records_b = set(pairs["record_a"]), set(pairs["record_b"])
    return {
        "cohort_a": a.card.id,
        "cohort_b": b.card.id,
        "same": same,
        "records_a": len(a),
        "records_b": len(b),
        "too_short_a": int((a.lengths / a.rates < SHORTEST).sum()),
        "too_short_b": int((b.lengths / b.rates < SHORTEST).sum()),
        "pairs": len(pairs),
        "shared_a": len(records_a | records_b if same else records_a),
        "shared_b": len(records_a | records_b if same else records_b),
    }


def overlap_sentences(summary: dict[str, Any]) -> list[str]:
    """Say what `summarise` counted, for people."""
    a, b = summary["cohort_a"], summary["cohort_b"]
    if summary["same"]:
        said = [f"{summary['shared_a']:,} of {summary['records_a']:,} records of {a} occur more than once."]
    else:
        said = [
            f"{summary['shared_a']:,} of {summary['records_a']:,} records of {a} are also in {b} "
            f"({summary['shared_b']:,} of its {summary['records_b']:,})."
        ]
    for cohort, number in dict([(a, summary["too_short_a"]), (b, summary["too_short_b"])]).items():
        if number:
            said.append(
                f"{number:,} records of {cohort} are shorter than {SHORTEST:g} s and were not compared."
            )
    return said


# --- keys and contexts ------------------------------------------------------------------------------------


def _all_anchors(
    store: Store, done: int, total: int, progress: Callable[[int, int], None] | None
) -> Iterator[_Anchors]:
    for position in range(len(store)):
        recording = store.recording(position)
        yield _anchors(recording, position)
        if progress is not None:
            progress(done + position + 1, total)


def _no_anchors() -> _Anchors:
    return _Anchors(
        np.empty((0, _KEY_SAMPLES), np.float32),
        np.empty((0, _CONTEXT_SAMPLES), np.float16),
        np.empty(0),
        np.empty(0),
        np.empty(0, np.int64),
    )


def _anchors(recording: Recording, record: int) -> _Anchors:
    """Find the places where a recording moves most in half a second, and cut out what is around them."""
    rate, half = int(_COARSE), int(_COARSE * _STEP * _KEY_SAMPLES / 2)
    if recording.signal.shape[1] / recording.sampling_rate < SHORTEST:
        return _no_anchors()
    summed = _filled(recording.signal).sum(axis=0)
    signal = _band_pass(resample(summed, recording.sampling_rate, _COARSE).astype(np.float64), 0.09, _COARSE)
    # Of a short recording, what is missing to a whole key is taken as silence.
    padding = max(0, 2 * half + rate - len(signal) + 1) // 2
    signal = np.pad(signal, padding)
    energy = np.convolve(np.gradient(signal) ** 2, _hann(0.15, _COARSE), "same")
    peaks = (energy == maximum_filter1d(energy, rate // 2 + 1)) & (energy > 1e-12 * energy.max())
    peaks[:half] = peaks[len(peaks) - half :] = False
    at = np.flatnonzero(peaks)
    before, here, after = energy[at - 1], energy[at], energy[at + 1]
    place = at + _summit(before, here, after)
    offsets = (np.arange(_CONTEXT_SAMPLES) - (_CONTEXT_SAMPLES - 1) / 2) * _STEP * rate
    wanted = place[:, None] + offsets
    context = np.interp(wanted, np.arange(len(signal)), signal, left=0.0, right=0.0)
    context /= np.abs(context).max(axis=1, keepdims=True)
    edge = (_CONTEXT_SAMPLES - _KEY_SAMPLES) // 2
    key = context[:, edge:-edge] - context[:, edge:-edge].mean(axis=1, keepdims=True)
    key /= np.linalg.norm(key, axis=1, keepdims=True)
    return _Anchors(
        key.astype(np.float32),
        context.astype(np.float16),
        here,
        (place - padding) / rate + _BORDER,
        np.full(len(at), record),
    )


def _one_in_each_block(anchors: _Anchors) -> _Anchors:
    """Take the strongest anchor in every two seconds."""
    block = (anchors.time // _BLOCK).astype(np.int64)
    order = np.lexsort((-anchors.energy, block))
    return anchors[order[np.unique(block[order], return_index=True)[1]]]


def _candidates(few: _Anchors, many: _Anchors, same: bool) -> Iterator[tuple[int, int, float, float]]:
    """Yield pairs of recordings that may be the same, and where to lay one upon the other (seconds)."""
    columns = ["one", "other", "here", "there", "score"]
    parts = [pd.DataFrame({name: np.empty(0, np.int64) for name in columns})]
    rows = max(1, _PRODUCT // max(1, len(many.record)))
    for start in range(0, len(few.record), rows):
        left, right = np.nonzero(few.key[start : start + rows] @ many.key.T > KEY)
        left += start
        if same:
            later = few.record[left] < many.record[right]
            left, right = left[later], right[later]
        for first in range(0, len(left), _HITS_AT_ONCE):
            i, j = left[first : first + _HITS_AT_ONCE], right[first : first + _HITS_AT_ONCE]
            similarity, samples = _context_similarity(few.context[i], many.context[j])
            alike = similarity > CONTEXT
            i, j, similarity, samples = i[alike], j[alike], similarity[alike], samples[alike]
            # The log-likelihood ratio of "copy" to "unrelated": a longer stretch may agree a little less.
            score = -samples * np.log(1 - np.minimum(similarity, 1 - 1e-6) ** 2)
            found = (few.record[i], many.record[j], few.time[i], many.time[j], score)
            parts.append(pd.DataFrame(dict(zip(columns, found, strict=True))))
    best = pd.concat(parts).sort_values("score", ascending=False, kind="stable")
    best = best.drop_duplicates(["one", "other"]).sort_values(["one", "other"])
    yield from zip(*(best[name].tolist() for name in columns[:4]), strict=True)


def _context_similarity(x: Floats, y: Floats) -> tuple[Floats, Integers]:
    """Correlate rows over the samples that both have; how many these are comes second."""
    x, y = x.astype(np.float32), y.astype(np.float32)
    both = (x != 0) & (y != 0)
    x, y = x * both, y * both
    product = np.einsum("ij,ij->i", x, y)
    norm = np.sqrt(np.einsum("ij,ij->i", x, x) * np.einsum("ij,ij->i", y, y))
    return product / np.maximum(norm, 1e-20), both.sum(axis=1)


# --- signals ----------------------------------------------------------------------------------------------


def _compare(x: Recording, y: Recording, time_x: float, time_y: float) -> _Match | None:
    """Compare two recordings lead by lead, laid upon each other at the given times; None if they differ."""
    first, start_x = _excerpt(x, time_x)
    second, start_y = _excerpt(y, time_y)
    shift = round((time_y - start_y - time_x + start_x) * _FINE)
    start, stop = max(0, -shift) + _SLIDE, min(first.shape[1], second.shape[1] - shift) - _SLIDE
    here, there = first[:, start:stop], second[:, start + shift : stop + shift]
    order = _assignment(here, there)
    second = second[order]
    lag = _lag(here, second[:, start + shift - _SLIDE : stop + shift + _SLIDE]) - _SLIDE
    whole, part = math.floor(lag), lag - math.floor(lag)
    start_there, stop_there = start + shift + whole, stop + shift + whole
    there = (1 - part) * second[:, start_there:stop_there]
    there += part * second[:, start_there + 1 : stop_there + 1]
    similarity = _similarity(here, there)
    if similarity < SIMILARITY:
        return None
    # Of a clean recording and a noisy copy, the clean one lies farther off in units of its own beats, and
    # is the one on whose side the noise does not pull the copy aside.
    (distance, _), (_, aside) = sorted(
        [
            _against_other_beats(here, there, first, start),
            _against_other_beats(there, here, second, start_there),
        ]
    )
    if distance > DISTANCE or aside > ASIDE:
        return None
    power = (here**2).sum(axis=1), (there**2).sum(axis=1)
    live = (power[0] > 0) & (power[1] > 0)
    gain = float(np.sqrt(np.median(power[1][live] / power[0][live])))
    renamed = {STANDARD_LEADS[i]: STANDARD_LEADS[j] for i, j in enumerate(order) if i != j}
    return _Match(similarity, start_y - start_x + (shift + lag) / _FINE, gain, renamed)


def _excerpt(recording: Recording, time: float) -> tuple[Floats, float]:
    """Cut out what is near a time, float64, band-passed, at 500 Hz; the time of the first sample comes second."""
    rate = recording.sampling_rate
    start = max(0, round((time - _REACH) * rate))
    signal = _filled(recording.signal[:, start : round((time + _REACH) * rate)])
    return _band_pass(resample(signal, rate, _FINE).astype(np.float64), 0.04, _FINE), start / rate + _BORDER


def _lag(x: Floats, y: Floats) -> float:
    """Find where ``x`` lies in the somewhat longer ``y``, in samples and parts of one."""
    places = y.shape[1] - x.shape[1] + 1
    products = np.array(
        [np.einsum("it,it->", x, y[:, place : place + x.shape[1]]) for place in range(places)]
    )
    best = int(products[1:-2].argmax()) + 1
    before, here, after = products[best - 1 : best + 2]
    return best + _summit(before, here, after)


def _assignment(x: Floats, y: Floats) -> Integers:
    """Find the row of ``y`` that belongs to each row of ``x``; as they are, unless another order is better.

    A pair of leads costs the energy that it leaves unexplained: nothing for two that differ by a gain alone.
    """
    x, y = (part / max(float(np.linalg.norm(part)), 1e-20) for part in (x, y))
    power_x, power_y = np.einsum("it,it->i", x, x), np.einsum("it,it->i", y, y)
    products = np.einsum("it,jt->ij", x, y)  # small: threads of a matrix product would cost more than it
    correlation = _quotient(products, np.sqrt(np.outer(power_x, power_y)), 0.0)
    cost = (power_x[:, None] + power_y) / 2 * (1 - correlation)
    rows, order = linear_sum_assignment(cost)
    return (rows if np.trace(cost) - cost[rows, order].sum() <= 0.001 else order).astype(np.int64)


def _similarity(x: Floats, y: Floats) -> float:
    """Correlate the leads in every second, weigh them by their sizes, and take the median of the seconds.

    The median, because one electrode pop has more energy than all heart beats, and looks the same in
    everybody. Seconds in which both are silent say nothing; at least four must say something.
    """
    x, y = _in_seconds(x), _in_seconds(y)
    heard = _heard(x) | _heard(y)
    if heard.sum() < 4:
        return 0.0
    sizes = (np.linalg.norm(x, axis=2) * np.linalg.norm(y, axis=2)).sum(axis=0)
    products = np.einsum("lst,lst->s", x, y)
    return float(np.median(_quotient(products, sizes, 0.0)[heard]))


def _against_other_beats(x: Floats, y: Floats, whole: Floats, start: int) -> tuple[float, float]:
    """Measure how far ``y`` is from ``x``, when the unit is how far ``x`` is from other beats of the same heart.

    Every second of ``x`` is set against the most similar one elsewhere in the recording ``whole``, in which
    ``x`` begins at sample ``start``.

    Returns
    -------
    distance, aside
        Medians over the seconds, see `DISTANCE` and `ASIDE`.
    """
    scale = _quotient(np.einsum("it,it->i", x, y), np.einsum("it,it->i", y, y), 0.0)[:, None]
    other = _in_seconds(_most_similar_elsewhere(x, whole, start) * (scale > 0))
    x, y = _in_seconds(x * (scale > 0)), _in_seconds(y * np.maximum(scale, 0))
    heard = _heard(x)
    step, difference = x - other, y - x
    size = np.einsum("lst,lst->s", step, step)[heard]
    distance = _quotient(np.einsum("lst,lst->s", difference, difference)[heard], size, 0.0)
    aside = _quotient(np.einsum("lst,lst->s", difference, step)[heard], size, 0.0)
    return float(np.median(distance)), float(np.median(np.abs(aside)))


def _most_similar_elsewhere(x: Floats, whole: Floats, start: int) -> Floats:
    """Put together, for every second of ``x``, the most similar second at least 0.3 s away from it."""
    second = int(_FINE)
    pieces = _in_seconds(x).sum(axis=0)
    summed = whole.sum(axis=0)
    starts = np.arange(len(summed) - second + 1)
    size = next_fast_len(len(summed) + second, real=True)
    products = irfft(rfft(summed, size) * np.conj(rfft(pieces, size)), size)[:, : len(starts)]
    power = np.concatenate([[0.0], np.cumsum(summed**2)])
    norm = np.sqrt(np.maximum(power[second:] - power[:-second], 1e-12 * power[-1]))
    own = start + second * np.arange(len(pieces))
    elsewhere = np.abs(starts - own[:, None]) >= 0.3 * _FINE
    best = np.where(elsewhere, _quotient(products, norm, 0.0), -np.inf).argmax(axis=1)
    return np.concatenate([whole[:, place : place + second] for place in best], axis=1)


def _in_seconds(x: Floats) -> Floats:
    """Fold ``[leads, samples]`` into ``[leads, seconds, samples]``, without what is left over at the end."""
    second = int(_FINE)
    seconds = x.shape[1] // second
    return x[:, : seconds * second].reshape(len(x), seconds, second)


def _heard(x: Floats) -> npt.NDArray[np.bool_]:
    """Tell the seconds in which there is something from those in which no lead moves."""
    power = np.einsum("lst,lst->s", x, x)
    heard: npt.NDArray[np.bool_] = power > 1e-6 * power.max(initial=0)
    return heard


def _quotient(numerator: Floats, denominator: Floats, undefined: float) -> Floats:
    result = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), undefined)
    return np.divide(numerator, denominator, out=result, where=denominator > 0)


def _note(a: Store, b: Store, i: int, j: int, match: _Match) -> str:
    """Say what differs between two recordings of the same heart beats."""
    rates, seconds = (a.rates[i], b.rates[j]), (a.lengths[i] / a.rates[i], b.lengths[j] / b.rates[j])
    said = []
    if rates[0] != rates[1]:
        said.append(f"{rates[0]:g} and {rates[1]:g} Hz")
    if abs(seconds[0] - seconds[1]) > 0.05:
        said.append(f"{seconds[0]:.1f} and {seconds[1]:.1f} s long")
    if abs(match.start) > 0.05:
        outer, start = ("record_b", match.start) if match.start > 0 else ("record_a", -match.start)
        said.append(f"starts {start:.2f} s into {outer}")
    if abs(match.gain - 1) > 0.02:
        said.append(f"record_b is {match.gain:.3g} times as large")
    if match.renamed:
        said.append("leads renamed: " + ", ".join(f"{x} is {y}" for x, y in match.renamed.items()))
    return "; ".join(said)


# --- filters ----------------------------------------------------------------------------------------------


def _summit(before: Any, here: Any, after: Any) -> Any:
    """Give the place of a maximum between samples: that of the parabola through three of them."""
    return np.clip((before - after) / (2 * np.minimum(before - 2 * here + after, -1e-300)), -0.5, 0.5)


def _filled(signal: Floats) -> Floats:
    """Take the mean off every lead; a missing sample becomes 0."""
    present = np.isfinite(signal)
    if present.all():
        return signal - signal.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    known = np.where(present, signal, 0.0)
    mean = known.sum(axis=1, keepdims=True) / np.maximum(present.sum(axis=1, keepdims=True), 1)
    return np.where(present, signal - mean, 0.0).astype(np.float32)


def _hann(seconds: float, rate: float) -> Floats:
    """Give a smoothing window of area 1 with an odd number of samples."""
    window = np.hanning((int(seconds * rate) | 1) + 2)[1:-1]
    return window / window.sum()


def _band_pass(signal: Floats, shortest: float, rate: float) -> Floats:
    """Smooth over ``shortest`` seconds, take off what is smooth over half a second, and cut the borders off.

    The filter has a finite length, so that what is cut out of a longer recording is filtered as it was there.
    """
    kernel = -_hann(0.5, rate)
    narrow = _hann(shortest, rate)
    middle = (len(kernel) - len(narrow)) // 2
    kernel[middle : middle + len(narrow)] += narrow
    border = int(_BORDER * rate)
    shape = (1,) * (signal.ndim - 1) + (-1,)
    filtered = oaconvolve(signal, kernel.astype(signal.dtype).reshape(shape), mode="same", axes=-1)
    return filtered[..., border : filtered.shape[-1] - border]
