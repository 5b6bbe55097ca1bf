"""What a cohort brings itself: the meaning of its codes and which concepts it annotates, beside the tables.

It decides the labels of this cohort and of no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from cohorts.cohort import Cohort
from cohorts.errors import LeadboardError
from cohorts.ontology.checks import (
    check_coverage,
    check_questions,
    check_reasons,
    check_vocabulary,
    complete_without,
)
from cohorts.ontology.table_files import read_table
from cohorts.ontology.tables import QUESTION_COLUMNS, VOCABULARY_COLUMNS, Tables

CODE_COLUMNS = ("code", "name", "concept", "relation", "note")
"""A vocabulary of a cohort: as those of the ontology, without a column for other cohorts."""

UNSTATED = "Nobody has stated that this cohort annotates it."
COMPUTED = "Computed from other concepts, all of which are annotated."


@dataclass(frozen=True)
class Brought:
    """What the class of a cohort states.

    Attributes
    ----------
    vocabulary
        Name of the vocabulary that its statements are written in, one of the ontology's or its own.
    codes
        Rows as `CODE_COLUMNS`, or a CSV file with these columns; they stand in place of the vocabulary's
        rows for the same code.
    annotates
        Concept -> why silence about it means no. For a parent that is said of its children too, whether they
        are told apart or not.
    questions
        Concepts, what answers them, and the reason, as the ontology's table of questions has them.

    Raises
    ------
    LeadboardError
        If an attribute of the class is something else.
    """

    vocabulary: str
    codes: Path | Sequence[Sequence[str]] = ()
    annotates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    questions: Sequence[tuple[str, str, str]] = ()

    def __post_init__(self) -> None:
        codes: object = self.codes
        if not isinstance(codes, Path) and (isinstance(codes, str) or not isinstance(codes, Sequence)):
            raise LeadboardError(
                "Its own_codes are neither rows nor the path of a CSV file; give one of them."
            )
        annotates: object = self.annotates
        if not isinstance(annotates, Mapping) or not all(isinstance(why, str) for why in annotates.values()):
            raise LeadboardError("Its annotates is no mapping of concepts to reasons; write one.")
        asked: object = self.questions
        if not isinstance(asked, Sequence) or not all(_is_row(question, 3) for question in asked):
            raise LeadboardError(
                "Its own_questions are not rows of concepts, what answers them, and a reason."
            )

    @classmethod
    def of(cls, cohort: Cohort | type[Cohort]) -> Brought:
        """Give what a cohort, or its class, brings."""
        return cls(cohort.card.vocabulary, cohort.own_codes, cohort.annotates, cohort.own_questions)


announced: dict[str, Brought] = {}
"""What cohorts bring, by their ids; the ontology takes it in when it is asked about one of them."""


def own_rows(cohort: str, brought: Brought, concepts: pd.DataFrame) -> pd.DataFrame:
    """Read the codes that a cohort brings as rows of a vocabulary that are for it alone, and check them.

    Raises
    ------
    LeadboardError
        If they cannot be read or contradict themselves; the message names the row.
    """
    if isinstance(brought.codes, Path):
        table = f"The vocabulary of {cohort}, {brought.codes.name},"
        rows = read_table(brought.codes, CODE_COLUMNS, table)
    else:
        table = f"The vocabulary of {cohort}"
        wrong = [at for at, row in enumerate(brought.codes, start=1) if not _is_row(row)]
        if wrong:
            raise LeadboardError(
                f"{table} has a row that is not {', '.join(CODE_COLUMNS)}, five strings, in line {wrong[0]}; "
                f"correct it."
            )
        lines = range(1, len(brought.codes) + 1)
        rows = pd.DataFrame(
            [list(row) for row in brought.codes], columns=list(CODE_COLUMNS), index=lines, dtype="str"
        )
    rows = rows.assign(cohort="")[list(VOCABULARY_COLUMNS)]
    if len(rows):
        check_vocabulary(table, rows, set(concepts["id"]), set())
    return rows.assign(cohort=cohort)


def own_questions(cohort: str, brought: Brought, concepts: pd.DataFrame) -> pd.DataFrame:
    """Give the questions that a cohort brings as rows of the table of questions, and check them.

    Raises
    ------
    LeadboardError
        If a name is none of a concept or a category, or a reason is missing.
    """
    rows = pd.DataFrame(
        [(cohort, *question) for question in brought.questions],
        columns=list(QUESTION_COLUMNS),
        index=range(1, len(brought.questions) + 1),
        dtype="str",
    )
    if len(rows):
        check_questions(f"The questions of {cohort}", rows, concepts, {cohort})
    return rows


def _is_row(row: object, cells: int = len(CODE_COLUMNS)) -> bool:
    """Whether this is a row of so many strings; one string is no row, though it has letters."""
    return (
        isinstance(row, Sequence)
        and not isinstance(row, str)
        and len(row) == cells
        and all(isinstance(cell, str) for cell in row)
    )


def own_coverage(cohort: str, brought: Brought, tables: Tables) -> pd.DataFrame:
    """Give a coverage row for every concept: what the cohort does not state is not annotated.

    Returns
    -------
    pandas.DataFrame
        Index ``concept``; columns ``state`` and ``reason``.

    Raises
    ------
    LeadboardError
        If a concept is not known or a reason is missing.
    """
    stated = {
        concept: complete_without(
            child for child in tables.below.get(concept, ()) if child not in brought.annotates
        )
        + reason
        for concept, reason in brought.annotates.items()
    }
    for concept, parts in tables.parts.items():
        if concept not in stated and all(part in stated for part in parts):
            stated[concept] = COMPUTED
    check_reasons(f"The coverage of {cohort}", pd.Series(dict(brought.annotates), dtype="str"))
    every = [*stated, *(concept for concept in tables.below if concept not in stated)]
    rows = pd.DataFrame(
        [
            (cohort, concept, *(("annotated", stated[concept]) if concept in stated else DEFAULT))
            for concept in every
        ],
        columns=["cohort", "concept", "state", "reason"],
        index=every,
        dtype="str",
    )
    check_coverage(f"The coverage of {cohort}", rows, tables.below, tables.parts)
    return rows.set_index("concept")[["state", "reason"]]


DEFAULT = ("not annotated", UNSTATED)
