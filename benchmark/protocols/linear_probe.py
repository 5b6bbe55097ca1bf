"""Linear probe: logistic regressions on the features of a model that is left as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from benchmark.models.contract import Floats
from benchmark.models.labels import Labels
from benchmark.models.model_card import ModelCard
from benchmark.models.weights import load_weights, save_weights
from benchmark.protocols.embeddings import Embeddings

Rows = npt.NDArray[np.intp]
AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class Probe:
    """Regressions on standardised features, all in float32.

    Attributes
    ----------
    mean, scale
        ``[features]``, over the training records. A feature that does not vary there has scale 1.
    weights, intercepts
        ``[features, concepts]`` and ``[concepts]``.
    """

    mean: Floats
    scale: Floats
    weights: Floats
    intercepts: Floats

    @classmethod
    def fit(
        cls,
        features: Floats,
        labels: Labels,
        validation_features: Floats,
        validation_labels: Labels,
        device: str,
    ) -> Self:
        """Fit on training records; the validation records choose the L2 strength (see `fit_logistic`)."""
        from benchmark.protocols.logistic import fit_logistic

        mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = features.std(axis=0, dtype=np.float64).astype(np.float32)
        # A feature that hardly varied among a few records must not explode among many others.
        floor = 0.01 * float(np.median(spread)) or 1.0
        scale = np.where(spread > floor, spread, np.maximum(spread, floor)).astype(np.float32)
        weights, intercepts = fit_logistic(
            (features - mean) / scale, labels, (validation_features - mean) / scale, validation_labels, device
        )
        return cls(mean, scale, weights, intercepts)

    def scores(self, embeddings: Embeddings, positions: Rows) -> Floats:
        """Probabilities float32 ``[records, concepts]``, averaged over the windows of a record."""
        found = np.empty((len(positions), len(self.intercepts)), dtype=np.float32)
        for first in range(0, len(positions), AT_ONCE):
            found[first : first + AT_ONCE] = self._scores(embeddings, positions[first : first + AT_ONCE])
        return found

    def _scores(self, embeddings: Embeddings, positions: Rows) -> Floats:
        from scipy.special import expit

        counts = embeddings.starts[positions + 1] - embeddings.starts[positions]
        first = np.cumsum(counts) - counts
        windows = np.repeat(embeddings.starts[positions] - first, counts) + np.arange(counts.sum())
        # In double precision, so that how many records are scored at once leaves no trace.
        features = (embeddings.features[windows].astype(np.float64) - self.mean) / self.scale
        values = expit(features @ self.weights.astype(np.float64) + self.intercepts)
        averaged: Floats = (np.add.reduceat(values, first, axis=0) / counts[:, None]).astype(np.float32)
        return averaged

    def save(self, folder: Path, card: ModelCard) -> None:
        """Write the regressions into an empty folder."""
        arrays = {name: getattr(self, name) for name in self.__slots__}
        save_weights(folder, card, arrays)

    @classmethod
    def load(cls, folder: Path, card: ModelCard) -> Self:
        """Read what `save` wrote, or raise `ModelError`."""
        _, arrays = load_weights(folder, card)
        return cls(**arrays)
