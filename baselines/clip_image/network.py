"""A small network that looks at a page: where a trace lies says which lead it is."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

PLACES = 4
"""Rows and columns that the last map is averaged to: positions are kept, not pooled away."""


class PageEncoder(nn.Module):
    """Four strided convolutions and a layer over all places of the last one's map.

    Parameters
    ----------
    width
        Channels of the first stage; each further stage has more.
    features
        Numbers that it makes of a picture.
    """

    def __init__(self, width: int = 24, features: int = 256) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 4 * width]
        # Thin lines on a page twice as wide as high: the first stage looks at 8 x 8 pixels at a time.
        stages = [_stage(1, widths[0], kernel=8, stride=4, padding=2)]
        stages += [_stage(a, b, kernel=3, stride=2, padding=1) for a, b in pairwise(widths)]
        self.stages = nn.Sequential(*stages)
        self.places = nn.AdaptiveAvgPool2d(PLACES)
        self.last = nn.Sequential(
            nn.Flatten(), nn.Linear(widths[-1] * PLACES**2, features), nn.LayerNorm(features), nn.ReLU()
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Map uint8 pictures ``[records, 1, size, size]``, black on white, to ``[records, features]``."""
        ink = 1 - pictures.float() / 255
        found: torch.Tensor = self.last(self.places(self.stages(ink)))
        return found


def _stage(into: int, out: int, *, kernel: int, stride: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, padding, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    )
