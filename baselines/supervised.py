"""Supervised training of a network with PyTorch Lightning, which can be killed at any time.

Everything random in an epoch or a step is a function of the seed and of its number, so a training that
was killed goes on from its last whole epoch and ends with the same weights: to the bit on a processor
with the same number of threads, up to the order of its sums on a GPU.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from baselines.networks.crops import CropClassifier
from baselines.recordings_file import Crops
from benchmark.annotations import Labels, macro_auroc
from benchmark.models import FitSettings, Floats
from cohorts.errors import ModelError

logger = logging.getLogger("leadboard")

CHECKPOINT = "last.ckpt"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; the defaults are those of the PTB-XL benchmark.

    Attributes
    ----------
    name
        What the log calls the model.
    epochs
        Passes over the training records, one random crop of each a pass.
    batch_size
        Records a step, fewer where that would leave an epoch less than `least_steps` steps.
    least_steps
        Steps an epoch, for small training sets.
    learning_rate
        Peak of the one-cycle schedule.
    weight_decay
        Of AdamW.
    precision
        ``"32-true"``, or ``"bf16-mixed"`` on a processor that has it.
    """

    name: str
    epochs: int = 50
    batch_size: int = 128
    least_steps: int = 8
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    precision: Any = "32-true"

    def steps(self, records: int) -> int:
        """Count the steps of an epoch: none has a single record, which batch normalisation cannot take."""
        return min(max(-(-records // self.batch_size), self.least_steps), records // 2)


class Supervised(lightning.LightningModule):
    """Masked cross-entropy, AdamW and one cycle; keeps the weights of the best epoch.

    Parameters
    ----------
    classifier
        The network, in its initial state.
    signals, labels
        Of the training and of the validation records.
    recipe, settings
        How to train; checkpoints go to ``settings.folder``.
    """

    def __init__(
        self,
        classifier: CropClassifier,
        signals: tuple[Floats, Floats],
        labels: tuple[Labels, Labels],
        recipe: Recipe,
        settings: FitSettings,
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.signals = signals
        self.labels = labels
        self.recipe = recipe
        self.settings = settings
        self.steps = recipe.steps(len(labels[0]))
        self.losses: list[torch.Tensor] = []
        self.started = time.monotonic()
        self.best: dict[str, Any] = {"score": -float("inf"), "epoch": 0, "weights": {}}

    def train_dataloader(self) -> Crops:
        """Crops of the epoch that is about to begin."""
        seed = (self.settings.seed, self.current_epoch)
        return Crops(self.signals[0], self.labels[0], self.classifier.crop, self.steps, seed)

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle schedule over the whole training, moved on after every step."""
        recipe = self.recipe
        optimiser = torch.optim.AdamW(
            self.classifier.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=recipe.learning_rate, total_steps=recipe.epochs * self.steps
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
        """Compute the loss of one batch, with dropout that depends on the number of the step only."""
        crops, labels = batch
        (state,) = np.random.SeedSequence((self.settings.seed, self.global_step)).generate_state(1)
        torch.manual_seed(int(state))
        loss = masked_loss(self.classifier(crops), labels)
        self.losses.append(loss.detach())
        return loss

    def on_train_epoch_end(self) -> None:
        """Validate, remember the best epoch, write the checkpoint, say so in one line."""
        if not self.losses:
            return  # Lightning calls once more for the epoch that a resumed training had finished
        scores = self.classifier.scores(self.signals[1])
        auroc = macro_auroc(self.labels[1], scores)
        # Which of the two is compared depends on the labels alone: it is the same in every epoch.
        score = -cross_entropy(self.labels[1], scores) if auroc is None else auroc
        epoch = self.current_epoch + 1
        if score >= self.best["score"]:
            weights = {name: value.detach().clone() for name, value in self.classifier.state_dict().items()}
            self.best = {"score": score, "epoch": epoch, "weights": weights}
        self.trainer.save_checkpoint(self.settings.folder / CHECKPOINT)
        logger.info(
            "%s: epoch %d of %d, training loss %.4f, validation %s %.4f, best epoch %d, %.1f s",
            self.recipe.name,
            epoch,
            self.recipe.epochs,
            torch.stack(self.losses).mean().item(),
            "loss" if auroc is None else "macro AUROC",
            abs(score),
            self.best["epoch"],
            time.monotonic() - self.started,
        )
        self.losses = []
        self.started = time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the best epoch so far and what the training is of."""
        checkpoint["best"] = self.best
        checkpoint["identity"] = identity(self.labels, self.recipe, self.settings)
        checkpoint["finished"] = self.current_epoch + 1 == self.recipe.epochs

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the best epoch so far."""
        self.best = checkpoint["best"]


def masked_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Average the cross-entropy over the annotated labels of a batch; 0 if it has none."""
    annotated = labels >= 0
    losses = binary_cross_entropy_with_logits(logits, labels.clamp(min=0).to(logits.dtype), reduction="none")
    return (losses * annotated).sum() / annotated.sum().clamp(min=1)


def cross_entropy(labels: Labels, scores: Floats) -> float:
    """Average the cross-entropy of probabilities over the annotated labels."""
    chance = np.clip(np.where(labels == 1, scores, 1 - scores), 1e-7, 1)
    return float(-np.log(chance).sum(where=labels >= 0) / max((labels >= 0).sum(), 1))


def identity(labels: tuple[Labels, Labels], recipe: Recipe, settings: FitSettings) -> dict[str, Any]:
    """Describe a training: a checkpoint of another one must not be resumed."""
    return {
        "seed": settings.seed,
        "concepts": list(settings.concepts),
        "recipe": asdict(recipe),
        "training labels": hashlib.sha256(labels[0].tobytes()).hexdigest(),
        "validation labels": hashlib.sha256(labels[1].tobytes()).hexdigest(),
    }


def read_checkpoint(path: Path, expected: dict[str, Any]) -> dict[str, Any] | None:
    """Read what an earlier call left.

    Returns
    -------
    The checkpoint, or None if there is none.

    Raises
    ------
    ModelError
        If it is damaged or belongs to another training.
    """
    if not path.exists():
        return None
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"The checkpoint {path} cannot be read: delete it to train from the start."
        ) from error
    found = checkpoint.get("identity", {})
    different = [name for name, value in expected.items() if found.get(name) != value]
    if different:
        raise ModelError(
            f"The checkpoint {path} is of another training, its {' and '.join(different)} differ: "
            "delete it to train from the start."
        )
    return checkpoint


def train(module: Supervised) -> None:
    """Train, or go on where the checkpoint in the folder ends, and load the weights of the best epoch.

    The classifier is trained on ``settings.device`` and left there in evaluation mode.

    Raises
    ------
    ModelError
        If the checkpoint in the folder is damaged or of another training.
    KeyboardInterrupt
        On Ctrl-C; what is lost is the epoch that was running.
    """
    settings, recipe = module.settings, module.recipe
    device = torch.device(settings.device)
    path = settings.folder / CHECKPOINT
    checkpoint = read_checkpoint(path, identity(module.labels, recipe, settings))
    if checkpoint is not None and checkpoint["finished"]:
        module.on_load_checkpoint(checkpoint)
    else:
        with _quiet_lightning(), torch.random.fork_rng([device] if device.type == "cuda" else []):
            trainer = lightning.Trainer(
                accelerator=device.type,
                devices=[device.index or 0] if device.type == "cuda" else 1,
                precision=recipe.precision,
                max_epochs=recipe.epochs,
                reload_dataloaders_every_n_epochs=1,
                default_root_dir=settings.folder,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            _fit(trainer, module, path if checkpoint else None)
    module.classifier.load_state_dict(module.best["weights"])
    module.classifier.to(device).eval()


def _fit(trainer: lightning.Trainer, module: Supervised, checkpoint: Path | None) -> None:
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, ckpt_path=checkpoint, weights_only=True)
    except SystemExit as stop:
        if not isinstance(stop.__context__, KeyboardInterrupt):
            raise
        # Lightning turns Ctrl-C into an exit and ignores the next one; the caller decides about both.
        signal.signal(signal.SIGINT, on_interrupt)
        raise KeyboardInterrupt from stop


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep Lightning's notes about the machine out of the log, for the time of a training."""
    notes = logging.getLogger("pytorch_lightning")
    level = notes.level
    notes.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # One is told that a GPU is left idle, but the device was chosen on purpose.
            warnings.filterwarnings("ignore", message="GPU available but not used")
            # Lightning 2.6 itself uses what torch 2.13 deprecates.
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            yield
    finally:
        notes.setLevel(level)
