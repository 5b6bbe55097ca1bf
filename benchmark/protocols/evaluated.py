"""A model under a protocol, and the code that decides what it answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmark.models.model_card import ModelCard
from benchmark.models.model_source import ModelSource
from benchmark.protocols.precision import ScoringPrecision
from benchmark.protocols.protocol import Protocol
from benchmark.protocols.published import StartingWeights
from benchmark.protocols.training import TrainingPlan


@dataclass(frozen=True)
class EvaluatedModel:
    """A model under a protocol, as it will be evaluated.

    Attributes
    ----------
    card
        With the outputs that it is evaluated on and everything that it will have been trained on.
    base
        The weights that it starts from where they are not its constructor's.
    fits
        What it learns from the source cohort; their metrics are averaged. Empty for a model that is
        asked with the weights that it has.
    precision
        In which it is asked for scores. What it learns, and the ages that it tells, are not of it.
    """

    source: ModelSource
    protocol: Protocol
    card: ModelCard
    base: StartingWeights | None = None
    fits: tuple[TrainingPlan, ...] = ()
    precision: ScoringPrecision = "float32"

    @property
    def whole(self) -> EvaluatedModel:
        """The same, asked in float32."""
        return replace(self, precision="float32")
