"""Whether a cohort is new to a model: internal, external or unknown."""

from __future__ import annotations

from typing import Literal

from benchmark.models.contract import ModelCard
from benchmark.models.known_models import find_known
from cohorts.catalogue import sharing

Relation = Literal["internal", "external", "unknown"]

WORST_FIRST: tuple[Relation, ...] = ("internal", "unknown", "external")


def relation(trained_on: tuple[str, ...] | Literal["undisclosed"], cohort: str) -> Relation:
    """How a cohort relates to what a model was trained on (see `ModelCard.trained_on`)."""
    if trained_on == "undisclosed":
        return "unknown"
    return "internal" if sharing(cohort) & set(trained_on) else "external"


def relation_of(card: ModelCard, cohort: str, *, pretrained_here: bool = False) -> Relation:
    """How a cohort relates to a model, by its card and by what is known of a model of that name.

    Parameters
    ----------
    pretrained_here
        Whether the suite made the weights from scratch: then the name says nothing about them.
    """
    found = {relation(card.trained_on, cohort)}
    known = None if pretrained_here else find_known(card.name)
    if known is not None:
        found.add(relation(known.trained_on, cohort))
        if known.and_others:
            found.add("unknown")
    return next(worst for worst in WORST_FIRST if worst in found)


def unstated_training(card: ModelCard, *, pretrained_here: bool = False) -> str | None:
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
    unstated = [seen for seen in known.trained_on if relation(card.trained_on, seen) == "external"]
    if not unstated:
        return None
    return (
        f"{card.name} is known to have been trained on {', '.join(unstated)} ({known.source}); its card does "
        "not say so."
    )
