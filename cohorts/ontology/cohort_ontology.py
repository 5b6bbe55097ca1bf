"""The ontology as it holds in one cohort: what it brings itself stands in place of the general rows."""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.errors import LeadboardError, UnknownNameError
from cohorts.hashing import hash_of_json
from cohorts.ontology.brought import DEFAULT, Brought, own_coverage, own_questions, own_rows
from cohorts.ontology.codes import AMBIGUOUS, POSITIVE, Rows, strengths
from cohorts.ontology.labelling import Columns, hashes_of_labels
from cohorts.ontology.tables import Tables, with_members

Said = tuple[Rows, npt.NDArray[np.uint8]]
"""The row of each code, and what it says of each concept (see `strengths`)."""


class CohortOntology:
    """What decides the labels of one cohort.

    Parameters
    ----------
    cohort
        Its id.
    tables
        Those of the ontology, with the concepts of each question by their ids.
    brought
        What the cohort has announced, None if nothing. Rows of the coverage table outweigh it.

    Attributes
    ----------
    coverage
        ``state`` and ``reason`` of each concept with a row; empty for a cohort that nobody knows.
    questions
        Those that a record of it may leave open.

    Raises
    ------
    LeadboardError
        If what it brings contradicts itself.
    """

    def __init__(self, cohort: str, tables: Tables, brought: Brought | None) -> None:
        self.brought = brought
        self._cohort, self._tables = cohort, tables
        stated = tables.coverage[tables.coverage["cohort"] == cohort]
        self.coverage = stated.set_index("concept")[["state", "reason"]]
        self.questions = tables.questions[tables.questions["cohort"] == cohort]
        self._own_codes: pd.DataFrame | None = None
        if brought is not None:
            self._take_in(brought)
        self._said: dict[str, Said] = {}
        self._hashes: dict[str, dict[str, str]] = {}

    def _take_in(self, brought: Brought) -> None:
        tables, concepts = self._tables, self._tables.concepts
        rows = own_rows(self._cohort, brought, concepts)
        if brought.vocabulary not in tables.vocabularies and rows.empty:
            raise LeadboardError(
                f"{self._cohort} is written in the vocabulary '{brought.vocabulary}', which the ontology "
                f"does not have ({', '.join(tables.vocabularies)}), and it has no own_codes; give it some."
            )
        if self.coverage.empty:
            self.coverage = own_coverage(self._cohort, brought, tables)
        asked = own_questions(self._cohort, brought, concepts)
        self.questions = pd.concat([self.questions, with_members(asked, concepts)])
        self._own_codes = None if rows.empty else rows

    @cached_property
    def states(self) -> pd.Series[str]:
        """Coverage of every concept; what there is no row for is not annotated."""
        states: pd.Series[str] = self.coverage["state"].reindex(pd.Index(self._tables.concepts["id"]))
        return states.fillna(DEFAULT[0])

    def rows(self, vocabulary: str) -> pd.DataFrame:
        """Rows of a vocabulary as they hold here: the cohort's own ones replace those of the same code.

        Raises
        ------
        UnknownNameError
            If there is no such vocabulary.
        """
        table = self._codes(vocabulary)
        own = table["cohort"] == self._cohort
        return table[own | ((table["cohort"] == "") & ~table["code"].isin(table.loc[own, "code"]))]

    def _codes(self, vocabulary: str) -> pd.DataFrame:
        """Rows of a vocabulary, those of all cohorts that it has and those that this cohort brings."""
        own, table = self._own_codes, self._tables.vocabularies.get(vocabulary)
        if own is None:
            if table is None:
                raise UnknownNameError("vocabulary", vocabulary, self._tables.vocabularies)
            return table
        if table is None:
            return own
        replaced = (table["cohort"] == self._cohort) & table["code"].isin(own["code"])
        return pd.concat([table[~replaced], own], ignore_index=True)

    def says(self, vocabulary: str) -> Said:
        """Tabulate what each code of a vocabulary says of each concept here; see `strengths`."""
        if vocabulary not in self._said:
            self._said[vocabulary] = strengths(self.rows(vocabulary), self._tables.below)
        return self._said[vocabulary]

    def leave_open(self, said: npt.NDArray[np.uint8]) -> None:
        """Make the concepts of every question that a record does not answer ambiguous, in place."""
        for about, answered_by in self._columns_of_questions:
            unanswered = (said[:, answered_by] < POSITIVE).all(axis=1)
            cells = np.ix_(unanswered, about)
            said[cells] = np.maximum(said[cells], AMBIGUOUS)

    @cached_property
    def _columns_of_questions(self) -> list[tuple[Columns, Columns]]:
        """Columns that each question is about, and those that answer it."""
        column = pd.Index(self._tables.concepts["id"]).get_indexer
        asked = zip(self.questions["concepts"], self.questions["answered_by"], strict=True)
        return [(column(about), column(answered_by)) for about, answered_by in asked]

    def label_hashes(self, rules: int, vocabulary: str) -> dict[str, str]:
        """Hash, for each concept, what decides its labels here; see `Ontology.label_hashes`.

        Parameters
        ----------
        rules
            Version of the labelling rules.
        vocabulary
            Name of the vocabulary that the statements are written in.
        """
        if vocabulary not in self._hashes:  # a run asks for them many hundred times
            row_of, strength = self.says(vocabulary)
            annotated = (self.states == "annotated").to_numpy()
            decided = hashes_of_labels(
                rules, self._tables.below, row_of, strength, annotated, self._columns_of_questions
            )
            for concept, parts in self._tables.parts.items():
                content = hash_of_json([decided[concept], *(decided[part] for part in parts)]).encode()
                decided[concept] = hashlib.sha256(content).hexdigest()
            self._hashes[vocabulary] = decided
        return self._hashes[vocabulary]
