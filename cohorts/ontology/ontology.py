"""One label ontology for all cohorts: concepts, the codes that mean them, and who annotates them.

A label is 1 (positive), 0 (negative) or -1 (not annotated here). It is decided in this order:

1. The statements of a record make concepts positive (``same``, ``narrower``) or ambiguous.
2. A positive child makes its ancestors positive; an ambiguous one makes them ambiguous.
3. A code that the vocabulary does not know may be about anything: it makes every concept ambiguous.
4. A question that a release answers in its records, and not in this one, makes its concepts ambiguous.
5. Positive outweighs ambiguous; ambiguous is -1.
6. Where the cohort does not annotate a concept, the label is -1 whatever the statements say.
7. Everything else is 0.
8. A concept that is computed from others (``computed.csv``) is 1 where all of them are 1, 0 where one of
   them is 0, else -1; rule 6 holds for it as well.

A code may carry modifiers ("60+310") where its vocabulary lists them ("+310"). With rows of its own it
means what they say; otherwise what it means without the modifier, and no more than ambiguous if the
modifier is ``uncertain`` ("possible").
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.errors import LeadboardError, UnknownNameError
from cohorts.hashing import hash_of_json
from cohorts.ontology.brought import (
    DEFAULT,
    Brought,
    announced,
    own_coverage,
    own_questions,
    own_rows,
)
from cohorts.ontology.codes import AMBIGUOUS, POSITIVE, Rows, Statements, checked, strengths
from cohorts.ontology.labelling import hashes_of_labels
from cohorts.ontology.tables import Tables, descendants, read_tables, split, with_members

VERSION = "1.2.0"
LABELLING = 3  # raise it whenever `Ontology.labels` answers differently from the same tables

_LABEL = np.array([0, -1, 1], dtype=np.int8)  # by the strongest of these among the statements


@lru_cache(maxsize=1)
def load_ontology() -> Ontology:
    """Read this version's ontology, once a process.

    Raises
    ------
    LeadboardError
        If its tables are broken.
    """
    return Ontology(read_tables(Path(__file__).parent))


class Ontology:
    """Concepts, vocabularies and coverage.

    Attributes
    ----------
    version
        Of the tables.
    concepts
        Index ``id``; columns ``name``, ``snomed`` (main code or ""), ``category``, ``parents`` (tuple
        of ids) and ``prompts`` (tuple of str). A parent stands above its children.
    vocabularies
        ``code``, ``name``, ``concept``, ``relation``, ``cohort`` and ``note`` by name of the vocabulary.
        Rows with a ``cohort`` are what the code means there, in place of its other rows.
    questions
        ``cohort``, ``concepts`` and ``answered_by`` (tuples of ids) and ``reason``: where none of
        ``answered_by`` is positive in a record, its ``concepts`` are left open.
    cohorts
        Ids of the cohorts in the coverage table; those that are brought are not among them.
    """

    def __init__(self, tables: Tables) -> None:
        self.version = VERSION
        self.concepts = tables.concepts.set_index("id")
        for column in ("parents", "prompts"):
            cells = [split(cell) for cell in self.concepts[column]]
            self.concepts[column] = pd.Series(cells, index=self.concepts.index, dtype="object")
        self.vocabularies: Mapping[str, pd.DataFrame] = MappingProxyType(
            {name: table.reset_index(drop=True) for name, table in tables.vocabularies.items()}
        )
        self.questions = with_members(tables.questions.reset_index(drop=True), tables.concepts)
        self.cohorts = tuple(dict.fromkeys(tables.coverage["cohort"]))
        self._tables = tables
        self._descendants = descendants(tables.concepts)
        self._coverage = {
            str(cohort): rows.set_index("concept")[["state", "reason"]]
            for cohort, rows in tables.coverage.groupby("cohort", sort=False)
        }
        self._brought: dict[str, Brought] = {}
        self._own_codes: dict[str, pd.DataFrame] = {}
        self._own_questions: dict[str, pd.DataFrame] = {}
        self._computed = {
            concept: split(parts)
            for concept, parts in zip(tables.computed["concept"], tables.computed["all_of"], strict=True)
        }
        self._strengths: dict[tuple[str, str], tuple[Rows, npt.NDArray[np.uint8]]] = {}
        self._hashes: dict[tuple[str, str], dict[str, str]] = {}
        self._rows: dict[str, Rows] = {}

    def descendants(self, concept: str) -> tuple[str, ...]:
        """Ids of all concepts below this one.

        Raises
        ------
        UnknownNameError
            If there is no such concept.
        """
        self._check("concept", concept, self._descendants)
        return self._descendants[concept]

    def coverage(self, cohort: str) -> pd.Series[str]:
        """Look up what a release annotates.

        Returns
        -------
        pandas.Series
            ``"annotated"``, ``"not annotated"`` or ``"ambiguous"`` for every concept.

        Raises
        ------
        UnknownNameError
            If there is no such cohort.
        LeadboardError
            If what it brings contradicts itself.
        """
        self._take_in(cohort)
        self._check("cohort", cohort, self._coverage)
        states: pd.Series[str] = self._coverage[cohort]["state"].reindex(self.concepts.index)
        return states.fillna(DEFAULT[0])

    def coverage_reason(self, cohort: str, concept: str) -> str:
        """Why the coverage of this concept in this cohort is what it is.

        Raises
        ------
        UnknownNameError
            If there is no such cohort or concept.
        """
        self._take_in(cohort)
        self._check("cohort", cohort, self._coverage)
        self._check("concept", concept, self._descendants)
        return str(self._coverage[cohort]["reason"].get(concept, DEFAULT[1]))

    def labels(self, cohort: str, vocabulary: str, statements: Statements) -> pd.DataFrame:
        """Label records by what was stated of them.

        Parameters
        ----------
        cohort
            Id of the cohort that the records belong to.
        vocabulary
            Name of the vocabulary that the statements are written in.
        statements
            The codes of each record. They are compared as whole tokens; order and repetition do not
            matter. A code that is in no table (see `unknown_codes`) leaves everything open that no other
            code of the record says yes to. A record without a code is one on which nothing was found: a
            release that always states something must not pass one on.

        Returns
        -------
        pandas.DataFrame
            int8 ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated here.

        Raises
        ------
        UnknownNameError
            If there is no such cohort or vocabulary.
        UsageError
            If a record's statements are not a collection of codes.
        """
        covered = (self.coverage(cohort) == "annotated").to_numpy()
        row_of, strength = self.says(cohort, vocabulary)
        # Row 0 says nothing. It stands at the start of every record, so that none is empty.
        starts: list[int] = []
        rows: list[int] = []
        for codes in checked(statements):
            starts.append(len(rows))
            rows.append(0)
            rows.extend(map(row_of.__getitem__, codes))
        said = np.zeros((0, len(self.concepts)), dtype=np.uint8)
        if starts:
            said = np.maximum.reduceat(strength[rows], starts, axis=0)
        self._leave_open(cohort, said)
        values = _LABEL[said]
        values[:, ~covered] = -1
        labels = pd.DataFrame(values, columns=pd.Index(self.concepts.index))
        for concept, parts in self._computed.items():
            if covered[self.concepts.index.get_loc(concept)]:
                labels[concept] = _all_of(labels[list(parts)].to_numpy())
        return labels

    def unknown_codes(self, vocabulary: str, statements: Statements, cohort: str = "") -> dict[str, int]:
        """Codes that the vocabulary neither maps nor lists as unmapped, with the number of their records.

        Parameters
        ----------
        vocabulary, statements
            As of `labels`.
        cohort
            One whose own codes are known as well.

        Raises
        ------
        UnknownNameError
            If there is no such vocabulary.
        UsageError
            If a record's statements are not a collection of codes.
        """
        rows = self._rows_of(cohort, vocabulary)
        counts = Counter(
            code for codes in checked(statements) for code in set(codes) if rows[code] == rows.unknown
        )
        return dict(sorted(counts.items()))

    def stated_by(self, cohort: str, vocabulary: str) -> frozenset[str]:
        """Ids of the concepts to which some code of a cohort says yes, or which are computed from such.

        Raises
        ------
        UnknownNameError
            If there is no such vocabulary.
        """
        _, strength = self.says(cohort, vocabulary)
        stated = set(self.concepts.index[(strength == POSITIVE).any(axis=0)])
        return frozenset(
            stated | {name for name, parts in self._computed.items() if stated.issuperset(parts)}
        )

    def label_hashes(self, cohort: str, vocabulary: str) -> dict[str, str]:
        """Hash, for each concept, what decides its labels in a cohort, and nothing else.

        That is what every code that the cohort may state says of the concept, whether the cohort annotates
        it, the questions that leave it open and which codes answer them, what it is computed from, and the
        labelling rules. Other cohorts, other vocabularies, names and notes are not in it.

        Returns
        -------
        dict
            SHA-256 in hexadecimal by concept, in the order of the concepts.

        Raises
        ------
        UnknownNameError
            If there is no such cohort or vocabulary.
        """
        row_of, strength = self.says(cohort, vocabulary)
        if (cohort, vocabulary) in self._hashes:  # a run asks for those of a cohort many hundred times
            return self._hashes[cohort, vocabulary]
        annotated = (self.coverage(cohort) == "annotated").to_numpy()
        decided = hashes_of_labels(
            LABELLING, self.concepts.index, row_of, strength, annotated, self._questions(cohort)
        )
        for concept, parts in self._computed.items():
            content = hash_of_json([decided[concept], *(decided[part] for part in parts)]).encode()
            decided[concept] = hashlib.sha256(content).hexdigest()
        self._hashes[cohort, vocabulary] = decided
        return decided

    def says(self, cohort: str, vocabulary: str) -> tuple[Rows, npt.NDArray[np.uint8]]:
        """Tabulate what each code of a vocabulary says of each concept in a cohort; see `strengths`."""
        self._take_in(cohort)
        if (cohort, vocabulary) not in self._strengths:
            table = self.rows(cohort, vocabulary)
            self._strengths[cohort, vocabulary] = strengths(table, self._descendants)
        return self._strengths[cohort, vocabulary]

    def _take_in(self, cohort: str) -> None:
        """Take in what a cohort brings; the labels of all other cohorts stay what they are.

        Rows of the coverage table outweigh what is brought. A cohort that is announced again replaces what
        it had brought.
        """
        brought = announced.get(cohort)
        if brought is None or brought == self._brought.get(cohort):
            return
        rows = own_rows(cohort, brought, self._tables.concepts)
        if brought.vocabulary not in self.vocabularies and rows.empty:
            raise LeadboardError(
                f"{cohort} is written in the vocabulary '{brought.vocabulary}', which the ontology does not "
                f"have ({', '.join(self.vocabularies)}), and it has no own_codes; give it some."
            )
        if cohort not in self.cohorts:
            tables = self._tables
            self._coverage[cohort] = own_coverage(cohort, brought, tables.concepts, tables.computed)
        asked = own_questions(cohort, brought, self._tables.concepts)
        self._own_questions[cohort] = with_members(asked, self._tables.concepts)
        self._own_codes[cohort], self._brought[cohort] = rows, brought
        self._strengths = {key: value for key, value in self._strengths.items() if key[0] != cohort}
        self._hashes = {key: value for key, value in self._hashes.items() if key[0] != cohort}

    def rows(self, cohort: str, vocabulary: str) -> pd.DataFrame:
        """Rows of a vocabulary as they hold in one cohort: its own ones replace those of the same code."""
        table = self._codes(cohort, vocabulary)
        own = table["cohort"] == cohort
        return table[own | ((table["cohort"] == "") & ~table["code"].isin(table.loc[own, "code"]))]

    def _codes(self, cohort: str, vocabulary: str) -> pd.DataFrame:
        """Rows of a vocabulary, those of all cohorts that it has and those that this cohort brings."""
        self._take_in(cohort)
        own = self._own_codes.get(cohort)
        if own is None or own.empty:
            self._check("vocabulary", vocabulary, self.vocabularies)
            return self.vocabularies[vocabulary]
        table = self.vocabularies.get(vocabulary)
        if table is None:
            return own
        replaced = (table["cohort"] == cohort) & table["code"].isin(own["code"])
        return pd.concat([table[~replaced], own], ignore_index=True)

    def _rows_of(self, cohort: str, vocabulary: str) -> Rows:
        """Row of each code; where a cohort brings none of its own, a vocabulary is looked through once."""
        table = self._codes(cohort, vocabulary)
        if table is not self.vocabularies.get(vocabulary):
            return Rows(table)
        if vocabulary not in self._rows:
            self._rows[vocabulary] = Rows(table)
        return self._rows[vocabulary]

    def parts(self, concept: str) -> tuple[str, ...]:
        """Ids of the concepts that this one is computed from; empty for one that is stated.

        Raises
        ------
        UnknownNameError
            If there is no such concept.
        """
        self._check("concept", concept, self._descendants)
        return self._computed.get(concept, ())

    def asked(self, cohort: str) -> pd.DataFrame:
        """Give the questions that a record of a cohort may leave open, as `questions` has them."""
        self._take_in(cohort)
        asked = self.questions[self.questions["cohort"] == cohort]
        own = self._own_questions.get(cohort)
        return asked if own is None else pd.concat([asked, own])

    def _questions(self, cohort: str) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Columns that each question of a cohort is about, and those that answer it."""
        asked, column = self.asked(cohort), self.concepts.index.get_indexer
        return [
            (column(about), column(answered_by))
            for about, answered_by in zip(asked["concepts"], asked["answered_by"], strict=True)
        ]

    def _leave_open(self, cohort: str, said: npt.NDArray[np.uint8]) -> None:
        """Make the concepts of every question that a record does not answer ambiguous, in place."""
        for about, answered_by in self._questions(cohort):
            unanswered = (said[:, answered_by] < POSITIVE).all(axis=1)
            cells = np.ix_(unanswered, about)
            said[cells] = np.maximum(said[cells], AMBIGUOUS)

    @staticmethod
    def _check(kind: str, name: str, available: Collection[str]) -> None:
        if name not in available:
            raise UnknownNameError(kind, name, available)


def _all_of(labels: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Conjunction of labels ``[records, concepts]``: 1 if all are, 0 if one is, else -1."""
    both = np.where((labels == 1).all(axis=1), 1, -1)
    return np.where((labels == 0).any(axis=1), 0, both).astype(np.int8)
