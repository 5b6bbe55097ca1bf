"""Weights: made once where the suite makes them, and loaded into the models that are asked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from benchmark.models.contract import Model, Prompted
from benchmark.models.guard import asked
from benchmark.progress import Reporter
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.prompts import prompts_of
from benchmark.protocols.published import StartingWeights, build
from benchmark.protocols.training import TrainingPlan, load_trained, train
from cohorts.errors import LeadboardError, ModelError

T = TypeVar("T")


@dataclass
class Maker:
    """Makes weights and loads models, each once; what failed is not tried again."""

    hardware: Hardware
    reporter: Reporter
    _failed: dict[str, LeadboardError] = field(default_factory=dict)
    _loaded: tuple[str, Model] | None = None

    def once(self, key: str, work: Callable[[], T]) -> T:
        """Do something, or raise what went wrong the first time."""
        if key in self._failed:
            raise self._failed[key]
        try:
            return work()
        except LeadboardError as error:
            self._failed[key] = error
            raise

    def start(self, base: StartingWeights | None) -> tuple[str, ...]:
        """Make the weights that a model starts from and give their hash; none for its constructor's."""
        if base is None:
            return ()
        self.once(base.key, lambda: self._make(base))
        return (base.artifact.read()[1],)

    def train(self, plan: TrainingPlan) -> None:
        """Train a model, unless that was done."""
        self.once(plan.key, lambda: self._train(plan))

    def models(self, evaluated: EvaluatedModel) -> tuple[list[Model], tuple[str, ...]]:
        """Make or load what is to be asked, one model for each fit, and the hashes of the weights."""
        if not evaluated.fits:
            sha = self.start(evaluated.base)
            model = self.model(evaluated)
            if evaluated.protocol.kind == "zero-shot":
                self._tell(evaluated, model)
            return [model], sha
        models, hashes = [], []
        for fit in evaluated.fits:
            self.train(fit)
            model, sha256 = load_trained(fit, self.hardware.device)
            models.append(model)
            hashes.append(sha256)
        return models, tuple(hashes)

    def model(self, evaluated: EvaluatedModel) -> Model:
        """Give the model with its starting weights; the one that was asked for last stays in memory."""
        key = " ".join(
            (evaluated.source.spec, evaluated.source.code_hash, evaluated.base.key if evaluated.base else "")
        )
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None
            model = self.once(
                f"load {key}", lambda: build(evaluated.source, evaluated.base, self.hardware.device)
            )
            self._loaded = key, model
        return self._loaded[1]

    def _make(self, base: StartingWeights) -> None:
        if base.made_here and not base.artifact.is_whole():
            with self.reporter.step(base.label):
                base.make(self.hardware.device, self.hardware.workers)

    def _train(self, plan: TrainingPlan) -> None:
        self.start(plan.base)
        if not plan.artifact.is_whole():
            with self.reporter.step(plan.label):
                train(plan, self.hardware.device, self.hardware.workers)

    def _tell(self, evaluated: EvaluatedModel, model: Model) -> None:
        """Tell a prompted model what to look for."""
        if not isinstance(model, Prompted):
            raise ModelError(f"{evaluated.card.name} has no 'set_concepts'.")
        prompts = prompts_of(evaluated.card.outputs)
        tell = functools.partial(model.set_concepts, prompts)
        asked(f"{evaluated.card.name}.set_concepts", model, tell, self.hardware.deadline)
