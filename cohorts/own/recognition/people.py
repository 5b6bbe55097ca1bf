"""Which columns of a table are ids, ages, sexes and dates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from cohorts.errors import UsageError
from cohorts.index import OLDEST
from cohorts.own.people import dates
from cohorts.own.recognition import column_names as known
from cohorts.own.recognition.finding import Finding, called, only_one, text

_ENOUGH = 0.95
"""Share of the filled cells that have to be what the name of a column says."""
_ENOUGH_SEXES = 0.5
"""Less: what is neither female nor male is common, and stays unknown."""
_FORMATS = ("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d")
_FORMATS_OF_BIRTHS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d")
"""With their century: 39 may be 1939 or 2039."""
_FIRST = 100
_TIMES = ("", " %H:%M", " %H:%M:%S")


def people(path: Path, cells: pd.DataFrame) -> list[Finding]:
    """Find the columns of ids, ages, dates and sexes."""
    found = [
        only_one("cohort.record_id", cells, known.RECORD_ID, _is_unique, "no two rows have the same"),
        only_one("cohort.patient_id", cells, known.PATIENT_ID, _is_filled, "some rows have one"),
        only_one("cohort.age", cells, known.AGE, _within(0.01, OLDEST), "numbers of up to 120"),
        only_one("cohort.birth_year", cells, known.BIRTH_YEAR, _within(1880, 2100), "its cells are years"),
        *_date(path, cells, "birth_date", known.BIRTH_DATE, _FORMATS_OF_BIRTHS),
        *_date(path, cells, "date", known.DATE, _FORMATS),
        only_one("cohort.year", cells, known.YEAR, _within(1950, 2100), "its cells are years"),
        _sex(cells),
    ]
    ids = called(cells, "id")
    if ids and not found[0].columns:
        found[0] = Finding(found[0].setting, tuple(ids), "", "It may be the id of an ECG, or of a patient")
    by_name = {one.setting.removeprefix("cohort."): one for one in found}
    dated = by_name["date"].value or by_name["year"].value
    without = []
    if by_name["birth_year"].value and (by_name["age"].value or not dated):
        why = "The age is there" if by_name["age"].value else "It needs the date or year of the ECG too"
        without.append(Finding("cohort.birth_year", by_name["birth_year"].columns, "", why))
    if by_name["birth_date"].value:
        taken = by_name["age"].value or (by_name["birth_year"].value and dated)
        if taken or not by_name["date"].value:
            why = "The age is there" if taken else "It needs the date of the ECG too"
            without += [
                Finding(f"cohort.{name}", by_name[name].columns, "", why)
                for name in ("birth_date", "birth_date_format")
                if name in by_name
            ]
    if by_name["year"].value and by_name["date"].value:
        without.append(Finding("cohort.year", by_name["year"].columns, "", "The date says it already"))
    instead = {one.setting: one for one in without}
    return [instead.get(one.setting, one) for one in found]


def _is_filled(column: pd.Series[str]) -> bool:
    return bool((column != "").any())


def _is_unique(column: pd.Series[str]) -> bool:
    return bool((column != "").all() and column.is_unique)


def _within(low: float, high: float) -> Callable[[pd.Series[str]], bool]:
    def fits(column: pd.Series[str]) -> bool:
        filled = column[column != ""]
        numbers = pd.to_numeric(filled, errors="coerce")
        return bool(len(filled) and numbers.between(low, high).mean() >= _ENOUGH)

    return fits


def _date(path: Path, cells: pd.DataFrame, setting: str, names: str, days: Sequence[str]) -> list[Finding]:
    """Find a date, and its format where that is the only one that all cells have."""
    forms: dict[str, list[str | None]] = {}

    def fits(column: pd.Series[str]) -> bool:
        forms[str(column.name)] = _date_formats(path, column, days)
        return len(forms[str(column.name)]) == 1

    date = only_one(f"cohort.{setting}", cells, names, fits, "all cells are dates of one format")
    form = forms[date.columns[0]][0] if date.value else None
    if form is None:
        return [date]
    why = "That of all cells, and no other is"
    return [date, Finding(f"cohort.{setting}_format", date.columns, text(form), why)]


def _date_formats(path: Path, column: pd.Series[str], days: Sequence[str]) -> list[str | None]:
    """List the formats that all cells have; None is that of ISO 8601."""
    filled = column[column != ""]
    if filled.empty:
        return []
    try:
        return [None] if dates(path, filled, None).notna().all() else []
    except UsageError:  # not ISO 8601
        forms = [day + time for day in days for time in _TIMES]
        forms = [form for form in forms if dates(path, filled[:_FIRST], form).notna().all()]  # soon few
        return [form for form in forms if dates(path, filled, form).notna().all()]


def _sex(cells: pd.DataFrame) -> Finding:
    """Find the sex, with those of its codes that mean one sex in English and German."""
    found = only_one("cohort.sex", cells, known.SEX, _states_sexes, "usual codes")
    if not found.value:
        return found
    (name,) = found.columns
    codes = [code for code in cells[name].unique() if code]
    female = sorted(code for code in codes if known.letters(code) in known.FEMALE)
    male = sorted(code for code in codes if known.letters(code) in known.MALE)
    unknown = int((~cells[name].isin(["", *female, *male])).sum())
    why = found.why + (f"; other cells, so unknown: {unknown:,}" if unknown else "")
    if all(code.lower() in ("f", "female", "m", "male") for code in (*female, *male)):
        return Finding("cohort.sex", (name,), text(name), why)
    value = f"{{ column = {text(name)}, female = {_codes(female)}, male = {_codes(male)} }}"
    return Finding("cohort.sex", (name,), value, why)


def _states_sexes(column: pd.Series[str]) -> bool:
    """Whether most cells are known codes, and of both sexes."""
    counts = column[column != ""].value_counts()
    codes = counts.index.map(known.letters)
    female, male = codes.isin(known.FEMALE), codes.isin(known.MALE)
    stated = counts[female | male].sum()
    return bool(female.any() and male.any() and stated >= _ENOUGH_SEXES * counts.sum())


def _codes(codes: Sequence[str]) -> str:
    return text(codes[0]) if len(codes) == 1 else f"[{', '.join(map(text, codes))}]"
