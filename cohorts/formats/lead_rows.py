"""Leads as files of electrocardiographs give them, each with its own scale, joined to one recording."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cohorts.counts import plural
from cohorts.errors import RecordError
from cohorts.formats.wfdb_header import MAX_VALUES, shown
from cohorts.recording import MISSING, Counts, DigitalRecording, Doubles, Recording, standard_lead_name

_MILLIVOLTS = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6}
_MILLIVOLTS |= {"volt": 1e3, "millivolt": 1.0, "microvolt": 1e-3, "nanovolt": 1e-6}
_MAX_LEADS = 256
_RATES = (1.0, 100_000.0)
_SCALES = (1e-15, 1e3)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_BLOCK = 500_000  # words
_LEAD = re.compile(r"[\w+. /-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class LeadRow:
    """One lead: ``mV = offset + scale * value``.

    Attributes
    ----------
    name
        As the file has it.
    values
        float64 or int16 ``[samples]``. NaN is a missing sample, and so is -32768 in a lead whose values
        are all whole and of 16 bits.
    scale
        mV per value.
    offset
        In mV.
    """

    name: str
    values: Doubles | Counts
    scale: float
    offset: float = 0.0


def joined(file: str, rows: Sequence[LeadRow], rate: float) -> DigitalRecording:
    """Join leads to a recording; standard leads get their standard names.

    Values that are whole numbers of 16 bits stay as they are; a lead with any other goes through
    `DigitalRecording.from_recording`.

    Raises
    ------
    RecordError
        If there is no lead, leads differ in length, a name is there twice or is no name, or rate or scale
        cannot be.
    """
    if not 0 < len(rows) <= _MAX_LEADS:
        raise RecordError(f"{file} holds {len(rows):,} leads." if rows else f"{file} holds no lead.")
    if not _RATES[0] <= rate <= _RATES[1]:
        raise RecordError(f"{file} has a sampling rate of {rate:g} Hz.")
    lengths = {len(row.values) for row in rows}
    if len(lengths) > 1:
        raise RecordError(
            f"The leads of {file} differ in length: {min(lengths):,} to {max(lengths):,} samples."
        )
    samples = lengths.pop()
    if not samples or samples * len(rows) > MAX_VALUES:
        raise RecordError(f"{file} has {plural(samples, 'sample')} for each of {plural(len(rows), 'lead')}.")
    parts = [_digital(file, row, rate) for row in rows]
    leads = tuple(part.leads[0] for part in parts)
    if len(set(leads)) < len(leads):
        lead, times = Counter(leads).most_common(1)[0]
        raise RecordError(f"{file} holds lead {lead} {times} times.")
    return DigitalRecording(
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.gain for part in parts]),
        np.concatenate([part.baseline for part in parts]),
        rate,
        leads,
    )


def _digital(file: str, row: LeadRow, rate: float) -> DigitalRecording:
    """Make a recording of one lead."""
    name = row.name.strip()
    if not _LEAD.fullmatch(name):
        raise RecordError(f"{file} has a lead without a usable name.")
    leads = (standard_lead_name(name) or name,)
    if not _SCALES[0] <= abs(row.scale) <= _SCALES[1] or not abs(row.offset) <= 1e9:
        raise RecordError(f"{file} gives lead {leads[0]} {row.scale:g} mV a step from {row.offset:g} mV.")
    counts, baseline = _counts(row.values), -row.offset / row.scale
    if counts is not None and abs(baseline) <= -MISSING:
        return DigitalRecording(counts[None], np.array([1.0 / row.scale]), np.array([baseline]), rate, leads)
    values = np.asarray(row.values, np.float64)
    if np.abs(values[np.isfinite(values)]).max(initial=0.0) * abs(row.scale) > 1e9:
        raise RecordError(f"{file} has samples of more than a million volts in lead {leads[0]}.")
    millivolts = (row.offset + row.scale * values).astype(np.float32)[None]
    return DigitalRecording.from_recording(Recording(millivolts, rate, leads))


def _counts(values: Doubles | Counts) -> Counts | None:
    """Values as 16 bits, missing ones as -32768; None where they are no such numbers."""
    if values.dtype == np.int16:
        return values  # type: ignore[return-value]  # mypy does not narrow by dtype
    filled = np.where(np.isnan(values), MISSING, values)
    whole = (filled == np.rint(filled)) & (filled >= MISSING) & (filled < -MISSING)
    return filled.astype(np.int16) if whole.all() else None


def number(file: str, what: str, text: str) -> float:
    """Read a finite decimal number.

    Raises
    ------
    RecordError
        If the text is anything else.
    """
    if _NUMBER.fullmatch(text.strip()) and len(text) <= 60 and math.isfinite(value := float(text)):
        return value
    raise RecordError(f"{file} has no readable {what}: {shown(text.strip())}.")


def millivolts_per(file: str, unit: str) -> float:
    """Millivolts per one of a unit, ``uV`` or ``MICROVOLTS`` for example.

    Raises
    ------
    RecordError
        If it is none of voltage.
    """
    name = unit.strip().lower()
    found = _MILLIVOLTS.get(name, _MILLIVOLTS.get(name.removesuffix("s")))
    if found is None:
        raise RecordError(f"{file} has a lead whose unit is no voltage: {shown(unit.strip())}.")
    return found


def numbers(file: str, lead: str, text: str) -> Doubles:
    """Read samples written as decimal numbers with blanks between them; ``NaN`` is a missing one.

    Raises
    ------
    RecordError
        If there is anything else.
    """
    try:
        if "_" in text or not text.isascii():  # Python would read both as numbers
            raise ValueError
        values = np.concatenate([np.empty(0), *_blocks(text)])
    except ValueError:
        values = np.array([np.inf])
    if np.isinf(values).any():
        raise RecordError(f"{file} has a sample that is no number in lead {shown(lead)}.")
    return values


def _blocks(text: str) -> Iterator[Doubles]:
    """Read numbers block by block, because a list of all words takes many times their memory."""
    while text:
        words = text.split(maxsplit=_BLOCK)
        text = words.pop() if len(words) > _BLOCK else ""
        yield np.fromiter(map(float, words), np.float64, len(words))
