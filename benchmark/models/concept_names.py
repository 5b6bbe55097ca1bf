"""Concepts that somebody named in words, or by a release's code, instead of by their ids."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from benchmark.text import printable
from cohorts.errors import UnknownNameError, UsageError
from cohorts.ontology.ontology import load_ontology

_SHORTEST_NUMBER = 6
"""Digits: 164889003 is SNOMED's alone, but every list has a code 1."""


def concept_meant(name: str) -> str | None:
    """Give the id of the concept of this id, name, description or code, in whatever letters.

    A code counts where all vocabularies that have it say that it is the same as one concept.

    Examples
    --------
    >>> concept_meant("ATRIAL FIBRILLATION"), concept_meant("af"), concept_meant("gout")
    ('AF', 'AF', None)
    >>> concept_meant("1AVB"), concept_meant("AFIB"), concept_meant("164889003")
    ('IAVB', 'AF', 'AF')
    """
    words = _plain(name)
    for concept, row in load_ontology().concepts.iterrows():
        if words in map(_plain, (str(concept), str(row["name"]), *row["prompts"])):
            return str(concept)
    return _of_codes().get(words)


@cache
def _of_codes() -> dict[str, str]:
    """Concept of each code, and of each name of one, that means one concept wherever it stands."""
    found: dict[str, set[str]] = {}
    for table in load_ontology().vocabularies.values():
        same = table[(table["relation"] == "same") & (table["cohort"] == "")]
        for column in ("code", "name"):
            for word, concept in zip(same[column], same["concept"], strict=True):
                found.setdefault(_plain(word), set()).add(concept)
    return {
        word: min(concepts)
        for word, concepts in found.items()
        if len(concepts) == 1 and not (word.isdecimal() and len(word) < _SHORTEST_NUMBER)
    }


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
