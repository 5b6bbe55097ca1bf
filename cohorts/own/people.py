"""Ages, sexes, folds and dates of an index: what is not understood is missing, and counted.

Dates say which ECG was a patient's first and which codes are near it; they are not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cohorts.cohort import Folds
from cohorts.counts import plural
from cohorts.errors import UsageError
from cohorts.index import OLDEST, Sex
from cohorts.own.description import CohortPart
from cohorts.own.table import filled

_ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?"
_ZONE = r" ?(?:Z|[+-]\d{2}:?\d{2})$"
"""At the end of a time of day; of a date alone, "-03" would be the day."""
_WORDS: Mapping[str, Sex] = {"female": "female", "f": "female", "male": "male", "m": "male"}


class People:
    """What the table says of the person behind each row, as far as it is understood.

    Parameters
    ----------
    table
        Path of the table.
    part
        Which columns say it, and how.
    cells
        These columns, as text.
    """

    def __init__(self, table: Path, part: CohortPart, cells: pd.DataFrame) -> None:
        self._table, self._part, self._cells = table, part, cells

    @cached_property
    def patients(self) -> pd.Series[str]:
        """Patient of each row, NA where none is stated."""
        return filled(self._cells, self._part.patient_id)

    @cached_property
    def moments(self) -> pd.Series[pd.Timestamp] | None:
        """When each ECG was recorded, NaT where that is not understood; None without such a column."""
        part = self._part
        return None if part.date is None else dates(self._table, self._cells[part.date], part.date_format)

    @cached_property
    def ages(self) -> pd.Series[float]:
        """Years, NaN for what is empty, no number, or not above 0 and at most 120.

        An age that is made of the year of birth is the difference of two years: up to one too high. One that
        is made of the date of birth is in whole years, as people say it.
        """
        part, cells, births = self._part, self._cells, None
        if part.birth_date is not None:
            births = dates(self._table, cells[part.birth_date], part.birth_date_format)
        moments = self.moments
        if part.age is not None:
            years = pd.to_numeric(cells[part.age], errors="coerce")
        elif part.birth_year is not None:
            born = pd.to_numeric(cells[part.birth_year], errors="coerce")
            if part.year is not None:
                recorded = pd.to_numeric(cells[part.year], errors="coerce")
            else:
                recorded = pd.Series(np.nan, cells.index) if moments is None else moments.dt.year
            years = recorded - born
        elif births is not None and moments is not None:
            before = 100 * moments.dt.month + moments.dt.day < 100 * births.dt.month + births.dt.day
            years = moments.dt.year - births.dt.year - before
        else:
            return pd.Series(np.nan, cells.index)
        found: pd.Series[float] = years.astype("float64")
        return found.where((found > 0) & (found <= OLDEST))

    @cached_property
    def sexes(self) -> pd.Series[str]:
        """Sex of each row, NA where it is not understood: by the stated codes, or by the words in English."""
        cells, sex = self._cells, self._part.sex
        if sex is None:
            return pd.Series([None] * len(cells), cells.index, dtype="str")
        if not sex.female:
            return cells[sex.column].str.lower().map(_WORDS).astype("str")
        codes: dict[str, Sex] = {}
        codes.update(dict.fromkeys(sex.female, "female"))
        codes.update(dict.fromkeys(sex.male, "male"))
        return cells[sex.column].map(codes).astype("str")

    @cached_property
    def folds(self) -> pd.Series[int]:
        """Number of each fold, NA where there is none."""
        cells, column = self._cells, self._part.fold
        if column is None:
            return pd.Series(pd.NA, cells.index, dtype="Int64")
        whole = cells[column].where(cells[column].str.fullmatch(r"\d{1,9}"))
        return pd.to_numeric(whole).astype("Int64")

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Say how much is not understood, without saying what it is."""
        part, cells = self._part, self._cells
        found: list[str] = []
        age = part.age or part.birth_year or part.birth_date
        if age is not None:
            found += _not_understood(cells[age], self.ages, "An age", age)
        if part.sex is not None:
            found += _not_understood(cells[part.sex.column], self.sexes, "A sex", part.sex.column)
        if part.date is not None and self.moments is not None:
            found += _not_understood(cells[part.date], self.moments, "A date", part.date)
        if part.folds is not None:
            found += _torn(self.patients, self.folds, part.folds)
        return tuple(found) if len(cells) else ()

    def not_first(self, ids: pd.Series[str], usable: pd.Series[bool]) -> pd.Series[str]:
        """Say why a usable record that is not its patient's first takes no part; NA for the others."""
        found = pd.Series([None] * len(usable), dtype="str")
        all_rows = pd.DataFrame({"patient": self.patients, "moment": self.moments, "id": ids})
        table = all_rows[usable.to_numpy()]
        unknown = table["patient"].isna() | table["moment"].isna()
        first = table[~unknown].sort_values(["moment", "id"], kind="stable").duplicated("patient")
        found[first.index[first]] = "Not the first ECG of its patient (first_ecg_only)."
        found[table.index[unknown]] = (
            "Without patient or date nobody knows whether it is the first (first_ecg_only)."
        )
        return found


def _torn(patients: pd.Series[str], numbers: pd.Series[int], parts: Folds) -> list[str]:
    """Say how many patients are in more than one part of the split, and how many ECGs are in none."""
    names = {number: name for name, stated in parts.model_dump().items() for number in stated}
    part = numbers.map(names).astype("str")
    found = []
    pairs = pd.DataFrame({"patient": patients, "part": part}).dropna().drop_duplicates()
    torn = len(pairs.loc[pairs["patient"].duplicated(), "patient"].drop_duplicates())
    if torn:
        found.append(
            f"Patients with ECGs in more than one of training, validation and test: {torn:,}; a model that "
            "is trained here is tested on people it knows."
        )
    outside = int((numbers.notna() & part.isna()).sum())
    if outside:
        found.append(f"ECGs in a fold that is none of training, validation and test: {outside:,}.")
    return found


def dates(path: Path, column: pd.Series[str], form: str | None) -> pd.Series[pd.Timestamp]:
    """Moments by the clock where they were written, NaT for what is empty or does not fit the stated format.

    Raises
    ------
    UsageError
        If no format is stated and a date is not written as ISO 8601 has it: whether 03/04 is in March or in
        April, nobody can tell.
    """
    if form is not None:
        local = column.str.replace(_ZONE, "", regex=True) if form.endswith("%z") else column
        return pd.to_datetime(
            local.where(local != ""), format=form.removesuffix("%z").rstrip(), errors="coerce"
        )
    with_zone = column.str.contains(r":\d{2}(?:\.\d+)?" + _ZONE, regex=True)
    local = column.where(~with_zone, column.str.replace(_ZONE, "", regex=True)).str.removesuffix("Z")
    odd = (local != "") & ~local.str.fullmatch(_ISO)
    if odd.any():
        raise UsageError(
            f"{int(odd.sum()):,} of {len(column):,} dates in column '{column.name}' of {path} are not "
            'written like 2026-01-31; state how they are, for example date_format = "%d.%m.%Y".'
        )
    return pd.to_datetime(local.where(local != ""), format="ISO8601", errors="coerce")


def _not_understood(written: pd.Series[str], understood: pd.Series[Any], what: str, column: str) -> list[str]:
    """Say how many cells say something that is not understood; what they say is of a patient."""
    odd = int(((written != "") & understood.isna()).sum())
    if not odd:
        return []
    cells = plural(odd, "cell")
    return [f"{what} that is not understood, so that it is unknown: {cells} of column '{column}'."]
