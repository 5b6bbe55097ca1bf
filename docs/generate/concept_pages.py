"""The table of concepts, and for each category a page with the codes that mean them in every vocabulary."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

import pandas as pd

from cohorts.ontology import Ontology, load_ontology
from docs.generate.cohort_pages import published, slug
from docs.generate.markup import NOTHING, code, facts, plain, table

_MANY = 15
"""Codes of one vocabulary beyond which they are folded up."""

_HEAD = """\
# Concepts

One ontology labels every cohort, version {version}: {concepts} concepts, {codes:,} rows of {vocabularies}
vocabularies. A label is 1, 0 or -1, *not annotated here*; [What silence means](../labels.md) says how it
is decided, and each row has its reason in `cohorts/ontology/`. The column "cohorts" counts the releases
that annotate a concept.

"""


def pages() -> dict[str, str]:
    """Give the Markdown of the overview and of each category, by place."""
    ontology = load_ontology()
    groups = ontology.concepts.groupby("category", sort=False)
    return {
        "concepts/index.md": overview(ontology),
        **{f"concepts/{slug(str(name))}.md": category(ontology, str(name), rows) for name, rows in groups},
    }


def overview(ontology: Ontology) -> str:
    """Write the table of all concepts."""
    rows = [
        (
            link(ontology, str(concept), "./"),
            plain(row["name"]),
            plain(row["snomed"]) or NOTHING,
            plain(row["category"]),
            ", ".join(link(ontology, parent, "./") for parent in row["parents"]) or NOTHING,
            str(len(annotated_in(ontology, str(concept)))),
        )
        for concept, row in ontology.concepts.iterrows()
    ]
    head = _HEAD.format(
        version=ontology.version,
        concepts=len(ontology.concepts),
        codes=sum(map(len, ontology.vocabularies.values())),
        vocabularies=len(ontology.vocabularies),
    )
    return head + table(("concept", "name", "SNOMED CT", "category", "parents", "cohorts"), rows) + "\n"


def category(ontology: Ontology, name: str, rows: pd.DataFrame) -> str:
    """Write the page of a category: each concept with its codes."""
    parts = [f"# Concepts: {plain(name)}"]
    for concept, row in rows.iterrows():
        parts += [
            f"## {plain(concept)}",
            definition(ontology, str(concept), row),
            *codes(ontology, str(concept)),
        ]
    return "\n\n".join(parts) + "\n"


def definition(ontology: Ontology, concept: str, row: pd.Series) -> str:
    """Write what a concept is, and where it is annotated."""
    parts = ontology.parts(concept)
    below = [name for name, parents in ontology.concepts["parents"].items() if concept in parents]
    return facts(
        (
            ("Name", plain(row["name"])),
            ("SNOMED CT", plain(row["snomed"])),
            ("Parents", ", ".join(link(ontology, parent) for parent in row["parents"])),
            ("Kinds of it", ", ".join(link(ontology, str(child)) for child in below)),
            (
                "Computed",
                f"where all of {', '.join(link(ontology, part) for part in parts)} are" if parts else "",
            ),
            ("Asked in words", "; ".join(map(plain, row["prompts"]))),
            (
                "Annotated in",
                ", ".join(f"[{code(o)}](../cohorts/{o}.md)" for o in annotated_in(ontology, concept))
                or "no cohort",
            ),
        )
    )


def codes(ontology: Ontology, concept: str) -> Iterator[str]:
    """Write which codes mean a concept, a table each vocabulary; long ones are folded up."""
    for name, of_concept in _rows(ontology).items():
        rows = of_concept.get(concept)
        if rows is None:
            continue
        cells = [
            (code(row.code), plain(row.name), plain(row.relation), plain(_note(row.cohort, row.note)))
            for row in rows.itertuples(index=False)
        ]
        shown = table(("code", "name", "relation", "note"), cells)
        title = f"Vocabulary {name}: {len(rows)} {'row' if len(rows) == 1 else 'rows'}"
        mark = "???" if len(rows) > _MANY else "???+"
        body = "\n".join(f"    {line}" for line in shown.splitlines())
        yield f'{mark} note "{title}"\n\n{body}'


def _note(cohort: object, note: object) -> str:
    return "; ".join(filter(None, (f"in {cohort} alone" if cohort else "", str(note))))


def annotated_in(ontology: Ontology, concept: str) -> list[str]:
    """List the published cohorts that annotate a concept."""
    return [name for name, states in _coverage(ontology).items() if states[concept] == "annotated"]


@functools.cache
def _rows(ontology: Ontology) -> Mapping[str, Mapping[object, pd.DataFrame]]:
    """Rows of each vocabulary by what they mean."""
    return {
        name: dict(iter(vocabulary.groupby("concept"))) for name, vocabulary in ontology.vocabularies.items()
    }


@functools.cache
def _coverage(ontology: Ontology) -> Mapping[str, Mapping[str, str]]:
    return {name: dict(ontology.coverage(name)) for name in published()}


def link(ontology: Ontology, concept: str, to: str = "") -> str:
    """Link to the place of a concept."""
    page = slug(str(ontology.concepts.loc[concept, "category"]))
    return f"[{code(concept)}]({to}{page}.md#{slug(concept)})"
