"""Whether a cohort is new to a model: internal, external or unknown."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from benchmark.models.known_models import find_known
from benchmark.models.model_card import ModelCard
from cohorts.catalogue import sharing

Relation = Literal["internal", "external", "unknown"]

WORST_FIRST: tuple[Relation, ...] = ("internal", "unknown", "external")


def relation(
    trained_on: tuple[str, ...] | Literal["undisclosed"], cohort: str, also_in: Collection[str] = ()
) -> Relation:
    """How a cohort relates to what a model was trained on (see `ModelCard.trained_on`).

    Parameters
    ----------
    also_in
        Cohorts that its signals were found in, or may be in; see `holders`.
    """
    if trained_on == "undisclosed":
        return "unknown"
    return "internal" if (sharing(cohort) | set(also_in)) & set(trained_on) else "external"


def holders(found_in: Collection[str], not_in: Collection[str] = ()) -> set[str]:
    """Cohorts that hold recordings which were found in some cohorts, or for all that is known may hold them.

    Parameters
    ----------
    found_in
        Where they were found, by their signals.
    not_in
        Where they were looked for and not found. Any other cohort that by its card shares recordings with
        one of ``found_in`` may hold just these.
    """
    return set(found_in).union(*map(sharing, found_in)) - (set(not_in) - set(found_in))


def relation_of(
    card: ModelCard, cohort: str, *, pretrained_here: bool = False, also_in: Collection[str] = ()
) -> Relation:
    """How a cohort relates to a model, by its card and by what is known of a model of that name.

    Parameters
    ----------
    pretrained_here
        Whether the suite made the weights from scratch: then the name says nothing about them.
    also_in
        As for `relation`.
    """
    found = {relation(card.trained_on, cohort, also_in)}
    known = None if pretrained_here else find_known(card.name)
    if known is not None:
        found.add(relation(known.trained_on, cohort, also_in))
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


def all_training_of(card: ModelCard, *, pretrained_here: bool = False) -> set[str]:
    """Cohorts that a model has seen, by its card and by what is known of a model of that name.

    Parameters
    ----------
    pretrained_here
        As for `relation_of`.
    """
    known = None if pretrained_here else find_known(card.name)
    stated = (card.trained_on, known.trained_on if known is not None else ())
    return {cohort for one in stated if one != "undisclosed" for cohort in one}
