"""CODE-test: 827 recordings of as many patients, read by two cardiologists and four groups of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd

from cohorts.cohort import CohortCard, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError, UsageError
from cohorts.families.code import CITATION, CLASSES, SAMPLING_RATE, CodeCohort, flag
from cohorts.formats.csv_rows import csv_rows
from cohorts.release import Release, Unpack

_TRACINGS = "ecg_tracings.hdf5"
_ATTRIBUTES = "attributes.csv"
_GOLD = "annotations/gold_standard.csv"

READERS = (
    "cardiologist1",
    "cardiologist2",
    "cardiology_residents",
    "emergency_residents",
    "medical_students",
)


class CodeTest(CodeCohort):
    """The test set of the CODE network: no ids, line i of every table is tracing i.

    So a table with another number of lines than the tracings is refused, never cut. The label is the
    gold standard: what both cardiologists read, or a third one where they disagreed. ``record_id`` is the
    row of the tracing, from 0.
    """

    card = CohortCard(
        id="code-test",
        name="CODE-test",
        version="1.0.3",
        licence="CC-BY-4.0",
        url="https://zenodo.org/records/3765780",
        citation=f"{CITATION}; data doi:10.5281/zenodo.3765780",
        vocabulary="code",
        folder="code-test",
        records=827,
        sampling_rates=(SAMPLING_RATE,),
        country="Brazil",
    )
    release = Release(
        size=325_000_000,  # 827 rows of 4,096 samples, 12 leads, at most 8 bytes
        unpack=(Unpack(name="data.zip", strip="data/"),),
        sums={"data.zip": "md5:cef8fe457abf4b8f66a34dc1269b4ced"},
    )
    leads = ("I", "II", "III", "aVL", "aVF", "aVR", "V1", "V2", "V3", "V4", "V5", "V6")

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of the gold standard is there; the tracings may be missing."""
        return (Path(root) / _GOLD).is_file()

    def readers(self) -> pd.DataFrame:
        """Give what each group of human readers saw.

        The two cardiologists are those that the gold standard was made from. Each of the other groups is
        two persons, who read one half of the recordings each.

        Returns
        -------
        pandas.DataFrame
            bool; index ``record_id``, columns (reader, class).

        Raises
        ------
        UsageError
            If a table is missing, does not fit the others or has other values than 0 and 1.
        """
        rows = self._lines(_ATTRIBUTES, ("age",))
        table = {}
        for reader in READERS:
            name = f"annotations/{reader}.csv"
            marks = self._lines(name, CLASSES)
            self._check(name, len(marks), len(rows))
            for finding in CLASSES:
                table[reader, finding] = [flag(mark[finding]) for mark in marks]
        found = pd.DataFrame(table, index=pd.Index(map(_record_id, range(len(rows))), name="record_id"))
        if found.isna().any(axis=None):
            raise UsageError(f"{self.root / 'annotations'} has a mark that is neither 0 nor 1.")
        return found.astype(bool)

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        people, marks = self._lines(_ATTRIBUTES, ("age", "sex")), self._lines(_GOLD, CLASSES)
        self._check(_GOLD, len(marks), len(people))
        with suppress(RecordError):  # then every recording is quarantined when it is read, for this reason
            self._check(_TRACINGS, len(self._tracings(self.root / _TRACINGS)), len(people))
        for row, (person, mark) in enumerate(zip(people, marks, strict=True)):
            flags = {finding: flag(mark[finding]) for finding in CLASSES}
            if None in flags.values():
                yield Unreadable(_record_id(row), f"{_GOLD} has a mark that is neither 0 nor 1.")
                continue
            yield IndexRow(
                record_id=_record_id(row),
                path=f"{_TRACINGS}/{row}",
                statements=tuple(finding for finding, present in flags.items() if present),
                age=parse_age(person["age"]),
                sex=person["sex"],
            )

    def _lines(self, name: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
        return [row for _, row in csv_rows(self.root / name, columns)]

    def _check(self, name: str, rows: int, expected: int) -> None:
        if rows != expected:
            raise UsageError(
                f"{self.root / name} has {rows:,} rows and {_ATTRIBUTES} has {expected:,}; they belong "
                "together line by line, so download the release again."
            )


def _record_id(row: int) -> str:
    return f"{row:03d}"
