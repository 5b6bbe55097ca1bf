"""Concepts that somebody named in words instead of by their ids."""

from __future__ import annotations

from collections.abc import Collection

from benchmark.text import printable
from cohorts.errors import UnknownNameError, UsageError
from cohorts.ontology.ontology import load_ontology


def concept_meant(name: str) -> str | None:
    """Give the id of the concept of this id, name or description, in whatever letters; None if there is none.

    Examples
    --------
    >>> concept_meant("ATRIAL FIBRILLATION"), concept_meant("af"), concept_meant("gout")
    ('AF', 'AF', None)
    """
    words = _plain(name)
    for concept, row in load_ontology().concepts.iterrows():
        if words in map(_plain, (str(concept), str(row["name"]), *row["prompts"])):
            return str(concept)
    return None


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def unknown_concept(name: str, available: Collection[str]) -> UsageError:
    """Make the error of a name that is no concept's id, with the id that it stands for if there is one."""
    meant, shown = concept_meant(name), printable(name, 40)
    if meant in available:
        return UsageError(
            f"Unknown concept '{shown}': that is what the ontology calls '{meant}'; write that."
        )
    return UnknownNameError("concept", shown, available)
