"""ICD-10 codes of the stays around an ECG, for what lasts: findings of the patient, not of the tracing."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.families import icd10
from cohorts.ontology.ontology import load_ontology
from cohorts.own.label_description import Icd10Part
from cohorts.own.labels import Code, Positions, Said, without
from cohorts.own.people import dates
from cohorts.own.table import read_columns

LIKE = "mimic-iv-ecg-ext-icd"
"""The release of such codes whose coverage says what they can tell."""

OUTSIDE = "no diagnosis in the window"
_PREFIX = "ICD-10 "
_CODE = r"^\s*([A-Za-z]\d[0-9A-Za-z](?:\.?[0-9A-Za-z]{0,4}))"
_CERTAINTY = r"^\s*[A-Za-z]\d\d(?:\.?\d{1,2}|\.-)?[-*!+†]?\s?([AVZavz])[RLBrlb]?\s*$"
"""Letters of ICD-10-GM: A excluded, V suspected, Z state after. The A in "I21.A1" is a part of the code."""
_UNCERTAIN = ", suspected or past"
_DAYS = 10_000_000
"""More than there are days from the year 1 to 9999: patient and day are one number."""

Days = npt.NDArray[np.int64]


def from_diagnoses(
    folder: Path,
    part: Icd10Part,
    patients: pd.Series[str],
    moments: pd.Series[pd.Timestamp],
    taken: Collection[str],
) -> Said:
    """Join codes with ECGs of the same patient, by the days between the two.

    A concept is absent only where the patient has a code of any kind in the window; without one, or without
    a date of the ECG, nothing is known. A disease that a letter of ICD-10-GM excludes is not stated by the
    code (A); one that is suspected (V) or past (Z) is left open.

    Parameters
    ----------
    patients, moments
        Of each row of the index; NA where they are not known.
    taken
        Concepts that columns or native codes answer for.
    """
    path = folder / part.table
    table = read_columns(
        path,
        [part.patient_id, part.code, part.date],
        sheet=part.sheet,
        encoding=part.encoding or "utf-8",
    )
    coded = dates(path, table[part.date], part.date_format)
    written = table[part.code].drop_duplicates()
    readable = written.str.extract(_CODE, expand=False).str.upper().str.replace(".", "", regex=False)
    code = table[part.code].map(
        dict(zip(written, readable.map(icd10.code_of, na_action="ignore"), strict=True))
    )
    letter = written.str.extract(_CERTAINTY, expand=False).str.upper().fillna("")
    certainty = table[part.code].map(dict(zip(written, letter, strict=True)))
    usable = (table[part.patient_id] != "") & coded.notna() & code.notna()
    numbers = pd.Index(patients.dropna().unique())
    who = numbers.get_indexer(table[part.patient_id])
    kept = usable.to_numpy() & (who >= 0)
    day = who[kept].astype(np.int64) * _DAYS + _day(coded[kept])
    heart = code[kept].to_numpy()
    first, last = _window(patients, moments, numbers, part.window_days)
    inside = _any_between(day, first, last)
    said = certainty[kept].to_numpy()

    def stated(name: str, letters: Collection[str]) -> Positions:
        these = (heart == name) & np.isin(said, list(letters))
        return np.flatnonzero(_any_between(day[these], first, last))

    statements: dict[str, Positions] = {}
    for name in sorted({*heart} - {""}):
        statements[_PREFIX + name] = stated(name, [""])
        statements[_PREFIX + name + _UNCERTAIN] = stated(name, ["V", "Z"])
    both = np.intersect1d(stated("E85", [""]), stated("I43", [""]))
    perhaps = np.intersect1d(stated("E85", ["", "V", "Z"]), stated("I43", ["", "V", "Z"]))
    statements[_PREFIX + icd10.AMYLOID_HEART] = both
    statements[_PREFIX + icd10.AMYLOID_HEART + _UNCERTAIN] = np.setdiff1d(perhaps, both)
    statements[OUTSIDE] = np.flatnonzero(~inside)
    codes, annotates = meanings(taken)
    return Said(statements, codes, annotates, warnings=tuple(_warnings(path, table, part, usable, inside)))


def meanings(taken: Collection[str]) -> tuple[tuple[Code, ...], dict[str, str]]:
    """What the codes mean for the concepts that they can tell, and why silence about these means no."""
    ontology = load_ontology()
    coverage = ontology.coverage(LIKE)
    told = [concept for concept in coverage.index[coverage == "annotated"] if concept not in taken]
    table = ontology.vocabularies[icd10.VOCABULARY]
    rows: list[Code] = [
        (_PREFIX + row["code"], row["name"], row["concept"], row["relation"], row["note"])
        for row in table[table["cohort"] == ""].to_dict("records")
    ]
    others = set(ontology.concepts.index) - set(told)
    codes = without(rows, others, "a diagnosis of the stay is no reading of the tracing")
    opened: list[Code] = [
        (OUTSIDE, OUTSIDE, concept, "ambiguous", "nothing is known of the stay") for concept in told
    ]
    if not told:
        opened = [(OUTSIDE, OUTSIDE, "", "unmapped", "no concept is annotated by diagnoses")]
    uncertain: list[Code] = [
        (code + _UNCERTAIN, name, concept, "ambiguous" if concept else "unmapped", "suspected or past")
        for code, name, concept, *_ in codes
    ]
    reason = (
        "Diagnoses of the stay: absent where the patient has codes in the window and none of them states it."
    )
    return (*codes, *uncertain, *opened), dict.fromkeys(map(str, told), reason)


def _day(moments: pd.Series[pd.Timestamp]) -> Days:
    """Days since 1970."""
    days: Days = moments.to_numpy().astype("datetime64[D]").astype(np.int64)
    return days


def _window(
    patients: pd.Series[str], moments: pd.Series[pd.Timestamp], numbers: pd.Index[str], days: tuple[int, int]
) -> tuple[Days, Days]:
    """First and last day of each ECG's window, as numbers of patient and day; none where it is not known."""
    who = numbers.get_indexer(pd.Index(patients))
    known = (who >= 0) & moments.notna().to_numpy()
    first, last = np.zeros(len(who), np.int64), np.full(len(who), -1, np.int64)
    here = who[known].astype(np.int64) * _DAYS + _day(moments[known])
    first[known], last[known] = here + days[0], here + days[1]
    return first, last


def _any_between(days: Days, first: Days, last: Days) -> npt.NDArray[np.bool_]:
    """Whether any day lies in each window, its ends included."""
    days = np.sort(days)
    found: npt.NDArray[np.bool_] = np.searchsorted(days, last, "right") > np.searchsorted(days, first, "left")
    return found


def _warnings(
    path: Path, table: pd.DataFrame, part: Icd10Part, usable: pd.Series[bool], inside: npt.NDArray[np.bool_]
) -> list[str]:
    found = [
        f"ECGs with a diagnosis in the window of {part.window_days[0]} to {part.window_days[1]} days: "
        f"{int(inside.sum()):,} of {len(inside):,}; the others are left open (-1)."
    ]
    unread = int((~usable).sum())
    if unread:
        found.append(
            f"Rows of {path.name} without a patient, a date or a code of ICD-10, which are not used: "
            f"{unread:,} of "
            f"{len(table):,}."
        )
    return found
