"""ZZU-pECG: 14,190 recordings of 5 to 120 s of 11,643 children from Zhengzhou."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable, parse_age
from cohorts.formats.csv_rows import csv_rows
from cohorts.release import Release

_TABLE = "AttributesDictionary.csv"
_COLUMNS = ("Filename", "ECG_ID", "Patient_ID", "Age", "Gender", "AHA_code")


class ZzuPecg(Cohort):
    """Children of one day to fifteen years; a statement is an AHA code, or words where AHA has none.

    The codes carry a letter before AHA's number, and modifiers (``L145+Modifier362`` is ST depression).
    1,856 recordings have nine leads and are quarantined: V2, V4 and V6 cannot be derived.
    """

    card = CohortCard(
        id="zzu-pecg",
        name="ZZU-pECG",
        version="1.0.0",
        licence="CC-BY-4.0",
        url="https://doi.org/10.6084/m9.figshare.27078763",
        citation="Tan et al., A pediatric ECG database with disease diagnosis covering 11643 children, "
        "Scientific Data 12, 2025, doi:10.1038/s41597-025-05225-z",
        vocabulary="zzu",
        folder="zzu-pecg",
        records=14_190,
        sampling_rates=(500.0,),
        country="China",
    )
    # The signals come as one archive in two volumes, which zipfile cannot read.
    release = Release(
        size=4_063_604_410,
        sums={
            "AttributesDictionary.csv": "md5:ffbbb7ebd8ad4425b3a859739eb65eb1",
            "ECGCode.csv": "md5:7612c5af0e01e052eb85792c5e362f12",
            "DiseaseCode.csv": "md5:0bff597c23397c0d05a937fe09807ad4",
            "Child_ecg.zip": "md5:d7bb207d0f559c5f697bd7e442975718",
            "Child_ecg.z01": "md5:4782e8c17b478745853db85210ce46aa",
        },
        afterwards="The signals are one zip archive in two volumes: join and unpack it with "
        "'zip -s 0 Child_ecg.zip --out whole.zip && unzip whole.zip' (or '7z x Child_ecg.zip'), "
        "which needs another 10 GB.",
    )

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of the release is there."""
        return (Path(root) / _TABLE).is_file()

    def source_paths(self) -> tuple[Path, ...]:
        """Name the table and the recordings."""
        return (self.root / _TABLE, self.root / "Child_ecg")

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        for line, row in csv_rows(self.root / _TABLE, _COLUMNS):
            cells = {column: cell.strip().strip("'") for column, cell in row.items()}
            record_id, codes = cells["ECG_ID"], _codes(row["AHA_code"])
            if not record_id:
                yield Unreadable(f"line-{line}", f"The row at line {line} of {_TABLE} has no ECG_ID.")
            elif not cells["Filename"] or not codes:
                missing = "AHA_code" if cells["Filename"] else "Filename"
                yield Unreadable(record_id, f"{_TABLE} has no {missing} for this record.")
            else:
                yield IndexRow(
                    record_id=record_id,
                    path=f"Child_ecg/{cells['Filename']}.hea",
                    statements=codes,
                    patient_id=cells["Patient_ID"] or None,
                    age=_years(cells["Age"]),
                    sex=cells["Gender"],
                )


def _years(text: str) -> float:
    """Turn an age in days like ``572d`` into years."""
    days = text.removesuffix("d")
    return parse_age(str(int(days) / 365.25)) if days.isdecimal() and len(days) < 6 else math.nan


def _codes(cell: str) -> tuple[str, ...]:
    """Codes of a cell like ``'C21';'L145+Modifier362'``."""
    codes = (token.strip().strip("'").strip() for token in cell.split(";"))
    return tuple(code for code in codes if code not in {"", "Null"})
