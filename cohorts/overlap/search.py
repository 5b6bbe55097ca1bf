"""Recordings that two cohorts share, found by what the signals look like and by nothing else.

Names, patients and labels are not looked at. What changes from one release to the next does not hide a
copy: another name, sampling rate, gain or offset, rounding, exchanged names of leads, or an excerpt of a
longer recording, wherever it starts. A filter that changes the shape of the waves may. Three steps, each on
what the last one left:

1. *Keys.* The sum of all leads is the one linear view of a recording that no exchange of leads changes. It
   is taken at 100 Hz and band-passed; 4 s of it around an anchor, scaled to length 1, are a key of 64
   numbers. Anchors are where the signal moves most, found on the signal itself, so that an excerpt has the
   same ones. One anchor in every 2 s of the smaller cohort is compared with every anchor of the larger one.
2. *Contexts.* Where two keys agree, the 10 s around the anchors are compared.
3. *Signals.* What is left is read again and compared lead by lead, see `cohorts.overlap.same_recording`.

Of the 543 recordings that `cohorts.overlap.same_recording` describes, all were found at 100 and 257 Hz, cut
to 8 s anywhere, or with their leads shuffled; multiplied by 0.03 and rounded to whole microvolts, 542; by
0.01, 532. Of their 147,153 pairs, three were found that no one had made: each is one recording that its
publisher issued twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.catalogue import share
from cohorts.counts import plural
from cohorts.overlap.same_recording import BORDER, Floats, Match, band_pass, compare, filled, summit, window
from cohorts.recording import Recording
from cohorts.resampling import resample
from cohorts.store import Store

SHORTEST = 6.0
"""Recordings of fewer seconds are not compared: too few beats are left between their borders."""

ALIKE = 0.97
"""Least correlation of two keys, and of two contexts, to go on with."""

Progress = Callable[[int, int], None]

_RATE = 100  # Hz
_STEP = 6.25  # samples from one number of a key or context to the next
_KEY, _CONTEXT = 64, 160  # numbers: 4 s and 10 s
_BLOCK = 2.0  # s
_RECORDS_AT_ONCE = 256  # of the larger cohort
_PRODUCT = 1 << 24  # numbers of one matrix product
_HITS_AT_ONCE = 1 << 15


@dataclass(frozen=True, slots=True)
class _Anchors:
    """Places in recordings, and what the sum of the leads looks like around them.

    Attributes
    ----------
    key
        float32 ``[anchors, 64]``, rows of mean 0 and length 1.
    context
        float16 ``[anchors, 160]``, rows of maximum 1; 0 beyond the ends of the recording.
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
    record: npt.NDArray[np.int64]

    def __getitem__(self, chosen: Any) -> Self:
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))


def find_overlap(a: Store, b: Store, *, progress: Progress | None = None) -> pd.DataFrame:
    """Find the recordings that two prepared cohorts share; for a cohort and itself, its duplicates.

    A copy is found if it has 8 s or more in common with the other, or is all of it and lasts `SHORTEST`
    seconds or more. Time grows with the product of the two sizes, memory with the smaller one alone.

    Parameters
    ----------
    a, b
        Given the same store twice, every pair of different records is compared once.
    progress
        Called with (recordings read, recordings to read).

    Returns
    -------
    pandas.DataFrame
        One row a pair, in the order of ``a``: ``record_a``, ``record_b``, ``similarity`` (at most 1, see
        `cohorts.overlap.same_recording.Match`) and ``note``, which says what differs between the two.
    """
    same = a.path == b.path
    swapped = len(b) < len(a)
    few, many = (b, a) if swapped else (a, b)
    total = len(a) + len(b)
    queries = _joined([_one_in_each_block(anchors) for anchors in _all_anchors(few, 0, total, progress)])
    found: list[tuple[int, int, Match]] = []
    block: list[_Anchors] = []
    for position, anchors in enumerate(_all_anchors(many, len(few), total, progress), start=1):
        block.append(anchors)
        if position % _RECORDS_AT_ONCE == 0 or position == len(many):
            for one, other, here, there in _candidates(queries, _joined(block), same):
                i, j, time_a, time_b = (other, one, there, here) if swapped else (one, other, here, there)
                match = compare(a.recording(i), b.recording(j), time_a, time_b)
                if match is not None:
                    found.append((i, j, match))
            block = []
    found.sort(key=lambda pair: pair[:2])
    ids_a, ids_b = a.index["record_id"], b.index["record_id"]
    return pd.DataFrame(
        {
            "record_a": pd.Series([ids_a[i] for i, _, _ in found], dtype="str"),
            "record_b": pd.Series([ids_b[j] for _, j, _ in found], dtype="str"),
            "similarity": pd.Series([round(match.similarity, 4) for _, _, match in found], dtype="float64"),
            "note": pd.Series([_note(a, b, i, j, match) for i, j, match in found], dtype="str"),
        }
    )


def overlap_rows(pairs: pd.DataFrame) -> list[dict[str, Any]]:
    """Give what `find_overlap` found as rows of a list, for a table or JSON."""
    return [{str(name): value for name, value in row.items()} for row in pairs.to_dict("records")]


def summarise(pairs: pd.DataFrame, a: Store, b: Store) -> dict[str, Any]:
    """Count what `find_overlap` found.

    Returns
    -------
    dict
        Numbers and text, ready for JSON. ``shared_a`` is how many records of ``a`` are also in ``b`` (or,
        of a cohort and itself, occur more than once), ``too_short_a`` how many are shorter than `SHORTEST`
        and were not compared, ``stated`` whether a card says that the two cohorts share recordings.
    """
    same = a.path == b.path
    in_a, in_b = set(pairs["record_a"]), set(pairs["record_b"])
    return {
        "cohort_a": a.card.id,
        "cohort_b": b.card.id,
        "same": same,
        "stated": same or share(a.card, b.card),
        "pairs": len(pairs),
        "records_a": len(a),
        "records_b": len(b),
        "shared_a": len(in_a | in_b if same else in_a),
        "shared_b": len(in_a | in_b if same else in_b),
        "too_short_a": int((a.lengths / a.rates < SHORTEST).sum()),
        "too_short_b": int((b.lengths / b.rates < SHORTEST).sum()),
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
    if summary["pairs"] and not summary["stated"]:
        said.append("Neither cohort's card says that the two share recordings.")
    for name, short in {a: summary["too_short_a"], b: summary["too_short_b"]}.items():
        if short:
            records = f"{plural(short, 'record')} of {name}"
            said.append(f"{records} could not be compared: shorter than {SHORTEST:g} s.")
    return said


def _all_anchors(store: Store, done: int, total: int, progress: Progress | None) -> Iterator[_Anchors]:
    for position in range(len(store)):
        yield _anchors(store.recording(position), position)
        if progress is not None:
            progress(done + position + 1, total)


def _joined(parts: list[_Anchors]) -> _Anchors:
    none = _Anchors(
        np.empty((0, _KEY), np.float32),
        np.empty((0, _CONTEXT), np.float16),
        np.empty(0),
        np.empty(0),
        np.empty(0, np.int64),
    )
    columns = ([getattr(part, field.name) for part in (none, *parts)] for field in fields(_Anchors))
    return _Anchors(*map(np.concatenate, columns))


def _anchors(recording: Recording, record: int) -> _Anchors:
    """Find the places where a recording moves more than a quarter of a second before and after."""
    from scipy.ndimage import maximum_filter1d

    if recording.signal.shape[1] < SHORTEST * recording.sampling_rate:
        return _joined([])
    summed = resample(filled(recording.signal).sum(axis=0), recording.sampling_rate, _RATE)
    signal = band_pass(summed.astype(np.float64), _RATE, 0.09)
    energy = np.convolve(np.gradient(signal) ** 2, window(0.15, _RATE), "same")
    peaks = (energy == maximum_filter1d(energy, _RATE // 2 + 1)) & (energy > 1e-12 * energy.max())
    half = int(_KEY * _STEP / 2)
    peaks[:half] = peaks[-half:] = False
    at = np.flatnonzero(peaks)
    # Between samples, so that it does not depend on where the samples happen to lie.
    place = at + summit(energy[at - 1], energy[at], energy[at + 1])
    wanted = place[:, None] + (np.arange(_CONTEXT) - (_CONTEXT - 1) / 2) * _STEP
    context = np.interp(wanted, np.arange(len(signal)), signal, left=0.0, right=0.0)
    context /= np.abs(context).max(axis=1, keepdims=True)
    edge = (_CONTEXT - _KEY) // 2
    key = context[:, edge:-edge] - context[:, edge:-edge].mean(axis=1, keepdims=True)
    key /= np.linalg.norm(key, axis=1, keepdims=True)
    return _Anchors(
        key.astype(np.float32),
        context.astype(np.float16),
        energy[at],
        place / _RATE + BORDER,
        np.full(len(at), record),
    )


def _one_in_each_block(anchors: _Anchors) -> _Anchors:
    """Take the strongest anchor in every two seconds."""
    block = (anchors.time // _BLOCK).astype(np.int64)
    order = np.lexsort((-anchors.energy, block))
    return anchors[order[np.unique(block[order], return_index=True)[1]]]


def _candidates(few: _Anchors, many: _Anchors, same: bool) -> Iterator[tuple[int, int, float, float]]:
    """Yield pairs of recordings that may be the same, and the times of the same moment in both."""
    columns = ["one", "other", "here", "there", "score"]
    parts = [pd.DataFrame(np.empty((0, len(columns))), columns=columns)]
    rows = max(1, _PRODUCT // max(1, len(many.record)))
    for start in range(0, len(few.record), rows):
        left, right = np.nonzero(few.key[start : start + rows] @ many.key.T > ALIKE)
        left += start
        if same:
            later = few.record[left] < many.record[right]
            left, right = left[later], right[later]
        for first in range(0, len(left), _HITS_AT_ONCE):
            i, j = left[first : first + _HITS_AT_ONCE], right[first : first + _HITS_AT_ONCE]
            similarity, numbers = _context_similarity(few.context[i], many.context[j])
            alike = similarity > ALIKE
            i, j, similarity, numbers = i[alike], j[alike], similarity[alike], numbers[alike]
            # The log-likelihood ratio of "copy" to "unrelated": over more time, less agreement is as good.
            score = -numbers * np.log(1 - np.minimum(similarity, 1 - 1e-6) ** 2)
            found = (few.record[i], many.record[j], few.time[i], many.time[j], score)
            parts.append(pd.DataFrame(dict(zip(columns, found, strict=True))))
    best = pd.concat(parts).sort_values("score", ascending=False, kind="stable")
    best = best.drop_duplicates(["one", "other"]).sort_values(["one", "other"])
    for one, other, here, there, _ in best.itertuples(index=False):
        yield int(one), int(other), float(here), float(there)


def _context_similarity(x: Floats, y: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Correlate rows over the numbers that both have; how many these are comes second."""
    x, y = x.astype(np.float32), y.astype(np.float32)
    both = (x != 0) & (y != 0)
    x, y = x * both, y * both
    norm = np.sqrt(np.einsum("ij,ij->i", x, x) * np.einsum("ij,ij->i", y, y))
    return np.einsum("ij,ij->i", x, y) / np.maximum(norm, np.float32(1e-20)), both.sum(axis=1)


def _note(a: Store, b: Store, i: int, j: int, match: Match) -> str:
    """Say what differs between two recordings of the same heart beats."""
    rates, seconds = (a.rates[i], b.rates[j]), (a.lengths[i] / a.rates[i], b.lengths[j] / b.rates[j])
    said = []
    if rates[0] != rates[1]:
        said.append(f"{rates[0]:g} and {rates[1]:g} Hz")
    if abs(seconds[0] - seconds[1]) > 0.05:
        said.append(f"{seconds[0]:.1f} and {seconds[1]:.1f} s long")
    if abs(match.start) > 0.05:
        outer = "record_b" if match.start > 0 else "record_a"
        said.append(f"starts {abs(match.start):.2f} s into {outer}")
    if abs(match.gain - 1) > 0.02:
        said.append(f"record_b is {float(f'{match.gain:.3g}'):g} times as large")
    if match.renamed:
        said.append("leads renamed: " + ", ".join(f"{x} is {y}" for x, y in match.renamed.items()))
    return "; ".join(said)
