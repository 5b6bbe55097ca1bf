"""What a training leaves in memory, which is gigabytes for the largest networks."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from baselines.training.lightning_run import CHECKPOINT, ResumableTraining, train


class Line(ResumableTraining):
    """A line through one point."""

    optimiser: weakref.ref[torch.optim.Optimizer]

    def train_dataloader(self) -> Any:
        return torch.utils.data.DataLoader([torch.ones(3)] * 4, batch_size=2)

    def configure_optimizers(self) -> Any:
        made = torch.optim.AdamW(self.network.parameters(), lr=0.1)
        self.optimiser = weakref.ref(made)
        return made

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        loss = self.network(batch).square().mean()
        self.losses.append(loss.detach())
        return loss

    def validate(self) -> tuple[float, str]:
        return -self.losses[-1].item(), "loss"


@pytest.fixture
def by_itself() -> Iterator[None]:
    """Let nothing be collected but what is asked for."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("by_itself")
@pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers")
def test_a_training_leaves_nothing_of_its_optimiser(tmp_path: Path) -> None:
    torch.manual_seed(0)
    training = Line(nn.Linear(3, 1), "line", 2, 0, tmp_path, {"of": "a line"})
    train(training, "cpu")
    assert training.optimiser() is None
    checkpoint = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert checkpoint["finished"]
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]
    for name, value in training.network.state_dict().items():
        torch.testing.assert_close(checkpoint["best"]["weights"][name], value, rtol=0, atol=0)
