"""GE CardioSoft and CASE XML (``CardiologyXML``): comma-separated counts, a lead an element.

The strip (``StripData``) is read: the ten seconds of all leads of a resting ECG. Median beats, vector loops
and full disclosure are not. Full disclosure is the few leads of a whole exercise test, joined in
one list whose order differs between versions (sample by sample, or second by second).
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element

from cohorts.errors import RecordError
from cohorts.formats.lead_rows import LeadRow, joined, millivolts_per, number, numbers
from cohorts.formats.wfdb_header import shown
from cohorts.formats.xml_tree import child_text, read_tree, root_name
from cohorts.recording import DigitalRecording

_ROOT = "CardiologyXML"
_KEEP = {"StripData", "SampleRate", "ChannelSampleCountTotal", "Resolution", "WaveformData", "Strip"}
_STEP = re.compile(r"(.+?)\s*(?:per|/)\s*lsb", re.IGNORECASE)
_GAP = re.compile(r"[,;]\s*[,;]")


def recognised(head: bytes) -> bool:
    """Whether a file that begins like this is CardioSoft XML."""
    return root_name(head) == _ROOT


def read(path: Path) -> DigitalRecording:
    """Read the strip of a CardioSoft XML file.

    Raises
    ------
    RecordError
        If it cannot be read, holds no strip of a resting ECG, or does not agree with its own counts.
    UsageError
        If defusedxml is not installed.
    """
    file = shown(path.name)
    strip = read_tree(path, _ROOT, _KEEP).find("StripData")
    if strip is None or strip.find("WaveformData") is None:
        several = strip is not None and strip.find("Strip") is not None
        found = "strips of an exercise test" if several else "no strip"
        raise RecordError(f"{file} holds {found}; only the strip of a resting ECG is read.")
    rate = number(file, "SampleRate", child_text(strip, "SampleRate"))
    unit = _unit(strip.find("SampleRate")) or "Hz"
    if unit.lower() != "hz":
        raise RecordError(f"{file} gives its sampling rate in {shown(unit)}.")
    resolution = strip.find("Resolution")
    step = _STEP.fullmatch(_unit(resolution))
    if step is None:
        raise RecordError(f"{file} gives its resolution in {shown(_unit(resolution))}.")
    scale = number(file, "Resolution", child_text(strip, "Resolution")) * millivolts_per(file, step[1])
    if scale <= 0:
        raise RecordError(f"{file} has a resolution of {scale:g} mV.")
    stated = child_text(strip, "ChannelSampleCountTotal")
    samples = number(file, "ChannelSampleCountTotal", stated) if stated else None
    rows = [_row(file, lead, scale, samples) for lead in strip.iterfind("WaveformData")]
    return joined(file, rows, rate)


def _unit(element: Element | None) -> str:
    return "" if element is None else (element.get("units") or element.get("unit") or "").strip()


def _row(file: str, lead: Element, scale: float, samples: float | None) -> LeadRow:
    name, text = lead.get("lead") or lead.get("Lead") or "", lead.text or ""
    if _GAP.search(text):
        raise RecordError(f"{file} leaves out samples of lead {shown(name)}.")
    values = numbers(file, name, text.replace(",", " ").replace(";", " "))
    if samples is not None and len(values) != samples:
        raise RecordError(
            f"Lead {shown(name)} of {file} has {len(values):,} samples where {samples:,.0f} are announced."
        )
    return LeadRow(name, values, scale)
