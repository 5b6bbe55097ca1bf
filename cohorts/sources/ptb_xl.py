"""PTB-XL: 21,799 clinical 12-lead recordings of 10 s from Germany, with a published ten-fold split."""

from __future__ import annotations

import ast
import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from cohorts.cohort import Cohort, CohortCard, Folds, IndexRow, Unreadable, parse_age
from cohorts.errors import UsageError
from cohorts.release import Release

_TABLE = "ptbxl_database.csv"
_COLUMNS = {"ecg_id", "patient_id", "age", "sex", "report", "scp_codes", "strat_fold"}
_OPTIONAL = {"heart_axis", "extra_beats"}  # a table cut to fewer columns says less
_AXES = frozenset({"MID", "LAD", "ALAD", "AXL", "RAD", "ARAD", "AXR"})
_CERTAIN = (0.0, 100.0)  # 0: no likelihood was given


class PtbXl(Cohort):
    """The native release.

    Ages above 89 are coded as 300 (https://physionet.org/content/ptb-xl/1.0.3/); they become 90, the
    least they can be.

    A statement with a likelihood carries it as a modifier (``IMI+15``), which the vocabulary reads as a
    hedge or not; one with 0, where none was given, or 100 stands alone. The electrical axis and
    extrasystoles have columns of their own, which become statements: an empty ``heart_axis`` does not
    mean a normal axis, and ``extra_beats`` names extrasystoles that ``scp_codes`` may lack.

    Parameters
    ----------
    root
        The release's folder.
    sampling_rate
        500 or 100 Hz. If not given, 500 where those files are on disk, else 100.
    """

    card = CohortCard(
        id="ptb-xl",
        name="PTB-XL",
        version="1.0.3",
        licence="CC-BY-4.0",
        url="https://physionet.org/content/ptb-xl/1.0.3/",
        citation="Wagner et al., PTB-XL, a large publicly available electrocardiography dataset, "
        "Scientific Data 7:154, 2020, doi:10.1038/s41597-020-0495-6",
        vocabulary="scp",
        folder="ptb-xl",
        records=21_799,
        sampling_rates=(500.0, 100.0),
        country="Germany",
        folds=Folds(training=(1, 2, 3, 4, 5, 6, 7, 8), validation=(9,), test=(10,)),
    )
    release = Release(size=3_180_000_000, open_data=True)  # 87,204 files in PhysioNet's bucket
    declared_gain = 1000.0
    sexes = MappingProxyType({"0": "male", "1": "female"})

    def __init__(self, root: Path, sampling_rate: Literal[100, 500] | None = None) -> None:
        super().__init__(root)
        if sampling_rate is None:
            sampling_rate = 500 if (self.root / "records500").is_dir() else 100
        if sampling_rate not in (100, 500):
            raise UsageError(f"PTB-XL has recordings at 500 and 100 Hz, not at {sampling_rate} Hz.")
        self.sampling_rate = sampling_rate

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of the release is there."""
        return (Path(root) / _TABLE).is_file()

    @property
    def variant(self) -> str:
        """The sampling rate."""
        return f"{self.sampling_rate}hz"

    def source_paths(self) -> tuple[Path, ...]:
        """Name the table and the recordings at the chosen rate."""
        return (self.root / _TABLE, self.root / f"records{self.sampling_rate}")

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        file_column = "filename_hr" if self.sampling_rate == 500 else "filename_lr"
        needed = _COLUMNS | {file_column}
        with (self.root / _TABLE).open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = csv.DictReader(file)
            try:
                missing = needed - set(rows.fieldnames or ())
                if missing:
                    raise UsageError(
                        f"{file.name} has no column {', '.join(sorted(missing))}; is it PTB-XL's?"
                    )
                for row in rows:
                    cells = {key: row.get(key) or "" for key in needed | _OPTIONAL}
                    yield _index_row(cells, cells[file_column], rows.line_num)
            except csv.Error as error:
                raise UsageError(f"{file.name} cannot be read near line {rows.line_num}: {error}.") from None


def _index_row(row: dict[str, str], file: str, line: int) -> IndexRow | Unreadable:
    """Read one row of the table; ``line`` names it where it has no id."""
    record_id = _whole(row["ecg_id"])
    if not record_id:
        return Unreadable(f"line-{line}", f"The row at line {line} of {_TABLE} has no ecg_id.")
    if not file:
        return Unreadable(record_id, f"{_TABLE} names no file for this record.")
    codes = _scp_codes(row["scp_codes"])
    if not codes:
        return Unreadable(record_id, f"{_TABLE} has no scp_codes that can be read for this record.")
    fold = _whole(row["strat_fold"])
    return IndexRow(
        record_id=record_id,
        path=f"{file}.hea",
        statements=(*codes, _axis(row["heart_axis"]), *_extra_beats(row["extra_beats"])),
        patient_id=_whole(row["patient_id"]) or None,
        age=90.0 if _whole(row["age"]) == "300" else parse_age(row["age"]),
        sex=_whole(row["sex"]) or row["sex"],
        fold=int(fold) if fold else None,
        report=row["report"] or None,
    )


def _whole(text: str) -> str:
    """Write ``"15709.0"``, as some copies have it, as ``"15709"``; anything but a whole number is ""."""
    try:
        number = float(text)
    except ValueError:
        return ""
    return str(int(number)) if math.isfinite(number) and number == int(number) and 0 <= number < 2**53 else ""


def _scp_codes(text: str) -> tuple[str, ...]:
    """Statements of a cell like ``{'NORM': 80.0, 'SR': 0.0}`` with likelihoods; none for anything else."""
    if len(text) > 10_000:
        return ()
    try:
        codes = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ()
    if not isinstance(codes, dict):
        return ()
    if not all(isinstance(code, str) and isinstance(value, float | int) for code, value in codes.items()):
        return ()
    return tuple(code if value in _CERTAIN else f"{code}+{value:g}" for code, value in codes.items())


def _axis(cell: str) -> str:
    """Statement on the electrical axis; what says nothing of left and right (``SAG``) is not stated."""
    return f"axis {cell.strip()}" if cell.strip() in _AXES else "axis not stated"


def _extra_beats(cell: str) -> tuple[str, ...]:
    """Statements of a cell like ``VES``, ``SVES2`` or ``1ES``, whose origin is not stated."""
    words = re.findall("S?VES|ES", cell.upper())
    origins = dict.fromkeys("" if word == "ES" else f" {word}" for word in words)
    return tuple(f"extra beats{origin}" for origin in origins)
