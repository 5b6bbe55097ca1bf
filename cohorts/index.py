"""What a release lists, made into the table of its records: types, order, clean text, possible values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

OLDEST = 120.0
LONGEST_TEXT = 100_000

Sex = Literal["female", "male"]
_SEXES: Mapping[str, Sex] = {
    **dict.fromkeys(("female", "f", "woman"), "female"),
    **dict.fromkeys(("male", "m", "man"), "male"),
}
_NOT_STATED = {"", "unknown", "u", "nan", "n/a", "na", "none", "null", "not stated", "other"}


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One record as a release's hook found it; `tabulated` cleans and checks it.

    ``sex`` is what the release writes: an English word, its first letter, or one of the cohort's ``sexes``.
    """

    record_id: str
    path: str
    statements: tuple[str, ...]
    patient_id: str | None = None
    age: float = math.nan
    sex: str | None = None
    fold: int | None = None
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot even be indexed, and why."""

    record_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Index:
    """What a release's hook found, cleaned and checked.

    Attributes
    ----------
    table
        One row a record, as `Cohort.index` gives it.
    unreadable
        Records that are not in it: ``record_id`` and ``reason``.
    unknown_sexes
        What is written as a sex and nobody understands, and in how many records.
    ages
        As they are written, also those that nobody has.
    """

    table: pd.DataFrame
    unreadable: pd.DataFrame
    unknown_sexes: Mapping[str, int]
    ages: tuple[float, ...]


def tabulated(listed: Iterable[IndexRow | Unreadable], codes: Mapping[str, Sex]) -> Index:
    """Clean and check what a release lists; of an id that occurs twice the first record is used.

    Parameters
    ----------
    codes
        The release's own codes for the sexes.
    """
    rows: dict[str, IndexRow] = {}
    unreadable: list[tuple[str, str]] = []
    for found in listed:
        record_id = _clean(found.record_id)
        reason = _objection(found, rows.get(record_id))
        if reason is not None:
            unreadable.append((record_id, _clean(reason)))
        elif isinstance(found, IndexRow):
            rows[record_id] = found
    kept = [rows[record_id] for record_id in sorted(rows)]
    sexes, unknown = _understood([row.sex for row in kept], codes)
    left_out = pd.DataFrame(sorted(unreadable), columns=["record_id", "reason"], dtype="str")
    return Index(_index_table(kept, sexes), left_out, unknown, tuple(row.age for row in kept))


def parse_age(text: str) -> float:
    """Years as they are written, NaN for anything that is no number; the index knows which nobody has."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def possible_age(text: str) -> float:
    """Years, or NaN for anything that is not a number above 0 and at most 120."""
    age = parse_age(text)
    return age if 0 < age <= OLDEST else math.nan


def _clean(value: str) -> str:
    """Clean text for any file format: no NUL, lone surrogate or blank ends, at most 100,000 characters."""
    short = value[:LONGEST_TEXT].strip()
    return short.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _objection(found: IndexRow | Unreadable, same_id: IndexRow | None) -> str | None:
    """Say why a record cannot be in the index, or None."""
    if isinstance(found, Unreadable):
        return found.reason
    if not _clean(found.record_id):
        return f"The record at {found.path} has no id."
    if same_id is not None:
        return f"Its id occurs twice, at {found.path} and, used, at {same_id.path}."
    if _clean(found.path) != found.path:
        return f"The file name {found.path!r} is not clean text."
    return None


def _understood(
    written: Sequence[str | None], codes: Mapping[str, Sex]
) -> tuple[list[Sex | None], Mapping[str, int]]:
    """Sex of each record, and how often each writing occurs that says something nobody understands."""
    meaning = {
        text: codes.get(text) or _SEXES.get(text.lower()) for text in map(_clean, filter(None, written))
    }
    sexes = [meaning[_clean(text)] if text else None for text in written]
    odd = Counter(_clean(text) for text, sex in zip(written, sexes, strict=True) if text and sex is None)
    return sexes, {text: count for text, count in odd.items() if text.lower() not in _NOT_STATED}


def _index_table(found: Sequence[IndexRow], sexes: Sequence[str | None]) -> pd.DataFrame:
    ages = [row.age if 0 < row.age <= OLDEST else math.nan for row in found]
    codes = [tuple(dict.fromkeys(filter(None, map(_clean, row.statements)))) for row in found]
    return pd.DataFrame(
        {
            "record_id": pd.Series([_clean(row.record_id) for row in found], dtype="str"),
            "patient_id": pd.Series([_clean(row.patient_id or "") or None for row in found], dtype="str"),
            "age": pd.Series(ages, dtype="float64"),
            "sex": pd.Series(list(sexes), dtype="str"),
            "fold": pd.Series([row.fold for row in found], dtype="Int64"),
            "statements": pd.Series(codes, dtype="object"),
            "report": pd.Series([_clean(row.report or "") or None for row in found], dtype="str"),
            "path": pd.Series([row.path for row in found], dtype="str"),
        }
    )
