"""One recording of one file in any format that is read here, found out from the file's content.

A name says little: `.xml` is the suffix of four of the formats. What a file begins with says which it is, and
a file that begins like none of them is refused, never guessed at.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from cohorts.errors import RecordError, UnknownNameError, UsageError
from cohorts.formats.wfdb_header import MAX_VALUES, cause, file_size, shown
from cohorts.recording import DigitalRecording, standard_lead_name

FORMATS = {
    "wfdb": "cohorts.formats.wfdb_files",
    "muse": "cohorts.formats.muse",
    "philips": "cohorts.formats.philips",
    "dicom": "cohorts.formats.dicom",
    "hl7-aecg": "cohorts.formats.hl7_aecg",
    "cardiosoft": "cohorts.formats.cardiosoft",
    "edf": "cohorts.formats.edf",
}
"""Name of a format -> the module that reads it, which is imported when it is needed."""

AUTO = "auto"

HEAD_BYTES = 4096
"""How much of a file its format is recognised by."""

# Beyond these a file is damaged, or its unit is not what it says.
_RATES = (1.0, 100_000.0)
_GAINS = (1e-6, 1e15)
_BASELINES = 2.0**32


class Reader(Protocol):
    """What the module of a format offers."""

    def read(self, path: Path) -> DigitalRecording:
        """Read a file; RecordError says in one sentence why it cannot be."""

    def recognised(self, head: bytes) -> bool:
        """Whether a file of this format may begin so, with its first `HEAD_BYTES`."""


def detect(path: Path) -> str:
    """Find out a file's format from what it begins with.

    Returns
    -------
    str
        A name of `FORMATS`.

    Raises
    ------
    RecordError
        If it is no regular file, cannot be opened, is empty, or begins like none of the formats.
    """
    if file_size(path) == 0:
        raise RecordError(f"{shown(path.name)} is empty.")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise RecordError(f"{shown(path.name)} cannot be read: {cause(error)}.") from None
    found = [name for name in FORMATS if _reader(name).recognised(head)]
    if len(found) != 1:
        raise RecordError(f"{shown(path.name)} is none of the files that are read: {', '.join(FORMATS)}.")
    return found[0]


def read_file(path: Path, file_format: str = AUTO) -> DigitalRecording:
    """Read the recording of one file.

    Parameters
    ----------
    path
        A WFDB header, or a file that holds all there is.
    file_format
        A name of `FORMATS`, or ``"auto"`` to find it out.

    Raises
    ------
    RecordError
        If the format is unknown, the file is damaged, or what it says of itself cannot be.
    UsageError
        If there is no format of that name, or the library that reads it is not installed.
    """
    name = detect(path) if file_format == AUTO else file_format
    if name not in FORMATS:
        raise UnknownNameError("file format", name, (AUTO, *FORMATS))
    file_size(path)  # a pipe would never end
    try:
        recording = _reader(name).read(path)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Files of {name} are read with {error.name}, not installed: pip install 'leadboard[formats]'."
        ) from None
    _check(path.name, recording)
    return recording


def _reader(name: str) -> Reader:
    return cast(Reader, import_module(FORMATS[name]))


def _check(name: str, recording: DigitalRecording) -> None:
    """Refuse what no recorder writes, whichever format it comes from."""
    leads, samples = recording.counts.shape
    standard = [lead for lead in map(standard_lead_name, recording.leads) if lead]
    for lead in standard:
        if standard.count(lead) > 1:
            raise RecordError(f"{shown(name)} holds lead {lead} twice.")
    gain, rate = np.abs(recording.gain), recording.sampling_rate
    if not leads or not samples or leads * samples > MAX_VALUES:
        raise RecordError(f"{shown(name)} holds {leads} leads of {samples:,} samples.")
    if not _RATES[0] <= rate <= _RATES[1]:
        raise RecordError(f"{shown(name)} gives its sampling rate as {rate:g} Hz.")
    if not ((gain >= _GAINS[0]) & (gain <= _GAINS[1]) & (np.abs(recording.baseline) <= _BASELINES)).all():
        raise RecordError(f"{shown(name)} gives a lead a gain or a baseline that no recorder has.")
