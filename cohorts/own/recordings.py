"""Where the recordings of a hospital's cohort lie, and reading one: a file each, or rows of an array."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from cohorts.counts import plural
from cohorts.errors import RecordError, UsageError
from cohorts.formats.any_file import read_file
from cohorts.own.arrays import check_unit, read_array, rows_of_array
from cohorts.own.description import HIGHEST_RATE, ArrayPart, Description
from cohorts.own.paths import fill, status_of
from cohorts.recording import DigitalRecording

SAMPLE = 50
"""ECGs, about, that are looked at before a unit is believed."""

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
ARRAYS = (".npy", ".npz", ".h5", ".hdf5")
"""Ends of files that do not say of themselves what is in them."""

_SIGNAL_SUFFIXES = (".hea", ".dat", ".mat")
"""Of WFDB: the signals of a header may lie in a file of another name."""


@dataclass
class Recordings:
    """The recordings that a table names.

    Attributes
    ----------
    root
        The folder that they lie in.
    index
        The file of the table.
    cells
        The columns of the table that the description names, as text.
    """

    root: Path
    description: Description
    index: Path
    cells: pd.DataFrame
    _seen: bool = False

    @cached_property
    def paths(self) -> pd.Series[str]:
        """Where the recording of each row lies; in a file of all, its position is the last part."""
        part, array = self.description.cohort, self.description.array
        paths = fill(part.template(), self.cells)
        if not part.one_file or array is None:
            return paths
        positions = pd.Series(np.arange(len(self.cells)), dtype="int64").astype("str")
        rows = self.cells[array.row] if array.row else positions
        twice = int((rows.duplicated() & (rows != "")).sum())
        if twice:
            raise UsageError(
                f"In {self.index} {plural(twice, 'row has', 'rows have')} a position that another row has; "
                "each recording of the array has one row."
            )
        return paths + "/" + rows

    def listing(self, paths: pd.Series[str]) -> Iterator[str]:
        """Yield name, size and time of the files of recordings, and of what may belong to them."""
        if self.description.cohort.one_file:
            status = (self.root / self.description.cohort.signals).stat()
            yield f"{status.st_size} {status.st_mtime_ns}"
            return
        folders: dict[str, set[str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, set()).add(name.split(".")[0])
        for folder, stems in sorted(folders.items()):
            place = self.root / folder
            if not place.is_dir():
                continue
            with os.scandir(place) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.name.split(".")[0] in stems or entry.name.endswith(_SIGNAL_SUFFIXES):
                        status = status_of(entry)
                        yield f"{folder}/{entry.name} {status.st_size} {status.st_mtime_ns}\n"

    def read(self, path: Path, usable: pd.Series[str]) -> DigitalRecording:
        """Read the recording at a path.

        Parameters
        ----------
        usable
            The paths of all records of the index; before the first array is read some of them are looked at.

        Raises
        ------
        RecordError
            If it cannot be read.
        UsageError
            If axes, numbers or unit of the arrays cannot be right.
        """
        part, form = self.description.array, self.description.cohort.format
        if part is None or not self._is_array(path.name):
            if form in ("auto", "wfdb") and not path.is_file():
                path = path.with_name(f"{path.name}.hea")  # records of WFDB are often named without it
            if not path.is_file():
                raise RecordError("Its file is not there.")
            if path.suffix.lower() in TABLES + ARRAYS and form == "auto":
                raise RecordError(
                    f"{path.name} does not say what is in it; state unit, rate and leads in a table [array]."
                )
            return read_file(path, form)
        if path.suffix.lower() in ARRAYS and not part.axes:
            raise RecordError(f"{path.name} is an array; state the order of its axes as array.axes.")
        if not self._seen:
            self._look_at(part, usable)
            self._seen = True
        return self._row_of_array(part, path.relative_to(self.root).as_posix())

    def _is_array(self, name: str) -> bool:
        """Whether ``[array]`` is about this file: all of them, but where others are among them."""
        return self.description.cohort.format != "auto" or name.lower().endswith(TABLES + ARRAYS)

    def _row_of_array(self, part: ArrayPart, path: str) -> DigitalRecording:
        """Read the recording at a path of the index."""
        rate = part.rate if isinstance(part.rate, float) else self._rates[path]
        if math.isnan(rate):
            raise RecordError(f"Its sampling rate in column '{part.rate}' is none.")
        if not self.description.cohort.one_file:
            return read_array(self.root / path, part, rate, None)
        file, _, row = path.rpartition("/")
        if not row.isdecimal():
            raise RecordError(f"Its row in column '{part.row}' is no whole number.")
        return read_array(self.root / file, part, rate, int(row))

    @cached_property
    def _rates(self) -> dict[str, float]:
        """Sampling rate at each path."""
        part = self.description.array
        assert part is not None  # noqa: S101
        rates = pd.to_numeric(self.cells[str(part.rate)], errors="coerce")
        usable = rates.where((rates > 0) & (rates <= HIGHEST_RATE)).astype("float64")
        return dict(zip(self.paths, usable, strict=True))

    def _look_at(self, part: ArrayPart, paths: pd.Series[str]) -> None:
        """Refuse axes, numbers and a unit that cannot be right."""
        if self.description.cohort.one_file:
            file = self.root / self.description.cohort.signals
            there = rows_of_array(file, part)
            if part.row is None and there != len(self.cells):
                raise UsageError(
                    f"{file} has {plural(there, 'recording')} and {self.index} "
                    f"{plural(len(self.cells), 'row')}; "
                    "name the column with the position of each recording, counted from 0, as array.row."
                )
        looked_at: list[DigitalRecording] = []
        paths = paths[[self._is_array(path) for path in paths]]
        for path in paths.iloc[:: max(1, len(paths) // SAMPLE)]:
            try:
                looked_at.append(self._row_of_array(part, path))
            except RecordError:
                continue
        check_unit(looked_at, part)
