"""Electrocardiograms in DICOM waveform objects (PS3.3, A.34 and C.10.9), read with pydicom.

Of the file's attributes only the class and the waveforms are read; what it says of the patient, the stay and
the staff is skipped, not parsed and dropped.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from cohorts.errors import RecordError
from cohorts.formats.counts import Integers, digital_recording
from cohorts.formats.dicom_groups import Group, read_group
from cohorts.formats.wfdb_header import file_size, shown
from cohorts.recording import DigitalRecording

MAX_BYTES = 2**28
"""Largest file that is read: a day of three leads at 500 Hz."""

_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.9.1.1": "12-lead ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.2": "General ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.3": "Ambulatory ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.4": "General 32-bit ECG",
}
_DEFLATED = "1.2.840.10008.1.2.1.99"

# Attributes that a file without a preamble may begin with: of the file itself (0002), lengths, character
# set, image type, dates, class.
_FIRST = {b"\x02\0\0\0", b"\x02\0\1\0", b"\x02\0\2\0", b"\x02\0\x10\0"} | {
    b"\x08\0" + bytes([element]) + b"\0" for element in (0x00, 0x01, 0x05, 0x08, 0x12, 0x13, 0x16)
}
_FIRST_BIG_ENDIAN = {bytes([a[1], a[0], a[3], a[2]]) for a in _FIRST if a.startswith(b"\x08")}

_TAGS: Any = [0x00080016, 0x54000100]  # class and waveforms

# What pydicom is known to raise for damaged files.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)


def recognised(head: bytes) -> bool:
    """Whether a file that begins so is DICOM: by its mark, or without one by its first attribute."""
    if head[128:132] == b"DICM":
        return True
    first, typed = head[:4], head[4:6].isalpha() and head[4:6].isupper()
    if first in _FIRST_BIG_ENDIAN:
        return typed
    return first in _FIRST and len(head) > 8 and (typed or head[6:8] == b"\0\0")


def read(path: Path) -> DigitalRecording:
    """Read the rhythm of one file: leads by name, in the file's own counts.

    A file may hold several multiplex groups: a rhythm, parts of it, median beats. The group taken is an
    original one, never a derived one; of several, that with the most standard leads, then the longest, then
    the first. Channels that are none of the twelve leads are left out. A skew between channels is undone to
    the nearest sample.

    Raises
    ------
    RecordError
        If the file is damaged, is no ECG, or its waveform does not fit its description.
    """
    name = shown(path.name)
    size = file_size(path)
    if size > MAX_BYTES:
        raise RecordError(f"{name} has {size:,} bytes, too many for a DICOM recording.")
    import pydicom

    try:
        with warnings.catch_warnings(), pydicom.config.disable_value_validation():
            warnings.simplefilter("ignore")  # pydicom quotes a value that it warns of, and logs it
            groups = _groups(path, name)
            best = max(groups, key=lambda group: (len(group.rows), group.samples / group.sampling_rate))
            return _recording(best)
    except (*_DAMAGE, pydicom.errors.BytesLengthException, pydicom.errors.InvalidDicomError):
        raise RecordError(f"{name} is damaged: it cannot be read as DICOM.") from None


def _groups(path: Path, name: str) -> list[Group]:
    """The original groups that hold a standard lead."""
    data, big_endian = _attributes(path)
    kind = str(data.get("SOPClassUID", ""))
    if kind and kind not in _CLASSES:
        raise RecordError(f"{name} is a DICOM file of another kind than an ECG waveform.")
    items = data.get("WaveformSequence")
    if not items:
        raise RecordError(f"{name} holds no waveform, or ends before it.")
    original = [item for item in items if str(item.get("WaveformOriginality", "")).strip() == "ORIGINAL"]
    if not original:
        raise RecordError(f"{name} holds no original waveform, only derived ones such as median beats.")
    try:
        groups = [group for item in original if (group := read_group(item, big_endian))]
    except RecordError as error:
        raise RecordError(f"{name} holds a waveform that cannot be read: {error}") from None
    if not groups:
        raise RecordError(f"No channel of {name} is a standard lead.")
    return groups


def _attributes(path: Path) -> tuple[Any, bool]:
    """Class and waveforms of a file, and whether its numbers are big-endian."""
    import pydicom
    from pydicom.filereader import read_dataset

    content = path.read_bytes()  # a stream in memory allocates no more than there is, whatever is announced
    if content[128:132] == b"DICM":
        meta = read_dataset(
            io.BytesIO(content[132:]), False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2
        )
        if meta.get("TransferSyntaxUID") == _DEFLATED:
            plain = _inflated(content[132 + 12 + int(meta.FileMetaInformationGroupLength) :], path.name)
            return read_dataset(io.BytesIO(plain), False, True, specific_tags=_TAGS), False
    data = pydicom.dcmread(io.BytesIO(content), force=True, specific_tags=_TAGS)
    return data, data.original_encoding[1] is False


def _inflated(packed: bytes, name: str) -> bytes:
    """Unpack what may have been made to unpack to any size: no more than a file may have."""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacking.decompress(packed, MAX_BYTES)
    if not unpacking.eof:
        raise RecordError(f"{shown(name)} is deflated, and cut off or too large.")
    return content


def _recording(group: Group) -> DigitalRecording:
    values = group.values[group.rows].astype(np.int64)
    missing = np.zeros(values.shape, np.bool_) if group.padding is None else values == group.padding
    values, missing = _aligned(values, missing, group.skew)
    return digital_recording(values, missing, group.gain, group.baseline, group.sampling_rate, group.leads)


def _aligned(values: Integers, missing: Any, skew: Any) -> tuple[Integers, Any]:
    """Put samples of the same moment into one column, given each lead's delay in samples."""
    delays = np.rint(skew - skew.min()).astype(np.int64)
    for row, delay in enumerate(delays):
        if delay:
            values[row], missing[row] = np.roll(values[row], delay), np.roll(missing[row], delay)
            missing[row, :delay] = True
    return values, missing
