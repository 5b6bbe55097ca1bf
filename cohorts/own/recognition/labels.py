"""Which columns of a table say what an ECG shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from cohorts.ontology.names import concept_meant, names_of_concepts, plain
from cohorts.ontology.ontology import load_ontology
from cohorts.own.labels import VALUES
from cohorts.own.phrases import codes_of
from cohorts.own.recognition import column_names as known
from cohorts.own.recognition.finding import Finding, called, text

VOCABULARY = "codes.csv"
"""The hospital's own, beside its description."""

SEPARATORS = ";,|"
MOST_CODES = 5_000
"""More are hardly codes, or phrases that come back."""

_OPAQUE = re.compile(r"[A-Za-z]?\d{1,5}|.{1,2}")
"""Codes that may as well be something else in a hospital's table, such as A1."""
_SNOMED = re.compile(r"\d{6,18}")
_ENOUGH = 0.95
"""Share of the codes that have to be in the vocabulary."""


def labels(cells: pd.DataFrame) -> list[Finding]:
    """Find columns of 1, 0 and nothing that are called like a concept, and one of native codes."""
    meant: dict[str, list[str]] = {}
    for name in map(str, cells.columns):
        concept = concept_called(name)
        if concept and cells[name].isin(list(VALUES)).all() and (cells[name] != "").any():
            meant.setdefault(concept, []).append(name)
    found = []
    for concept, columns in meant.items():
        what = load_ontology().concepts["name"].to_dict()[concept]
        parts = load_ontology().parts(concept)
        value, why = text(columns[0]), f"1, 0 or nothing, and called like {concept}: {what}"
        if len(columns) > 1:
            value, why = "", f"Several are called like {concept}, so none is chosen"
        elif parts:
            value, why = "", f"{concept} is computed from {' and '.join(parts)}; name those"
        found.append(Finding(f"labels.columns.{concept}", tuple(columns), value, why))
    if not any(one.value for one in found):
        found.append(
            Finding("labels.columns", (), "", "No column of 1, 0 or nothing is called like a concept")
        )
    return [*found, *_statements(cells)]


def concept_called(name: str) -> str | None:
    """Give the concept that a column is called like; a code that is short or a number may be anything."""
    if plain(name) in names_of_concepts() or not _OPAQUE.fullmatch(name):
        return concept_meant(name) or known.FINDINGS.get(known.letters(name))
    return None


def _statements(cells: pd.DataFrame) -> list[Finding]:
    """Find the column of native codes, or of findings in words where there is none of codes."""
    setting = "labels.statements.column"
    columns = _filled(cells, known.STATEMENTS) or _filled(cells, known.REPORT)
    if len(columns) != 1:
        return [Finding(setting, tuple(columns), "", "Several may be meant")] if columns else []
    column = cells[columns[0]]
    value = text(columns[0])
    vocabulary = set(load_ontology().vocabularies["snomed"]["code"])
    for separator in SEPARATORS:
        codes = _codes(column, separator)
        if codes.str.fullmatch(_SNOMED).all():
            why = "Called like codes, and they are those of SNOMED CT"
            if codes.isin(list(vocabulary)).mean() < _ENOUGH:
                return [
                    Finding(setting, (columns[0],), "", "Numbers; a vocabulary has to say what they mean")
                ]
            return [
                Finding(setting, (columns[0],), value, why),
                Finding("labels.statements.separator", (), text(separator), ""),
                Finding("labels.statements.vocabulary", (), text("snomed"), ""),
            ]
    how = _taken_apart(column)
    many = len(_different(column, how))
    if many > MOST_CODES:
        why = f"More than {MOST_CODES:,} different codes or phrases"
        return [Finding(setting, (columns[0],), "", why)]
    what = "phrases" if how is None else "codes"
    why = f"Called so; {many:,} different {what}, in {VOCABULARY} for you to say what they mean"
    found = [
        Finding(setting, (columns[0],), value, why),
        Finding("labels.statements.vocabulary", (), text(VOCABULARY), ""),
    ]
    if how is None:
        found.append(Finding("labels.statements.free_text", (), "true", "Its cells have several words"))
    elif column.str.contains(how, regex=False).any():
        found.append(Finding("labels.statements.separator", (), text(how), "Stands between codes"))
    return found


def codes_to_fill_in(cells: pd.DataFrame, findings: Sequence[Finding]) -> Mapping[str, int]:
    """Count the ECGs of each code that a vocabulary of the hospital's own has to say the meaning of."""
    found = {one.setting.removeprefix("labels.statements."): one for one in findings}
    if "vocabulary" not in found or found["vocabulary"].value != text(VOCABULARY):
        return {}
    column = cells[found["column"].columns[0]]
    return _different(column, _taken_apart(column))


def _filled(cells: pd.DataFrame, names: str) -> list[str]:
    return [name for name in called(cells, names) if (cells[name] != "").any()]


def _codes(column: pd.Series[str], separator: str) -> pd.Series[str]:
    codes = column.str.split(separator, regex=False).explode().str.strip()
    return codes[codes != ""]


def _taken_apart(column: pd.Series[str]) -> str | None:
    """Give the separator of codes; None for cells that are words, and taken apart into phrases."""
    for separator in SEPARATORS:
        if not _codes(column, separator).str.contains(r"[\s;,|]", regex=True).any():
            return separator
    return None


def _different(column: pd.Series[str], separator: str | None) -> Counter[str]:
    counts: Counter[str] = Counter()
    for cell, number in column.value_counts().items():
        for code in codes_of(str(cell), separator, free_text=separator is None):
            counts[code] += int(number)
    return counts
