"""Whether a cohort is new to a model: internal, external or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from benchmark.results import Relation
from cohorts.cohort import CohortCard


def sharing(cohort: str, cards: Mapping[str, CohortCard]) -> set[str]:
    """Cohorts that hold recordings of ``cohort``, itself included; stated on either card.

    Not transitive: two cohorts that each share recordings with a third need share none themselves.
    """
    stated = {
        (card.id, other) for card in cards.values() for other in (*card.overlaps, card.copy_of) if other
    }
    return {cohort} | {b for a, b in stated if a == cohort} | {a for a, b in stated if b == cohort}


def relation(
    trained_on: tuple[str, ...] | Literal["undisclosed"], cohort: str, cards: Mapping[str, CohortCard]
) -> Relation:
    """How a cohort relates to what a model was trained on (see `ModelCard.trained_on`)."""
    if trained_on == "undisclosed":
        return "unknown"
    return "internal" if sharing(cohort, cards) & set(trained_on) else "external"
