"""Philips Sierra and Philips ECG XML (1.03 to 1.04.02), whose samples sierraecg decompresses.

Only the elements that describe the samples are looked at. sierraecg's parts are called one by one, because its
own reader goes by the lengths that a file announces, to the end of memory or in a circle.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cohorts.errors import RecordError
from cohorts.formats.wfdb_header import MAX_VALUES, cause, file_size, shown
from cohorts.recording import Counts, DigitalRecording, standard_lead_name

MAX_BYTES = 2**24
"""Largest file that is read; those of 11 seconds have a quarter of a megabyte."""

_VERSIONS = ("1.03", "1.04", "1.04.01", "1.04.02")
_LIMBS = ("I", "II", "III", "aVR", "aVL", "aVF")
_STANDARD = (*_LIMBS, *(f"V{n}" for n in range(1, 7)))
_CODE_BITS = 10
_PULSE = ((0.1, 0.0), (0.2, 1.0), (0.1, 0.0))
"""Seconds and millivolts of the calibration pulse that some devices append to every lead."""

_BEFORE_ROOT = re.compile(r"\s*(<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>)", re.DOTALL)
_ROOT = re.compile(r"\s*<(?:[\w.-]+:)?restingecgdata[\s/>]")

Integers = npt.NDArray[np.int64]


def recognised(head: bytes) -> bool:
    """Whether a file that begins so has the root element of the format."""
    text = _decoded(head).removeprefix("\ufeff")
    while match := _BEFORE_ROOT.match(text):
        text = text[match.end() :]
    return _ROOT.match(text) is not None


def _decoded(head: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return head[: len(head) // 2 * 2].decode(encoding, errors="replace")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def read(path: Path) -> DigitalRecording:
    """Read the leads of one file, in its own counts, without the calibration pulse at their end.

    Raises
    ------
    RecordError
        If the file is damaged, of another version, or not compressed by the one method that is read.
    """
    name = shown(path.name)
    size = file_size(path)
    if size > MAX_BYTES:
        raise RecordError(f"{name} has {size:,} bytes, too many for a recording of Philips.")
    try:
        return _read(_Tree(path))
    except _Unreadable as error:
        raise RecordError(f"{name} {error}.") from None


class _Unreadable(Exception):  # noqa: N818
    """What is wrong, as the rest of a sentence that begins with the file's name."""


class _Tree:
    """The elements of a file by their names, whatever their namespace."""

    def __init__(self, path: Path) -> None:
        from xml.etree.ElementTree import ParseError

        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import parse

        try:
            self._root = parse(path, forbid_dtd=True).getroot()
        except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
            raise _Unreadable("is damaged, or not an XML file") from None
        except OSError as error:
            raise _Unreadable(f"cannot be read: {cause(error)}") from None

    def find(self, name: str) -> Any:
        """Give the first element of a name, or None."""
        return next((e for e in self._root.iter() if _local(e) == name), None)

    def text(self, *names: str) -> str:
        """Text of the first element that has one of the names, "" if there is none."""
        found = (self.find(name) for name in names)
        return next((str(e.text or "").strip() for e in found if e is not None), "")


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _read(tree: _Tree) -> DigitalRecording:
    version = tree.text("documentversion")
    if version not in _VERSIONS:
        raise _Unreadable(f"is of version {shown(version[:16])}; those read are {', '.join(_VERSIONS)}")
    waveforms = tree.find("parsedwaveforms")
    if waveforms is None:
        raise _Unreadable("holds no waveforms")
    rate = _number(tree.text("samplingrate"), "sampling rate", 1.0, 100_000.0)
    seconds = _number(waveforms.get("durationperchannel", ""), "duration", 1.0, 1e9) / 1000
    microvolts = _number(tree.text("signalresolution", "resolution"), "resolution", 1e-3, 1e3)
    labels = _labels(tree, waveforms)
    samples = round(seconds * rate)
    if len(labels) * samples > MAX_VALUES:
        raise _Unreadable(f"announces {len(labels)} leads of {samples:,} samples")
    if tree.text("signaloffset") not in ("", "0") or waveforms.get("bitspersample", "16") != "16":
        raise _Unreadable("stores its samples with an offset or in another width than 16 bits")
    counts = _limbs_restored(_unpacked(waveforms, len(labels), samples))
    counts = counts[:, : _end(counts, rate, 1000 / microvolts)]
    if not counts.size:
        raise _Unreadable("holds a calibration pulse and nothing else")
    rows = [row for row, label in enumerate(labels) if standard_lead_name(label)]
    leads = tuple(str(standard_lead_name(labels[row])) for row in rows)
    gain = np.full(len(rows), 1000 / microvolts)
    return DigitalRecording(counts[rows], gain, np.zeros(len(rows)), rate, leads)


def _number(text: str, what: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise _Unreadable(f"gives its {what} as {shown(text[:16])}")
    return value


def _labels(tree: _Tree, waveforms: Any) -> list[str]:
    """Names of the leads, in which the limb leads must come first: they are stored as what they lack of I and II."""
    labels = str(waveforms.get("leadlabels", "")).split()
    count = waveforms.get("numberofleads") if labels else tree.text("numberchannelsallocated")
    wanted = int(_number(str(count or ""), "number of leads", 1, 64))
    if not labels and tree.text("acquisitiontype") in ("STD-12", "10-WIRE"):
        labels = list(_STANDARD)
    if len(labels) < wanted or tuple(labels[:6]) != _LIMBS or wanted < len(_LIMBS):
        raise _Unreadable("does not have its leads in the order of the twelve")
    return labels[:wanted]


def _unpacked(waveforms: Any, leads: int, samples: int) -> Integers:
    """Decompress the samples as they are stored, ``[leads, samples]``."""
    method = waveforms.get("compressmethod", waveforms.get("compression", ""))
    if method != "XLI" or waveforms.get("dataencoding") != "Base64":
        raise _Unreadable("does not store its samples as XLI in Base64, which alone is read")
    try:
        data = base64.b64decode("".join(str(waveforms.text or "").split()), validate=True)
    except ValueError:
        raise _Unreadable("has damaged samples: they are no Base64") from None
    chunks = list(_chunks(data))
    if len(chunks) < leads:
        raise _Unreadable(f"has samples of {len(chunks)} leads where {leads} are announced")
    # More are channels that the device has and nobody connected.
    return np.stack([_lead(chunk, start, samples) for chunk, start in chunks[:leads]])


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Compressed samples of each lead, and the value that their differences begin from."""
    offset = 0
    while offset < len(data):
        header, offset = data[offset : offset + 8], offset + 8
        size = int.from_bytes(header[:4], "little", signed=True)
        if len(header) < 8 or not 0 < size <= len(data) - offset:
            raise _Unreadable("has damaged samples: they end in the middle of a lead")
        yield data[offset : offset + size], int.from_bytes(header[6:], "little", signed=True)
        offset += size


def _lead(chunk: bytes, start: int, samples: int) -> Integers:
    """Decompress one lead, and no further than the announced samples go."""
    from sierraecg.lzw import LzwDecoder
    from sierraecg.xli import xli_decode_deltas

    damaged = "has damaged samples: a lead does not decompress to its announced length"
    try:
        decoder = LzwDecoder(chunk, bits=_CODE_BITS)
        values: list[int] = []
        while len(values) <= 2 * samples and (value := decoder.read()) >= 0:
            values.append(value)
        if len(values) != 2 * samples:
            raise _Unreadable(damaged)
        return np.asarray(xli_decode_deltas(values, start), np.int64)
    except (LookupError, ValueError, ArithmeticError, TypeError):
        raise _Unreadable(damaged) from None


def _limbs_restored(stored: Integers) -> Counts:
    """Four limb leads are stored as their difference from what I and II give."""
    counts = stored.copy()
    one, two, three, right, left, foot = counts[:6]
    three[:] = two - one - three
    right[:] = -right - (one + two) // 2
    left[:] = (one - three) // 2 - left
    foot[:] = (two + three) // 2 - foot
    if np.abs(counts).max(initial=0) > 32767:
        raise _Unreadable("has damaged samples: they leave 16 bits")
    restored: Counts = counts.astype(np.int16)
    return restored


def _end(counts: Counts, rate: float, gain: float) -> int:
    """Where the recording ends: before the calibration pulse, and before zeros that fill up to it."""
    pulse = np.concatenate([np.full(round(seconds * rate), round(level * gain)) for seconds, level in _PULSE])
    end = counts.shape[1] - len(pulse)
    if end < 0 or not (counts[:, end:] == pulse).all():
        return counts.shape[1]
    drawn = np.flatnonzero(counts[:, :end].any(axis=0))
    return int(drawn[-1]) + 1 if len(drawn) else 0
