"""The tables of the ontology: read from CSV and checked, so that a slip in a row cannot become a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from cohorts.errors import LeadboardError
from cohorts.ontology.checks import (
    check_computed,
    check_concepts,
    check_coverage,
    check_questions,
    check_vocabulary,
)
from cohorts.ontology.table_files import read_table, split

CONCEPT_COLUMNS = ("id", "name", "snomed", "category", "parents", "prompts")
VOCABULARY_COLUMNS = ("code", "name", "concept", "relation", "cohort", "note")
COVERAGE_COLUMNS = ("cohort", "concept", "state", "reason")
COMPUTED_COLUMNS = ("concept", "all_of", "note")
QUESTION_COLUMNS = ("cohort", "concepts", "answered_by", "reason")

_OURS = "The ontology's "


@dataclass(frozen=True)
class Tables:
    """The tables as they stand in the files, every cell a str."""

    concepts: pd.DataFrame
    vocabularies: Mapping[str, pd.DataFrame]
    coverage: pd.DataFrame
    computed: pd.DataFrame
    questions: pd.DataFrame

    @cached_property
    def below(self) -> dict[str, tuple[str, ...]]:
        """For every concept all concepts below it, in the order of the table."""
        ancestors: dict[str, set[str]] = {}
        for concept, cell in zip(self.concepts["id"], self.concepts["parents"], strict=True):
            parents = split(cell)
            ancestors[concept] = set(parents).union(*(ancestors[parent] for parent in parents))
        return {
            concept: tuple(below for below, above in ancestors.items() if concept in above)
            for concept in ancestors
        }

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """For every computed concept those that it is computed from."""
        cells = zip(self.computed["concept"], self.computed["all_of"], strict=True)
        return {concept: split(cell) for concept, cell in cells}


def read_tables(folder: Path) -> Tables:
    """Read all tables of the ontology and check them against each other.

    Raises
    ------
    LeadboardError
        If a table is missing, unreadable or contradicts itself or another; the message names the row.
    """
    concepts = _read(folder / "concepts.csv", CONCEPT_COLUMNS)
    coverage = _read(folder / "coverage.csv", COVERAGE_COLUMNS)
    computed = _read(folder / "computed.csv", COMPUTED_COLUMNS)
    questions = _read(folder / "questions.csv", QUESTION_COLUMNS)
    files = sorted((folder / "vocabularies").glob("*.csv"))
    if not files:
        raise LeadboardError(f"{folder / 'vocabularies'} holds no vocabulary; restore the ontology's tables.")
    vocabularies = {file.stem: _read(file, VOCABULARY_COLUMNS) for file in files}
    tables = Tables(concepts, vocabularies, coverage, computed, questions)
    cohorts = set(coverage["cohort"])
    check_concepts(_OURS + "concepts.csv", concepts)
    for name, table in vocabularies.items():
        check_vocabulary(f"{_OURS}vocabularies/{name}.csv", table, set(concepts["id"]), cohorts)
    check_computed(_OURS + "computed.csv", computed, concepts, vocabularies)
    check_coverage(_OURS + "coverage.csv", coverage, tables.below, tables.parts)
    check_questions(_OURS + "questions.csv", questions, concepts, cohorts)
    return tables


def members(cell: str, concepts: pd.DataFrame) -> tuple[str, ...]:
    """Concepts that a cell like ``rhythm; -SB; PVC`` names: categories, ids, and what is taken out again.

    The ids stand in the order of the table. A name that is neither an id nor a category names none.
    """
    names = split(cell)
    named = concepts["id"].isin(names) | concepts["category"].isin(names)
    return tuple(concepts.loc[named & ~("-" + concepts["id"]).isin(names), "id"])


def with_members(questions: pd.DataFrame, concepts: pd.DataFrame) -> pd.DataFrame:
    """Put the ids of concepts in place of the cells that name them."""
    for column in ("concepts", "answered_by"):
        cells = [members(cell, concepts) for cell in questions[column]]
        questions[column] = pd.Series(cells, index=questions.index, dtype="object")
    return questions


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read one of the ontology's own tables."""
    return read_table(path, columns, _OURS + path.name)
