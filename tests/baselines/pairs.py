"""Recordings with planted findings and what was written about them, and a dual encoder that fits them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from baselines.contrastive.augment import vary_signals
from baselines.contrastive.pretrained import ContrastiveModel
from baselines.training.recipe_files import Recipes
from baselines.training.recipes import PretrainRecipe, Recipe
from benchmark.models.contract import Batch, PretrainSettings
from benchmark.models.model_card import InputSpec, ModelCard
from tests.baselines.fakes import FakeRecords

SPEC = InputSpec(sampling_rate=100, seconds=4, leads=("I", "V1"))
PROMPTS = {"AF": ("atrial fibrillation", "fibrillation of the atria"), "LBBB": ("left bundle branch block",)}


class FakePairs(FakeRecords):
    """`FakeRecords` with sentences of its first two concepts; the last three records have none."""

    def __init__(self, count: int, seed: int, spec: InputSpec = SPEC) -> None:
        super().__init__(count, seed, spec)
        written = [
            ("atrial fibrillation" if af else "Sinus rhythm.", *["left bundle branch block"] * int(wide))
            for af, wide in self.truth[:, :2]
        ]
        self.sentences = [*written[:-3], (), ("",), (" .",)]


class Convolutions(nn.Sequential):
    """Two convolutions and the mean over time."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.Conv1d(channels, 16, 15, stride=2, padding=7),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.Conv1d(16, 24, 9, stride=2, padding=4),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
        )


class TinySignals(ContrastiveModel):
    """A dual encoder that learns `FakePairs` in a second."""

    def __init__(self, device: str = "cpu", text: str | None = None, *, tuned: bool = False) -> None:
        card = ModelCard(name="tiny-signals", input=SPEC, outputs="any", trained_on=())
        recipes = Recipes(
            PretrainRecipe(card.name, epochs=3, batch_size=16, learning_rate=1e-2, dim=16),
            Recipe(card.name, epochs=3, batch_size=16, learning_rate=1e-2),
        )
        super().__init__(card, recipes, device, text, tuned=tuned, small=True)

    def build_encoder(self) -> tuple[nn.Module, int]:
        return Convolutions(2), 24

    def prepare(self, batch: Batch) -> np.ndarray:
        return batch.signals

    def augment(self, prepared: torch.Tensor) -> torch.Tensor:
        return vary_signals(prepared, 100.0)


class Picture(nn.Module):
    """Looks at bytes ``[records, 1, 12, 400]``, as far as they are high."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Conv2d(1, 2, (12, 1))
        self.inner = Convolutions(2)

    def forward(self, prepared: torch.Tensor) -> torch.Tensor:
        return self.inner(self.rows(prepared.float() / 255).squeeze(2))


class TinyPictures(TinySignals):
    """The same on pictures of 12 x 400 bytes, six rows a lead."""

    def build_encoder(self) -> tuple[nn.Module, int]:
        return Picture(), 24

    def prepare(self, batch: Batch) -> np.ndarray:
        rows = np.clip(100 * batch.signals + 100, 0, 255).astype(np.uint8)
        return rows.repeat(6, axis=1)[:, None]

    def augment(self, prepared: torch.Tensor) -> torch.Tensor:
        return prepared.roll(int(torch.randint(-9, 10, ())), dims=-1)


def pretrain(
    model: ContrastiveModel, folder: Path, seed: int = 5, precision: str = "32-true", records: int = 60
) -> ContrastiveModel:
    """Pre-train on two cohorts, one twice the size of the other."""
    folder.mkdir(exist_ok=True)
    settings = PretrainSettings(PROMPTS, seed, "cpu", precision, folder)
    training = [FakePairs(records, 1), FakePairs(records // 2, 2)]
    model.pretrain(training, [FakePairs(30, 3), FakePairs(12, 4)], settings)
    return model


def weights(model: ContrastiveModel, folder: Path) -> bytes:
    """Everything that the model has learnt, to be compared bit by bit."""
    folder.mkdir()
    model.save(folder)
    files: Iterator[Path] = folder.rglob("*.safetensors")
    return b"".join(path.read_bytes() for path in sorted(files))
