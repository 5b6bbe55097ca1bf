"""Which model a result is of, and what that model had learnt for it, wherever it was made."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmark.exchange.aggregate import AggregateCell
from benchmark.models.model_card import ModelCard
from benchmark.records.fit_seeds import run_seeds
from benchmark.records.record import Pretraining, ResultRecord, learnt_from
from benchmark.text import printable, unnamed
from cohorts.catalogue import is_private
from cohorts.hashing import hash_of_json

SHORT = 12

_DECIDES = {"name", "version", "input", "control_for", "parameters"}
"""Of a card: no words, and nothing that a protocol changes."""

_EXACT = "linear-probe"
"""Fits with one key are one probe: a regression has one optimum, and machines differ by rounding only."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What tells two models of one identity apart where both state it; None for what is not stated.

    Attributes
    ----------
    code, environment
        Of the model; the environment where it is not that of the suite.
    weights
        That it comes with or starts from, unless the suite has made them.
    trained_on, probabilities
        Of its card, which is no longer the model's own once it has learnt something for a result.
    """

    code: str | None
    environment: str | None
    weights: str | None
    trained_on: str | None
    probabilities: bool | None


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the suite has taught a model for a result, which makes it no other model.

    Attributes
    ----------
    hash
        Of the weights, which decide the scores, whatever seed they are from; where these must not be told, of
        the source, share of the labels and seed of each fit. And of what the pre-training kept from it.
    sources, seeds
        Cohorts whose labels it was given, and of each seed of the run the first fit's; empty if it was
        pre-trained alone.
    keys
        Of fits that are the same wherever they were made.
    """

    hash: str
    sources: tuple[str, ...] = field(compare=False)
    seeds: tuple[int, ...] = field(compare=False)
    keys: tuple[str, ...] = field(compare=False)

    @property
    def words(self) -> tuple[str, str]:
        """Its sources and its seeds, as they may stand beside a name, under every protocol the same.

        Later seeds are counted: where not all labels are given, their fits have other numbers.
        """
        sources = printable(" and ".join(dict.fromkeys(self.sources)), 60)
        more = f" and {len(self.seeds) - 1} more" if len(self.seeds) > 1 else ""
        return f"on {sources}", f"seed {self.seeds[0]}{more}" if self.seeds else ""


def identity_of(record: ResultRecord) -> str:
    """Hash what every result of a model states of it: its card without words, and how it was pre-trained.

    What it was fitted on, and under which protocol, are facts of the result. Counts of a source cohort are
    left out, and of a private one its state, which must not leave the hospital.
    """
    card = record.model.model_dump(mode="json", include=_DECIDES)
    return hash_of_json([card, _pretrained(record.pretraining)])[:SHORT]


def _pretrained(before: Pretraining | None) -> list[object] | None:
    """How the suite has pre-trained a model; which concepts were kept from it, the protocol decides."""
    if before is None:
        return None
    sources = [[one.cohort, "" if is_private(one.cohort) else one.fingerprint] for one in before.sources]
    return [sources, before.seed, before.precision, before.recipe]


def stated_in(result: ResultRecord | AggregateCell, card: ModelCard) -> Stated:
    """Say what a result with this card states of its model."""
    packages = result.provenance.packages if isinstance(result, ResultRecord) else result.software
    environment = [(name, packages[name]) for name in sorted(packages) if name.startswith("model's ")]
    weights = result.origin.weights if result.origin else None
    if not result.training and not result.pretraining:
        weights = weights or next(iter(_weights(result)), None)
    return Stated(
        code=result.origin.code if result.origin else None,
        environment=hash_of_json(environment) if environment else None,
        weights=weights,
        trained_on=None if result.training else hash_of_json(card.trained_on),
        probabilities=None if result.training else card.probabilities,
    )


def learnt_in(result: ResultRecord | AggregateCell) -> Learnt | None:
    """Say what a model had learnt here for a result; None for one that was asked as it comes."""
    if not result.training and not result.pretraining:
        return None
    fits = [(fit.source, fit.percent, fit.seed) for fit in result.training]
    held_out = sorted(result.pretraining.held_out) if result.pretraining else None
    weights = _weights(result)
    if len(set(weights)) == 1:  # the mean of fits that are all the same is one of them
        weights = weights[:1]
    keys: tuple[str, ...] = ()
    if isinstance(result, ResultRecord) and result.protocol.startswith(_EXACT):
        keys = tuple(fit.key for fit in result.training)
    return Learnt(
        hash_of_json([weights or fits, held_out])[:SHORT],
        tuple(fit.source for fit in result.training),
        _run_seeds(result),
        keys,
    )


def _run_seeds(result: ResultRecord | AggregateCell) -> tuple[int, ...]:
    fits = result.training
    return run_seeds(fits[0].percent, [fit.seed for fit in fits]) if fits else ()


def _weights(result: ResultRecord | AggregateCell) -> tuple[str, ...]:
    return weights_of(result) if isinstance(result, ResultRecord) else result.weights_sha256


def weights_of(record: ResultRecord) -> tuple[str, ...]:
    """Hashes of the weights, unless a private cohort made them: then they tell of its records."""
    return () if any(map(is_private, learnt_from(record))) else record.weights_sha256


def travelling(card: ModelCard) -> ModelCard:
    """Give a card whose words name no path, machine or account."""
    words = {name: unnamed(getattr(card, name)) for name in ("version", "description", "licence", "citation")}
    labels = tuple(label.model_copy(update={"note": unnamed(label.note)}) for label in card.labels)
    return card.model_copy(update=words | {"labels": labels})
