"""Gradient-boosted trees on what an ECG cart prints."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.models.contract import Batch, FitSettings, Floats, Records
from benchmark.models.labels import learnable, prevalence, targets
from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.models.weights import Array, load_weights, save_weights, untrained

logger = logging.getLogger("leadboard")

BATCH = 256
ROUNDS = 100


class Cart:
    """Rate, intervals, axes, amplitudes and ST levels, and one ensemble of trees a concept.

    The control that clinicians ask for: what can be known from the printed measurements alone. Nothing is
    chosen on validation records.
    """

    on_request = True

    def __init__(self) -> None:
        self.card = ModelCard(
            name="cart",
            version="1",
            description="Control: 112 measurements as a cart prints them (rate, intervals, axes, amplitudes, "
            "ST levels) and gradient-boosted trees.",
            control_for="any",
            licence="Apache-2.0",
            citation="Trees: Pedregosa et al. Scikit-learn. JMLR 2011 (HistGradientBoostingClassifier)",
            input=InputSpec(sampling_rate=250, seconds=10),
            outputs=(),
            probabilities=True,
            trained_on=(),
        )
        self._trees: dict[str, Array] | None = None

    def fit(self, training: Records, validation: Records, settings: FitSettings) -> None:
        """Measure the records and grow the trees; ``validation`` is not used."""
        from scipy.special import logit
        from sklearn.ensemble import HistGradientBoostingClassifier

        from baselines.cart.trees import flattened

        labels = targets(training, settings.concepts)
        measurements = _measured(training)
        start = logit(prevalence(labels))
        forests: list[Any] = [None] * len(start)
        for concept in np.flatnonzero(learnable(labels)):
            annotated = labels[:, concept] >= 0
            forests[concept] = HistGradientBoostingClassifier(
                max_iter=ROUNDS, early_stopping=False, random_state=settings.seed
            ).fit(measurements[annotated], labels[annotated, concept])
        self._trees = flattened(forests, start)
        self.card = self.card.model_copy(update={"outputs": settings.concepts})

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, outputs]``, probabilities."""
        from scipy.special import expit

        from baselines.cart.measurements import measure
        from baselines.cart.trees import decision

        if self._trees is None:
            raise untrained(self.card)
        scores: Floats = expit(decision(self._trees, measure(batch.signals))).astype(np.float32)
        return scores

    def save(self, folder: Path) -> None:
        """Write the trees into ``folder``."""
        if self._trees is None:
            raise untrained(self.card)
        save_weights(folder, self.card, self._trees)

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote, or raise `ModelError`."""
        self.card, self._trees = load_weights(folder, self.card)


def _measured(records: Records) -> Floats:
    """Measure all records, a batch at a time."""
    from baselines.cart.measurements import measure

    parts, done = [], 0
    for batch in records.batches(BATCH):
        parts.append(measure(batch.signals))
        done += len(batch)
        logger.info("cart: measurements of %d of %d records", done, len(records))
    return np.concatenate(parts)
