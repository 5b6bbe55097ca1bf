"""WFDB header files, as the WFDB Applications Guide describes them in header(5).

https://physionet.org/physiotools/wag/header-5.htm. Unlike wfdb this parser accepts record lines that name
a file ("E00015.mat 12 500 5000"), and it refuses what a later step could not survive.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cohorts.counts import plural
from cohorts.errors import RecordError
from cohorts.recording import standard_lead_name

MAX_VALUES = 10**8
"""Most leads x samples that one record may have: 12 leads at 1000 Hz for more than two hours."""

_MAX_HEADER_BYTES = 1_000_000
_DEFAULT_RATE = 250.0
_DEFAULT_GAIN = 200.0
_RATES = (1.0, 100_000.0)
_GAINS = (1e-3, 1e15)
# Counts per unit x this = counts per mV.
PER_MILLIVOLT = {"mv": 1.0, "uv": 1e3, "µv": 1e3, "μv": 1e3, "v": 1e-3, "": 1.0}

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?")
_GAIN = re.compile(rf"({_NUMBER})?(?:\(([+-]?\d+)\))?(?:/(.+))?")
_RATE = re.compile(rf"({_NUMBER})(?:/{_NUMBER}(?:\({_NUMBER}\))?)?")


class SignalLine(NamedTuple):
    """One signal of a header (a named tuple: twelve a record are made, and a dataclass costs thrice that).

    Attributes
    ----------
    file
        Name of the signal file, in the header's folder.
    format
        The WFDB format's number.
    simple
        Whether a frame has one sample of this signal, and no skew.
    offset
        Bytes before the first sample.
    gain
        Counts per mV; None where the unit is no voltage.
    baseline
        The count of 0 mV.
    checksum
        Sum of all counts modulo 65536, or None where the header states none.
    name
        Description of the signal, its lead name.
    """

    file: str
    format: str
    simple: bool
    offset: int
    gain: float | None
    baseline: float
    checksum: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Header:
    """What a header file says.

    Attributes
    ----------
    sampling_rate
        In Hz.
    samples
        Per signal, or None where the header leaves it open.
    signals
        Empty for a record of several segments.
    comments
        The lines after ``#``, stripped.
    """

    sampling_rate: float
    samples: int | None
    signals: tuple[SignalLine, ...]
    comments: tuple[str, ...]


def read_header(path: Path) -> Header:
    """Parse one ``.hea`` file.

    Raises
    ------
    RecordError
        If it is missing, unreadable or not a header.
    """
    if file_size(path) > _MAX_HEADER_BYTES:
        raise RecordError(f"{path.name} is too large for a header.")
    try:
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise RecordError(f"{path.name} cannot be read: {cause(error)}.") from None
    lines = [line.strip() for line in lines_of(text)]
    comments = tuple(line[1:].strip() for line in lines if line.startswith("#"))
    content = [line for line in lines if line and not line.startswith("#")]
    if not content:
        raise RecordError(f"{path.name} is empty.")
    try:
        return _parse(content, comments)
    except ValueError as error:
        raise RecordError(f"{path.name} is not a readable WFDB header: {error}.") from None


def _parse(lines: list[str], comments: tuple[str, ...]) -> Header:
    """Parse the lines of a header that are not comments; ValueError says what is wrong."""
    fields = lines[0].split()
    if len(fields) < 2 or not fields[1].isdecimal():
        raise ValueError(f"its record line is {shown(lines[0])}")
    rate = _RATE.fullmatch(fields[2]) if len(fields) > 2 else None
    if len(fields) > 2 and rate is None:
        raise ValueError(f"its sampling rate is {shown(fields[2])}")
    hertz = float(rate[1]) if rate else _DEFAULT_RATE
    if not _RATES[0] <= hertz <= _RATES[1]:
        raise ValueError(f"its sampling rate is {hertz:g} Hz")
    samples = _integer(fields[3], "number of samples") if len(fields) > 3 else 0
    if samples < 0:
        raise ValueError(f"its number of samples is {samples}")
    count = int(fields[1])
    if count * samples > MAX_VALUES:
        raise ValueError(f"it announces {plural(count, 'signal')} of {samples:,} samples")
    segments = fields[0].partition("/")[2]
    if segments:
        if _integer(segments, "number of segments") != len(lines) - 1:
            raise ValueError(f"it announces {shown(segments)} segments and names {len(lines) - 1}")
        return Header(hertz, samples or None, (), comments)
    if count == 0 or count != len(lines) - 1:
        raise ValueError(f"it announces {plural(count, 'signal')} and describes {len(lines) - 1}")
    signals = tuple(_parse_signal(line) for line in lines[1:])
    return Header(hertz, samples or None, signals, comments)


def _parse_signal(line: str) -> SignalLine:
    """Parse ``FILE FORMAT [GAIN [RESOLUTION [ZERO [FIRST [CHECKSUM [BLOCK [NAME]]]]]]]``."""
    fields = line.split(maxsplit=8)
    if len(fields) < 2:
        raise ValueError(f"a signal line is {shown(line)}")
    code, simple, offset = _parse_format(fields[1])
    name = fields[8] if len(fields) > 8 else ""
    zero = fields[4] if len(fields) > 4 else "0"
    gain, baseline = _parse_gain(fields[2] if len(fields) > 2 else "", zero, name)
    checksum = _integer(fields[6], "checksum") % 65536 if len(fields) > 6 else None
    return SignalLine(fields[0], code, simple, offset, gain, baseline, checksum, name)


@lru_cache(maxsize=1024)
def _parse_format(text: str) -> tuple[str, bool, int]:
    """Read format, simplicity and byte offset from ``FORMAT[xSAMPLES][:SKEW][+OFFSET]``."""
    match = _FORMAT.fullmatch(text)
    if match is None:
        raise ValueError(f"a signal format is {shown(text)}")
    code, per_frame, skew, offset = match.groups()
    return code, int(per_frame or 1) == 1 and int(skew or 0) == 0, int(offset or 0)


@lru_cache(maxsize=4096)
def _parse_gain(text: str, zero: str, name: str) -> tuple[float | None, float]:
    """Read counts per mV and baseline from ``GAIN[(BASELINE)][/UNIT]``."""
    match = _GAIN.fullmatch(text)
    if match is None:
        raise ValueError(f"the gain of lead {shown(name)} is {shown(text)}")
    number, baseline, unit = match.groups()
    gain = float(number or 0) or _DEFAULT_GAIN  # 0 and nothing both mean "not calibrated"
    per_mv = PER_MILLIVOLT.get((unit or "").strip().lower())
    if per_mv is None:
        if standard_lead_name(name):
            raise ValueError(f"lead {name} is in {shown(unit)}, which is no voltage")
        return None, 0.0
    centre = float(_integer(baseline or zero, "baseline or ADC zero"))
    if not _GAINS[0] <= abs(gain * per_mv) <= _GAINS[1] or abs(centre) > 2**31:
        raise ValueError(f"the gain of lead {shown(name)} is {shown(text)}")
    return gain * per_mv, centre


def _integer(text: str, what: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"its {what} is {shown(text)}")
    return int(text)


def shown(text: str) -> str:
    """Quote hostile text in a message: short, on one line, printable."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # older headers, with a one-byte µ


def lines_of(text: str) -> list[str]:
    """Split text where a line ends in a file: not at the rarer signs that `str.splitlines` splits at too.

    Byte 0x85, for one, is an ellipsis in the comments of older headers.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def file_size(path: Path) -> int:
    """Size of a regular file in bytes; RecordError if there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise RecordError(f"{shown(path.name)} cannot be read: {cause(error)}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise RecordError(f"{shown(path.name)} is not a file.")
    return status.st_size


def cause(error: Exception) -> str:
    """Say in one line what an exception says."""
    message = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(message.split())


def comment_fields(comments: Iterable[str]) -> dict[str, str]:
    """Read ``Key: value`` comments by lower-case key; ``<age>: 51`` and ``Age: 51`` are the same key.

    The different values of a repeated key are joined with commas, in order.
    """
    values: dict[str, dict[str, None]] = {}
    for comment in comments:
        key, colon, value = comment.partition(":")
        if colon:
            values.setdefault(key.strip(" \t<>").lower(), {})[value.strip()] = None
    return {key: ",".join(value for value in found if value) for key, found in values.items()}
