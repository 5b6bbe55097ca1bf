"""Which model a result is of, wherever it was made."""

from __future__ import annotations

from benchmark.models.contract import ModelCard
from benchmark.records.record import ResultRecord, learnt_from
from benchmark.text import unnamed
from cohorts.catalogue import is_private
from cohorts.hashing import hash_of_json

SHORT = 12


def identity_of(record: ResultRecord) -> str:
    """Hash what makes a model: its card without words, its weights, how the suite trained it.

    Outputs may differ from cohort to cohort, and counts of a source cohort are left out, because an aggregate
    submission does not tell them.
    """
    card = record.model.model_dump(mode="json", include=_DECIDES)
    trained = [(fit.source, fit.percent, fit.seed) for fit in record.training]
    before = record.pretraining
    pretrained = before and [[s.cohort for s in before.sources], sorted(before.held_out), before.seed]
    return hash_of_json([card, weights_of(record), trained, pretrained])[:SHORT]


_DECIDES = {"name", "version", "input", "probabilities", "trained_on", "control_for", "parameters"}


def weights_of(record: ResultRecord) -> tuple[str, ...]:
    """Hashes of the weights, unless a private cohort made them: then they tell of its records."""
    return () if any(map(is_private, learnt_from(record))) else record.weights_sha256


def travelling(card: ModelCard) -> ModelCard:
    """Give a card whose words name no path, machine or account."""
    words = {name: unnamed(getattr(card, name)) for name in ("version", "description", "licence", "citation")}
    labels = tuple(label.model_copy(update={"note": unnamed(label.note)}) for label in card.labels)
    return card.model_copy(update=words | {"labels": labels})
