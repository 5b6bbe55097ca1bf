"""Stands in for the prepared records of a cohort where a test is about the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmark.models.cards import card_of
from benchmark.models.contract import Batch, Floats, Model
from benchmark.models.model_card import ModelCard
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.inference import predict


class FakeRecords:
    """Windows of noise, one a record unless told otherwise; never handed out twice."""

    def __init__(
        self, records: int = 10, leads: int = 2, samples: int = 500, windows: int = 1, seed: int = 0
    ) -> None:
        rng = np.random.default_rng(seed)
        self.owners = np.repeat(np.arange(records), windows)
        self.signals = rng.standard_normal((len(self.owners), leads, samples), dtype=np.float32)
        self.age = rng.uniform(20, 90, records).astype(np.float32)
        self.age[::3] = np.nan
        self.sex = rng.choice(["female", "male", ""], records)

    def __len__(self) -> int:
        return len(self.age)

    def window_batches(self, size: int) -> Iterator[tuple[Batch, Any]]:
        for start in range(0, len(self.owners), size):
            rows = self.owners[start : start + size]
            yield Batch(self.signals[start : start + size].copy(), self.age[rows], self.sex[rows]), rows

    def batch(self) -> Batch:
        return next(self.window_batches(len(self.owners)))[0]


def scores_of(model: Model, records: FakeRecords, size: int = 4, card: ModelCard | None = None) -> Floats:
    """What the suite makes of a model's answers."""
    return predict(model, card or card_of(model), records, Hardware(batch_size=size))  # type: ignore[arg-type]
