"""EDF and EDF+ files, and their 24-bit relatives BDF and BDF+, read with pyedflib (https://www.edfplus.info).

The header's patient and recording fields are looked at by no one here; annotations are not read.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cohorts.counts import plural
from cohorts.errors import RecordError
from cohorts.formats.counts import digital_recording
from cohorts.formats.wfdb_header import MAX_VALUES, cause, file_size, shown
from cohorts.recording import MV_PER_UNIT, DigitalRecording, standard_lead_name

if TYPE_CHECKING:
    from pyedflib import EdfReader

_MARKS = (b"0       ", b"\xffBIOSEMI")
_CONTINUITY = slice(192, 197)
_MAX_CHANNELS = 4096
_SAMPLES_AT = 216  # bytes of each channel's description before the number of its samples
_UNITS = {unit.lower(): factor for unit, factor in MV_PER_UNIT.items()} | {"µv": 1e-3, "μv": 1e-3}
_PREFIX = re.compile(r"^(?:ECG|EKG)\s+(?=\S)|-REF$", re.IGNORECASE)


class _Channel(NamedTuple):
    """A channel that is a standard lead; ``gain`` in counts per mV, ``rate`` in Hz."""

    number: int
    lead: str
    rate: float
    samples: int
    gain: float
    baseline: float


def recognised(head: bytes) -> bool:
    """Whether a file that begins so is EDF or BDF; its header is printable besides its first byte."""
    return head.startswith(_MARKS) and len(head) >= 256 and b"\0" not in head[1:256]


def read(path: Path) -> DigitalRecording:
    """Read the standard leads of one file, in its own counts where they fit 16 bits.

    Other channels, annotations among them, are left out and may have other rates.

    Raises
    ------
    RecordError
        If the file is damaged or interrupted, holds no standard lead, or its leads do not go together.
    """
    name = shown(path.name)
    size = file_size(path)
    try:
        with path.open("rb") as file:
            head = file.read(256)
            announced = _size(head, file.read(256 * _MAX_CHANNELS)) if recognised(head) else None
    except OSError as error:
        raise RecordError(f"{name} cannot be read: {cause(error)}.") from None
    if not recognised(head):
        raise RecordError(f"{name} does not begin as an EDF or BDF file does.")
    if head[_CONTINUITY] in (b"EDF+D", b"BDF+D"):
        raise RecordError(f"{name} is interrupted (EDF+D), and only continuous recordings are read.")
    if announced != size:  # pyedflib would print it
        told = "is damaged" if announced is None else f"announces {announced:,}"
        raise RecordError(f"{name} has {size:,} bytes and a header that {told}.")
    from pyedflib import DO_NOT_READ_ANNOTATIONS, EdfReader

    try:
        # What its messages quote may be of the patient.
        with EdfReader(os.fspath(path), DO_NOT_READ_ANNOTATIONS) as reader:
            return _read(reader, name)
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, MemoryError):
        raise RecordError(f"{name} is damaged: its header or its length is not that of EDF.") from None


def _size(head: bytes, channels: bytes) -> int | None:
    """How long a header says that its file is; None where it says nothing of the kind."""
    try:
        begins, records, signals = (int(head[at:to]) for at, to in ((184, 192), (236, 244), (252, 256)))
        start = _SAMPLES_AT * signals
        counts = [int(channels[at : at + 8]) for at in range(start, start + 8 * signals, 8)]
    except ValueError:
        return None
    width = 2 if head.startswith(_MARKS[0]) else 3
    return begins + records * sum(counts) * width


def _read(reader: EdfReader, name: str) -> DigitalRecording:
    channels = [
        channel for number in range(reader.signals_in_file) if (channel := _channel(reader, number, name))
    ]
    if not channels:
        raise RecordError(f"No channel of {name} is called after a standard lead, such as 'ECG V1'.")
    first = channels[0]
    for channel in channels:
        if (channel.rate, channel.samples) != (first.rate, first.samples):
            raise RecordError(
                f"{name} has lead {first.lead} at {first.rate:g} Hz and lead {channel.lead} at "
                f"{channel.rate:g} Hz."
            )
    if len(channels) * first.samples > MAX_VALUES or first.samples == 0:
        raise RecordError(
            f"{name} has {plural(first.samples, 'sample')} for each of {plural(len(channels), 'lead')}."
        )
    values = np.stack([reader.readSignal(channel.number, digital=True) for channel in channels])
    return digital_recording(
        values.astype(np.int64),
        np.zeros(values.shape, np.bool_),
        np.array([channel.gain for channel in channels]),
        np.array([channel.baseline for channel in channels]),
        first.rate,
        tuple(channel.lead for channel in channels),
    )


def _channel(reader: EdfReader, number: int, name: str) -> _Channel | None:
    """One channel, or None if it is no standard lead."""
    lead = lead_of(reader.getLabel(number))
    if lead is None:
        return None
    factor = _UNITS.get(reader.getPhysicalDimension(number).strip().lower())
    if factor is None:
        raise RecordError(f"{name} gives lead {lead} in a unit that is not uV, mV or V.")
    low, high = reader.getPhysicalMinimum(number) * factor, reader.getPhysicalMaximum(number) * factor
    least, most = reader.getDigitalMinimum(number), reader.getDigitalMaximum(number)
    if low == high or least >= most:
        raise RecordError(f"{name} gives lead {lead} a range of nothing.")
    gain = (most - least) / (high - low)
    return _Channel(
        number,
        lead,
        float(reader.getSampleFrequency(number)),
        int(reader.samples_in_file(number)),
        float(gain),
        float(least - low * gain),
    )


def lead_of(label: str) -> str | None:
    """Give the standard lead that a channel is called after, as in ``ECG V1``, ``EKG II`` or ``aVR-Ref``."""
    return standard_lead_name(_PREFIX.sub("", label.strip()))
