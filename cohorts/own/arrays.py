"""Recordings in arrays and in tables of samples: what the file does not say of itself, its description does.

Axes, unit, rate and lead names are stated, never guessed. What is stated wrongly shows: an ECG of 800 mV, one
of 5,000 leads. It is refused with what it would be if another unit or order was meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from cohorts.counts import plural
from cohorts.errors import RecordError, UsageError
from cohorts.formats.array_files import reading
from cohorts.formats.wfdb_header import MAX_VALUES
from cohorts.own.description import ArrayPart
from cohorts.own.table import read_columns
from cohorts.recording import MV_PER_UNIT, DigitalRecording, Recording

Floats = npt.NDArray[np.float32]

PLAUSIBLE_MV = (0.05, 20.0)
"""How high the median lead of several ECGs may be, from its median to its farthest sample."""
LEAST_SECONDS = 1.0
MOST_BYTES = 2**33
"""Of an array that has to be unpacked into memory as a whole."""

_KINDS = "iuf"


def read_array(path: Path, part: ArrayPart, rate: float, row: int | None) -> DigitalRecording:
    """Read one recording.

    Parameters
    ----------
    rate
        In Hz.
    row
        Position in a file of all recordings; None for a file of one.

    Raises
    ------
    RecordError
        If the file is missing or damaged, or holds something else than its description says.
    """
    signal = _oriented(path.name, _values(path, part, row), part, rate, row is not None)
    millivolts = signal.astype(np.float64) * MV_PER_UNIT[part.unit]
    return DigitalRecording.from_recording(Recording(millivolts.astype(np.float32), rate, part.leads))


def rows_of_array(path: Path, part: ArrayPart) -> int:
    """How many recordings a file of all has, if it is what its description says.

    Raises
    ------
    UsageError
        If its axes are others than stated.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return int(pyarrow.parquet.ParquetFile(path).metadata.num_rows)
        with reading(path):
            shape = _shape(path, part)
    except (RecordError, OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read as the array of all recordings: {error}") from None
    axes = part.axes
    if "records" not in axes or len(shape) != len(axes):
        raise UsageError(
            f"{path} is an array of {' x '.join(map(str, shape))}, and axes names "
            f"{', '.join(axes) or 'none'}; state "
            'the order of all its axes, such as axes = ["records", "leads", "samples"].'
        )
    sizes = dict(zip(axes, shape, strict=True))
    if sizes["leads"] != len(part.leads):
        _refuse_axes(str(path), shape, part, UsageError)
    return sizes["records"]


def check_unit(recordings: Sequence[DigitalRecording], part: ArrayPart) -> None:
    """Refuse a unit in which the ECGs would be far too high or too low.

    Raises
    ------
    UsageError
        With the height in the stated unit, and the unit in which it would be that of an ECG, if there is one.
    """
    heights = []
    for recording in recordings:
        signal = recording.to_recording().signal
        with np.errstate(invalid="ignore"):
            known = signal[np.isfinite(signal).any(axis=1)]
        if len(known):
            middle = np.nanmedian(known, axis=1, keepdims=True)
            heights.append(np.nanmax(np.abs(known - middle), axis=1))
    heights = [height[height > 0] for height in heights]
    if not sum(map(len, heights)):
        return
    height = float(np.median(np.concatenate(heights)))
    low, high = PLAUSIBLE_MV
    if low <= height <= high:
        return
    per_mv = MV_PER_UNIT[part.unit]
    others = {unit: height / per_mv * factor for unit, factor in MV_PER_UNIT.items() if unit != part.unit}
    meant = [
        f'as {unit} {value:.3g} mV: is unit = "{unit}" meant?'
        for unit, value in others.items()
        if low <= value <= high
    ]
    raise UsageError(
        f'With unit = "{part.unit}" the median lead of the first {len(recordings)} ECGs would be '
        f"{height:,.3g} mV high"
        f"; {meant[0] if meant else 'in none of ' + ', '.join(MV_PER_UNIT) + ' would it be that of an ECG.'}"
    )


def _oriented(
    name: str, values: npt.NDArray[Any], part: ArrayPart, rate: float, of_all: bool
) -> npt.NDArray[Any]:
    """Turn an array into ``[leads, samples]``."""
    axes = [axis for axis in part.axes if axis != "records"] or ["samples", "leads"]
    if values.ndim != 2 or len(axes) != 2:
        raise RecordError(
            f"{name} holds an array of {values.ndim} axes for each recording, not leads and samples."
        )
    signal = values if axes == ["leads", "samples"] else values.T
    if len(signal) != len(part.leads):
        if of_all:  # the shape of the whole was looked at before
            raise RecordError(f"{name} has {plural(len(signal), 'lead')}, not {len(part.leads)}.")
        _refuse_axes(name, values.shape, part, RecordError)
    if signal.shape[1] < LEAST_SECONDS * rate:
        raise RecordError(
            f"{name} has {plural(signal.shape[1], 'sample')} of {plural(len(signal), 'lead')}, "
            f"{signal.shape[1] / rate:.3g} s at {rate:g} Hz, which is no ECG; are axes and rate stated "
            "rightly?"
        )
    if signal.dtype.kind not in _KINDS or signal.size > MAX_VALUES:
        raise RecordError(
            f"{name} holds {plural(signal.size, 'value')} of type {signal.dtype}, which is no recording."
        )
    return signal


def _refuse_axes(name: str, shape: Sequence[int], part: ArrayPart, kind: type[Exception]) -> NoReturn:
    """Say how many leads there would be, and the order of axes under which there are as many as stated."""
    axes = list(part.axes or ("samples", "leads"))
    at, samples = axes.index("leads"), axes.index("samples")
    swapped = list(axes)
    swapped[at], swapped[samples] = axes[samples], axes[at]
    meant = ""
    if shape[samples] == len(part.leads):
        meant = "; is axes = [" + ", ".join(f'"{axis}"' for axis in swapped) + "] meant?"
    raise kind(
        f"{name} is an array of {' x '.join(map(str, shape))}: with axes = {', '.join(axes)} it has "
        f"{shape[samples]:,} samples of {shape[at]:,} leads, not of the {len(part.leads)} that are "
        f"stated{meant or '.'}"
    )


def _values(path: Path, part: ArrayPart, row: int | None) -> npt.NDArray[Any]:
    """Read the numbers of one recording as the file has them."""
    suffix = path.suffix.lower()
    with reading(path):
        if suffix in (".csv", ".txt", ".tsv"):
            return _csv(path, part)
        if suffix in (".parquet", ".pq"):
            return _parquet(path, part, row)
        if suffix == ".npz":
            return _taken(_unpacked(path, path.stat().st_mtime_ns, part.dataset), part, row)
        if suffix == ".npy":
            return _taken(_mapped(path), part, row)
        with h5py.File(path, "r", locking=False) as file:
            return np.asarray(_taken(_dataset(path, file, part), part, row))


def _shape(path: Path, part: ArrayPart) -> tuple[int, ...]:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _unpacked(path, path.stat().st_mtime_ns, part.dataset).shape
    if suffix == ".npy":
        return _mapped(path).shape
    with h5py.File(path, "r", locking=False) as file:
        return tuple(_dataset(path, file, part).shape)


def _taken(array: Any, part: ArrayPart, row: int | None) -> npt.NDArray[Any]:
    """Take one recording out of an array of all, or the whole of an array of one."""
    if array.dtype.kind not in _KINDS:
        raise RecordError(f"The array holds {array.dtype}, not numbers.")
    if row is None:
        return np.asarray(array[()])
    at = part.axes.index("records")
    if not 0 <= row < array.shape[at]:
        raise RecordError(
            f"The array has no recording {row:,}: there are {array.shape[at]:,}, counted from 0."
        )
    place: list[Any] = [slice(None)] * len(array.shape)
    place[at] = row
    return np.asarray(array[tuple(place)])


def _mapped(path: Path) -> npt.NDArray[Any]:
    """Map an npy file, of which only what is asked for is read."""
    array: npt.NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    return array


def _dataset(path: Path, file: h5py.File, part: ArrayPart) -> h5py.Dataset:
    found = file.get(part.dataset) if part.dataset else None
    if not isinstance(found, h5py.Dataset):
        names = [name for name, item in file.items() if isinstance(item, h5py.Dataset)]
        raise RecordError(
            f"{path.name} has no array '{part.dataset or ''}'; name it as dataset, one of "
            f"{', '.join(names) or 'none'}."
        )
    return found


@lru_cache(maxsize=1)
def _unpacked(path: Path, _: int, name: str | None) -> npt.NDArray[Any]:
    """Unpack one array of an npz, which cannot be read in parts."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise RecordError(f"{path.name} is no npz, whatever its name.")
        if name not in archive.files:
            raise RecordError(
                f"{path.name} has no array '{name or ''}'; name it as dataset, one of "
                f"{', '.join(archive.files)}."
            )
        size = 0 if archive.zip is None else archive.zip.getinfo(f"{name}.npy").file_size
        if size > MOST_BYTES:
            raise RecordError(
                f"{path.name} unpacks to {size / 2**30:,.1f} GiB; save the array as npy or HDF5."
            )
        array: npt.NDArray[Any] = archive[name]
    return array


def _csv(path: Path, part: ArrayPart) -> npt.NDArray[Any]:
    """Read a table with a row a sample and a column a lead, by the leads' names."""
    try:
        table = read_columns(path, part.leads)
    except UsageError as error:
        raise RecordError(str(error).replace(str(path), path.name)) from None
    numbers = table.apply(pd.to_numeric, errors="coerce")
    odd = int(
        (numbers.isna() & (table != "") & (table.apply(lambda cells: cells.str.lower()) != "nan")).sum().sum()
    )
    if odd:
        raise RecordError(
            f"{path.name} has {plural(odd, 'cell that is no number', 'cells that are no numbers')}."
        )
    values: npt.NDArray[Any] = numbers.to_numpy(dtype=np.float64)
    return values


def _parquet(path: Path, part: ArrayPart, row: int | None) -> npt.NDArray[Any]:
    """Read a table with a row a sample; one of all recordings has a row each, with lists of samples."""
    file = pyarrow.parquet.ParquetFile(path)
    missing = [lead for lead in part.leads if lead not in file.schema_arrow.names]
    if missing:
        raise RecordError(f"{path.name} has no column '{missing[0]}', which is stated as a lead.")
    if row is None:
        columns = file.read(columns=list(part.leads))
        return np.stack([columns.column(lead).to_numpy() for lead in part.leads], axis=1)
    if not 0 <= row < file.metadata.num_rows:
        raise RecordError(
            f"{path.name} has no row {row:,}: there are {file.metadata.num_rows:,}, counted from 0."
        )
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if row < size:
            found = _row_group(path, path.stat().st_mtime_ns, group, part.leads)
            return np.stack(
                [np.asarray(found[lead][row].as_py(), dtype=np.float64) for lead in part.leads], axis=1
            )
        row -= size
    raise RecordError(f"{path.name} states other numbers of rows than it has.")


@lru_cache(maxsize=1)
def _row_group(path: Path, _: int, group: int, leads: tuple[str, ...]) -> Mapping[str, pa.ChunkedArray]:
    table = pyarrow.parquet.ParquetFile(path).read_row_group(group, columns=list(leads))
    return {lead: table.column(lead) for lead in leads}
