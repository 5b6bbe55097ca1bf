"""WFDB files written directly: header(5), plain format 16, and the Challenge's MATLAB container.

Header and signal are written byte by byte with numpy, because a general writer would cost more time
than the simulation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int16]

MAT_OFFSET = 24


@dataclass
class SignalFile:
    """One signal file and what its header lines say.

    Attributes
    ----------
    name
        File name.
    counts
        ``[signals, samples]``.
    leads
        Names of the rows.
    gain
        The gain field, one for all or one a lead.
    resolution
        The ADC resolution field.
    signed
        Whether checksums are written from -32768 to 32767 or from 0 to 65535.
    """

    name: str
    counts: Counts
    leads: Sequence[str]
    gain: str | Sequence[str] = "1000/mV"
    resolution: int = 16
    signed: bool = True
    format: str = "16"

    def lines(self) -> list[str]:
        """Signal lines of the header."""
        sums = self.counts.sum(axis=1, dtype=np.int16)
        checksums = (sums if self.signed else sums.view(np.uint16)).tolist()
        gains = [self.gain] * len(self.leads) if isinstance(self.gain, str) else self.gain
        first = self.counts[:, 0].tolist()
        return [
            f"{self.name} {self.format} {gain} {self.resolution} 0 {start} {checksum} 0 {lead}"
            for gain, start, checksum, lead in zip(gains, first, checksums, self.leads, strict=True)
        ]


def write_record(
    folder: Path,
    name: str,
    rate: float,
    files: Sequence[SignalFile],
    comments: Iterable[str] = (),
    *,
    record_line: str = "",
    end: str = "\n",
) -> None:
    """Write header and signal files of one record.

    Parameters
    ----------
    record_line
        What follows the number of samples (a date).
    end
        Line ending of the header.
    """
    for file in files:
        body = np.ascontiguousarray(file.counts.T, dtype="<i2").tobytes()
        container = mat_header(*file.counts.shape) if "+" in file.format else b""
        (folder / file.name).write_bytes(container + body)
    signals = sum(len(file.leads) for file in files)
    samples = files[0].counts.shape[1]
    first = f"{name} {signals} {rate:g} {samples}{' ' + record_line if record_line else ''}"
    lines = [first, *(line for file in files for line in file.lines()), *comments]
    header = folder / f"{name.removesuffix('.mat')}.hea"
    header.write_bytes((end.join(lines) + end).encode())


def mat_header(rows: int, columns: int) -> bytes:
    """Give the 24 bytes before the samples of a MATLAB level-4 matrix ``val`` of int16."""
    return struct.pack("<5i", 30, rows, columns, 0, 4) + b"val\0"
