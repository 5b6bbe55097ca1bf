"""Supervised training of a network: masked cross-entropy, AdamW, one cycle, the best epoch kept."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from scipy.special import logit
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from baselines.training.crops import CropClassifier
from baselines.training.lightning_run import ResumableTraining, train
from baselines.training.recipes import Recipe
from baselines.training.recordings_file import Crops, Prepared
from baselines.training.schedule import one_cycle
from baselines.training.whole import WholeClassifier
from baselines.training.windows import WindowClassifier
from benchmark.models.contract import FitSettings, Floats, Records
from benchmark.models.labels import Labels, learnable, macro_auroc, nothing_to_learn, prevalence, targets
from cohorts.errors import ModelError

logger = logging.getLogger("leadboard")

Classifier = CropClassifier | WholeClassifier | WindowClassifier


class Supervised(ResumableTraining):
    """The training of one classifier.

    Parameters
    ----------
    classifier
        The network, in its initial state.
    signals, labels
        Of the training and of the validation records.
    recipe, settings
        How to train; checkpoints go to ``settings.folder``.
    """

    network: Classifier

    def __init__(
        self,
        classifier: Classifier,
        signals: tuple[Prepared, Prepared],
        labels: tuple[Labels, Labels],
        recipe: Recipe,
        settings: FitSettings,
    ) -> None:
        seed, folder = settings.seed, settings.folder
        super().__init__(
            classifier, recipe.name, recipe.epochs, seed, folder, _identity(labels, recipe, settings)
        )
        self.signals = signals
        self.labels = labels
        self.recipe = recipe
        self.steps = recipe.steps(len(labels[0]))

    def train_dataloader(self) -> Crops:
        """Crops of the epoch that is about to begin."""
        seed = (self.seed, self.current_epoch)
        return Crops(self.signals[0], self.labels[0], self.network.crop, self.steps, seed)

    def configure_optimizers(self) -> Any:
        """AdamW, by default with a one-cycle schedule over the whole training, moved on after every step."""
        recipe = self.recipe
        optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        if recipe.schedule == "constant":
            return optimiser
        schedule = one_cycle(optimiser, recipe.learning_rate, recipe.epochs * self.steps, recipe.warm_up)
        return {"optimizer": optimiser, "lr_scheduler": schedule}

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
        """Compute the loss of one batch, with dropout that depends on the number of the step only."""
        crops, labels = batch
        self.seed_step(self.global_step)
        loss = masked_loss(self.network(crops), labels)
        self.losses.append(loss.detach())
        return loss

    def validate(self) -> tuple[float, str]:
        """Take the macro AUROC, or the loss where no concept has both classes.

        Which of the two depends on the labels alone: it is the same in every epoch.
        """
        scores = self.network.scores(self.signals[1])
        auroc = macro_auroc(self.labels[1], scores)
        if auroc is not None:
            return auroc, f"macro AUROC {auroc:.4f}"
        loss = cross_entropy(self.labels[1], scores)
        return -loss, f"loss {loss:.4f}"


def both_labels(
    training: Records, validation: Records, settings: FitSettings, name: str
) -> tuple[Labels, Labels]:
    """Take the labels to learn of both parts.

    Raises
    ------
    ModelError
        If there is no concept, fewer than two training records, or no validation record.
    """
    labels = targets(training, settings.concepts)
    if len(labels) < 2:
        raise ModelError(f"{name} needs two training records at least: choose a larger source cohort.")
    return labels, targets(validation, settings.concepts, "validation")


def learn(
    classifier: Classifier,
    last: nn.Linear,
    signals: tuple[Prepared, Prepared],
    labels: tuple[Labels, Labels],
    recipe: Recipe,
    settings: FitSettings,
) -> None:
    """Train a classifier from its present weights, in place.

    A concept with a single class among the training records is not learnt: it is given its `prevalence`,
    whatever the signal. Where all are like that no epoch is run, and a sentence says so.

    Parameters
    ----------
    classifier
        The network.
    last
        Its last layer, with one output a concept.
    signals, labels
        Of the training and of the validation records.
    recipe, settings
        As for `Supervised`.
    """
    constant = np.flatnonzero(~learnable(labels[0]))
    known = torch.from_numpy(logit(prevalence(labels[0])).astype(np.float32))
    labels = labels[0].copy(), labels[1].copy()
    for part in labels:
        part[:, constant] = -1
    with torch.no_grad():
        last.bias.copy_(known)
    if said := nothing_to_learn(labels[0]):
        logger.info("%s: %s", recipe.name, said)
    else:
        train(Supervised(classifier, signals, labels, recipe, settings), settings.device, settings.precision)
    with torch.no_grad():
        last.weight[constant] = 0
        last.bias[constant] = known[constant].to(last.bias.device)


def masked_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Average the cross-entropy over the annotated labels of a batch; 0 if it has none."""
    annotated = labels >= 0
    losses = binary_cross_entropy_with_logits(logits, labels.clamp(min=0).to(logits.dtype), reduction="none")
    return (losses * annotated).sum() / annotated.sum().clamp(min=1)


def cross_entropy(labels: Labels, scores: Floats) -> float:
    """Average the cross-entropy of probabilities over the annotated labels."""
    chance = np.clip(np.where(labels == 1, scores, 1 - scores), 1e-7, 1)
    return float(np.abs(np.log(chance)).sum(where=labels >= 0) / max((labels >= 0).sum(), 1))


def _identity(labels: tuple[Labels, Labels], recipe: Recipe, settings: FitSettings) -> dict[str, Any]:
    """Describe a training: a checkpoint of another one must not be resumed."""
    return {
        "seed": settings.seed,
        "concepts": list(settings.concepts),
        "recipe": asdict(recipe),
        "precision": settings.precision,
        "training labels": hashlib.sha256(labels[0].tobytes()).hexdigest(),
        "validation labels": hashlib.sha256(labels[1].tobytes()).hexdigest(),
    }
