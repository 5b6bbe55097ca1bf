"""HEEDB: 11.7 million recordings from two hospitals, read by 12SL and by physicians, as two cohorts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable
from cohorts.families import twelve_sl
from cohorts.formats.csv_rows import csv_rows

_PEOPLE = Path("metadata", "metadata.csv")
_READINGS = Path("12SL_diagnoses", "diagnoses_acquisition.csv")
_DICTIONARY = Path("12SL_diagnoses", "diagnoses_dictionary.csv")
_NAME = re.compile(r"\s*[./]*(?:WFDB/)?(.*?)(?:\.hea)?\s*", re.DOTALL)
_DAYS = 365.25


class HeedbMgh(Cohort):
    """Massachusetts General Hospital's part.

    The labels are the codes that a physician confirmed (``codes_physician``), not those of the programme
    alone; a recording that no physician read is not used. The release's own dictionary translates codes into
    the programme's acronyms. The two hospitals are two cohorts, because they are two populations and the
    release keeps them in two folders. File names are spelled in several ways ("/S0001/...", "WFDB/2013/...").
    Its ICD codes are of the patient and are not read.
    """

    card = CohortCard(
        id="heedb-mgh",
        name="HEEDB, Massachusetts General Hospital",
        version="5.0",
        licence="BDSP data use agreement",
        access="credentialed",
        url="https://bdsp.io/content/heedb/5.0/",
        citation="Koscova et al., Harvard-Emory ECG Database (version 5.0), Brain Data Science Platform, "
        "2026, doi:10.60508/rv6h-7d10",
        vocabulary=twelve_sl.VOCABULARY,
        folder="heedb/ECG/I0001",
        records=10_608_417,
        sampling_rates=(500.0, 250.0),
        country="United States",
    )
    sex_column: ClassVar[str] = "SexDSC"

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of people is there."""
        return (Path(root) / _PEOPLE).is_file()

    def source_paths(self) -> tuple[Path, ...]:
        """Name the three tables and the recordings."""
        return (*(self.root / table for table in (_PEOPLE, _READINGS, _DICTIONARY)), self.root / "WFDB")

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        statements = _Statements(self.root / _DICTIONARY)
        readings = {
            _name(row["FileName"]): row["codes_physician"]
            for _, row in csv_rows(self.root / _READINGS, ("FileName", "codes_physician"))
        }
        columns = ("FileName", "BDSPPatientID", "AgeAtAcquisition", self.sex_column)
        for line, row in csv_rows(self.root / _PEOPLE, columns):
            name = _name(row["FileName"])
            found = statements[readings.get(name, "")]
            if not name:
                yield Unreadable(f"line-{line}", f"The row at line {line} of {_PEOPLE} names no file.")
            elif not found:
                yield Unreadable(name, f"{_READINGS} has no physician's codes for this record.")
            else:
                yield IndexRow(
                    record_id=name,
                    path=f"WFDB/{name}.hea",
                    statements=found,
                    patient_id=row["BDSPPatientID"],
                    age=_years(row["AgeAtAcquisition"]),
                    sex=row[self.sex_column],
                )


class HeedbEmory(HeedbMgh):
    """Emory's part.

    Whether recordings of Georgia's part of the Challenge, which came from Emory too, are among these is not
    published: `leadboard overlap` can tell where both are at hand.
    """

    card = HeedbMgh.card.model_copy(
        update={
            "id": "heedb-emory",
            "name": "HEEDB, Emory",
            "folder": "heedb/ECG/I0006",
            "records": 1_061_598,
        }
    )
    sex_column = "Sex"


class _Statements(dict[str, tuple[str, ...]]):
    """Statements of a cell of codes; a code that the dictionary lacks stays a number."""

    def __init__(self, dictionary: Path) -> None:
        super().__init__({"": ()})
        self._acronyms = {
            row["codes"].strip().removesuffix(".0"): row["acronym"].strip()
            for _, row in csv_rows(dictionary, ("codes", "acronym"))
        }

    def __missing__(self, cell: str) -> tuple[str, ...]:
        acronyms = [self._acronyms.get(code, code) for code in re.findall(r"\d+", cell)]
        self[cell] = twelve_sl.statements(acronyms) if acronyms else ()
        return self[cell]


def _name(file: str) -> str:
    """Path of a recording below ``WFDB``, without ending."""
    found = _NAME.fullmatch(file)
    return found[1] if found else ""


def _years(days: str) -> float:
    try:
        return float(days) / _DAYS
    except ValueError:
        return math.nan
