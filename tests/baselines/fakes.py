"""Recordings with planted findings, to see whether a model learns what is there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmark.models.contract import Batch
from benchmark.models.model_card import InputSpec

CONCEPTS = ("AF", "LBBB", "OLD", "PACE")


class FakeRecords:
    """Heart beats at 100 Hz with four concepts.

    ``AF`` adds waves of 6 Hz, ``LBBB`` widens the beats, ``OLD`` depends on age alone, and ``PACE`` is
    never positive. A tenth of all labels is -1, a tenth of ages and sexes unknown.
    """

    def __init__(self, count: int, seed: int, spec: InputSpec) -> None:
        rng = np.random.default_rng(seed)
        labels = (rng.random((count, 4)) < [0.5, 0.3, 0.4, 0.0]).astype(np.int8)
        time = np.arange(round(spec.seconds * 100)) / 100
        signals = np.empty((count, len(spec.leads), len(time)), dtype=np.float32)
        for record, (fibrillates, wide, *_) in enumerate(labels):
            phase = (time * rng.uniform(0.9, 1.6) + rng.random()) % 1 - 0.5
            beats = np.exp(-((phase / (0.09 if wide else 0.03)) ** 2))
            waves = fibrillates * 0.2 * np.sin(2 * np.pi * (6 * time + rng.random()))
            gains = rng.uniform(0.5, 1.5, (len(spec.leads), 1))
            signals[record] = gains * (beats + waves) + rng.normal(0, 0.05, signals[record].shape)
        age = np.where(labels[:, 2] == 1, rng.uniform(60, 95, count), rng.uniform(20, 75, count))
        age[rng.random(count) < 0.1] = np.nan
        sex = rng.choice(["female", "male", ""], count, p=[0.5, 0.4, 0.1])
        self.truth = labels.copy()
        labels[rng.random(labels.shape) < 0.1] = -1
        self._labels = pd.DataFrame(labels, columns=list(CONCEPTS))
        self.everything = Batch(signals, age.astype(np.float32), sex)
        for array in (signals, self.everything.age, sex):
            array.setflags(write=False)

    @property
    def labels(self) -> pd.DataFrame:
        return self._labels

    def __len__(self) -> int:
        return len(self._labels)

    def batch(self, positions: object) -> Batch:
        return take(self.everything, np.asarray(positions))

    def batches(self, size: int) -> Iterator[Batch]:
        for start in range(0, len(self), size):
            yield self.batch(np.arange(start, min(start + size, len(self))))


def take(batch: Batch, positions: object) -> Batch:
    """Choose records of a batch; their arrays cannot be written to."""
    arrays = [array[positions] for array in (batch.signals, batch.age, batch.sex)]
    for array in arrays:
        array.setflags(write=False)
    return Batch(*arrays)
