"""What a training leaves in memory, which is gigabytes for the largest networks."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

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


@pytest.fixture
def tf32_places() -> Iterator[tuple[Any, Any]]:
    """Where it is set, put back afterwards."""
    places = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [place.allow_tf32 for place in places]
    yield places
    for place, allowed in zip(places, before, strict=True):
        place.allow_tf32 = allowed


class Watched(Line):
    """Notes in each step what a GPU may multiply in."""

    seen: ClassVar[list[tuple[bool, bool, torch.dtype]]] = []

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        self.seen.append((matmul, cudnn, self.network(batch).dtype))
        return super().training_step(batch, index)


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize(
    ("precision", "inside"),
    [("32-true", (False, False, torch.float32)), ("bf16-mixed", (True, True, torch.bfloat16))],
)
@pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers")
def test_tf32_is_for_trainings_in_lower_precision_and_for_no_longer(
    precision: str,
    inside: tuple[bool, bool, torch.dtype],
    before: bool,
    tf32_places: tuple[Any, Any],
    tmp_path: Path,
) -> None:
    for place in tf32_places:
        place.allow_tf32 = before
    Watched.seen.clear()
    train(Watched(nn.Linear(3, 1), "line", 1, 0, tmp_path, {"of": "a line"}), "cpu", precision)
    assert set(Watched.seen) == {inside}
    assert [place.allow_tf32 for place in tf32_places] == [before, before]
