"""The model under test, with the weights that a run would start from and what it has learnt so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from benchmark.conformance.habits import Habits
from benchmark.conformance.mock import CONCEPTS, FINDINGS, MockCohort, mock_cohort
from benchmark.models.cards import card_of
from benchmark.models.contract import (
    Batch,
    FitSettings,
    Model,
    Pretrainable,
    PretrainSettings,
    Prompted,
    Trainable,
)
from benchmark.models.guard import guarded
from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.models.model_source import ModelSource
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.prompts import prompts_of
from benchmark.protocols.published import find_published
from benchmark.protocols.recipes import complete_recipe
from cohorts.errors import LeadboardError, ModelError

T = TypeVar("T")

SEED = 1


class SkippedError(LeadboardError):
    """A check that cannot be made; the message says why."""


@dataclass(frozen=True)
class Fitted:
    """A model that has learnt from the mock cohort.

    Attributes
    ----------
    card
        As it is then.
    trouble
        What went wrong with labels that have gaps, so that others had to do.
    """

    model: Any
    card: ModelCard
    trouble: LeadboardError | None = None


@dataclass
class Subject:
    """A model under test, with what it has learnt so far.

    Attributes
    ----------
    folder
        For weights and checkpoints.
    cache
        Where published weights may lie.
    habits
        Of this process before the model was found.
    pretrain
        Whether to pre-train it even if it is not small.
    deadline
        Seconds that an answer may take.
    """

    source: ModelSource
    device: str
    folder: Path
    cache: Path
    habits: Habits
    pretrain: bool = False
    deadline: float = 300.0
    _done: dict[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> InputSpec:
        """What it asks for."""
        return self.source.card.input

    @cached_property
    def stated(self) -> ModelCard:
        """Its card, with published weights if there are any."""
        published = find_published(self.source, self.cache)
        return self.source.card if published is None else published.card

    def has(self, ability: str) -> bool:
        """Whether it has an ability of `benchmark.models`."""
        return ability in self.source.abilities

    def once(self, key: str, work: Callable[[], T]) -> T:
        """Do something, or give again what came of it, or raise again what went wrong."""
        if key not in self._done:
            try:
                self._done[key] = work()
            except LeadboardError as error:
                self._done[key] = error
        done = self._done[key]
        if isinstance(done, LeadboardError):
            raise done
        result: T = done
        return result

    @cached_property
    def others(self) -> MockCohort:
        """People whom the model has not learnt from, of whom everything is known."""
        return mock_cohort(40, seed=3, gaps=False)

    @cached_property
    def records(self) -> PreparedRecords:
        """Their records."""
        return self.others.records(self.spec)

    @cached_property
    def batch(self) -> Batch:
        """The first window of each of their records."""
        return self.records.batch(range(len(self.others)))

    def make(self) -> Model:
        """Build an instance with the weights that a run would start from."""
        base = self.base()
        return self.source.build(self.device) if base is None else self.load(base)

    def load(self, folder: Path) -> Model:
        """Build an instance and let it load a folder."""
        model: Any = self.source.build(self.device)
        guarded(f"{self.source.card.name}.load", lambda: model.load(folder))
        return checked_model(model)

    def base(self) -> Path | None:
        """Give the folder of the weights that a run would start from, None for the constructor's.

        Raises
        ------
        SkippedError
            If they are not on this machine.
        """
        return self.once("base", self._base)

    def _base(self) -> Path | None:
        published = find_published(self.source, self.cache)
        if published is not None:
            published.artifact.read()
            return published.artifact.weights
        if self.has("Pretrainable") and (self.source.small or self.pretrain):
            return self.save(self.pretrained(), "pretrained")
        if self.has("Pretrainable") or self.has("Published"):
            raise SkippedError("its weights are not here")
        return None

    def prompt(self, model: Model, concepts: tuple[str, ...]) -> Model:
        """Tell an instance what to look for."""
        if not isinstance(model, Prompted):
            raise ModelError(f"{self.source.card.name} has no 'set_concepts'.")
        prompts = prompts_of(concepts)
        guarded(f"{self.source.card.name}.set_concepts", lambda: model.set_concepts(prompts))
        return model

    def fitted(self) -> Fitted:
        """Fit, to labels with gaps if it can.

        Raises
        ------
        ModelError
            If it cannot be fitted to any.
        """
        return self.once("fit", self._fitted)

    def saved(self) -> Path:
        """Give the folder that the fitted model was saved to."""
        return self.once("saved", lambda: self.save(self.fitted().model, "fitted"))

    def _fitted(self) -> Fitted:
        if not self.has("Trainable"):
            raise SkippedError("it has no 'fit', 'save' and 'load'")
        self.base()
        try:
            return self._fit(CONCEPTS, gaps=True)
        except LeadboardError as trouble:
            return replace(self._fit(FINDINGS, gaps=False), trouble=trouble)

    def _fit(self, concepts: tuple[str, ...], *, gaps: bool) -> Fitted:
        name, folder = self.source.card.name, self.folder / f"checkpoints-{len(concepts)}"
        folder.mkdir()
        training, validation = (
            mock_cohort(records, seed, gaps=gaps).records(self.spec, concepts)
            for records, seed in ((32, 1), (16, 2))
        )
        model = self.make()
        if not isinstance(model, Trainable):
            raise ModelError(f"{name} has no 'fit', 'save' and 'load'.")
        settings = FitSettings(concepts, SEED, self.device, folder)
        guarded(f"{name}.fit", lambda: model.fit(training, validation, settings))
        card = guarded(f"The card of {name}", lambda: card_of(checked_model(model)))
        if card.outputs != concepts:
            raise ModelError(f"After fit its card has the outputs {card.outputs} instead of {concepts}.")
        return Fitted(model, card)

    def pretrained(self) -> Model:
        """Pre-train it on the mock cohort."""
        return self.once("pretrain", self._pretrained)

    def _pretrained(self) -> Model:
        name, folder = self.source.card.name, self.folder / "checkpoints-pretraining"
        folder.mkdir()
        model = self.source.build(self.device)
        if not isinstance(model, Pretrainable):
            raise ModelError(f"{name} has no 'pretrain', 'save' and 'load'.")
        training, validation = (
            mock_cohort(records, seed, gaps=True).pairs(self.spec) for records, seed in ((32, 1), (16, 2))
        )
        recipe = complete_recipe(self.source, {})
        settings = PretrainSettings(prompts_of(CONCEPTS), SEED, self.device, "32-true", folder, recipe)
        guarded(f"{name}.pretrain", lambda: model.pretrain([training], [validation], settings))
        return checked_model(model)

    def save(self, model: Any, name: str) -> Path:
        """Let an instance save into an empty folder, which is then moved, as the suite does."""
        before, after = self.folder / f".{name}", self.folder / name
        before.mkdir()
        guarded(f"{self.source.card.name}.save", lambda: model.save(before))
        return before.rename(after)


def checked_model(model: object) -> Model:
    """Refuse an instance that has lost its card or its ``predict``."""
    if not isinstance(model, Model):
        raise ModelError(f"{type(model).__name__} has no 'predict' or no 'card' any more.")
    return model
