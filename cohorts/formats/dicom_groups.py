"""One multiplex group of a DICOM waveform: channels, what they measure, their samples (PS3.3 C.10.9.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cohorts.errors import RecordError
from cohorts.formats.wfdb_header import MAX_VALUES, shown
from cohorts.recording import MV_PER_UNIT, Doubles, standard_lead_name

# (bits allocated, sample interpretation) -> numpy's name; the compressed MB and AB are not read.
_TYPES = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (16, "SS"): "i2",
    (16, "US"): "u2",
    (32, "SL"): "i4",
    (32, "UL"): "u4",
}

# Numbers of the leads in SCP-ECG (EN 1064), which the nomenclature of ISO/IEEE 11073 has taken over.
_NUMBERS = {1: "I", 2: "II", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF"} | {
    n + 2: f"V{n}" for n in range(1, 7)
}
_SCP = re.compile(r"5\.6\.3-9-(\d{1,3})")
_MDC = re.compile(r"2::?(\d{1,3})")
_MDC_BASE = 2 * 65536 + 256  # partition 2; leads begin at 256

_UNITS = {unit.lower(): factor for unit, factor in MV_PER_UNIT.items()} | {"nv": 1e-6}


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A group whose numbers have been checked against each other.

    Attributes
    ----------
    values
        Integers ``[channels, samples]``.
    rows
        Channels that are standard leads; what follows is of these.
    leads
        Their names.
    gain
        Counts per mV.
    baseline
        The count of 0 mV.
    skew
        Delay of a lead's first sample, in samples.
    padding
        The value that stands for no sample.
    """

    values: npt.NDArray[np.integer[Any]]
    sampling_rate: float
    rows: list[int]
    leads: tuple[str, ...]
    gain: Doubles
    baseline: Doubles
    skew: Doubles
    padding: int | None

    @property
    def samples(self) -> int:
        """Samples of a channel."""
        return int(self.values.shape[1])


def read_group(item: Any, big_endian: bool) -> Group | None:
    """Read an item of the Waveform Sequence; None if none of its channels is a standard lead.

    Raises
    ------
    RecordError
        If something is missing or contradicts something else.
    """
    channels, samples = int(item.NumberOfWaveformChannels), int(item.NumberOfWaveformSamples)
    rate = float(item.SamplingFrequency)
    definitions = list(item.get("ChannelDefinitionSequence") or ())
    if not 1.0 <= rate <= 100_000.0:
        raise RecordError(f"its sampling rate is {rate:g} Hz.")
    if len(definitions) != channels:
        raise RecordError(f"it announces {channels} channels and describes {len(definitions)}.")
    if not channels or not samples or channels * samples > MAX_VALUES:
        raise RecordError(f"it announces {channels} channels of {samples:,} samples.")
    names = [_lead(definition) for definition in definitions]
    rows = [row for row, lead in enumerate(names) if lead is not None]
    if not rows:
        return None
    scale = np.array([_scale(definitions[row], str(names[row])) for row in rows])
    values, kind = _samples(item, channels, samples, big_endian)
    return Group(
        values,
        rate,
        rows,
        tuple(str(names[row]) for row in rows),
        1.0 / scale[:, 0],
        0.0 - scale[:, 1] / scale[:, 0],
        np.array([_skew(definitions[row], rate, samples) for row in rows]),
        _padding(item, kind),
    )


def _samples(
    item: Any, channels: int, samples: int, big_endian: bool
) -> tuple[npt.NDArray[np.integer[Any]], np.dtype[Any]]:
    """Undo the multiplexing: all channels' first sample is followed by all channels' second."""
    bits, interpretation = int(item.WaveformBitsAllocated), str(item.WaveformSampleInterpretation).strip()
    if (bits, interpretation) not in _TYPES:
        raise RecordError(f"its samples are {bits} bits of {shown(interpretation)}, which is not read.")
    kind = np.dtype(_TYPES[bits, interpretation]).newbyteorder(">" if big_endian else "<")
    content = bytes(item.WaveformData)
    expected = channels * samples * kind.itemsize
    if len(content) != expected + expected % 2 and len(content) != expected:
        raise RecordError(f"it has {len(content):,} bytes of samples where {expected:,} are announced.")
    values = np.frombuffer(content, kind, channels * samples).reshape(samples, channels).T
    return values, kind


def _padding(item: Any, kind: np.dtype[Any]) -> int | None:
    value = item.get("WaveformPaddingValue")
    if value is None:
        return None
    content = bytes(value)[: kind.itemsize]
    if len(content) < kind.itemsize:
        raise RecordError("its padding value is shorter than a sample.")
    return int(np.frombuffer(content, kind)[0])


def _scale(definition: Any, lead: str) -> tuple[float, float]:
    """Millivolts of one count, and those of the count 0."""
    units = definition.get("ChannelSensitivityUnitsSequence")
    if definition.get("ChannelSensitivity") is None or not units:
        raise RecordError(f"it does not say how many millivolts a count of lead {lead} is.")
    unit = str(units[0].get("CodeValue", "")).strip()
    factor = _UNITS.get(unit.lower().replace("µ", "u").replace("μ", "u"))
    if factor is None:
        raise RecordError(f"lead {lead} is in {shown(unit[:16])}, which is no voltage.")
    correction = definition.get("ChannelSensitivityCorrectionFactor")
    step = float(definition.ChannelSensitivity) * (1.0 if correction is None else float(correction)) * factor
    centre = float(definition.get("ChannelBaseline") or 0.0) * factor
    if not 1e-15 <= abs(step) <= 1e6 or not abs(centre) <= 1e9:
        raise RecordError(f"a count of lead {lead} is {step:g} mV from {centre:g} mV.")
    return step, centre


def _skew(definition: Any, rate: float, samples: int) -> float:
    seconds, counted = definition.get("ChannelTimeSkew"), definition.get("ChannelSampleSkew")
    skew = float(seconds) * rate if seconds is not None else float(counted or 0.0)
    if not abs(skew) < samples:
        raise RecordError("a channel begins after the others have ended.")
    return skew


def _lead(definition: Any) -> str | None:
    """The standard lead that a channel is, by its code and by its meaning, which must not contradict."""
    sources = definition.get("ChannelSourceSequence")
    if not sources:
        return _named(str(definition.get("ChannelLabel", "")))
    code, meaning = str(sources[0].get("CodeValue", "")).strip(), str(sources[0].get("CodeMeaning", ""))
    coded, named = _coded(code), _named(meaning)
    if coded and named and coded != named:
        raise RecordError(f"a channel's code says lead {coded} and its meaning lead {named}.")
    return coded or named


def _coded(code: str) -> str | None:
    """Lead of a code of SCP-ECG (``5.6.3-9-61``) or of MDC (``2:61``, ``131389``, ``MDC_ECG_LEAD_III``)."""
    match = _SCP.fullmatch(code) or _MDC.fullmatch(code)
    if match:
        return _NUMBERS.get(int(match[1]))
    if code.isascii() and code.isdecimal() and len(code) < 10:
        return _NUMBERS.get(int(code) - _MDC_BASE)
    return (
        standard_lead_name(code.removeprefix("MDC_ECG_LEAD_")) if code.startswith("MDC_ECG_LEAD_") else None
    )


def _named(meaning: str) -> str | None:
    """Lead of a meaning such as ``Lead I (Einthoven)``, ``aVR, augmented voltage, right`` or ``V1``."""
    return standard_lead_name(re.split(r"[(,]", meaning)[0])
