"""The modes in which a run would ask the model under test."""

from __future__ import annotations

import functools
from collections.abc import Callable

from benchmark.conformance.asking import AFTER_FIT, EMBED, PREDICT, Mode
from benchmark.conformance.mock import CONCEPTS
from benchmark.conformance.subject import SkippedError, Subject, checked_model
from benchmark.models.contract import Model
from benchmark.models.model_card import ModelCard
from cohorts.errors import LeadboardError


def usable_modes(subject: Subject) -> list[Mode]:
    """Give every mode in which a model can be asked; other checks report what goes wrong with the rest.

    Raises
    ------
    SkippedError
        If there is none.
    """
    try:
        subject.base()
    except SkippedError:
        raise
    except LeadboardError as error:
        raise SkippedError(f"it has no weights: {error}") from error
    found, reasons = [], []
    for mode in (own, prompted, fitted, embedding):
        try:
            found.append(subject.once(mode.__name__, functools.partial(mode, subject)))
        except LeadboardError as error:
            reasons.append(str(error))
    if not found:
        raise SkippedError(f"it cannot be asked: {'; '.join(dict.fromkeys(reasons))}")
    return found


def own(subject: Subject) -> Mode:
    """Its own outputs, as the weights have them."""
    if subject.stated.outputs == "any" or not subject.stated.outputs:
        raise SkippedError("it has no outputs of its own")
    subject.base()
    return _mode(subject, PREDICT, subject.stated, subject.make)


def prompted(subject: Subject) -> Mode:
    """The concepts whose descriptions it is given."""
    if subject.stated.outputs != "any":
        raise SkippedError("it is not prompted with concepts")
    subject.base()
    return prompted_for(subject, CONCEPTS)


def prompted_for(subject: Subject, concepts: tuple[str, ...]) -> Mode:
    """Ask a prompted model for these concepts."""
    card = subject.source.card.with_outputs(concepts)
    return _mode(subject, PREDICT, card, lambda: subject.prompt(subject.make(), concepts))


def embedding(subject: Subject) -> Mode:
    """Its features."""
    if not subject.has("Encoder"):
        raise SkippedError("it has no 'embed'")
    subject.base()
    return _mode(subject, EMBED, subject.source.card, subject.make)


def fitted(subject: Subject) -> Mode:
    """What it has learnt from labels; other instances load it, or are the same one if they cannot."""
    learnt = subject.fitted()

    def build() -> Model:
        try:
            return subject.load(subject.saved())
        except LeadboardError:
            return checked_model(learnt.model)

    return _mode(subject, AFTER_FIT, learnt.card, build)


def _mode(subject: Subject, name: str, card: ModelCard, build: Callable[[], Model]) -> Mode:
    return Mode(name, card, build, subject.device, subject.deadline)
