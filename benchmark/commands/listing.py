"""Rows of the ``cohorts`` and ``concepts`` lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmark.config import Places
from benchmark.text import printable
from cohorts.catalogue import all_cohorts, broken_cohorts, open_cohort
from cohorts.errors import LeadboardError, UsageError
from cohorts.ontology.names import concept_meant
from cohorts.ontology.ontology import load_ontology
from cohorts.preparing import find_store

Row = dict[str, Any]


def cohort_rows(places: Places) -> list[Row]:
    """One row a known cohort; ``quarantined`` is None until the cohort was prepared.

    One that an installed package offers and that cannot be used has no more than ``id`` and, as all others
    have where their index cannot be read, ``broken``, the reason.
    """
    ontology = load_ontology()
    rows: list[Row] = []
    for name, cohort in all_cohorts().items():
        card = cohort.card
        release = open_cohort(name, places.data, places.folders)
        store = find_store(release, places.cache) if release is not None else None
        records, broken = None, None
        if store is not None:
            records = len(store) + len(store.quarantine)
        elif release is not None:
            try:
                records = len(release.index()) + len(release.unreadable)
            except LeadboardError as error:
                broken = str(error)
        rows.append(
            {
                "id": name,
                "found": release is not None,
                "records": records,
                "quarantined": len(store.quarantine) if store is not None else None,
                "release_records": card.records,
                "simulated": release is not None and release.card.simulated,
                "concepts": int((ontology.coverage(name) == "annotated").sum()),
                "copy_of": card.copy_of,
                "access": card.access,
                "licence": card.licence,
                "version": card.version,
                "url": card.url,
                "citation": card.citation,
                "fingerprint": store.fingerprint if store is not None else None,
                "path": str(release.root) if release is not None else None,
                "broken": broken,
            }
        )
    return [*rows, *({"id": name, "broken": why} for name, why in broken_cohorts().items())]


def concept_rows(words: Sequence[str] = ()) -> list[Row]:
    """One row per concept, with the cohorts that annotate it.

    Parameters
    ----------
    words
        Names, parts of names or codes; with some, only concepts that one of them may mean.

    Raises
    ------
    UsageError
        If no concept is called so.
    """
    ontology = load_ontology()
    wanted = {concept for word in words for concept in _called(word)}
    coverage = {name: ontology.coverage(name) for name in all_cohorts()}
    return [
        {
            "id": str(concept),
            "name": row["name"],
            "snomed": row["snomed"],
            "category": row["category"],
            "parents": list(row["parents"]),
            "prompts": list(row["prompts"]),
            "annotated_in": [
                name for name, states in coverage.items() if states.loc[str(concept)] == "annotated"
            ],
        }
        for concept, row in ontology.concepts.iterrows()
        if not words or concept in wanted
    ]


def _called(word: str) -> set[str]:
    """Concepts that a word is the name, the code or a part of the name of."""
    meant, part = concept_meant(word), word.casefold()
    found = {
        str(concept)
        for concept, row in load_ontology().concepts.iterrows()
        if concept == meant
        or any(part in name.casefold() for name in (str(concept), row["name"], *row["prompts"]))
    }
    if not found:
        raise UsageError(
            f"No concept is called '{printable(word, 40)}'; try a part of its name, or give none to see all."
        )
    return found
