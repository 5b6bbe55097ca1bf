"""CODE-15 %: 345,779 recordings of 233,770 patients from the Telehealth Network of Minas Gerais."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from cohorts.cohort import CohortCard, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError
from cohorts.families.code import CITATION, CLASSES, SAMPLING_RATE, CodeCohort, flag
from cohorts.formats.array_files import reading
from cohorts.formats.csv_rows import csv_rows
from cohorts.recording import STANDARD_LEADS
from cohorts.release import Release, Unpack

_TABLE = "exams.csv"
_COLUMNS = ("exam_id", "age", "is_male", *CLASSES, "patient_id", "normal_ecg", "trace_file")
_PADDING_ROW = "0"  # exam_id of the row of zeros with which every part ends

_Rows = dict[str, int | None]


class Code15(CodeCohort):
    """15 % of the patients of CODE, in 18 HDF5 parts; the table is not in the order of their rows.

    ``normal_ecg`` is carried as a statement beside the six classes. It is not their absence: half of the
    recordings have neither. No recording of CODE-test is among them, though both come from CODE.
    """

    card = CohortCard(
        id="code-15",
        name="CODE-15 %",
        version="1.0.0",
        licence="CC-BY-4.0",
        url="https://zenodo.org/records/4916206",
        citation=f"{CITATION}; data doi:10.5281/zenodo.4916206",
        vocabulary="code",
        folder="code-15",
        records=345_779,
        sampling_rates=(SAMPLING_RATE,),
        country="Brazil",
    )
    release = Release(
        size=68_000_000_000,  # 345,797 rows of 4,096 samples, 12 leads, 4 bytes; the archives have 46.3 GB
        unpack=(Unpack(name="exams_part*.zip"),),
        sums={"exams.csv": "md5:0107516d3f63864498fb77d15799cc95"},
    )
    leads = STANDARD_LEADS

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of the release is there."""
        return (Path(root) / _TABLE).is_file()

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        parts: dict[str, _Rows | str] = {}
        listed: set[str] = set()
        for line, row in csv_rows(self.root / _TABLE, _COLUMNS):
            cells = {column: cell.strip() for column, cell in row.items()}
            part = cells["trace_file"]
            if part not in parts:
                parts[part] = self._rows(part)
            listed.add(cells["exam_id"])
            yield _index_row(cells, parts[part], line)
        for file in sorted(self.root.glob("exams_part*.hdf5")):
            rows = parts.get(file.name) or self._rows(file.name)
            for exam_id in rows if isinstance(rows, dict) else ():
                if exam_id not in listed and exam_id != _PADDING_ROW:
                    yield Unreadable(exam_id, f"{_TABLE} has no row for this tracing of {file.name}.")

    def _rows(self, part: str) -> _Rows | str:
        """Row of each exam in a part, None for an exam that has several; or why none can be read."""
        if not re.fullmatch(r"exams_part\d+\.hdf5", part):
            return f"{_TABLE} names no part of the release for this record."
        try:
            tracings = self._tracings(self.root / part)
            with reading(self.root / part):
                exam_ids = tracings.file.get("exam_id")
                if not isinstance(exam_ids, h5py.Dataset) or exam_ids.dtype.kind not in "iu":
                    return f"{part} holds no whole numbers as exam_id."
                if exam_ids.shape != tracings.shape[:1]:
                    return f"{part} does not hold one exam_id a tracing."
                ids = exam_ids[:]
        except RecordError as error:
            return str(error)
        names, first, times = np.unique(ids.astype(str), return_index=True, return_counts=True)
        return {
            str(name): int(row) if count == 1 else None
            for name, row, count in zip(names, first, times, strict=True)
        }


def _index_row(cells: dict[str, str], rows: _Rows | str, line: int) -> IndexRow | Unreadable:
    """Read one row of the table, given the rows of its part."""
    exam_id, part = cells["exam_id"], cells["trace_file"]
    flags = {name: flag(cells[name]) for name in (*CLASSES, "normal_ecg")}
    unread = [name for name in CLASSES if flags[name] is None]
    if not exam_id or exam_id == _PADDING_ROW:
        return Unreadable(f"line-{line}", f"The row at line {line} of {_TABLE} has no exam_id.")
    if isinstance(rows, str):
        return Unreadable(exam_id, rows)
    if exam_id not in rows:
        return Unreadable(exam_id, f"{part} has no tracing with its exam_id.")
    if rows[exam_id] is None:
        return Unreadable(exam_id, f"{part} has several tracings with its exam_id.")
    if unread:
        return Unreadable(exam_id, f"{unread[0]} is neither True nor False in {_TABLE}.")
    male = flag(cells["is_male"])
    return IndexRow(
        record_id=exam_id,
        path=f"{part}/{rows[exam_id]}",
        statements=tuple(name for name, value in flags.items() if value),
        patient_id=cells["patient_id"] or None,
        age=parse_age(cells["age"]),
        sex=None if male is None else "male" if male else "female",
    )
