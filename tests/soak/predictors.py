"""The models of the soak that only predict; they import no torch, which each of its runs would wait for."""

from __future__ import annotations

import numpy as np


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
