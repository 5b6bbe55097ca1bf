"""WFDB records: a fast reader for the format-16 files of the cohorts, wfdb for everything else.

Checksums are verified, and a header is never believed about sizes: what it announces is compared with the
file before anything is allocated.
"""

from __future__ import annotations

import os
import re
import warnings
from itertools import groupby
from pathlib import Path

import numpy as np

from cohorts.counts import plural
from cohorts.errors import RecordError
from cohorts.formats.wfdb_header import (
    MAX_VALUES,
    PER_MILLIVOLT,
    Header,
    SignalLine,
    cause,
    file_size,
    lines_of,
    read_header,
    shown,
)
from cohorts.recording import MISSING, Counts, DigitalRecording, Doubles, Recording

# What wfdb is known to raise for damaged records; RuntimeError also stands for libsndfile's errors.
_WFDB_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    OSError,
    RuntimeError,
    MemoryError,
)

# A record line and the first line of a signal or segment: NAME SIGNALS [...] and FILE FORMAT [...].
_BEGINNING = re.compile(
    r"[^\s<>{}]+[ \t]+\d{1,6}([ \t][^\n]*)?\n[^\s<>{}]+[ \t]+\d[^\s,;]*([ \t]|$)", re.MULTILINE
)


def recognised(head: bytes) -> bool:
    """Whether a file that begins so is a header."""
    lines = (line.strip() for line in lines_of(head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")))
    content = "\n".join(line for line in lines if line and not line.startswith("#"))
    return "\0" not in content and _BEGINNING.match(content) is not None


def read_record(path: Path) -> DigitalRecording:
    """Read a record given its header file.

    Channels whose unit is no voltage are left out. Checksums are verified where the header states any:
    zeros for all signals are a placeholder, as is every checksum of a header without a number of
    samples (header(5)).

    Raises
    ------
    RecordError
        If the record is missing, damaged, or does not fit its header.
    """
    header = read_header(path)
    for file in {line.file for line in header.signals}:
        if file in {".", ".."} or any(character in file for character in "/\\\0"):
            raise RecordError(f"{path.name} names a signal file outside its folder: {shown(file)}.")
        if file.startswith("."):  # such files are no part of a release: nobody notices when they change
            raise RecordError(f"{path.name} names a hidden signal file: {shown(file)}.")
    if not header.signals or not all(line.format == "16" and line.simple for line in header.signals):
        return _read_with_wfdb(path, header)
    counts = _read_plain(path.parent, header)
    _verify(path.name, header, counts)
    return _digital(path.name, header, counts)


read = read_record  # the name that every format has in `cohorts.formats.any_file`


def _read_plain(folder: Path, header: Header) -> Counts:
    """Read all signal files of a header, int16 ``[signals, samples]``."""
    groups = [(file, list(lines)) for file, lines in groupby(header.signals, lambda line: line.file)]
    if len({file for file, _ in groups}) < len(groups):
        raise RecordError("The header does not list the signals of each file together.")
    parts = [_read_interleaved(folder / file, lines, header.samples) for file, lines in groups]
    if len({part.shape[1] for part in parts}) > 1:
        raise RecordError(
            f"The signal files {', '.join(shown(file) for file, _ in groups)} differ in length."
        )
    return np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)


def _read_interleaved(file: Path, lines: list[SignalLine], samples: int | None) -> Counts:
    """Read one signal file, int16 ``[signals, samples]``."""
    size, offset, width = file_size(file), lines[0].offset, 2 * len(lines)
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
        each = f"{samples:,} samples for each of {plural(len(lines), 'lead')}"
        raise RecordError(f"{file.name} has {each}, too many.")
    try:
        raw = np.fromfile(file, dtype="<i2", count=samples * len(lines), offset=offset)
    except OSError as error:
        raise RecordError(f"{file.name} cannot be read: {cause(error)}.") from None
    return raw.reshape(samples, len(lines)).T


def _verify(name: str, header: Header, counts: Counts) -> None:
    """Compare each signal's sum with its checksum; an absent sum agrees with anything."""
    stated = [line.checksum for line in header.signals]
    if header.samples is None or not any(stated):
        return
    sums = counts.sum(axis=1, dtype=np.int16).view(np.uint16).tolist()
    for line, total, checksum in zip(header.signals, sums, stated, strict=True):
        if checksum is not None and checksum != total:
            raise RecordError(f"The samples of lead {shown(line.name)} do not fit their checksum in {name}.")


def _digital(name: str, header: Header, counts: Counts) -> DigitalRecording:
    """Join counts ``[signals, samples]`` with the gains, baselines and names of their header."""
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
    """Read any other format, or a record of several segments.

    Checksums can be verified only where wfdb gives back the samples as they are stored.
    """
    try:
        with warnings.catch_warnings():
            # wfdb calls pandas in ways that pandas 3 deprecates, already while it is imported.
            warnings.simplefilter("ignore", DeprecationWarning)
            import wfdb

            record = wfdb.rdrecord(os.fspath(path.with_suffix("")))
        per_mv = np.array([PER_MILLIVOLT.get(unit.strip().lower(), np.nan) for unit in record.units])
        signal = record.p_signal.T / per_mv[:, None]
    except _WFDB_ERRORS as error:
        reason = cause(error).replace(f"{path.parent}{os.sep}", "")
        raise RecordError(f"{path.name} cannot be read with wfdb: {reason[:200]}.") from None
    if signal.size > MAX_VALUES or signal.size == 0:
        raise RecordError(f"{path.name} has {signal.shape[1]:,} samples of {signal.shape[0]} leads.")
    counts = _counts(signal, header)
    if counts is not None:
        if all(line.simple for line in header.signals) and counts.min() != MISSING:
            _verify(path.name, header, counts)
        return _digital(path.name, header, counts)
    volts = np.isfinite(per_mv)
    leads = tuple(str(name) for name, kept in zip(record.sig_name, volts, strict=True) if kept)
    return DigitalRecording.from_recording(
        Recording(signal[volts].astype(np.float32), float(record.fs), leads)
    )


def _counts(signal: Doubles, header: Header) -> Counts | None:
    """Undo the header's gains; None where there are none or the counts need more than 16 bits."""
    if len(signal) != len(header.signals):
        return None
    gain = np.array([line.gain or 1.0 for line in header.signals])
    baseline = np.array([line.baseline for line in header.signals])
    counts = np.rint(signal * gain[:, None] + baseline[:, None])
    missing = ~np.isfinite(counts)
    counts[missing] = 0.0
    if np.abs(counts).max() >= -MISSING:
        return None
    counts[missing] = MISSING
    digital: Counts = counts.astype(np.int16)
    return digital
