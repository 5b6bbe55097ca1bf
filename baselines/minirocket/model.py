"""MiniRocket: ten thousand convolutional features that need no training, and logistic regression on them."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.models.contract import Batch, FitSettings, Floats, Records
from benchmark.models.labels import targets
from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.models.weights import Array, load_weights, save_weights, untrained

if TYPE_CHECKING:
    from baselines.minirocket.transform import Kernels

logger = logging.getLogger("leadboard")

BATCH = 256
EXAMPLES = 1024
# A feature that hardly varied in training must not explode in another hospital: features are
# proportions, and none is scaled up as if it varied by less than one percentage point.
LEAST_SCALE = 0.01


class MiniRocket:
    """MiniRocket features and one logistic regression per concept.

    The strongest cheap baseline for time series: random leads and biases, everything else fixed.
    The transform runs on the processor; ``settings.device`` is where the regressions are fitted. The
    features of the training records are held in memory, 40 kB a record.
    """

    def __init__(self) -> None:
        self.card = ModelCard(
            name="minirocket",
            version="1",
            description="9,996 MiniRocket features of 12 leads at 100 Hz and L2 logistic regression.",
            licence="Apache-2.0",
            citation="Dempster, Schmidt, Webb. MiniRocket. KDD 2021. arXiv:2012.08791",
            input=InputSpec(sampling_rate=100, seconds=10),
            outputs=(),
            probabilities=True,
            trained_on=(),
        )
        self._kernels: Kernels | None = None
        self._regression: dict[str, Array] = {}

    def fit(self, training: Records, validation: Records, settings: FitSettings) -> None:
        """Draw the kernels, compute the features, fit the regressions.

        ``validation`` decides the L2 strength.
        """
        from baselines.minirocket.transform import fit_kernels
        from benchmark.protocols.logistic import fit_logistic

        labels = targets(training, settings.concepts)
        validation_labels = targets(validation, settings.concepts, "validation")
        rng = np.random.default_rng(settings.seed)
        some = rng.choice(len(training), min(len(training), EXAMPLES), replace=False)
        kernels = fit_kernels(training.batch(np.sort(some)).signals, rng)
        features = _features(training, kernels)
        mean, scale = moments(features)
        features = standardise(features, mean, scale)
        validation_features = standardise(_features(validation, kernels), mean, scale)
        weights, intercepts = fit_logistic(
            features, labels, validation_features, validation_labels, settings.device
        )
        self._kernels = kernels
        self._regression = {"mean": mean, "scale": scale, "weights": weights, "intercepts": intercepts}
        self.card = self.card.model_copy(update={"outputs": settings.concepts})

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, outputs]``, probabilities."""
        from scipy.special import expit

        from baselines.minirocket.transform import transform

        if self._kernels is None:
            raise untrained(self.card)
        fitted = self._regression
        features = standardise(transform(batch.signals, self._kernels), fitted["mean"], fitted["scale"])
        # Sums of ten thousand terms, in double precision so that the size of the batch leaves no trace.
        logits = features.astype(np.float64) @ fitted["weights"].astype(np.float64) + fitted["intercepts"]
        scores: Floats = expit(logits).astype(np.float32)
        return scores

    def save(self, folder: Path) -> None:
        """Write the kernels and the regressions into ``folder``."""
        if self._kernels is None:
            raise untrained(self.card)
        save_weights(folder, self.card, asdict(self._kernels) | self._regression)

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote, or raise `ModelError`."""
        from baselines.minirocket.transform import Kernels

        self.card, arrays = load_weights(folder, self.card)
        self._regression = {name: arrays.pop(name) for name in ("mean", "scale", "weights", "intercepts")}
        self._kernels = Kernels(**arrays)


def moments(features: Floats) -> tuple[Floats, Floats]:
    """Compute the mean and the scale of each column: its standard deviation, at least 0.01.

    In one pass and in double precision, without a second array of the features' size.
    """
    count = len(features)
    mean = features.mean(axis=0, dtype=np.float64)
    squares = np.einsum("ij,ij->j", features, features, dtype=np.float64)
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return mean.astype(np.float32), np.maximum(deviation, LEAST_SCALE).astype(np.float32)


def standardise(features: Floats, mean: Floats, scale: Floats) -> Floats:
    """Subtract the mean and divide by the scale, in place because the features fill most of the memory."""
    features -= mean
    features /= scale
    return features


def _features(records: Records, kernels: Kernels) -> Floats:
    """Transform all records, a batch at a time."""
    from baselines.minirocket.transform import transform

    features = np.empty((len(records), len(kernels.biases)), dtype=np.float32)
    done = 0
    for batch in records.batches(BATCH):
        features[done : done + len(batch)] = transform(batch.signals, kernels)
        done += len(batch)
        logger.info("minirocket: features of %d of %d records", done, len(records))
    return features
