"""What a hospital's table says of itself: which of its columns is what, as far as that is beyond doubt.

A column is taken for a setting of ``cohort.toml`` where its name means that and nothing else, its cells
agree, and no other column might be meant as well. Names of columns leave this module, and the usual codes of
the sexes; no other cell does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cohorts.errors import UsageError
from cohorts.own.column_names import is_name
from cohorts.own.recognition import column_names as known
from cohorts.own.recognition.files import signals
from cohorts.own.recognition.finding import Finding, called, text
from cohorts.own.recognition.labels import codes_to_fill_in, concept_called, labels
from cohorts.own.recognition.people import people
from cohorts.own.table import column_names, likely_encoding, read_columns

_ROLES = (
    known.RECORD_ID,
    known.PATIENT_ID,
    known.AGE,
    known.BIRTH_YEAR,
    known.BIRTH_DATE,
    known.DATE,
    known.SEX,
    known.FILE,
)
_NAMES = known.are_called(" ".join((*_ROLES, known.STATEMENTS, "id")))
"""By one of these at least a first line is known to be names, and not the first patient."""


@dataclass(frozen=True)
class Recognised:
    """A table, as far as it was recognised.

    Attributes
    ----------
    findings
        In the order of the settings.
    rest
        Columns of which nothing is claimed.
    unnamed
        Number of columns that are not looked at: their names are empty, stand twice or look like cells.
    codes
        Number of ECGs of each code whose meaning is to be stated, in a vocabulary beside the description.
    """

    findings: tuple[Finding, ...]
    rest: tuple[str, ...]
    unnamed: int
    codes: Mapping[str, int]


def recognise(path: Path, folder: Path, sheet: str | None = None) -> Recognised:
    """Look at a table and at where its files lie.

    Parameters
    ----------
    path
        Of the table.
    folder
        That of the description, below which the recordings are looked for.
    sheet
        Of a workbook with several.

    Raises
    ------
    UsageError
        If it is no table, or its first line does not look like names of columns.
    """
    if sheet is not None and path.suffix.lower() not in (".xlsx", ".xlsm"):
        raise UsageError(f"{path} is no workbook of Excel; leave the sheet out.")
    encoding = likely_encoding(path)
    names = column_names(path, encoding=encoding, sheet=sheet)
    usable = [name for name in names if names.count(name) == 1 and (is_name(name) or concept_called(name))]
    if not any(known.letters(name) in _NAMES for name in usable):
        raise UsageError(
            f"No column of {path} is called like an id, an age, a sex, a date or a "
            "file; if its first line has the names of the columns, leave --table out and name them yourself."
        )
    cells = read_columns(path, usable, encoding=encoding, sheet=sheet)
    findings = [*people(path, cells), *_reports_and_folds(cells)]
    record = next((one.columns[0] for one in findings if one.setting == "cohort.record_id" and one.value), "")
    files = signals(folder, cells, called(cells, known.FILE), record)
    findings.append(Finding("cohort.signals", *files))
    taken = {column for one in findings if one.value for column in one.columns}
    findings += labels(cells.drop(columns=list(taken)))
    codes = codes_to_fill_in(cells, findings)
    taken |= {column for one in findings if one.value for column in one.columns}
    rest = tuple(name for name in usable if name not in taken)
    return Recognised(
        (*_of_the_table(path, folder, encoding, sheet), *findings), rest, len(names) - len(usable), codes
    )


def _of_the_table(path: Path, folder: Path, encoding: str, sheet: str | None) -> list[Finding]:
    table, home = path.absolute(), folder.absolute()
    place = table.relative_to(home) if table.is_relative_to(home) else table
    found = [Finding("cohort.index", (), text(place.as_posix()), "")]
    if encoding != "utf-8":
        why = "It is not UTF-8, so it is read as Windows writes it; see whether the umlauts are right"
        found.append(Finding("cohort.encoding", (), text(encoding), why))
    if sheet is not None:
        found.append(Finding("cohort.sheet", (), text(sheet), "As stated"))
    return found


def _reports_and_folds(cells: pd.DataFrame) -> list[Finding]:
    """Name columns of reports and folds, of which a table does not say all that has to be stated."""
    return [
        Finding(setting, tuple(columns), "", why)
        for setting, names, why in (
            ("cohort.report", known.REPORT, "Its language is not stated; state report_language with it"),
            ("cohort.fold", known.FOLD, "Which folds are for testing is not stated; state folds with it"),
        )
        if (columns := [name for name in called(cells, names) if (cells[name] != "").any()])
    ]
