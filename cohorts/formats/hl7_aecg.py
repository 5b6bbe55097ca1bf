"""HL7 annotated ECG (``AnnotatedECG``, ``urn:hl7-org:v3``): sequences of digits with origin and scale.

HL7 v3 Annotated ECG implementation guide, 21 March 2005. A value is ``origin + scale * digit``. Only the
rhythm series are looked at, never a derived series (representative beats). The sequences of one
sequence set share their times; those of different sets do not, so sets are never joined: the one
with the most leads is taken, of these the first.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from cohorts.errors import RecordError
from cohorts.formats.lead_rows import LeadRow, joined, millivolts_per, number, numbers
from cohorts.formats.wfdb_header import shown
from cohorts.formats.xml_tree import read_tree, root_name
from cohorts.recording import DigitalRecording

_ROOT = "AnnotatedECG"
# No element about the subject, the trial or the device is among these.
_KEEP = {"component", "series", "sequenceSet", "sequence", "code"} | {
    "value",
    "increment",
    "origin",
    "scale",
    "digits",
}
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_MDC = "2.16.840.1.113883.6.24"
_PREFIX = "MDC_ECG_LEAD_"
# IEEE 11073-10101 numbers leads as SCP-ECG does, in partition 2.
_NUMBERED = {1: "I", 2: "II", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF"}
_NUMBERED |= {chest + 2: f"V{chest}" for chest in range(1, 7)}
_PARTITION = 2 << 16


def recognised(head: bytes) -> bool:
    """Whether a file that begins like this is an annotated ECG."""
    return root_name(head) == _ROOT


def read(path: Path) -> DigitalRecording:
    """Read the rhythm of an annotated ECG.

    Raises
    ------
    RecordError
        If it cannot be read, holds no rhythm series, or its leads have no time or voltage.
    UsageError
        If defusedxml is not installed.
    """
    file = shown(path.name)
    tree = read_tree(path, _ROOT, _KEEP)
    sets = [
        sequences
        for series in tree.iterfind("component/series")
        if _code(series).upper() == "RHYTHM"
        for sequences in series.iterfind("component/sequenceSet")
    ]
    if not sets:
        raise RecordError(f"{file} holds no rhythm series.")
    sequences = [list(found.iterfind("component/sequence")) for found in sets]
    chosen = max(sequences, key=lambda found: sum(_lead(sequence) is not None for sequence in found))
    rows = [_row(file, lead, sequence) for sequence in chosen if (lead := _lead(sequence)) is not None]
    return joined(file, rows, _rate(file, chosen))


def _code(element: Element) -> str:
    code = element.find("code")
    return "" if code is None else code.get("code", "").strip()


def _lead(sequence: Element) -> str | None:
    """Name of the lead of a sequence, None where it is none."""
    code = _code(sequence)
    if code.upper().startswith(_PREFIX):
        return code[len(_PREFIX) :]
    kind = sequence.find("code")
    if kind is not None and kind.get("codeSystem") == _MDC and code.isdecimal() and len(code) < 10:
        at = int(code)
        return _NUMBERED.get(at - _PARTITION if at > _PARTITION else at)
    return None


def _rate(file: str, sequences: list[Element]) -> float:
    """Sampling rate in Hz, from the increment of the sequence of times."""
    for sequence in sequences:
        increment = sequence.find("value/increment")
        if not _code(sequence).upper().startswith("TIME_") or increment is None:
            continue
        unit = increment.get("unit", "").strip()
        if unit not in _SECONDS:
            raise RecordError(f"{file} counts its time in {shown(unit)}, which is no unit of time.")
        seconds = number(file, "time increment", increment.get("value", "")) * _SECONDS[unit]
        if seconds <= 0:
            raise RecordError(f"{file} has a time increment of {seconds:g} s.")
        return round(1.0 / seconds, 9)
    raise RecordError(f"{file} does not say how far apart its samples are.")


def _row(file: str, lead: str, sequence: Element) -> LeadRow:
    scale, origin = sequence.find("value/scale"), sequence.find("value/origin")
    if scale is None:
        raise RecordError(f"{file} gives lead {shown(lead)} no scale.")
    digits = sequence.findtext("value/digits") or ""
    return LeadRow(
        lead,
        numbers(file, lead, digits),
        _millivolts(file, "scale", scale),
        0.0 if origin is None else _millivolts(file, "origin", origin),
    )


def _millivolts(file: str, what: str, quantity: Element) -> float:
    value = number(file, what, quantity.get("value", ""))
    unit = quantity.get("unit", "")
    if what == "origin" and value == 0:  # 0 is 0 in every unit, and some files name none here
        return 0.0
    return value * millivolts_per(file, unit)
