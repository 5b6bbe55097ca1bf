"""The words in which a model is told what to look for: the ontology's prompts."""

from __future__ import annotations

from collections.abc import Iterable

from cohorts.ontology.ontology import load_ontology

Prompts = dict[str, tuple[str, ...]]


def prompts_of(concepts: Iterable[str]) -> Prompts:
    """Give concept id -> descriptions, in the order asked for."""
    table = load_ontology().concepts["prompts"]
    return {concept: tuple(table[concept]) for concept in concepts}
