"""Brugada-HUCA: recordings of 363 people who were examined for Brugada syndrome in Oviedo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable
from cohorts.formats.csv_rows import csv_rows
from cohorts.release import Release

_TABLE = "metadata.csv"
_LABELS = {"brugada": {"0", "1", "2"}, "basal_pattern": {"0", "1"}}


class BrugadaHuca(Cohort):
    """A statement is a column and its value: ``brugada: 1`` and ``basal_pattern: 0``.

    The first is the diagnosis of the person (0 not diagnosed, 69 confirmed as 1, 7 other or atypical as 2),
    the second whether the recording at rest was found pathological (46). The two are different questions:
    50 of the 69 have no pathological recording, and 23 people without the diagnosis have one. Nobody here
    is a healthy volunteer. Sudden death, the third column, is what became of a person and is not read. The
    release holds neither age nor sex, and its ``RECORDS`` names one recording twice, so the table is the
    list.
    """

    card = CohortCard(
        id="brugada-huca",
        name="Brugada-HUCA",
        version="1.0.0",
        licence="CC-BY-SA-4.0",
        url="https://physionet.org/content/brugada-huca/1.0.0/",
        citation="Costa Cortez and Garcia Iglesias, Brugada-HUCA: 12-Lead ECG Recordings for the Study of "
        "Brugada Syndrome (version 1.0.0), PhysioNet, 2026, doi:10.13026/0m2w-dy83",
        vocabulary="brugada",
        folder="brugada-huca",
        records=363,
        sampling_rates=(100.0,),
        country="Spain",
    )
    release = Release(size=10_700_000)  # 363 records of 1,200 samples, 12 leads, 2 bytes
    declared_gain = 1000.0

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of the release is there."""
        return (Path(root) / _TABLE).is_file()

    def source_paths(self) -> tuple[Path, ...]:
        """Name the table and the recordings."""
        return (self.root / _TABLE, self.root / "files")

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        for line, row in csv_rows(self.root / _TABLE, ("patient_id", *_LABELS)):
            record_id = row["patient_id"].strip()
            values = {column: row[column].strip() for column in _LABELS}
            wrong = [column for column, value in values.items() if value not in _LABELS[column]]
            if not record_id:
                yield Unreadable(f"line-{line}", f"The row at line {line} of {_TABLE} has no patient_id.")
            elif wrong:
                yield Unreadable(record_id, f"{wrong[0]} of this record is none of its values in {_TABLE}.")
            else:
                yield IndexRow(
                    record_id=record_id,
                    path=f"files/{record_id}/{record_id}.hea",
                    statements=tuple(f"{column}: {value}" for column, value in values.items()),
                    patient_id=record_id,
                )
