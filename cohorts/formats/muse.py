"""GE MUSE XML (``RestingECG``): base64 of 16-bit counts, a lead an element.

The rhythm is read and never the median beats. Where there are several rhythm waveforms, the one with the most
leads is taken, of these the first. Files of other systems that were brought into this format may name no
type; a single waveform without type is taken where it is longer than a beat.

The rate is the waveform's own ``SampleBase`` x 10 ^ ``SampleExponent``; that of the measurements may be
another (240 Hz and 250 Hz in an export of MUSE 8). ``LeadDataCRC32`` is the CRC-32 of the decoded bytes,
0 where there is none. A lead that the electrocardiograph marked as off (``LeadOff``) has no samples that
mean anything: all of them are missing.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from cohorts.errors import RecordError
from cohorts.formats.lead_rows import LeadRow, joined, millivolts_per, number
from cohorts.formats.wfdb_header import shown
from cohorts.formats.xml_tree import child_text, read_tree, root_name
from cohorts.recording import MISSING, Counts, DigitalRecording

_ROOT = "RestingECG"
_OF_WAVEFORM = {"WaveformType", "SampleType", "SampleBase", "SampleExponent", "LeadData"}
_OF_LEAD = {
    "LeadID",
    "LeadByteCountTotal",
    "LeadSampleCountTotal",
    "LeadAmplitudeUnitsPerBit",
    "LeadAmplitudeUnits",
    "LeadTimeOffset",
    "LeadOffsetFirstSample",
    "FirstSampleBaseline",
    "LeadSampleSize",
    "LeadOff",
    "LeadDataCRC32",
    "WaveFormData",
}
_LONGEST_BEAT = 2.0  # seconds; the median beats have 1.2
_PACKED = (b"\x78\x01", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b")  # zlib and gzip


def recognised(head: bytes) -> bool:
    """Whether a file that begins like this is MUSE XML."""
    return root_name(head) == _ROOT


def read(path: Path) -> DigitalRecording:
    """Read the rhythm of a MUSE XML file, with the leads that it stores.

    Raises
    ------
    RecordError
        If it cannot be read, or does not agree with its own counts, checksums or units.
    UsageError
        If defusedxml is not installed.
    """
    file = shown(path.name)
    tree = read_tree(path, _ROOT, {"Waveform", *_OF_WAVEFORM, *_OF_LEAD})
    waveform = _rhythm(file, tree.findall("Waveform"))
    sample_type = child_text(waveform, "SampleType").upper()
    if sample_type and not sample_type.startswith("CONTINU"):
        raise RecordError(f"{file} stores its samples as {shown(sample_type)}, which is not read.")
    leads = [lead for lead in waveform.iterfind("LeadData") if child_text(lead, "WaveFormData")]
    if len({_begin(file, lead) for lead in leads}) > 1:
        raise RecordError(f"The leads of {file} do not begin at the same time.")
    return joined(file, [_row(file, lead) for lead in leads], _rate(file, waveform))


def _rhythm(file: str, waveforms: list[Element]) -> Element:
    """Choose the waveform that is read."""
    types = [child_text(waveform, "WaveformType").lower() for waveform in waveforms]
    rhythms = [waveform for waveform, kind in zip(waveforms, types, strict=True) if kind.startswith("rhythm")]
    if rhythms:
        return max(rhythms, key=lambda waveform: len(waveform.findall("LeadData")))
    if types == [""] and _seconds(file, waveforms[0]) > _LONGEST_BEAT:
        return waveforms[0]
    raise RecordError(f"{file} holds no rhythm waveform.")


def _seconds(file: str, waveform: Element) -> float:
    """How long an untyped waveform is, by its first lead."""
    lead = waveform.find("LeadData")
    return 0.0 if lead is None else len(_samples(file, lead, "")) / _rate(file, waveform)


def _rate(file: str, waveform: Element) -> float:
    base = number(file, "SampleBase", child_text(waveform, "SampleBase"))
    exponent = number(file, "SampleExponent", child_text(waveform, "SampleExponent") or "0")
    if base <= 0 or exponent != int(exponent) or abs(exponent) > 6:
        raise RecordError(f"{file} has a sampling rate of {base:g} x 10^{exponent:g} Hz.")
    rate: float = base * 10.0**exponent
    return rate


def _begin(file: str, lead: Element) -> tuple[float, ...]:
    names = ("LeadTimeOffset", "LeadOffsetFirstSample")
    return tuple(number(file, name, child_text(lead, name) or "0") for name in names)


def _row(file: str, lead: Element) -> LeadRow:
    name = child_text(lead, "LeadID")
    step = number(file, "LeadAmplitudeUnitsPerBit", child_text(lead, "LeadAmplitudeUnitsPerBit"))
    scale = step * millivolts_per(file, child_text(lead, "LeadAmplitudeUnits"))
    if scale <= 0:
        raise RecordError(f"{file} gives lead {shown(name)} {step:g} units per bit.")
    if number(file, "FirstSampleBaseline", child_text(lead, "FirstSampleBaseline") or "0"):
        raise RecordError(f"{file} has a FirstSampleBaseline in lead {shown(name)}, which is not read.")
    counts = _samples(file, lead, name)
    if child_text(lead, "LeadOff").upper() == "TRUE":
        counts = np.full_like(counts, MISSING)
    return LeadRow(name, counts, scale)


def _samples(file: str, lead: Element, name: str) -> Counts:
    """Decode the counts of a lead and compare them with what is said of them."""
    if number(file, "LeadSampleSize", child_text(lead, "LeadSampleSize") or "2") != 2:
        raise RecordError(f"{file} has samples of other than 2 bytes in lead {shown(name)}.")
    try:
        raw = base64.b64decode("".join(child_text(lead, "WaveFormData").split()), validate=True)
    except (binascii.Error, ValueError):
        raise RecordError(f"The samples of lead {shown(name)} in {file} are no complete base64.") from None
    for what, per_sample in (("LeadByteCountTotal", 1), ("LeadSampleCountTotal", 2)):
        stated = child_text(lead, what)
        if stated and number(file, what, stated) * per_sample != len(raw):
            packed = "; compressed samples are not read" if raw.startswith(_PACKED) else ""
            raise RecordError(
                f"Lead {shown(name)} of {file} has {len(raw):,} bytes, which is not its {what}{packed}."
            )
    if len(raw) % 2:
        raise RecordError(f"Lead {shown(name)} of {file} has an odd number of bytes.")
    stated = child_text(lead, "LeadDataCRC32")
    if (
        stated
        and (sum_of := int(number(file, "LeadDataCRC32", stated)))
        and sum_of % 2**32 != zlib.crc32(raw)
    ):
        raise RecordError(f"The samples of lead {shown(name)} do not fit their checksum in {file}.")
    return np.frombuffer(raw, "<i2").astype(np.int16)
