"""WFDB records: a fast reader for the format-16 files of the cohorts, wfdb for everything else.

The syntax is that of the WFDB Applications Guide, header(5)
(https://physionet.org/physiotools/wag/header-5.htm). Unlike wfdb this reader accepts record lines that
name a file ("E00015.mat 12 500 5000"), verifies checksums, and never believes a header about sizes.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np

from cohorts.errors import RecordError
from cohorts.recording import MISSING, Counts, DigitalRecording, Recording, standard_lead_name

MAX_VALUES = 10**8
"""Most leads x samples that one record may have: 12 leads at 1000 Hz for more than two hours."""

_MAX_HEADER_BYTES = 1_000_000
_DEFAULT_RATE = 250.0
_DEFAULT_GAIN = 200.0
_RATES = (1.0, 100_000.0)
_GAINS = (1e-3, 1e9)
# Counts per unit x this = counts per mV.
_UNITS = {"mv": 1.0, "uv": 1e3, "µv": 1e3, "μv": 1e3, "v": 1e-3, "": 1.0}

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?")
_GAIN = re.compile(rf"({_NUMBER})?(?:\(([+-]?\d+)\))?(?:/(.+))?")
_RATE = re.compile(rf"({_NUMBER})(?:/{_NUMBER}(?:\({_NUMBER}\))?)?")


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One signal of a header.

    Attributes
    ----------
    file
        Name of the signal file, in the header's folder.
    plain
        Whether the samples are plain interleaved 16-bit integers.
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
    plain: bool
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
    if _size(path) > _MAX_HEADER_BYTES:
        raise RecordError(f"{path.name} is too large for a header.")
    lines = [line.strip() for line in _decoded(path.read_bytes()).splitlines()]
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
        raise ValueError(f"its record line is {_shown(lines[0])}")
    rate = _RATE.fullmatch(fields[2]) if len(fields) > 2 else None
    if len(fields) > 2 and rate is None:
        raise ValueError(f"its sampling rate is {_shown(fields[2])}")
    hertz = float(rate[1]) if rate else _DEFAULT_RATE
    if not _RATES[0] <= hertz <= _RATES[1]:
        raise ValueError(f"its sampling rate is {hertz:g} Hz")
    samples = _integer(fields[3], "number of samples") if len(fields) > 3 else 0
    if samples < 0:
        raise ValueError(f"its number of samples is {samples}")
    count = int(fields[1])
    if count * samples > MAX_VALUES:
        raise ValueError(f"it announces {count} signals of {samples:,} samples")
    if "/" in fields[0]:
        return Header(hertz, samples or None, (), comments)
    if count == 0 or count != len(lines) - 1:
        raise ValueError(f"it announces {count} signals and describes {len(lines) - 1}")
    signals = tuple(_parse_signal(line) for line in lines[1:])
    return Header(hertz, samples or None, signals, comments)


def _parse_signal(line: str) -> SignalLine:
    """Parse ``FILE FORMAT [GAIN [RESOLUTION [ZERO [FIRST [CHECKSUM [BLOCK [NAME]]]]]]]``."""
    fields = line.split(maxsplit=8)
    if len(fields) < 2:
        raise ValueError(f"a signal line is {_shown(line)}")
    plain, offset = _parse_format(fields[1])
    zero = _integer(fields[4], "ADC zero") if len(fields) > 4 else 0
    name = fields[8] if len(fields) > 8 else ""
    gain, baseline = _parse_gain(fields[2] if len(fields) > 2 else "", zero, name)
    checksum = _integer(fields[6], "checksum") % 65536 if len(fields) > 6 else None
    return SignalLine(fields[0], plain, offset, gain, baseline, checksum, name)


@lru_cache(maxsize=1024)
def _parse_format(text: str) -> tuple[bool, int]:
    """Whether ``FORMAT[xSAMPLES][:SKEW][+OFFSET]`` is plain format 16, and the byte offset."""
    match = _FORMAT.fullmatch(text)
    if match is None:
        raise ValueError(f"a signal format is {_shown(text)}")
    code, per_frame, skew, offset = match.groups()
    return code == "16" and int(per_frame or 1) == 1 and int(skew or 0) == 0, int(offset or 0)


@lru_cache(maxsize=4096)
def _parse_gain(text: str, zero: int, name: str) -> tuple[float | None, float]:
    """Counts per mV and baseline from ``GAIN[(BASELINE)][/UNIT]``."""
    match = _GAIN.fullmatch(text)
    if match is None:
        raise ValueError(f"the gain of lead {_shown(name)} is {_shown(text)}")
    number, baseline, unit = match.groups()
    gain = float(number or 0) or _DEFAULT_GAIN  # 0 and nothing both mean "not calibrated"
    per_mv = _UNITS.get((unit or "").strip().lower())
    if per_mv is None:
        if standard_lead_name(name):
            raise ValueError(f"lead {name} is in {_shown(unit)}, which is no voltage")
        return None, 0.0
    centre = float(baseline) if baseline is not None else float(zero)
    if not _GAINS[0] <= abs(gain * per_mv) <= _GAINS[1] or abs(centre) > 2**31:
        raise ValueError(f"the gain of lead {_shown(name)} is {_shown(text)}")
    return gain * per_mv, centre


def _integer(text: str, what: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise ValueError(f"its {what} is {_shown(text)}")
    return int(text)


def _shown(text: str) -> str:
    """Quote hostile text in a message: short, on one line, printable."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # older headers, with a one-byte µ


def _size(path: Path) -> int:
    """Size of a regular file in bytes."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise RecordError(f"{_shown(path.name)} cannot be read: {_cause(error)}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise RecordError(f"{_shown(path.name)} is not a file.")
    return status.st_size


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def comment_fields(comments: Iterable[str]) -> dict[str, str]:
    """``Key: value`` comments by lower-case key; ``<age>: 51`` and ``Age: 51`` are the same key.

    The different values of a repeated key are joined with commas, in order.
    """
    values: dict[str, dict[str, None]] = {}
    for comment in comments:
        key, colon, value = comment.partition(":")
        if colon:
            values.setdefault(key.strip(" \t<>").lower(), {})[value.strip()] = None
    return {key: ",".join(value for value in found if value) for key, found in values.items()}


def read_record(path: Path) -> DigitalRecording:
    """Read a record given its header file.

    Channels whose unit is no voltage are left out. Checksums are verified for plain format 16 where
    the header states any: zeros for all signals are a placeholder, as is every checksum of a header
    without a number of samples (header(5)).

    Raises
    ------
    RecordError
        If the record is missing, damaged, or does not fit its header.
    """
    header = read_header(path)
    for line in header.signals:
        if line.file in {".", ".."} or any(character in line.file for character in "/\\\0"):
            raise RecordError(f"{path.name} names a signal file outside its folder: {_shown(line.file)}.")
    if not header.signals or not all(line.plain for line in header.signals):
        return _read_with_wfdb(path, header)
    counts = _read_plain(path.parent, header)
    _verify(path.name, header, counts)
    return _digital(path.name, header, counts)


def _read_plain(folder: Path, header: Header) -> Counts:
    """Samples of all signal files of a header, int16 ``[signals, samples]``."""
    groups = [(file, list(lines)) for file, lines in groupby(header.signals, lambda line: line.file)]
    if len({file for file, _ in groups}) < len(groups):
        raise RecordError(
            f"The signals of file {_shown(groups[0][0])} are not listed together in the header."
        )
    parts = [_read_interleaved(folder / file, lines, header.samples) for file, lines in groups]
    if len({part.shape[1] for part in parts}) > 1:
        raise RecordError(f"The signal files beside {_shown(groups[0][0])} differ in length.")
    return np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)


def _read_interleaved(file: Path, lines: list[SignalLine], samples: int | None) -> Counts:
    """Samples of one signal file, int16 ``[signals, samples]``."""
    size, offset, width = _size(file), lines[0].offset, 2 * len(lines)
    if any(line.offset != offset for line in lines):
        raise RecordError(f"The header gives {file.name} several byte offsets.")
    if samples is None:
        samples = max(0, size - offset) // width
    if samples == 0:
        raise RecordError(f"{file.name} holds no samples.")
    if size != offset + samples * width:
        raise RecordError(
            f"{file.name} has {size:,} bytes where its header announces {offset + samples * width:,}."
        )
    if samples * len(lines) > MAX_VALUES:
        raise RecordError(f"{file.name} has {samples:,} samples for each of {len(lines)} leads, too many.")
    try:
        raw = np.fromfile(file, dtype="<i2", count=samples * len(lines), offset=offset)
    except OSError as error:
        raise RecordError(f"{file.name} cannot be read: {_cause(error)}.") from None
    return raw.reshape(samples, len(lines)).T


def _verify(name: str, header: Header, counts: Counts) -> None:
    """Compare each signal's sum with its checksum; an absent sum agrees with anything."""
    stated = [line.checksum for line in header.signals]
    if header.samples is None or not any(stated):
        return
    sums = counts.sum(axis=1, dtype=np.int16).view(np.uint16).tolist()
    for line, total, checksum in zip(header.signals, sums, stated, strict=True):
        if checksum is not None and checksum != total:
            raise RecordError(
                f"The samples of lead {_shown(line.name)} do not fit the checksum in {name}: the file is damaged."
            )


def _digital(name: str, header: Header, counts: Counts) -> DigitalRecording:
    """Counts ``[signals, samples]`` with the gains, baselines and names of their header."""
    kept = [row for row, line in enumerate(header.signals) if line.gain is not None]
    if not kept:
        raise RecordError(f"{name} describes no signal in volts.")
    lines = [header.signals[row] for row in kept]
    return DigitalRecording(
        counts if len(kept) == len(counts) else counts[kept],
        np.array([line.gain for line in lines], dtype=np.float64),
        np.array([line.baseline for line in lines]),
        header.sampling_rate,
        tuple(line.name for line in lines),
    )


def _read_with_wfdb(path: Path, header: Header) -> DigitalRecording:
    """Every other format, and records of several segments. Checksums are not verified."""
    import wfdb

    try:
        record = wfdb.rdrecord(os.fspath(path.with_suffix("")))
        physical, units, names = record.p_signal, record.units, record.sig_name
        per_mv = np.array([_UNITS.get(unit.strip().lower(), np.nan) for unit in units])
        signal = physical.T / per_mv[:, None]
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        OSError,
        RuntimeError,
    ) as error:
        # What wfdb is known to raise for damaged records; RuntimeError also stands for libsndfile's errors.
        raise RecordError(f"{path.name} cannot be read with wfdb: {_cause(error)[:200]}.") from None
    if header.signals and signal.shape[0] == len(header.signals):
        gain = np.array([line.gain or np.nan for line in header.signals])
        baseline = np.array([line.baseline for line in header.signals])
        counts = np.rint(signal * gain[:, None] + baseline[:, None])
        missing = ~np.isfinite(counts)
        if np.abs(counts, where=~missing, out=np.zeros_like(counts)).max(initial=0.0) < -MISSING:
            counts[missing] = MISSING
            return _digital(path.name, header, counts.astype(np.int16))
    volts = np.isfinite(per_mv)
    leads = tuple(str(name) for name, kept in zip(names, volts, strict=True) if kept)
    return DigitalRecording.from_recording(
        Recording(signal[volts].astype(np.float32), float(record.fs), leads)
    )
