"""The error of a name that is no concept's id, with the id that it stands for."""

from __future__ import annotations

from collections.abc import Collection

from benchmark.text import printable
from cohorts.errors import UnknownNameError, UsageError
from cohorts.ontology.names import concept_meant


def unknown_concept(name: str, available: Collection[str]) -> UsageError:
    """Make the error of a name that is no concept's id, with the id that it stands for if there is one."""
    meant, shown = concept_meant(name), printable(name, 40)
    if meant in available:
        return UsageError(
            f"Unknown concept '{shown}': that is what the ontology calls '{meant}'; write that."
        )
    return UnknownNameError("concept", shown, available)
