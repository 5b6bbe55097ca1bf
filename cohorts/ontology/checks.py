"""What a row of the ontology's tables may say, so that a slip in one cannot become a label.

Each check is told what an error is to call the table, and raises a `LeadboardError` that names the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from cohorts.ontology.table_files import broken, require, require_text, require_unique, split

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

Members = tuple[str, ...]


def check_concepts(table: str, concepts: pd.DataFrame) -> None:
    """Refuse concepts with a slip in a row, or a parent below its child."""
    require_unique(table, concepts[["id"]])
    require_unique(table, concepts.loc[concepts["snomed"] != "", ["snomed"]])
    require(table, concepts["category"], CATEGORIES, "category")
    require_text(table, concepts["name"], "name")
    seen: set[str] = set()
    for line, row in concepts.iterrows():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", row["id"]):
            raise broken(table, line, f"'{row['id']}', which is no id (letters, digits and _),")
        for parent in split(row["parents"]):
            # The order makes a circle impossible and lets the closure be computed in one pass.
            if parent not in seen:
                raise broken(table, line, f"the parent '{parent}', which no row above it has as id,")
        prompts = split(row["prompts"])
        if not 2 <= len(prompts) <= 4 or len(set(prompts)) != len(prompts) or "" in prompts:
            raise broken(table, line, "something other than 2 to 4 different prompts")
        seen.add(row["id"])


def check_vocabulary(table: str, rows: pd.DataFrame, concepts: set[str], cohorts: set[str]) -> None:
    """Refuse a vocabulary with a slip in a row, given the ids of concepts and cohorts that there are."""
    rows = rows.astype(object)  # two dozen small questions, which take longest to ask of Arrow's text
    require_text(table, rows["code"], "code")
    require(table, rows["relation"], RELATIONS, "relation")
    require(table, rows["concept"], concepts | {""}, "concept")
    require(table, rows["cohort"], cohorts | {""}, "cohort")
    require_unique(table, rows[["code", "concept", "cohort"]])
    unmapped = rows["relation"].isin(["unmapped", "uncertain"])
    require_text(table, rows.loc[~unmapped, "concept"], "concept")
    require_text(table, rows.loc[unmapped | (rows["relation"] == "ambiguous"), "note"], "note")
    require_text(table, rows.loc[rows["cohort"] != "", "note"], "note")
    if (rows.loc[unmapped, "concept"] != "").any():
        line = rows.index[unmapped & (rows["concept"] != "")][0]
        raise broken(table, line, "a concept for an unmapped code")
    modifier = rows["code"].str.startswith("+")
    if (modifier & ~unmapped).any():
        raise broken(table, rows.index[modifier & ~unmapped][0], "a concept for a modifier")
    require(table, rows.loc[~modifier, "relation"], RELATIONS[:-1], "relation")
    several = rows.duplicated(["code", "cohort"], keep=False)
    if (unmapped & several).any():
        raise broken(table, rows.index[unmapped & several][0], "an unmapped code that is mapped as well")
    general = rows.loc[rows["cohort"] == "", "code"]
    require(table, rows["code"], set(general), "code without a row for all cohorts")


def check_computed(
    table: str, computed: pd.DataFrame, concepts: pd.DataFrame, vocabularies: Mapping[str, pd.DataFrame]
) -> None:
    """A computed concept has one definition: parts that are stated, and nothing that states it as well."""
    require_unique(table, computed[["concept"]])
    require(table, computed["concept"], concepts["id"], "concept")
    require_text(table, computed["note"], "note")
    stated = {concept for rows in vocabularies.values() for concept in rows["concept"]}
    related = {item for parents in concepts["parents"] for item in split(parents)}
    related |= set(concepts.loc[concepts["parents"] != "", "id"])
    for line, row in computed.iterrows():
        parts = split(row["all_of"])
        if len(set(parts)) < 2 or not set(parts) <= set(concepts["id"]) - set(computed["concept"]):
            raise broken(table, line, f"'{row['all_of']}', which is not two or more stated concepts,")
        if row["concept"] in stated | related:
            raise broken(
                table, line, f"{row['concept']} computed, which has a statement, a parent or a child too,"
            )


def check_coverage(
    table: str, coverage: pd.DataFrame, below: Mapping[str, Members], parts: Mapping[str, Members]
) -> None:
    """Refuse coverage with a slip in a row; a pair of cohort and concept without a row is not annotated.

    Parameters
    ----------
    below, parts
        As of `cohorts.ontology.tables.Tables`.
    """
    require_text(table, coverage["cohort"], "cohort")
    require(table, coverage["concept"], below, "concept")
    require(table, coverage["state"], STATES, "state")
    check_reasons(table, coverage["reason"])
    require_unique(table, coverage[["cohort", "concept"]])
    for _, rows in coverage.astype(object).groupby("cohort"):
        _check_cohort(table, rows, below, parts)


def _check_cohort(
    table: str, rows: pd.DataFrame, below: Mapping[str, Members], parts_of: Mapping[str, Members]
) -> None:
    """Check parents and computed concepts of one cohort against what they depend on."""
    annotated = set(rows.loc[rows["state"] == "annotated", "concept"])
    for concept, parts in parts_of.items():
        if (concept in annotated) != annotated.issuperset(parts):
            lines = rows.index[rows["concept"] == concept]
            state = "annotated" if concept in annotated else "not annotated"
            raise broken(
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
            raise broken(
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
    """Refuse questions with a slip in a row, given the ids of cohorts that there are."""
    require(table, questions["cohort"], cohorts, "cohort")
    require_text(table, questions["reason"], "reason")
    known = {*concepts["id"], *concepts["category"], *("-" + concepts["id"])}
    for column in ("concepts", "answered_by"):
        require_text(table, questions[column], column)
        require(table, questions[column].map(split).explode(), known, f"name in {column}")


def check_reasons(table: str, values: pd.Series[str]) -> None:
    """Refuse a reason that is missing, or too short to say why."""
    require_text(table, values, "reason")
    short = values[values.str.len() <= LEAST_REASON]
    if len(short):
        raise broken(
            table, short.index[0], f"the reason '{short.iloc[0]}', which is no sentence that says why,"
        )
