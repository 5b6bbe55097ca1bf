"""Concepts that somebody named in words, or by a release's code, instead of by their ids."""

from __future__ import annotations

from functools import cache

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
    return names_and_codes().get(plain(name))


@cache
def names_of_concepts() -> dict[str, str]:
    """Give the concept of each id, name and description, in plain letters (see `plain`)."""
    found: dict[str, str] = {}
    for concept, row in load_ontology().concepts.iterrows():
        for name in (str(concept), str(row["name"]), *row["prompts"]):
            found.setdefault(plain(name), str(concept))
    return found


@cache
def names_and_codes() -> dict[str, str]:
    """Give the concept of each name, and of each code that means one concept wherever it stands."""
    return _of_codes() | names_of_concepts()


@cache
def _of_codes() -> dict[str, str]:
    """Concept of each code, and of each name of one, that means one concept wherever it stands."""
    found: dict[str, set[str]] = {}
    for table in load_ontology().vocabularies.values():
        same = table[(table["relation"] == "same") & (table["cohort"] == "")]
        for column in ("code", "name"):
            for word, concept in zip(same[column], same["concept"], strict=True):
                found.setdefault(plain(word), set()).add(concept)
    return {
        word: min(concepts)
        for word, concepts in found.items()
        if len(concepts) == 1 and not (word.isdecimal() and len(word) < _SHORTEST_NUMBER)
    }


def plain(name: str) -> str:
    """Write a name as names are compared: small letters, single blanks, blanks for low lines."""
    return " ".join(name.replace("_", " ").casefold().split())
