"""DICOM, EDF and Philips files as devices write them, made of a recording whose every count is known."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pydicom
import pyedflib
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from cohorts.recording import STANDARD_LEADS, DigitalRecording

TWELVE_LEADS = "1.2.840.10008.5.1.4.1.1.9.1.1"
SCP = dict(zip(STANDARD_LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))
INTERPRETATIONS = {
    "i1": (8, "SB"),
    "u1": (8, "UB"),
    "i2": (16, "SS"),
    "u2": (16, "US"),
    "i4": (32, "SL"),
    "u4": (32, "UL"),
}


def counted(
    samples: int = 1000, seed: int = 0, leads: Sequence[str] = STANDARD_LEADS, rate: float = 500.0
) -> DigitalRecording:
    """A recording of random counts at 200 counts/mV, small enough for every width."""
    counts = np.random.default_rng(seed).integers(-120, 121, (len(leads), samples), dtype=np.int16)
    return DigitalRecording(counts, np.full(len(leads), 200.0), np.zeros(len(leads)), rate, tuple(leads))


def code(value: str, scheme: str, meaning: str) -> Items:
    """A code sequence of one item."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Items([item])


def channel(lead: str, gain: float, baseline: float = 0.0) -> Dataset:
    """Definition of a channel in microvolts, by its number in SCP-ECG."""
    item = Dataset()
    item.ChannelSourceSequence = code(f"5.6.3-9-{SCP[lead]}", "SCPECG", f"Lead {lead}")
    item.ChannelSensitivity = f"{1000 / gain:.10g}"
    item.ChannelSensitivityUnitsSequence = code("uV", "UCUM", "microvolt")
    item.ChannelSensitivityCorrectionFactor = "1"
    item.ChannelBaseline = f"{-baseline * 1000 / gain:.10g}"
    item.ChannelSampleSkew = "0"
    item.WaveformBitsStored = 16
    return item


def group(recording: DigitalRecording, kind: str = "<i2", originality: str = "ORIGINAL") -> Dataset:
    """A multiplex group; the counts are stored as they are, in a NumPy type such as ``">u2"``."""
    item = Dataset()
    item.MultiplexGroupTimeOffset = "0"
    item.WaveformOriginality = originality
    item.NumberOfWaveformChannels, item.NumberOfWaveformSamples = recording.counts.shape
    item.SamplingFrequency = f"{recording.sampling_rate:g}"
    rows = zip(recording.leads, recording.gain, recording.baseline, strict=True)
    item.ChannelDefinitionSequence = Items([channel(*row) for row in rows])
    item.WaveformBitsAllocated, item.WaveformSampleInterpretation = INTERPRETATIONS[np.dtype(kind).str[1:]]
    content = recording.counts.T.astype(np.dtype(kind)).tobytes()
    item.add_new("WaveformData", "OB" if kind[-1] == "1" else "OW", content + b"\0" * (len(content) % 2))
    return item


def write_dicom(
    path: Path,
    recording: DigitalRecording,
    patient: Mapping[str, Any] | None = None,
    *,
    groups: Sequence[Dataset] | None = None,
    kind: str = TWELVE_LEADS,
    syntax: UID = ExplicitVRLittleEndian,
    preamble: bool = True,
) -> None:
    """Write an ECG of one group, or of these; ``patient`` are any other attributes by keyword."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = kind, generate_uid(entropy_srcs=["test"])
    for keyword, value in {"Modality": "ECG", **(patient or {})}.items():
        setattr(data, keyword, value)
    data.WaveformSequence = Items(groups if groups is not None else [group(recording)])
    if not preamble:
        data.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
        return
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(path, data, enforce_file_format=True)


def eight_characters(value: float) -> float | int:
    """The nearest number that a header of EDF has room for."""
    return round(value) if abs(value) >= 1e5 else float(f"{value:.8f}"[:8])


def write_edf(
    path: Path,
    recording: DigitalRecording,
    patient: Mapping[str, str] | None = None,
    *,
    labels: Sequence[str] | None = None,
    unit: str = "uV",
    others: Mapping[str, float] | None = None,
    kind: int = pyedflib.FILETYPE_EDFPLUS,
    annotation: str = "",
) -> None:
    """Write the counts over the full range of EDF, or over a part of BDF's that eight characters can tell.

    Parameters
    ----------
    patient
        ``setPatientName`` and other methods of pyedflib's writer, without ``set``.
    labels
        Names of the channels, ``ECG I`` and so on.
    others
        Names and rates of further channels.
    """
    others = others or {}
    names = list(labels or [f"ECG {lead}" for lead in recording.leads])
    rates = [recording.sampling_rate] * len(names)
    wide = kind in (pyedflib.FILETYPE_BDF, pyedflib.FILETYPE_BDFPLUS)
    least, most = (-200_000, 200_000) if wide else (-32768, 32767)
    per_mv = {"uV": 1e3, "mV": 1.0, "V": 1e-3}[unit]
    seconds = recording.counts.shape[1] / recording.sampling_rate
    with pyedflib.EdfWriter(str(path), len(names) + len(others), kind) as writer:
        for keyword, value in (patient or {}).items():
            getattr(writer, f"set{keyword}")(value)
        for row, name in enumerate([*names, *others]):
            gain, baseline = (
                (recording.gain[row], recording.baseline[row]) if row < len(names) else (200.0, 0.0)
            )
            header = {
                "label": name,
                "dimension": unit if row < len(names) else "mmHg",
                "sample_frequency": [*rates, *others.values()][row],
                "physical_min": eight_characters((least - baseline) / gain * per_mv),
                "physical_max": eight_characters((most - baseline) / gain * per_mv),
                "digital_min": least,
                "digital_max": most,
                "transducer": "",
                "prefilter": "",
            }
            writer.setSignalHeader(row, header)
        more = [np.zeros(round(seconds * rate), np.int32) for rate in others.values()]
        writer.writeSamples([*recording.counts.astype(np.int32), *more], digital=True)
        if annotation:
            writer.writeAnnotation(0.5, -1, annotation)


def write_philips(
    path: Path,
    recording: DigitalRecording,
    patient: str = "",
    *,
    version: str = "1.04",
    pulse: bool = True,
    more: int = 4,
    encoding: str = "utf-16",
    edit: Mapping[str, str] | None = None,
) -> None:
    """Write the twelve leads as XLI.

    Parameters
    ----------
    pulse
        Whether a calibration pulse of 1 mV is appended to every lead, as the devices do.
    more
        Channels that nobody connected.
    edit
        Text of the document -> what stands in its place.
    """
    counts = recording.counts.astype(np.int64)
    rate, gain = recording.sampling_rate, float(recording.gain[0])
    if pulse:
        tenth = round(rate / 10)
        shape = np.repeat([0, round(gain), round(gain), 0], tenth)
        counts = np.hstack([counts, np.tile(shape, (len(counts), 1))])
    one, two, three, right, left, foot = counts[:6].copy()
    counts[2] = two - one - three
    counts[3] = -right - (one + two) // 2
    counts[4] = (one - three) // 2 - left
    counts[5] = (two + three) // 2 - foot
    rows = [*counts, *np.zeros((more, counts.shape[1]), np.int64)]
    data = base64.b64encode(b"".join(map(_xli, rows))).decode()
    labels = " ".join(recording.leads)
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n'
        '<restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo>'
        f"<documenttype>PhilipsECG</documenttype><documentversion>{version}</documentversion></documentinfo>"
        f"<patient><generalpatientdata><name>{escape(patient)}</name></generalpatientdata></patient>"
        f"<dataacquisition><signalcharacteristics><samplingrate>{rate:g}</samplingrate>"
        f"<resolution>{1000 / gain:g}</resolution><acquisitiontype>STD-12</acquisitiontype>"
        "<signaloffset>0</signaloffset>"
        f"<numberchannelsallocated>12</numberchannelsallocated></signalcharacteristics></dataacquisition>"
        f'<waveforms><parsedwaveforms dataencoding="Base64" compression="XLI" numberofleads="12" '
        f'leadlabels="{labels}" durationperchannel="{counts.shape[1] / rate * 1000:g}" '
        f'bitspersample="16">{data}</parsedwaveforms></waveforms></restingecgdata>'
    )
    for old, new in (edit or {}).items():
        assert old in text
        text = text.replace(old, new)
    path.write_bytes(text.encode(encoding))


def _xli(values: np.ndarray[Any, np.dtype[np.int64]]) -> bytes:
    """One lead: second differences, the high bytes before the low ones, as an LZW stream of single bytes."""
    lasts = 2 * values[1:-1] - values[:-2] - values[2:]
    stored = np.array([values[0], values[1], *(lasts[1:] + 64), 64]).astype(">i2")
    content = stored.view(np.uint8).reshape(-1, 2).T.tobytes()
    bits = "".join(f"{byte:010b}" for byte in content)
    bits += "1" * (-len(bits) % 8)
    packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
    header = len(packed).to_bytes(4, "little") + bytes(2) + int(lasts[0]).to_bytes(2, "little", signed=True)
    return header + packed
