"""The tables of the ontology: read from CSV and checked, so that a slip in a row cannot become a label."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cohorts.errors import LeadboardError

CONCEPT_COLUMNS = ("id", "name", "snomed", "category", "parents", "prompts")
VOCABULARY_COLUMNS = ("code", "name", "concept", "relation", "cohort", "note")
COVERAGE_COLUMNS = ("cohort", "concept", "state", "reason")
COMPUTED_COLUMNS = ("concept", "all_of", "note")
QUESTION_COLUMNS = ("cohort", "concepts", "answered_by", "reason")

CATEGORIES = (
    "overall",
    "rhythm",
    "ectopy",
    "conduction",
    "hypertrophy",
    "infarction",
    "ST-T",
    "QRS",
    "quality",
    "rare",
    "superclass",
    "echo",
)
LEAST_REASON = 20
"""Characters that a reason has more than: a word is none."""

RELATIONS = ("same", "narrower", "ambiguous", "unmapped", "uncertain")
STATES = ("annotated", "not annotated", "ambiguous")

_OURS = "The ontology's "


@dataclass(frozen=True)
class Tables:
    """The tables as they stand in the files, every cell a str."""

    concepts: pd.DataFrame
    vocabularies: Mapping[str, pd.DataFrame]
    coverage: pd.DataFrame
    computed: pd.DataFrame
    questions: pd.DataFrame


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
    _check_concepts(concepts)
    cohorts = set(coverage["cohort"])
    for name, table in vocabularies.items():
        check_vocabulary(f"{_OURS}vocabularies/{name}.csv", table, set(concepts["id"]), cohorts)
    _check_computed(computed, concepts, vocabularies)
    check_coverage(_OURS + "coverage.csv", coverage, descendants(concepts), computed)
    check_questions(_OURS + "questions.csv", questions, concepts, cohorts)
    return Tables(concepts, vocabularies, coverage, computed, questions)


def split(cell: str) -> tuple[str, ...]:
    """Items of a cell that are separated by semicolons; an empty cell has none."""
    return tuple(item.strip() for item in cell.split(";")) if cell else ()


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


def descendants(concepts: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """For every concept all concepts below it, in the order of the table."""
    ancestors: dict[str, set[str]] = {}
    for concept, parents in zip(concepts["id"], concepts["parents"], strict=True):
        ancestors[concept] = set(split(parents)).union(*(ancestors[parent] for parent in split(parents)))
    return {
        concept: tuple(below for below, above in ancestors.items() if concept in above)
        for concept in ancestors
    }


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read one of the ontology's own tables."""
    return read_table(path, columns, _OURS + path.name)


def read_table(path: Path, columns: tuple[str, ...], table: str) -> pd.DataFrame:
    """Read a table of text; its index is the line of the file at which a row ends.

    Parameters
    ----------
    table
        What an error calls it.

    Raises
    ------
    LeadboardError
        If it is no table with these columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LeadboardError(f"{path} cannot be read ({error}); restore the file.") from None
    if not rows or tuple(rows[0][1]) != columns:
        raise LeadboardError(f"{path} must have exactly the columns {', '.join(columns)}, in this order.")
    if len(rows) == 1:
        raise LeadboardError(f"{path} has no rows; restore the file.")
    for line, row in rows[1:]:
        if len(row) != len(columns):
            raise _broken(table, line, f"{len(row)} cells instead of {len(columns)}")
        if [cell.strip() for cell in row] != row or not "".join(row).isprintable():
            raise _broken(table, line, "a cell with blanks at an end or an unprintable character")
    return pd.DataFrame(
        [row for _, row in rows[1:]], columns=list(columns), index=[line for line, _ in rows[1:]], dtype="str"
    )


def _broken(table: str, line: object, what: str) -> LeadboardError:
    where = f"for {line}" if isinstance(line, str) else f"in line {line}"
    return LeadboardError(f"{table} has {what} {where}; correct it.")


def _require(table: str, values: pd.Series[str], allowed: Iterable[str], what: str) -> None:
    wrong = values[~values.isin(list(allowed))]
    if len(wrong):
        raise _broken(table, wrong.index[0], f"the {what} '{wrong.iloc[0]}', which is not known,")


def _require_text(table: str, values: pd.Series[str], what: str) -> None:
    empty = values[values == ""]
    if len(empty):
        raise _broken(table, empty.index[0], f"no {what}")


def check_reasons(table: str, values: pd.Series[str]) -> None:
    """Refuse a reason that is missing, or too short to say why.

    Raises
    ------
    LeadboardError
        Naming the row.
    """
    _require_text(table, values, "reason")
    short = values[values.str.len() <= LEAST_REASON]
    if len(short):
        raise _broken(
            table, short.index[0], f"the reason '{short.iloc[0]}', which is no sentence that says why,"
        )


def _require_unique(table: str, rows: pd.DataFrame) -> None:
    again = rows[rows.duplicated()]
    if len(again):
        raise _broken(table, again.index[0], f"{' / '.join(filter(None, again.iloc[0]))} a second time")


def _check_concepts(concepts: pd.DataFrame) -> None:
    table = _OURS + "concepts.csv"
    _require_unique(table, concepts[["id"]])
    _require_unique(table, concepts.loc[concepts["snomed"] != "", ["snomed"]])
    _require(table, concepts["category"], CATEGORIES, "category")
    _require_text(table, concepts["name"], "name")
    seen: set[str] = set()
    for line, row in concepts.iterrows():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", row["id"]):
            raise _broken(table, line, f"'{row['id']}', which is no id (letters, digits and _),")
        for parent in split(row["parents"]):
            # The order makes a circle impossible and lets the closure be computed in one pass.
            if parent not in seen:
                raise _broken(table, line, f"the parent '{parent}', which no row above it has as id,")
        prompts = split(row["prompts"])
        if not 2 <= len(prompts) <= 4 or len(set(prompts)) != len(prompts) or "" in prompts:
            raise _broken(table, line, "something other than 2 to 4 different prompts")
        seen.add(row["id"])


def check_vocabulary(table: str, rows: pd.DataFrame, concepts: set[str], cohorts: set[str]) -> None:
    """Refuse a vocabulary with a slip in a row.

    Parameters
    ----------
    table
        What an error calls it.
    concepts, cohorts
        Ids that there are.

    Raises
    ------
    LeadboardError
        Naming the row.
    """
    rows = rows.astype(object)  # two dozen small questions, which take longest to ask of Arrow's text
    _require_text(table, rows["code"], "code")
    _require(table, rows["relation"], RELATIONS, "relation")
    _require(table, rows["concept"], concepts | {""}, "concept")
    _require(table, rows["cohort"], cohorts | {""}, "cohort")
    _require_unique(table, rows[["code", "concept", "cohort"]])
    unmapped = rows["relation"].isin(["unmapped", "uncertain"])
    _require_text(table, rows.loc[~unmapped, "concept"], "concept")
    _require_text(table, rows.loc[unmapped | (rows["relation"] == "ambiguous"), "note"], "note")
    _require_text(table, rows.loc[rows["cohort"] != "", "note"], "note")
    if (rows.loc[unmapped, "concept"] != "").any():
        line = rows.index[unmapped & (rows["concept"] != "")][0]
        raise _broken(table, line, "a concept for an unmapped code")
    modifier = rows["code"].str.startswith("+")
    if (modifier & ~unmapped).any():
        raise _broken(table, rows.index[modifier & ~unmapped][0], "a concept for a modifier")
    _require(table, rows.loc[~modifier, "relation"], RELATIONS[:-1], "relation")
    several = rows.duplicated(["code", "cohort"], keep=False)
    if (unmapped & several).any():
        raise _broken(table, rows.index[unmapped & several][0], "an unmapped code that is mapped as well")
    general = rows.loc[rows["cohort"] == "", "code"]
    _require(table, rows["code"], set(general), "code without a row for all cohorts")


def _check_computed(
    computed: pd.DataFrame, concepts: pd.DataFrame, vocabularies: Mapping[str, pd.DataFrame]
) -> None:
    """A computed concept has one definition: parts that are stated, and nothing that states it as well."""
    table = _OURS + "computed.csv"
    _require_unique(table, computed[["concept"]])
    _require(table, computed["concept"], concepts["id"], "concept")
    _require_text(table, computed["note"], "note")
    stated = {concept for rows in vocabularies.values() for concept in rows["concept"]}
    related = {item for parents in concepts["parents"] for item in split(parents)}
    related |= set(concepts.loc[concepts["parents"] != "", "id"])
    for line, row in computed.iterrows():
        parts = split(row["all_of"])
        if len(set(parts)) < 2 or not set(parts) <= set(concepts["id"]) - set(computed["concept"]):
            raise _broken(table, line, f"'{row['all_of']}', which is not two or more stated concepts,")
        if row["concept"] in stated | related:
            raise _broken(
                table, line, f"{row['concept']} computed, which has a statement, a parent or a child too,"
            )


def check_coverage(
    table: str, coverage: pd.DataFrame, below: Mapping[str, tuple[str, ...]], computed: pd.DataFrame
) -> None:
    """Refuse coverage with a slip in a row; a pair of cohort and concept without a row is not annotated.

    Parameters
    ----------
    table
        What an error calls it.
    below
        As `descendants` gives them.

    Raises
    ------
    LeadboardError
        Naming the row.
    """
    _require_text(table, coverage["cohort"], "cohort")
    _require(table, coverage["concept"], below, "concept")
    _require(table, coverage["state"], STATES, "state")
    check_reasons(table, coverage["reason"])
    _require_unique(table, coverage[["cohort", "concept"]])
    parts_of = annotated_exactly_with(computed)
    for _, rows in coverage.astype(object).groupby("cohort"):
        _check_cohort(table, rows, below, parts_of)


def annotated_exactly_with(computed: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """For every computed concept those that it is computed from."""
    return {row["concept"]: split(row["all_of"]) for _, row in computed.iterrows()}


def _check_cohort(
    table: str,
    rows: pd.DataFrame,
    below: Mapping[str, tuple[str, ...]],
    parts_of: Mapping[str, tuple[str, ...]],
) -> None:
    """Check parents and computed concepts of one cohort against what they depend on."""
    annotated = set(rows.loc[rows["state"] == "annotated", "concept"])
    for concept, parts in parts_of.items():
        if (concept in annotated) != annotated.issuperset(parts):
            lines = rows.index[rows["concept"] == concept]
            state = "annotated" if concept in annotated else "not annotated"
            raise _broken(
                table,
                lines[0] if len(lines) else concept,
                f"{concept} {state} in {rows['cohort'].iloc[0]}, although it is annotated exactly where "
                f"{', '.join(parts)} are,",
            )
    stated = rows[rows["state"] == "annotated"]
    for line, concept, reason in zip(stated.index, stated["concept"], stated["reason"], strict=True):
        unknown = [child for child in below[concept] if child not in annotated]
        if unknown != _complete_without(reason):
            # A negative parent means that all its children are negative, so somebody must have thought.
            words = complete_without(unknown or ["(nothing: no such words)"]).strip()
            raise _broken(
                table,
                line,
                f"{concept} annotated, but its reason does not begin with '{words}', its unannotated "
                f"children,",
            )


def complete_without(children: Iterable[str]) -> str:
    """Begin the reason why a parent is annotated though these children of it are not; empty without any."""
    missing = ", ".join(children)
    return f"Complete without {missing}: " if missing else ""


def _complete_without(reason: str) -> list[str]:
    """Children that the reason says the parent is complete without."""
    words = re.match(r"Complete without ([^:]+):", reason)
    return words.group(1).split(", ") if words else []


def check_questions(table: str, questions: pd.DataFrame, concepts: pd.DataFrame, cohorts: set[str]) -> None:
    """Refuse questions with a slip in a row.

    Parameters
    ----------
    table
        What an error calls it.
    cohorts
        Ids that there are.

    Raises
    ------
    LeadboardError
        Naming the row.
    """
    _require(table, questions["cohort"], cohorts, "cohort")
    _require_text(table, questions["reason"], "reason")
    known = {*concepts["id"], *concepts["category"], *("-" + concepts["id"])}
    for column in ("concepts", "answered_by"):
        _require_text(table, questions[column], column)
        _require(table, questions[column].map(split).explode(), known, f"name in {column}")
