"""Native codes of a hospital, by its vocabulary (see `cohorts.own.vocabulary`)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from cohorts.errors import UsageError
from cohorts.ontology.codes import Rows
from cohorts.ontology.coverage_table import minimum_prevalence
from cohorts.ontology.ontology import load_ontology
from cohorts.ontology.sentences import NO_SENTENCE
from cohorts.own.label_description import StatementsPart
from cohorts.own.labels import STATES, Code, Positions, Question, Said, without
from cohorts.own.phrases import SEPARATOR, codes_of

NOTHING, UNKNOWN = "no statement", "a code of no vocabulary"
"""Codes that stand for an ECG of which nothing is stated, and for what nobody can read."""

_LEAST_SHOWN = 5
"""Records that a code stands in before it is shown: a rarer one may be about a single patient."""
_LONGEST_SHOWN = 40

_FINDINGS = "ectopy;conduction;hypertrophy;infarction;ST-T;QRS;STTC;CD;HYP"
_NORMAL = (
    "NORM",
    f"{_FINDINGS};rhythm;-NSR;-Brady;-SB;-STach;-SA",
    "An ECG that is called neither normal nor anything but a sinus rhythm may be either.",
)


def from_statements(
    path: Path, cells: pd.Series[str], part: StatementsPart, vocabulary: pd.DataFrame, taken: Collection[str]
) -> Said:
    """Read native codes.

    Silence about a concept means no only where the concept is annotated: a code names the concept itself,
    that code is used, and it is not rarer than in any hospital where it was looked for. An ECG without
    a code, or with one that the vocabulary does not know, is left open for all of them.

    Parameters
    ----------
    taken
        Concepts that columns answer for.

    Raises
    ------
    UsageError
        If no code at all is in the vocabulary.
    """
    stated = _stated(cells, part)
    rows = Rows(vocabulary)
    known = {code: found for code, found in stated.items() if rows[code] != rows.unknown}
    unknown = {code: found for code, found in stated.items() if code not in known}
    if stated and not known and len(vocabulary):
        how = "taken as free text" if part.free_text else f"separated by '{part.separator or SEPARATOR}'"
        raise UsageError(
            f"Of the {len(stated):,} different codes in column '{cells.name}' of {path}, {how}, the "
            f"vocabulary {part.vocabulary} knows none; correct separator or vocabulary."
        )
    silent = np.setdiff1d(np.arange(len(cells)), np.concatenate([np.empty(0, np.intp), *stated.values()]))
    codes: list[Code] = [
        (row["code"], row["name"], row["concept"], row["relation"], row["note"])
        for row in vocabulary.to_dict("records")
    ]
    annotates = _annotated(known, vocabulary, part, len(cells) - len(silent))
    annotates = {concept: why for concept, why in annotates.items() if concept not in taken}
    if part.empty == "open":
        known[NOTHING] = silent
    if unknown:
        known[UNKNOWN] = np.unique(np.concatenate(list(unknown.values())))
    opened = [
        (code, NO_SENTENCE, concept, "ambiguous", "whatever it is about was not said")
        for code in (NOTHING, UNKNOWN)
        for concept in annotates
    ]
    plain = without(codes, taken, "a column of the table answers for what it says")
    if not annotates:
        opened = [
            (code, NO_SENTENCE, "", "unmapped", "no concept is annotated") for code in (NOTHING, UNKNOWN)
        ]
    return Said(
        known,
        (*plain, *opened),
        annotates,
        tuple(_questions(annotates, part.empty)),
        tuple(_warnings(cells, unknown, silent, part, annotates, len(vocabulary) > 0)),
        unheard={code: len(found) for code, found in unknown.items()},
    )


def _stated(cells: pd.Series[str], part: StatementsPart) -> dict[str, Positions]:
    """Rows that state each code; every distinct cell is taken apart once."""
    numbers, distinct = pd.factorize(cells)
    tokens = [
        (code, number)
        for number, cell in enumerate(distinct)
        for code in codes_of(str(cell), part.separator, part.free_text)
    ]
    order = np.argsort(numbers, kind="stable").astype(np.intp)
    ends = np.searchsorted(numbers[order], np.arange(len(distinct)), side="right")
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    found: dict[str, list[Positions]] = {}
    for code, number in tokens:
        found.setdefault(code, []).append(order[starts[number] : ends[number]])
    return {code: np.sort(np.concatenate(pieces)) for code, pieces in sorted(found.items())}


def _annotated(
    known: dict[str, Positions], vocabulary: pd.DataFrame, part: StatementsPart, records: int
) -> dict[str, str]:
    """Concepts that silence is a no for, with the reason."""
    ontology = load_ontology()
    states = vocabulary[vocabulary["relation"].isin(STATES)]
    expressible = dict.fromkeys(
        concept for concept in ontology.concepts.index if concept in set(states["concept"])
    )
    if part.annotated is not None:
        missing = [concept for concept in part.annotated if concept not in expressible]
        if missing:
            raise UsageError(
                f"labels.statements.annotated names {missing[0]}, but no code of {part.vocabulary} states it."
            )
        return dict.fromkeys(part.annotated, "The hospital states that every ECG was read for it.")
    rows = Rows(vocabulary)
    stating = {
        str(concept): set(map(rows.__getitem__, group["code"]))
        for concept, group in states.groupby("concept")
    }
    positive = {concept: [code for code in known if rows[code] in them] for concept, them in stating.items()}
    least = minimum_prevalence()
    found = {}
    for concept in expressible:
        below = [code for child in ontology.descendants(concept) for code in positive.get(child, [])]
        own, every = _number(known, positive[concept]), _number(known, [*positive[concept], *below])
        if own and every >= records * least.get(concept, 0.0) / 100:
            found[concept] = (
                f"Stated by codes of its own in {own:,} of {records:,} ECGs, no fewer than elsewhere."
            )
    return found


def _number(known: dict[str, Positions], codes: Collection[str]) -> int:
    """How many records state one of these codes."""
    return len(np.unique(np.concatenate([np.empty(0, np.intp), *(known[code] for code in codes)])))


def _questions(annotates: Collection[str], empty: str) -> list[Question]:
    """What an ECG of this hospital can leave open, by the habits that docs/labels.md describes."""
    ontology = load_ontology()
    asked: list[Question] = [_NORMAL] if "NORM" in annotates else []

    def mine(*categories: str) -> str:
        category = ontology.concepts["category"]
        return ";".join(concept for concept in annotates if category[concept] in categories)

    if "NSR" in annotates:
        about = mine("rhythm", "ectopy") if empty == "open" else "NSR"
        asked.append(
            (
                about,
                "rhythm",
                "Sinus rhythm has a code that is used, so an ECG without any rhythm was not read for it.",
            )
        )
    findings = mine("conduction", "hypertrophy", "infarction", "ST-T", "QRS", "superclass")
    if empty == "open" and findings:
        asked.append(
            (
                findings,
                f"overall;rhythm;-PR;{_FINDINGS}",
                "An ECG with nothing but pacing, hedges or codes "
                "without a concept was not read for anything else.",
            )
        )
    return asked


def _warnings(
    cells: pd.Series[str],
    unknown: dict[str, Positions],
    silent: Positions,
    part: StatementsPart,
    annotates: dict[str, str],
    decided: bool,
) -> list[str]:
    found = []
    if unknown:
        shown = [
            f"'{code}' ({len(rows):,}x)"
            for code, rows in sorted(unknown.items(), key=lambda item: -len(item[1]))
            if len(rows) >= _LEAST_SHOWN
            and len(code) <= _LONGEST_SHOWN
            and code.isprintable()
            and not part.free_text  # a phrase may be the name of somebody
        ][:10]
        more = len(unknown) - len(shown)
        number = len(np.unique(np.concatenate(list(unknown.values()))))
        what = "phrase" if part.free_text else "code"
        why = "not shown here" if part.free_text else "too rare or too long to be shown"
        rare = f"{more:,} {what}{'s' if more > 1 else ''} {why}" if more else ""
        codes = " and ".join(filter(None, [", ".join(shown), rare]))
        found.append(
            f"ECGs with a code that the vocabulary {part.vocabulary} does not know, left open (-1) for "
            f"what no other of their codes states: {number:,}; {codes}."
        )
    if len(silent) and part.empty == "open":
        found.append(
            f"ECGs without a code in column '{cells.name}', left open (-1): {len(silent):,}; if nothing "
            "was found on "
            'them, state empty = "negative".'
        )
    if not decided:
        found.append(
            f"The vocabulary {part.vocabulary} does not say of any code what it means; fill in its "
            "column relation."
        )
    elif not annotates:
        found.append("No concept is stated often enough by the codes to be annotated.")
    return found
