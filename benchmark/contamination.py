"""Whether a cohort is new to a model: internal, external or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from benchmark.known_models import find_known
from benchmark.models import ModelCard
from benchmark.results import Relation
from cohorts.catalogue import all_cohorts
from cohorts.cohort import CohortCard

WORST_FIRST: tuple[Relation, ...] = ("internal", "unknown", "external")


def cohort_cards() -> dict[str, CohortCard]:
    """Cards of all cohorts, by id."""
    return {name: cohort.card for name, cohort in all_cohorts().items()}


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


def relation_of(
    card: ModelCard, cohort: str, cards: Mapping[str, CohortCard], *, pretrained_here: bool = False
) -> Relation:
    """How a cohort relates to a model, by its card and by what is known of a model of that name.

    Parameters
    ----------
    pretrained_here
        Whether the suite made the weights from scratch: then the name says nothing about them.
    """
    found = {relation(card.trained_on, cohort, cards)}
    known = None if pretrained_here else find_known(card.name)
    if known is not None:
        found.add(relation(known.trained_on, cohort, cards))
        if known.and_others:
            found.add("unknown")
    return next(worst for worst in WORST_FIRST if worst in found)


def unstated_training(
    card: ModelCard, cards: Mapping[str, CohortCard], *, pretrained_here: bool = False
) -> str | None:
    """Say in one sentence what a card keeps silent about the training of a known model, or give None.

    Parameters
    ----------
    pretrained_here
        As for `relation_of`.
    """
    known = None if pretrained_here else find_known(card.name)
    if known is None or card.trained_on == "undisclosed":
        return None
    if known.trained_on == "undisclosed":
        return f"No source names what {card.name} was trained on ({known.source}); its card claims to."
    unstated = [seen for seen in known.trained_on if relation(card.trained_on, seen, cards) == "external"]
    if not unstated:
        return None
    return (
        f"{card.name} is known to have been trained on {', '.join(unstated)} ({known.source}); its card does "
        "not say so."
    )
