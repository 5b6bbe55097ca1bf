"""Trainings with PyTorch Lightning that can be killed at any time.

Everything random in an epoch or a step is a function of the seed and of its number, so a training that
was killed goes on from its last whole epoch and ends with the same weights: to the bit on a processor
with the same number of threads, up to the order of its sums on a GPU.
"""

from __future__ import annotations

import gc
import logging
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.utilities.exceptions import SIGTERMException
from torch import nn

from cohorts.errors import ModelError
from cohorts.interrupts import Terminated

logger = logging.getLogger("leadboard")

CHECKPOINT = "last.ckpt"

BFLOAT16 = "bf16-mixed"


class _ToTheFile(TorchCheckpointIO):
    """Write a checkpoint as it is made; Lightning makes the file in memory first."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        torch.save(checkpoint, path)


class ResumableTraining(lightning.LightningModule):
    """A training with one checkpoint an epoch, which keeps the weights of its best epoch.

    A subclass gives batches, loss, optimiser and `validate`, and keeps ``losses``.

    Parameters
    ----------
    network
        What is trained, in its initial state.
    name
        What the log calls it.
    epochs
        Passes over the training records.
    seed
        The only source of randomness.
    folder
        For the checkpoint.
    identity
        What the training is of: a checkpoint with another identity is not resumed.
    """

    def __init__(
        self, network: nn.Module, name: str, epochs: int, seed: int, folder: Path, identity: dict[str, Any]
    ) -> None:
        super().__init__()
        self.network = network
        self.name = name
        self.epochs = epochs
        self.seed = seed
        self.folder = folder
        self.identity = identity
        self.losses: list[torch.Tensor] = []
        self.started = time.monotonic()
        self.best: dict[str, Any] = {"score": -float("inf"), "epoch": 0, "weights": {}}

    def setup(self, stage: str) -> None:
        """Give a process of several the quiet and the voice that it could not inherit."""
        if self.trainer.world_size > 1:
            warnings.simplefilter("ignore")
            logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
            if not logger.hasHandlers():
                logging.basicConfig(format="%(message)s")
                logger.setLevel(logging.INFO)
            _set_tf32(str(self.trainer.precision) == BFLOAT16)

    def validate(self) -> tuple[float, str]:
        """Look at the validation records: a score, higher for better, and words for the log."""
        raise NotImplementedError

    def seed_step(self, *number: int) -> None:
        """Make what the network draws in a step a function of the seed and of the step's number."""
        (state,) = np.random.SeedSequence((self.seed, *number)).generate_state(1)
        torch.manual_seed(int(state))

    def on_train_epoch_end(self) -> None:
        """Validate, remember the best epoch, write the checkpoint, say so in one line."""
        if not self.losses:
            return  # Lightning calls once more for the epoch that a resumed training had finished
        score, words = self.validate()
        epoch = self.current_epoch + 1
        if score >= self.best["score"]:
            weights = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
            self.best = {"score": score, "epoch": epoch, "weights": weights}
        partial = self.folder / f"{CHECKPOINT}.part"
        self.trainer.save_checkpoint(partial)
        if self.trainer.is_global_zero:
            partial.replace(self.folder / CHECKPOINT)  # a full disk or a kill leaves the last one whole
            logger.info(
                "%s: epoch %d of %d, training loss %.4f, validation %s, best epoch %d, %.1f s",
                self.name,
                epoch,
                self.epochs,
                torch.stack(self.losses).mean().item(),
                words,
                self.best["epoch"],
                time.monotonic() - self.started,
            )
        self.losses = []
        self.started = time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the best epoch so far and what the training is of."""
        checkpoint["best"] = self.best
        checkpoint["identity"] = self.identity
        checkpoint["finished"] = self.current_epoch + 1 == self.epochs

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the best epoch so far."""
        self.best = checkpoint["best"]


def train(
    training: ResumableTraining,
    device: str,
    precision: Any = "32-true",
    *,
    processes: int = 1,
    **options: Any,
) -> None:
    """Train, or go on where the checkpoint in the folder ends, and load the weights of the best epoch.

    The network is trained on ``device`` and left there in evaluation mode.

    Parameters
    ----------
    training
        What to train.
    device
        A torch device name.
    precision
        ``"32-true"``, or ``"bf16-mixed"`` on hardware that has it. With the second a GPU multiplies in TF32
        what stays in single precision, while it trains.
    processes
        Above 1, so many processes with a device each share the batches.
    options
        More arguments of Lightning's ``Trainer``.

    Raises
    ------
    ModelError
        If the checkpoint in the folder is of another training.
    KeyboardInterrupt
        On Ctrl-C, and on SIGTERM as `Terminated`; what is lost is the epoch that was running.
    """
    where = torch.device(device)
    path = training.folder / CHECKPOINT
    checkpoint = _read_checkpoint(path, training.identity)
    if checkpoint is None or not checkpoint["finished"]:
        devices: Any = processes
        if processes > 1:
            options["strategy"] = "ddp_spawn"
        elif where.type == "cuda":
            devices = [where.index or 0]
        with (
            _quiet_lightning(),
            _tf32(precision == BFLOAT16),
            torch.random.fork_rng([where] if where.type == "cuda" else []),
        ):
            trainer = lightning.Trainer(
                accelerator=where.type,
                devices=devices,
                precision=precision,
                max_epochs=training.epochs,
                reload_dataloaders_every_n_epochs=1,
                default_root_dir=training.folder,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                plugins=_ToTheFile(),
                **options,
            )
            training.network.train()  # it may come from another training, in evaluation mode
            _fit(trainer, training, path if checkpoint else None)
            training.trainer = None
            del trainer
            gc.collect()  # it refers to itself, and holds the gradients' moments: twice the network
        if processes > 1:  # the best epoch is known to the processes that have ended
            checkpoint = _read_checkpoint(path, training.identity)
    if checkpoint is not None and checkpoint["finished"]:
        training.on_load_checkpoint(checkpoint)
    training.network.load_state_dict(training.best["weights"])
    training.network.to(where).eval()


def _read_checkpoint(path: Path, expected: dict[str, Any]) -> dict[str, Any] | None:
    """Read what an earlier call left, or give None if it left nothing, or nothing that can be read."""
    if not path.exists():
        return None
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch raises nearly anything for changed bytes
        what = type(error).__name__
        logger.warning("The checkpoint %s is damaged (%s); the training begins again.", path, what)
        return None
    found = checkpoint.get("identity", {})
    different = [name for name, value in expected.items() if found.get(name) != value]
    if different:
        raise ModelError(
            f"The checkpoint {path} is of another training, its {' and '.join(different)} differ: "
            "delete it to train from the start."
        )
    return checkpoint


def _fit(trainer: lightning.Trainer, training: ResumableTraining, checkpoint: Path | None) -> None:
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(training, ckpt_path=checkpoint, weights_only=True)
    except SIGTERMException as stop:  # where nobody but Lightning listens to SIGTERM
        raise Terminated from stop
    except SystemExit as stop:
        if not isinstance(stop.__context__, KeyboardInterrupt):
            raise
        # Lightning turns Ctrl-C into an exit and ignores the next one; the caller decides about both.
        signal.signal(signal.SIGINT, on_interrupt)
        raise type(stop.__context__) from stop


@contextmanager
def _tf32(allowed: bool) -> Iterator[None]:
    """Let a GPU multiply in TF32, or not, for the time of a training."""
    before = [place.allow_tf32 for place in _tf32_places()]
    _set_tf32(allowed)
    try:
        yield
    finally:
        for place, value in zip(_tf32_places(), before, strict=True):
            place.allow_tf32 = value


def _set_tf32(allowed: bool) -> None:
    for place in _tf32_places():
        place.allow_tf32 = allowed


def _tf32_places() -> tuple[Any, Any]:
    return torch.backends.cudnn, torch.backends.cuda.matmul


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep Lightning's notes about the machine out of the log, for the time of a training."""
    notes = logging.getLogger("pytorch_lightning")
    level = notes.level
    notes.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Lightning warns that a GPU is idle, but the device was chosen on purpose.
            warnings.filterwarnings("ignore", message="GPU available but not used")
            # Parts that are not trained rest in evaluation mode.
            warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode")
            # Lightning 2.6 itself uses what torch 2.13 deprecates.
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            yield
    finally:
        notes.setLevel(level)
