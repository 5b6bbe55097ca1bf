"""Named sets of concepts: what a model can be ranked on is fixed here, not by who else is ranked."""

from __future__ import annotations

from types import MappingProxyType

from cohorts.ontology.ontology import Ontology

ALL = "all shared"

CATEGORIES = MappingProxyType(
    {
        "rhythm": ("rhythm", "ectopy"),
        "conduction": ("conduction",),
        "infarction and ST-T": ("infarction", "ST-T"),
        "hypertrophy": ("hypertrophy",),
        "echo": ("echo",),
        "rare": ("rare",),
    }
)
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")  # PTB-XL's five


def concept_sets(ontology: Ontology) -> dict[str, tuple[str, ...]]:
    """Name the sets of concepts within which models are ranked.

    Returns
    -------
    Name of a set -> its concepts in the ontology's order. A set depends on the ontology alone.
    """
    category = {str(concept): str(kind) for concept, kind in ontology.concepts["category"].items()}
    sets = {ALL: tuple(category)}
    for name, categories in CATEGORIES.items():
        sets[name] = tuple(concept for concept, kind in category.items() if kind in categories)
    return sets | {"superclasses": SUPERCLASSES}
