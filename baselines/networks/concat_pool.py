"""The head that the PTB-XL benchmark puts on all its networks (doi 10.1109/JBHI.2020.3022989)."""

from __future__ import annotations

import torch
from torch import nn


class ConcatPool(nn.Module):
    """Maximum and mean over time, in this order."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, channels, samples]``, or ``[..., 1, samples]``, to ``[records, 2 * channels]``."""
        x = x.flatten(2)
        return torch.cat([x.amax(dim=-1), x.mean(dim=-1)], dim=1)


def concat_pool_head(channels: int, outputs: int) -> nn.Sequential:
    """Build the head; it gives logits."""
    return nn.Sequential(
        ConcatPool(),
        nn.Identity(),  # keeps the numbering of the published head, which flattens here
        nn.BatchNorm1d(2 * channels),
        nn.Dropout(0.25),
        nn.Linear(2 * channels, 128),
        nn.ReLU(),
        nn.BatchNorm1d(128),
        nn.Dropout(0.5),
        nn.Linear(128, outputs),
    )


class BenchmarkNetwork(nn.Sequential):
    """Layers that keep time, and the head behind them.

    Attributes
    ----------
    width
        Features of a window.
    last
        The layer with one output a class.
    """

    def __init__(self, *layers: nn.Module, channels: int, outputs: int) -> None:
        super().__init__(*layers, concat_pool_head(channels, outputs))
        self.width = 2 * channels

    @property
    def last(self) -> nn.Linear:
        """The layer with one output a class."""
        layer = self[-1].get_submodule("8")
        assert isinstance(layer, nn.Linear)  # noqa: S101
        return layer

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals ``[records, leads, samples]`` to ``[records, width]``: what the head begins with."""
        for layer in list(self)[:-1]:
            x = layer(x)
        pooled: torch.Tensor = ConcatPool()(x)
        return pooled
