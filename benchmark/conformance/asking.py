"""The modes in which a model is asked, and what it answers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from benchmark.models.contract import Batch, Floats, Model
from benchmark.models.guard import asked
from benchmark.models.model_card import ModelCard
from benchmark.protocols.embeddings import checked_features
from benchmark.protocols.inference import checked_scores

PREDICT, AFTER_FIT, EMBED = "predict", "predict after fit", "embed"


@dataclass(frozen=True)
class Mode:
    """One mode of asking: a method of the contract, on a model in the state that the method needs.

    Attributes
    ----------
    name
        `PREDICT`, `AFTER_FIT` or `EMBED`.
    card
        With the outputs that are asked for; without any for features.
    build
        Makes another instance with the same weights.
    device
        Where it computes.
    deadline
        Seconds that an answer may take.
    """

    name: str
    card: ModelCard
    build: Callable[[], Model]
    device: str
    deadline: float = 300.0

    @cached_property
    def model(self) -> Model:
        """One instance, for all checks to which it makes no difference."""
        return self.build()

    def ask(self, batch: Batch, model: Model | None = None) -> Floats:
        """Give checked scores or features, float32 ``[records, columns]``; the model gets a copy."""
        return self.answer(copied(batch), self.model if model is None else model)

    def answer(self, batch: Batch, model: Model) -> Floats:
        """Do the same with the batch itself."""
        method: Any = getattr(model, "embed" if self.name == EMBED else "predict")
        what = f"{self.card.name}.{'embed' if self.name == EMBED else 'predict'}"
        answer = asked(what, model, functools.partial(method, batch), self.deadline)
        if self.name == EMBED:
            return np.array(checked_features(answer, len(batch), None))
        return checked_scores(answer, len(batch), self.card)

    def column(self, number: int) -> str:
        """Name a column."""
        return f"feature {number}" if self.name == EMBED else self.card.columns[number]


def copied(batch: Batch) -> Batch:
    """Copy all arrays of a batch."""
    return Batch(batch.signals.copy(), batch.age.copy(), batch.sex.copy())


def chosen(batch: Batch, rows: Any) -> Batch:
    """Take some records of a batch."""
    return Batch(np.ascontiguousarray(batch.signals[rows]), batch.age[rows], batch.sex[rows])
