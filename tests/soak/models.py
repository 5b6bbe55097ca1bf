"""The models of the soak, as cheap as a model can be that still learns, with checkpoints."""

from __future__ import annotations

import numpy as np

from baselines.supervised import ResNet1d
from tests.baselines.pairs import TinySignals


class Noisy:
    """A little of the wave, so that each record has its own score."""

    card = {"name": "noisy", "outputs": ["AF", "LVH"], "trained_on": []}

    def predict(self, batch):
        return batch.signals[:, :2, 0] + batch.signals.std(axis=2)[:, :2]


class Loud:
    """Another one, for a second call into the same run."""

    card = {"name": "loud", "outputs": ["AF"], "trained_on": []}

    def predict(self, batch):
        return np.abs(batch.signals[:, :1]).max(axis=2)


class Learner(ResNet1d):
    """A network of which two epochs are enough to be killed in."""

    def __init__(self) -> None:
        super().__init__(epochs=2)


class Pairs(TinySignals):
    """Contrastive pre-training of a second."""
