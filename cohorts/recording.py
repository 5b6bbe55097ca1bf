"""Recordings: leads by name, millivolts, quantisation.

Leads are chosen by name and never by position: releases differ in their order (MIMIC-IV-ECG stores
aVR aVF aVL, CODE-test aVL aVF aVR).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cohorts.errors import RecordError, UnknownNameError

STANDARD_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

MV_PER_UNIT = {"mV": 1.0, "uV": 1e-3, "V": 1e3}

MISSING = -32768
"""The count that marks a missing sample (WFDB format 16 has the same convention)."""

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int16]

# Einthoven and Goldberger: every limb lead as (multiple of I, multiple of II). Any two of them are
# independent, so any two give the other four.
_LIMB_LEADS = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}

_NAMES = {
    alias: lead
    for lead in STANDARD_LEADS
    for upper in [lead.upper()]
    for alias in (upper, f"LEAD {upper}", f"ECG {upper}", *([f"D{upper}"] if set(upper) == {"I"} else []))
}


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One recording in millivolts.

    Attributes
    ----------
    signal
        float32 ``[leads, samples]`` in mV; a missing sample is NaN.
    sampling_rate
        In Hz.
    leads
        Names of the rows.
    """

    signal: Floats
    sampling_rate: float
    leads: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.signal.ndim != 2 or len(self.signal) != len(self.leads):
            raise ValueError(f"signal of shape {self.signal.shape} for {len(self.leads)} lead names")


@dataclass(frozen=True, slots=True, eq=False)
class DigitalRecording:
    """One recording as a converter wrote it: ``mV = (counts - baseline) / gain``.

    Attributes
    ----------
    counts
        int16 ``[leads, samples]``; -32768 is a missing sample.
    gain
        float64 ``[leads]``, counts per mV.
    baseline
        float64 ``[leads]``, the count of 0 mV.
    sampling_rate
        In Hz.
    leads
        Names of the rows.
    """

    counts: Counts
    gain: Doubles
    baseline: Doubles
    sampling_rate: float
    leads: tuple[str, ...]

    def __post_init__(self) -> None:
        if (
            self.counts.ndim != 2
            or len({len(self.counts), *self.gain.shape, *self.baseline.shape, len(self.leads)}) > 1
        ):
            raise ValueError(f"counts of shape {self.counts.shape} for {len(self.leads)} lead names")

    def to_recording(self) -> Recording:
        """Convert to millivolts; missing samples become NaN."""
        return Recording(millivolts(self.counts, self.gain, self.baseline), self.sampling_rate, self.leads)

    @classmethod
    def from_recording(cls, recording: Recording) -> DigitalRecording:
        """Quantise millivolts to 16 bits, lead by lead.

        A lead whose values are whole microvolts and fit is stored in steps of 1 µV, exactly. Any
        other is spread over the 16 bits, so its error is at most its range / 130,000. Samples that
        are not finite are stored as missing.
        """
        with np.errstate(invalid="ignore"):  # numpy warns of a signalling NaN, which files may hold
            signal = recording.signal.astype(np.float64)
        finite = np.isfinite(signal)
        microvolts = np.where(finite, signal * 1000.0, 0.0)
        # float32 millivolts carry whole microvolts to about 0.002 µV at full scale.
        whole = np.abs(microvolts - np.rint(microvolts)).max(axis=1, initial=0.0) < 0.01
        fits = np.abs(microvolts).max(axis=1, initial=0.0) <= 32767
        low = np.where(finite, signal, np.inf).min(axis=1, initial=np.inf)
        high = np.where(finite, signal, -np.inf).max(axis=1, initial=-np.inf)
        empty = low > high
        low, high = np.where(empty, 0.0, low), np.where(empty, 0.0, high)
        spread = np.where(high > low, high - low, 65.0)
        exact = whole & fits
        gain = np.where(exact, 1000.0, 65000.0 / spread)
        baseline = np.where(exact, 0.0, -(low + high) / 2 * gain)
        counts = np.rint(np.where(finite, signal, 0.0) * gain[:, None] + baseline[:, None])
        counts[~finite] = MISSING
        return cls(counts.astype(np.int16), gain, baseline, recording.sampling_rate, recording.leads)


def millivolts(counts: Counts, gain: Doubles, baseline: Doubles) -> Floats:
    """Convert counts ``[leads, samples]`` to mV, float32; missing samples become NaN."""
    signal = counts.astype(np.float32)
    if baseline.any():
        signal -= baseline.astype(np.float32)[:, None]
    # A division and not a product with 1 / gain: it rounds once, to the float32 nearest to the truth.
    signal /= gain.astype(np.float32)[:, None]
    if counts.size and counts.min() == MISSING:
        signal[counts == MISSING] = np.nan
    return signal


def standard_lead_name(name: str) -> str | None:
    """Give the standard name of a lead, or None for anything else.

    Case, surrounding blanks and the prefixes of "lead aVR", "ECG II" and "DIII" do not matter. A
    sign does: "-aVR" is another lead than aVR.
    """
    return _NAMES.get(" ".join(name.replace("_", " ").upper().split()))


@lru_cache(maxsize=256)
def _rows(names: tuple[str, ...]) -> dict[str, int]:
    """Row of each standard lead among ``names``."""
    rows: dict[str, int] = {}
    for row, name in enumerate(names):
        lead = standard_lead_name(name)
        if lead is not None and lead in rows:
            raise RecordError(f"Two rows are called lead {lead}: '{names[rows[lead]]}' and '{name}'.")
        if lead is not None:
            rows[lead] = row
    return rows


def _derived(lead: str, signal: Floats, rows: dict[str, int]) -> Floats:
    """Compute a lead that is not among ``rows`` from two limb leads that are."""
    sources = [source for source in _LIMB_LEADS if source in rows][:2]
    if lead not in _LIMB_LEADS or len(sources) < 2:
        raise RecordError(
            f"Lead {lead} is missing and cannot be derived from {', '.join(rows) or 'no lead'}."
        )
    weights = np.array(_LIMB_LEADS[lead]) @ np.linalg.inv([_LIMB_LEADS[source] for source in sources])
    first, second = (signal[rows[source]].astype(np.float64) for source in sources)
    derived: Floats = (weights[0] * first + weights[1] * second).astype(np.float32)
    return derived


def select_leads(recording: Recording, leads: Sequence[str] = STANDARD_LEADS) -> Recording:
    """Take the asked leads, in the order asked.

    A missing limb lead is derived from two others (III = II - I, aVR = -(I + II) / 2 and so on). A recording
    that is as asked is given back itself.

    Raises
    ------
    RecordError
        If a precordial lead is missing, a limb lead cannot be derived, or a name occurs twice.
    UnknownNameError
        If an asked lead is none of the standard twelve.
    """
    if recording.leads == STANDARD_LEADS == tuple(leads):
        return recording
    rows = _rows(recording.leads)
    signal = np.empty((len(leads), recording.signal.shape[1]), np.float32)
    for row, lead in enumerate(leads):
        if lead not in STANDARD_LEADS:
            raise UnknownNameError("lead", lead, STANDARD_LEADS)
        signal[row] = recording.signal[rows[lead]] if lead in rows else _derived(lead, recording.signal, rows)
    return Recording(signal, recording.sampling_rate, tuple(leads))


def standard_leads(recording: DigitalRecording) -> DigitalRecording:
    """Bring a recording to the twelve standard leads in order; those that are there keep their counts.

    Raises
    ------
    RecordError
        As `select_leads`.
    """
    if recording.leads == STANDARD_LEADS:
        return recording
    rows = _rows(recording.leads)
    missing = [lead for lead in STANDARD_LEADS if lead not in rows]
    if missing:
        derived = DigitalRecording.from_recording(select_leads(recording.to_recording(), missing))
        recording = DigitalRecording(
            np.vstack([recording.counts, derived.counts]),
            np.append(recording.gain, derived.gain),
            np.append(recording.baseline, derived.baseline),
            recording.sampling_rate,
            recording.leads + derived.leads,
        )
        rows = _rows(recording.leads)
    order = [rows[lead] for lead in STANDARD_LEADS]
    in_order = order == list(range(len(recording.counts)))
    return DigitalRecording(
        recording.counts if in_order else recording.counts[order],
        recording.gain[order],
        recording.baseline[order],
        recording.sampling_rate,
        STANDARD_LEADS,
    )
