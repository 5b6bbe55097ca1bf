"""LUDB: 200 recordings of 10 s from Nizhny Novgorod, with text statements in nine columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable, parse_age
from cohorts.formats.csv_rows import csv_rows
from cohorts.formats.wfdb_header import lines_of
from cohorts.release import Release

_TABLE = "ludb.csv"
_AXIS = "Electric axis of the heart"
_COLUMNS = (
    "Rhythms",
    _AXIS,
    "Conduction abnormalities",
    "Extrasystolies",
    "Hypertrophies",
    "Cardiac pacing",
    "Ischemia",
    "Non-specific repolarization abnormalities",
    "Other states",
)


class Ludb(Cohort):
    """The native release, one recording a patient.

    A cell holds one statement a line. Every record has a rhythm, but not every one an axis (in paced
    rhythms, for example): an empty cell there becomes a statement of its own, because it does not mean
    a normal axis. An age above 89 is written ``>89`` and becomes 90, as in the header of the one such record.
    """

    card = CohortCard(
        id="ludb",
        name="LUDB",
        version="1.0.1",
        licence="ODC-By-1.0",
        url="https://physionet.org/content/ludb/1.0.1/",
        citation="Kalyakulina et al., LUDB: A New Open-Access Validation Tool for Electrocardiogram "
        "Delineation Algorithms, IEEE Access 8, 2020, doi:10.1109/ACCESS.2020.3029211",
        vocabulary="ludb",
        folder="ludb",
        records=200,
        sampling_rates=(500.0,),
        country="Russia",
    )
    release = Release(size=24_200_000)  # signals and headers; the annotations come on top

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of the release is there."""
        return (Path(root) / _TABLE).is_file()

    def source_paths(self) -> tuple[Path, ...]:
        """Name the table and the recordings."""
        return (self.root / _TABLE, self.root / "data")

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        for line, row in csv_rows(self.root / _TABLE, ("ID", "Sex", "Age", *_COLUMNS)):
            record_id, age = row["ID"].strip(), row["Age"].strip()
            if not record_id.isdecimal():
                yield Unreadable(f"line-{line}", f"The row at line {line} of {_TABLE} has no ID.")
                continue
            if not row["Rhythms"].strip():
                yield Unreadable(record_id, f"{_TABLE} states no rhythm for this record.")
                continue
            cells = {**row, _AXIS: row[_AXIS].strip() or f"{_AXIS}: not stated"}
            yield IndexRow(
                record_id=record_id,
                path=f"data/{record_id}.hea",
                statements=tuple(text.strip() for column in _COLUMNS for text in lines_of(cells[column])),
                age=90.0 if age == ">89" else parse_age(age),
                sex=row["Sex"],
            )
