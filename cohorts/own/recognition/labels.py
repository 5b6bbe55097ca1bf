"""Which columns of a table say what an ECG shows."""

from __future__ import annotations

import re

import pandas as pd

from cohorts.ontology.names import concept_meant, names_of_concepts, plain
from cohorts.ontology.ontology import load_ontology
from cohorts.own.labels import VALUES
from cohorts.own.recognition import column_names as known
from cohorts.own.recognition.finding import Finding, called, text

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
    """Find a column of SNOMED CT codes; what other codes mean nobody can tell from the codes."""
    columns = [name for name in called(cells, known.STATEMENTS) if (cells[name] != "").any()]
    setting = "labels.statements.column"
    if len(columns) != 1:
        return [Finding(setting, tuple(columns), "", "Several may be meant")] if columns else []
    vocabulary = set(load_ontology().vocabularies["snomed"]["code"])
    for separator in ";,|":
        codes = cells[columns[0]].str.split(separator, regex=False).explode().str.strip()
        codes = codes[codes != ""]
        if codes.str.fullmatch(_SNOMED).all():
            if codes.isin(list(vocabulary)).mean() < _ENOUGH:
                break
            why = "Called like codes, and they are those of SNOMED CT"
            return [
                Finding(setting, (columns[0],), text(columns[0]), why),
                Finding("labels.statements.separator", (), text(separator), ""),
                Finding("labels.statements.vocabulary", (), text("snomed"), ""),
            ]
    why = "Codes; a vocabulary has to say what they mean"
    return [Finding(setting, (columns[0],), "", why)]
