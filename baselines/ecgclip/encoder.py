"""The 1-D residual network of ECGCLIP, in its three published sizes and in any width.

The architecture and the names of the parameters are those of ``dt-yuhui/ECG-CLIP`` (commit 8cea0fe,
``VHD-Survival/models/resnet1d.py``), so that weights trained there load here. MERL's ResNet-18 is the same
network on 12 leads. It is the residual network of He, Zhang, Ren and Sun, "Deep Residual Learning for
Image Recognition", CVPR 2016, arXiv 1512.03385, with one time axis for the two of a picture and without the
max-pool behind the first convolution; the bottleneck has its stride on the convolution of 3 samples.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional

BLOCKS: dict[int, tuple[int, int, int, int]] = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
STRIDES = (1, 2, 2, 2)


def _shortcut(channels_in: int, channels_out: int, stride: int) -> nn.Sequential:
    """Build what brings the input of a block to the shape of its output; nothing where it has it."""
    if stride == 1 and channels_in == channels_out:
        return nn.Sequential()
    return nn.Sequential(
        nn.Conv1d(channels_in, channels_out, 1, stride=stride, bias=False), nn.BatchNorm1d(channels_out)
    )


class BasicBlock(nn.Module):
    """Two convolutions of 3 samples beside a shortcut."""

    expansion = 1

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(channels_in, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm1d(width)
        self.conv2 = nn.Conv1d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm1d(width)
        self.shortcut = _shortcut(channels_in, width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, channels_in, samples]`` to ``[records, width, ceil(samples / stride)]``."""
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(inner)) + self.shortcut(x))


class Bottleneck(nn.Module):
    """Convolutions of 1, 3 and 1 samples, the middle one narrow, beside a shortcut."""

    expansion = 4

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels_out = self.expansion * width
        self.conv1 = nn.Conv1d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm1d(width)
        self.conv2 = nn.Conv1d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm1d(width)
        self.conv3 = nn.Conv1d(width, channels_out, 1, bias=False)
        self.bn3 = nn.BatchNorm1d(channels_out)
        self.shortcut = _shortcut(channels_in, channels_out, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, channels_in, samples]`` to ``[records, 4 * width, ceil(samples / stride)]``."""
        inner = torch.relu(self.bn1(self.conv1(x)))
        inner = torch.relu(self.bn2(self.conv2(inner)))
        return torch.relu(self.bn3(self.conv3(inner)) + self.shortcut(x))


class ResidualEncoder(nn.Module):
    """The network: signals ``[records, leads, samples]`` to ``[records, outputs]``.

    Parameters
    ----------
    layers
        18 or 34 (basic blocks) or 50 (bottlenecks).
    leads
        Rows of a signal: 8 for ECGCLIP (I, II, V1 to V6), 12 for MERL.
    outputs
        Columns of ``linear``, 39 in ECGCLIP's survival model; None builds a network without it.
    width
        Channels of the first stage, which double from stage to stage. 64 as published, less for a processor.
    shrink
        The mean of so many samples in a row is taken first; 1 as published.

    Attributes
    ----------
    embedding_size
        Features of one record: 512 as published with 18 or 34 layers, 2048 with 50.
    """

    def __init__(
        self,
        layers: Literal[18, 34, 50],
        leads: int = 8,
        outputs: int | None = 39,
        *,
        width: int = 64,
        shrink: int = 1,
    ) -> None:
        super().__init__()
        block = Bottleneck if layers == 50 else BasicBlock
        self.shrink = shrink
        self.embedding_size = 8 * width * block.expansion
        self.conv1 = nn.Conv1d(leads, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm1d(width)
        channels = width
        for stage, (count, stride) in enumerate(zip(BLOCKS[layers], STRIDES, strict=True)):
            blocks: list[nn.Module] = []
            for position in range(count):
                blocks.append(block(channels, width << stage, stride if position == 0 else 1))
                channels = (width << stage) * block.expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = None if outputs is None else nn.Linear(channels, outputs)

    def feature_map(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals to ``[records, embedding_size, frames]``, one frame for every 16 (shrunk) samples."""
        if self.shrink > 1:
            x = functional.avg_pool1d(x, self.shrink)
        x = torch.relu(self.bn1(self.conv1(x)))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return x

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals to ``[records, embedding_size]``, the mean of the feature map over time."""
        return self.feature_map(x).mean(dim=-1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give probabilities ``[records, outputs]``, or the features where there is no ``linear``."""
        features = self.features(x)
        return features if self.linear is None else torch.sigmoid(self.linear(features))
