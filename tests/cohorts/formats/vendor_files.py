"""Tiny files as electrocardiographs write them, for tests that need to know what is in one.

Each writer takes a recording and what is unusual about the file. All put the same invented person into the
places where the real files have theirs, so that a test can look for `PERSON` where it must not be.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cohorts.errors import RecordError
from cohorts.recording import STANDARD_LEADS, DigitalRecording

PERSON = "Zäzilie Rosenkohl"
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
MDC = "2.16.840.1.113883.6.24"


def recording(
    counts: np.ndarray,
    leads: Sequence[str] = STANDARD_LEADS,
    *,
    rate: float = 500.0,
    microvolts: float = 5.0,
    offset: float = 0.0,
) -> DigitalRecording:
    """Counts ``[leads, samples]`` of so many µV each, 0 being ``offset`` µV."""
    gain = np.full(len(counts), 1000 / microvolts)
    return DigitalRecording(
        np.asarray(counts, np.int16), gain, np.full(len(counts), -offset / microvolts), rate, tuple(leads)
    )


def write_muse(
    path: Path,
    found: DigitalRecording,
    *,
    lead: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    waveform: Mapping[str, str] | None = None,
    encoding: str = "ISO-8859-1",
) -> Path:
    """A GE MUSE XML file: median beats of other numbers first, then the recording as its rhythm.

    Parameters
    ----------
    lead, waveform
        Other texts for elements of every lead, and of the rhythm's waveform.
    without
        Elements of a lead or waveform that are left out.
    """
    median = DigitalRecording(found.counts[:, :8] + np.int16(99), *_scale(found), 250.0, found.leads)
    body = _muse_waveform(median, {"WaveformType": "Median"}, {}, ())
    body += _muse_waveform(found, waveform or {}, lead or {}, without)
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n'
        "<RestingECG>"
        f"<PatientDemographics><PatientLastName>{PERSON}</PatientLastName></PatientDemographics>"
        "<RestingECGMeasurements><ECGSampleBase>77</ECGSampleBase></RestingECGMeasurements>\n"
        f"{body}</RestingECG>\n"
    )
    return _written(path, text, encoding)


def _scale(found: DigitalRecording) -> tuple[np.ndarray, np.ndarray]:
    return found.gain, found.baseline


def _muse_waveform(
    found: DigitalRecording, waveform: Mapping[str, str], lead: Mapping[str, str], without: Sequence[str]
) -> str:
    parts = {
        "WaveformType": "Rhythm",
        "NumberofLeads": str(len(found.leads)),
        "SampleType": "CONTINUOUS_SAMPLES",
        "SampleBase": f"{found.sampling_rate:g}",
        "SampleExponent": "0",
    } | dict(waveform)
    leads = ""
    for name, counts, gain in zip(found.leads, found.counts, found.gain, strict=True):
        raw = counts.astype("<i2").tobytes()
        text = base64.b64encode(raw).decode()
        lines = "\n".join(text[at : at + 76] for at in range(0, len(text), 76))
        elements = {
            "LeadByteCountTotal": str(len(raw)),
            "LeadTimeOffset": "0",
            "LeadSampleCountTotal": str(len(counts)),
            "LeadAmplitudeUnitsPerBit": repr(float(1000 / gain)),
            "LeadAmplitudeUnits": "MICROVOLTS",
            "LeadID": name,
            "LeadOffsetFirstSample": "0",
            "FirstSampleBaseline": "0",
            "LeadSampleSize": "2",
            "LeadOff": "FALSE",
            "LeadDataCRC32": str(zlib.crc32(raw)),
            "WaveFormData": f"\n{lines}\n      ",
        } | dict(lead)
        leads += f"<LeadData>{_elements(elements, without)}</LeadData>\n"
    return f"<Waveform>{_elements(parts, without)}\n{leads}</Waveform>\n"


def _elements(texts: Mapping[str, str], without: Sequence[str]) -> str:
    return "".join(f"<{name}>{text}</{name}>" for name, text in texts.items() if name not in without)


def write_hl7_aecg(
    path: Path,
    found: DigitalRecording,
    *,
    unit: str = "uV",
    per_millivolt: float = 1000.0,
    increment: tuple[str, str] | None = None,
    codes: Sequence[str] | None = None,
    prefix: str = "",
    blank: str = " ",
    kind: str = "RHYTHM",
    extra: str = "",
    encoding: str = "UTF-8",
) -> Path:
    """An HL7 annotated ECG: the recording as its rhythm series, with a derived series of other numbers.

    Parameters
    ----------
    unit, per_millivolt
        Of scale and origin.
    increment
        Time between samples and its unit.
    codes
        Of the leads.
    prefix
        Of the elements' namespace, ``"h:"`` for example.
    blank
        Between digits.
    kind
        Code of the series.
    extra
        A sequence set before that of the recording.
    """
    step, time_unit = increment or (repr(1.0 / found.sampling_rate), "s")
    leads = [f"MDC_ECG_LEAD_{lead.upper()}" for lead in found.leads] if codes is None else codes
    times = (
        '<component><sequence><code code="TIME_ABSOLUTE"/><value xsi:type="GLIST_TS"><head value="20000101"/>'
        f'<increment value="{step}" unit="{time_unit}"/></value></sequence></component>'
    )

    def sequence_set(counts: np.ndarray) -> str:
        sequences = ""
        for code, row, gain, baseline in zip(leads, counts, *_scale(found), strict=True):
            scale, origin = per_millivolt / gain, -baseline / gain * per_millivolt
            sequences += (
                f'<component><sequence><code code="{code}" codeSystem="{MDC}"/><value xsi:type="SLIST_PQ">'
                f'<origin value="{float(origin)!r}" unit="{unit}"/>'
                f'<scale value="{float(scale)!r}" unit="{unit}"/>'
                f"<digits>{blank.join(map(str, row))}</digits></value></sequence></component>\n"
            )
        return f"<component><sequenceSet>{times}\n{sequences}</sequenceSet></component>\n"

    text = (
        f'<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<componentOf><subject><name>{PERSON}</name></subject></componentOf>\n"
        f'<component><series><code code="{kind}"/>{extra}{sequence_set(found.counts)}'
        '<derivation><derivedSeries><code code="REPRESENTATIVE_BEAT"/>'
        f"{sequence_set(found.counts[:, :8] + 99)}</derivedSeries></derivation></series></component>\n"
        "</AnnotatedECG>\n"
    )
    if prefix:
        text = text.replace("</", f"</{prefix}").replace("<", f"<{prefix}").replace(f"<{prefix}/", "</")
        text = text.replace("xmlns=", f"xmlns:{prefix[:-1]}=")
    return _written(path, f'<?xml version="1.0" encoding="{encoding}"?>\n<!-- made -->\n{text}', encoding)


def write_cardiosoft(
    path: Path,
    found: DigitalRecording,
    *,
    separator: str = ",",
    units: str = "uVperLsb",
    strip: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    encoding: str = "ISO8859-1",
) -> Path:
    """A GE CardioSoft XML file: median samples of other numbers first, then the recording as its strip.

    Parameters
    ----------
    separator
        Between samples; a line ends with one.
    units
        Of the resolution.
    strip
        Other texts for elements of the strip.
    without
        Its elements that are left out.
    """

    def samples(counts: np.ndarray) -> str:
        data = ""
        for name, row in zip(found.leads, counts, strict=True):
            lines = (row[at : at + 256] for at in range(0, len(row), 256))
            text = f"{separator}\r\n\t\t\t".join(separator.join(map(str, line)) for line in lines)
            data += f'\t\t<WaveformData lead="{name}">\t\t\t{text}</WaveformData>\r\n'
        parts = {
            "NumberOfLeads": str(len(counts)),
            "SampleRate": f"{found.sampling_rate:g}",
            "ChannelSampleCountTotal": str(counts.shape[1]),
            "Resolution": repr(float(1000 / found.gain[0])),
        } | dict(strip or {})
        texts = _elements(parts, without).replace("<SampleRate>", '<SampleRate units="Hz">')
        return texts.replace("<Resolution>", f'<Resolution units="{units}">') + data

    text = (
        f'<?xml version="1.0" encoding="{encoding}" ?>\r\n<CardiologyXML>\r\n'
        f"<PatientInfo><Name><FamilyName>{PERSON}</FamilyName></Name></PatientInfo>\r\n"
        f"<RestingECGMeasurements><MedianSamples>{samples(found.counts[:, :8] + 99)}</MedianSamples>"
        f"</RestingECGMeasurements>\r\n<StripData>{samples(found.counts)}</StripData>\r\n</CardiologyXML>\r\n"
    )
    return _written(path, text, encoding)


def _written(path: Path, text: str, encoding: str) -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def same(read: DigitalRecording, expected: DigitalRecording) -> None:
    """Check that a recording is another, to the last count."""
    assert read.leads == expected.leads
    assert read.sampling_rate == expected.sampling_rate
    np.testing.assert_array_equal(read.counts, expected.counts)
    np.testing.assert_allclose(read.gain, expected.gain, rtol=1e-12)
    np.testing.assert_allclose(read.baseline, expected.baseline, rtol=1e-12, atol=1e-9)


def edited(path: Path, *replacements: tuple[str, str]) -> Path:
    """Replace what is in a file."""
    text = path.read_bytes()
    for old, new in replacements:
        assert old.encode() in text
        text = text.replace(old.encode(), new.encode())
    path.write_bytes(text)
    return path


def refused(reader: Any, path: Path, saying: str) -> None:
    """Check that a file is refused in one sentence without the person."""
    with pytest.raises(RecordError, match=saying) as caught:
        reader.read(path)
    said = str(caught.value)
    assert said.isprintable()
    assert said.endswith(".")
    assert len(said) < 300
    assert "Rosenkohl" not in said
