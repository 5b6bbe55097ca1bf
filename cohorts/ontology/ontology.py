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

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.errors import UnknownNameError
from cohorts.ontology.brought import DEFAULT, announced
from cohorts.ontology.codes import POSITIVE, Statements, checked
from cohorts.ontology.cohort_ontology import CohortOntology, Said
from cohorts.ontology.table_files import split
from cohorts.ontology.tables import Tables, read_tables, with_members

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
        self._tables = replace(tables, vocabularies=self.vocabularies, questions=self.questions)
        self._asked: dict[str, CohortOntology] = {}

    def descendants(self, concept: str) -> tuple[str, ...]:
        """Ids of all concepts below this one.

        Raises
        ------
        UnknownNameError
            If there is no such concept.
        """
        self._check_concept(concept)
        return self._tables.below[concept]

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
        return self._known(cohort).states.copy()

    def coverage_reason(self, cohort: str, concept: str) -> str:
        """Why the coverage of this concept in this cohort is what it is.

        Raises
        ------
        UnknownNameError
            If there is no such cohort or concept.
        """
        coverage = self._known(cohort).coverage
        self._check_concept(concept)
        return str(coverage["reason"].get(concept, DEFAULT[1]))

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
        here = self._known(cohort)
        covered = (here.states == "annotated").to_numpy()
        row_of, strength = here.says(vocabulary)
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
        here.leave_open(said)
        values = _LABEL[said]
        values[:, ~covered] = -1
        labels = pd.DataFrame(values, columns=pd.Index(self.concepts.index))
        for concept, parts in self._tables.parts.items():
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
        row_of, _ = self.says(cohort, vocabulary)
        counts = Counter(
            code for codes in checked(statements) for code in set(codes) if row_of[code] == row_of.unknown
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
            stated | {name for name, parts in self._tables.parts.items() if stated.issuperset(parts)}
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
        return self._known(cohort).label_hashes(LABELLING, vocabulary)

    def says(self, cohort: str, vocabulary: str) -> Said:
        """Tabulate what each code of a vocabulary says of each concept in a cohort; see `strengths`."""
        return self._in(cohort).says(vocabulary)

    def rows(self, cohort: str, vocabulary: str) -> pd.DataFrame:
        """Rows of a vocabulary as they hold in one cohort: its own ones replace those of the same code."""
        return self._in(cohort).rows(vocabulary)

    def parts(self, concept: str) -> tuple[str, ...]:
        """Ids of the concepts that this one is computed from; empty for one that is stated.

        Raises
        ------
        UnknownNameError
            If there is no such concept.
        """
        self._check_concept(concept)
        return self._tables.parts.get(concept, ())

    def asked(self, cohort: str) -> pd.DataFrame:
        """Give the questions that a record of a cohort may leave open, as `questions` has them."""
        return self._in(cohort).questions

    def _in(self, cohort: str) -> CohortOntology:
        """Give what holds in a cohort, with what it has announced since it was last asked about.

        The labels of all other cohorts stay what they are.
        """
        brought, asked = announced.get(cohort), self._asked.get(cohort)
        if asked is None or (brought is not None and brought != asked.brought):
            asked = self._asked[cohort] = CohortOntology(cohort, self._tables, brought)
        return asked

    def _known(self, cohort: str) -> CohortOntology:
        found = self._in(cohort)
        if found.coverage.empty:
            asked = (name for name, one in self._asked.items() if not one.coverage.empty)
            raise UnknownNameError("cohort", cohort, tuple(dict.fromkeys((*self.cohorts, *asked))))
        return found

    def _check_concept(self, concept: str) -> None:
        if concept not in self._tables.below:
            raise UnknownNameError("concept", concept, self._tables.below)


def _all_of(labels: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Conjunction of labels ``[records, concepts]``: 1 if all are, 0 if one is, else -1."""
    both = np.where((labels == 1).all(axis=1), 1, -1)
    return np.where((labels == 0).any(axis=1), 0, both).astype(np.int8)
