"""Recordings that belong to no cohort and have no labels, of somebody who only wants to ask about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError, UsageError
from cohorts.formats.any_file import AUTO, read_file
from cohorts.formats.array_files import reading
from cohorts.formats.wfdb_header import comment_fields, read_header
from cohorts.recording import (
    MV_PER_UNIT,
    STANDARD_LEADS,
    DigitalRecording,
    Recording,
    select_leads,
    standard_leads,
)
from cohorts.release_files import ReleaseFiles
from cohorts.store_writing import check_usable

_HEADER = ".hea"


class _Files(Cohort):
    """One file, or every file below a folder; age and sex as the Challenge writes them in WFDB headers."""

    card = CohortCard(
        id="loose-files",
        name="These files",
        version="",
        licence="",
        url="",
        citation="",
        vocabulary="",
        folder="",
        records=1,
        sampling_rates=(500.0,),
        country="",
    )

    def __init__(self, path: Path) -> None:
        super().__init__(path if path.is_dir() else path.parent)
        self._only = None if path.is_dir() else path.name

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        names = [self._only] if self._only else [name for name, _ in ReleaseFiles(self.root)]
        records = {name.removesuffix(_HEADER) for name in names if name.endswith(_HEADER)}
        signals = set()
        for record_id in sorted(records):
            name = f"{record_id}{_HEADER}"
            try:
                header = read_header(self.root / name)
            except RecordError as error:
                yield Unreadable(record_id, str(error))
                continue
            folder = name.rpartition("/")[0]
            signals |= {f"{folder}/{line.file}".lstrip("/") for line in header.signals}
            fields = comment_fields(header.comments)
            yield IndexRow(record_id, name, (), age=parse_age(fields.get("age", "")), sex=fields.get("sex"))
        for name in names:
            if not name.endswith(_HEADER) and name not in signals and name.rpartition(".")[0] not in records:
                yield IndexRow(name, name, ())

    def _read_signal(self, path: Path) -> DigitalRecording:
        return read_file(path, "wfdb" if path.suffix == _HEADER else AUTO)


class LooseRecordings:
    """Recordings with their ids.

    Attributes
    ----------
    index
        ``record_id``, ``age`` (years, NaN if unknown) and ``sex``.
    labels
        No column: nobody said anything about them.
    unusable
        Record id -> reason.
    """

    def __init__(
        self, index: pd.DataFrame, read: Callable[[int], Recording], unusable: dict[str, str]
    ) -> None:
        self.index = index.reset_index(drop=True)
        self.labels = pd.DataFrame(index=self.index.index)
        self.unusable = unusable
        self._read = read

    def recording(self, position: int) -> Recording:
        """Give one recording in mV at its own rate; missing samples are NaN."""
        return self._read(position)


def file_recordings(path: Path, needed: Sequence[str] = STANDARD_LEADS) -> LooseRecordings:
    """Find the recordings at a path: a file, or a folder that is looked through.

    A WFDB header goes by its name, any other file by what it holds (`cohorts.formats.any_file`). What lies
    beside a header under its name, or is named in it, belongs to it. Every signal is read once here, so that
    one that cannot be used is told before a model is asked.

    Parameters
    ----------
    needed
        Leads that a recording has to have, or from which they can be derived; others may be missing.

    Raises
    ------
    UsageError
        If there is no file, or the library that reads one is not installed.
    """
    files = _Files(path)
    listed, usable = files.index(), []
    unusable = dict(zip(files.unreadable["record_id"], files.unreadable["reason"], strict=True))
    if not len(listed) and not unusable:
        raise UsageError(f"There is no file in {path}.")

    def read(record_path: str) -> Recording:
        found = files.read_path(record_path)
        try:
            whole = standard_leads(found)
        except RecordError:  # with fewer than twelve leads
            check_usable(found.counts)
            return select_leads(found.to_recording(), needed)
        check_usable(whole.counts)
        return whole.to_recording()

    for record_id, record_path in zip(listed["record_id"], listed["path"], strict=True):
        try:
            read(record_path)
            usable.append(True)
        except RecordError as error:
            unusable[record_id] = str(error)
            usable.append(False)
    kept = listed[np.array(usable, np.bool_)].reset_index(drop=True)
    paths = list(kept["path"])
    return LooseRecordings(kept, lambda position: read(paths[position]), unusable)


def array_recordings(
    file: Path, rate: float, unit: str, leads: Sequence[str], needed: Sequence[str] = STANDARD_LEADS
) -> LooseRecordings:
    """Open an array ``[records, leads, samples]`` of a NumPy file; its records are numbered from 0.

    Parameters
    ----------
    rate
        In Hz.
    unit
        ``"mV"``, ``"uV"`` or ``"V"``.
    leads
        Names of the rows; limb leads that are missing are derived.
    needed
        Leads that it has to have, or from which they can be derived.

    Raises
    ------
    RecordError
        If the file cannot be read or is not such an array.
    """
    with reading(file):
        values = np.load(file, mmap_mode="r", allow_pickle=False)
    if values.ndim != 3 or values.shape[1] != len(leads) or values.dtype.kind not in "iuf" or not values.size:
        raise RecordError(
            f"{file.name} holds {values.dtype} of shape {values.shape}; it must be numbers of shape "
            f"[records, {len(leads)} leads, samples], in the order of --leads."
        )

    def read(position: int) -> Recording:
        signal = np.asarray(values[position], np.float64) * MV_PER_UNIT[unit]
        signal[~np.isfinite(signal)] = np.nan
        return select_leads(Recording(signal.astype(np.float32), rate, tuple(leads)), needed)

    read(0)  # a lead that is missing is missing in all
    flat = [position for position in range(len(values)) if _is_flat(values[position])]
    unusable = {str(position): "All leads are flat, or no sample is finite." for position in flat}
    rows = np.setdiff1d(np.arange(len(values)), flat)
    index = pd.DataFrame(
        {
            "record_id": pd.Series([str(row) for row in rows], dtype="str"),
            "age": np.nan,
            "sex": pd.Series([None] * len(rows), dtype="str"),
        }
    )
    return LooseRecordings(index, lambda position: read(int(rows[position])), unusable)


def _is_flat(signal: npt.NDArray[np.generic]) -> bool:
    values = np.asarray(signal, np.float64)
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=1)
    high = np.where(finite, values, -np.inf).max(axis=1)
    return bool((high <= low).all())
