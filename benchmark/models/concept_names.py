"""The error of a name that is no concept's id, with the id that it stands for."""

from __future__ import annotations

from collections.abc import Collection

from benchmark.text import printable
from cohorts.errors import UnknownNameError, UsageError, some
from cohorts.ontology.names import concept_meant


def no_score(model: str, concept: str, outputs: Collection[str]) -> UsageError:
    """Make the error of a concept that a model does not score, with some that it does."""
    if concept_meant(concept) in outputs:
        return unknown_concept(concept, outputs)
    shown = printable(concept, 40)
    return UsageError(f"{model} has no score for '{shown}'; it has those of {some(outputs, 8)}.")


def unknown_concept(name: str, available: Collection[str], kind: str = "concept") -> UsageError:
    """Make the error of a name that is no concept's id, with the id that it stands for if there is one."""
    meant, shown = concept_meant(name), printable(name, 40)
    if meant in available:
        return UsageError(f"Unknown {kind} '{shown}': that is what the ontology calls '{meant}'; write that.")
    return UnknownNameError(kind, shown, available)
