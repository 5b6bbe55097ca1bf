"""Philips Sierra and Philips ECG XML (1.03 to 1.04.02), whose samples sierraecg decompresses.

Only the elements that describe the samples are kept. sierraecg's parts are called one by one, because its
own reader goes by the lengths that a file announces, to the end of memory or in a circle.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from cohorts.counts import plural
from cohorts.errors import RecordError
from cohorts.formats.wfdb_header import file_size, shown
from cohorts.formats.xml_tree import read_tree, root_name
from cohorts.recording import Counts, DigitalRecording, standard_lead_name

MAX_BYTES = 2**24
"""Largest file that is read; those of 11 seconds have a quarter of a megabyte."""

_VERSIONS = ("1.03", "1.04", "1.04.01", "1.04.02")
_LIMBS = ("I", "II", "III", "aVR", "aVL", "aVF")
_STANDARD = (*_LIMBS, *(f"V{n}" for n in range(1, 7)))
_CODE_BITS = 10
_MAX_VALUES = (
    2_000_000  # 12 leads at 500 Hz for five minutes; sierraecg decodes a quarter of a million a second
)
_PULSE = ((0.1, 0.0), (0.2, 1.0), (0.1, 0.0))
"""Seconds and millivolts of the calibration pulse that some devices append to every lead."""

_ROOT = "restingecgdata"
_KEPT = {
    "documentinfo",
    "documentversion",
    "dataacquisition",
    "signalcharacteristics",
    "samplingrate",
    "signalresolution",
    "resolution",
    "signaloffset",
    "acquisitiontype",
    "numberchannelsallocated",
    "waveforms",
    "parsedwaveforms",
}

Integers = npt.NDArray[np.int64]


def recognised(head: bytes) -> bool:
    """Whether a file that begins so has the root element of the format."""
    return root_name(head) == _ROOT


def read(path: Path) -> DigitalRecording:
    """Read the leads of one file, in its own counts, without the calibration pulse at their end.

    Raises
    ------
    RecordError
        If the file is damaged, of another version, or not compressed by the one method that is read.
    """
    name = shown(path.name)
    if file_size(path) > MAX_BYTES:
        raise RecordError(
            f"{name} has more than {MAX_BYTES // 2**20} MiB, too many for a recording of Philips."
        )
    try:
        return _read(read_tree(path, _ROOT, _KEPT))
    except _Unreadable as error:
        raise RecordError(f"{name} {error}.") from None


class _Unreadable(Exception):  # noqa: N818
    """What is wrong, as the rest of a sentence that begins with the file's name."""


def _read(tree: Element) -> DigitalRecording:
    version = _text(tree, "documentversion")
    if version not in _VERSIONS:
        raise _Unreadable(f"is of version {shown(version[:16])}; those read are {', '.join(_VERSIONS)}")
    waveforms = next(tree.iter("parsedwaveforms"), None)
    if waveforms is None:
        raise _Unreadable("holds no waveforms")
    rate = _number(_text(tree, "samplingrate"), "sampling rate", 1.0, 100_000.0)
    seconds = _number(waveforms.get("durationperchannel", ""), "duration", 1.0, 1e9) / 1000
    microvolts = _number(_text(tree, "signalresolution", "resolution"), "resolution", 1e-3, 1e3)
    labels = _labels(tree, waveforms)
    samples = round(seconds * rate)
    if len(labels) * samples > _MAX_VALUES:
        raise _Unreadable(f"announces {plural(len(labels), 'lead')} of {samples:,} samples")
    if _text(tree, "signaloffset") not in ("", "0") or waveforms.get("bitspersample", "16") != "16":
        raise _Unreadable("stores its samples with an offset or in another width than 16 bits")
    counts = _limbs_restored(_unpacked(waveforms, len(labels), samples))
    counts = counts[:, : _end(counts, rate, 1000 / microvolts)]
    if not counts.size:
        raise _Unreadable("holds a calibration pulse and nothing else")
    rows = [row for row, label in enumerate(labels) if standard_lead_name(label)]
    leads = tuple(str(standard_lead_name(labels[row])) for row in rows)
    gain = np.full(len(rows), 1000 / microvolts)
    return DigitalRecording(counts[rows], gain, np.zeros(len(rows)), rate, leads)


def _text(tree: Element, *names: str) -> str:
    """Text of the first element that has one of the names, "" if there is none."""
    return next((str(e.text or "").strip() for name in names for e in tree.iter(name)), "")


def _number(text: str, what: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise _Unreadable(f"gives its {what} as {shown(text[:16])}")
    return value


def _labels(tree: Element, waveforms: Element) -> list[str]:
    """Names of the leads; the limb leads must come first, as they are stored by their places."""
    labels = str(waveforms.get("leadlabels", "")).split()
    count = waveforms.get("numberofleads") if labels else _text(tree, "numberchannelsallocated")
    wanted = int(_number(str(count or ""), "number of leads", 1, 64))
    if not labels and _text(tree, "acquisitiontype") in ("STD-12", "10-WIRE"):
        labels = list(_STANDARD)
    if len(labels) < wanted or tuple(labels[:6]) != _LIMBS or wanted < len(_LIMBS):
        raise _Unreadable("does not have its leads in the order of the twelve")
    return labels[:wanted]


def _unpacked(waveforms: Element, leads: int, samples: int) -> Integers:
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
        raise _Unreadable(f"has samples of {plural(len(chunks), 'lead')} where {leads} are announced")
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
    end = int(counts.shape[1]) - len(pulse)
    if end < 0 or not (counts[:, end:] == pulse).all():
        return int(counts.shape[1])
    drawn = np.flatnonzero(counts[:, :end].any(axis=0))
    return int(drawn[-1]) + 1 if len(drawn) else 0
