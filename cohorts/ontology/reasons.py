"""Why a record has the label of a concept that it has: which of its codes decided, or what else did.

Beside `Ontology.labels`, which labels a whole cohort and does not say why. The two decide in the same order,
and a test compares them on every cohort.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from cohorts.ontology.ontology import Ontology

By = Literal[
    "a code says yes",
    "a code leaves it open",
    "an unknown code leaves everything open",
    "a question is not answered",
    "not annotated in this cohort",
    "no code speaks of it",
    "all of its parts are positive",
    "one of its parts is negative",
    "one of its parts is open",
    "left out by the task",
]
"""What decides a label."""


class Reason(NamedTuple):
    """What decided one label.

    Attributes
    ----------
    codes
        Those that decided; empty where none did.
    note
        Why silence, or a question without an answer, means what it does.
    """

    label: int
    by: By
    codes: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A row of a vocabulary that speaks of a concept.

    Attributes
    ----------
    code, name
        As the cohort writes it, and in words.
    concept
        The one that the row is about: the concept asked for, one below it, or a part of it.
    relation
        ``same``, ``narrower`` or ``ambiguous``; ``uncertain`` where a modifier makes a yes ambiguous.
    """

    code: str
    name: str
    concept: str
    relation: str
    note: str


class Reasons:
    """Tells why records of a cohort are labelled for one concept as they are.

    Parameters
    ----------
    cohort, vocabulary
        Whose statements, and what they are written in.
    concept
        An id of the ontology.
    """

    def __init__(self, ontology: Ontology, cohort: str, vocabulary: str, concept: str) -> None:
        self._annotated = ontology.coverage(cohort)[concept] == "annotated"
        self._coverage = ontology.coverage_reason(cohort, concept)
        self._parts = [Reasons(ontology, cohort, vocabulary, part) for part in ontology.parts(concept)]
        self._row_of, said = ontology.says(cohort, vocabulary)
        column = ontology.concepts.index.get_indexer
        self._said = said[:, list(ontology.concepts.index).index(concept)].tolist()
        asked = ontology.asked(cohort)
        self._questions = [
            (str(reason), (said[:, column(pd.Index(answered_by))] == 2).any(axis=1).tolist())
            for about, answered_by, reason in zip(
                asked["concepts"], asked["answered_by"], asked["reason"], strict=True
            )
            if concept in about
        ]
        rows = ontology.rows(cohort, vocabulary)
        self._names = dict(zip(rows["code"], rows["name"], strict=True))
        about = rows[rows["concept"].isin((concept, *ontology.descendants(concept)))]
        self._rows: dict[str, list[Meaning]] = {}
        for row in about[["code", "name", "concept", "relation", "note"]].itertuples(index=False):
            meaning = Meaning(*map(str, row))
            self._rows.setdefault(meaning.code, []).append(meaning)

    def of(self, codes: Collection[str]) -> Reason:
        """Say what decides the label of a record with these codes."""
        if not self._annotated:
            return Reason(-1, "not annotated in this cohort", note=self._coverage)
        if self._parts:
            return self._of_parts([part.of(codes) for part in self._parts])
        codes = tuple(dict.fromkeys(codes))
        yes = tuple(code for code in codes if self._said[self._row_of[code]] == 2)
        if yes:
            return Reason(1, "a code says yes", yes)
        unknown = tuple(code for code in codes if self._row_of[code] == self._row_of.unknown)
        unclear = tuple(c for c in codes if self._said[self._row_of[c]] == 1 and c not in unknown)
        if unclear:
            return Reason(-1, "a code leaves it open", unclear)
        if unknown:
            return Reason(-1, "an unknown code leaves everything open", unknown)
        for why, answers in self._questions:
            if not any(answers[self._row_of[code]] for code in codes):
                return Reason(-1, "a question is not answered", note=why)
        return Reason(0, "no code speaks of it", note=self._coverage)

    @staticmethod
    def _of_parts(parts: list[Reason]) -> Reason:
        label = min(part.label for part in parts) if all(part.label for part in parts) else 0
        deciding = [part for part in parts if part.label == label]
        codes = tuple(dict.fromkeys(code for part in deciding for code in part.codes))
        by: Mapping[int, By] = {
            1: "all of its parts are positive",
            0: "one of its parts is negative",
            -1: "one of its parts is open",
        }
        return Reason(label, by[label], codes, deciding[0].note)

    def name(self, code: str) -> str:
        """Give a code in words, as far as the vocabulary has some."""
        return str(self._names.get(self._read_as(code), ""))

    def meanings(self, code: str) -> list[Meaning]:
        """Give the rows by which a code decides about the concept; none if it does not speak of it.

        Where it says yes, what it leaves open of the concepts below does not matter.
        """
        found = [meaning for part in self._parts for meaning in part.meanings(code)]
        hedged, yes = self._row_of[code] > self._row_of.unknown, self._said[self._row_of[code]] == 2
        for row in self._rows.get(self._read_as(code), ()):
            relation = "uncertain" if hedged and row.relation != "ambiguous" else row.relation
            if relation in ("same", "narrower") or not yes:
                found.append(Meaning(code, row.name, row.concept, relation, row.note))
        return found

    def _read_as(self, code: str) -> str:
        """Give the code whose rows say what a code with modifiers means; the code itself as a rule."""
        return self._row_of.base(code)
