"""ECGFounder's network.

Li et al., "An Electrocardiogram Foundation Model Built on over 10 Million Recordings", arXiv 2410.04133.
Layers and names are those of ``PKUDigitalHealth/ECGFounder`` (commit 04edac7, ``net1d.py``), so that its
checkpoints load here.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

LABELS = 150
WIDTHS = (64, 160, 160, 400, 400, 1024, 1024)
DEPTHS = (2, 2, 2, 3, 3, 4, 4)
GROUP_WIDTH = 16


def same_padding(samples: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, so that a convolution gives ``samples / stride`` values, rounded up."""
    total = max(0, (-(-samples // stride) - 1) * stride + kernel - samples)
    return total // 2, total - total // 2


class SameConv(nn.Module):
    """A convolution whose input is padded to keep its length."""

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(before, after, kernel, stride, groups=groups)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[n, before, samples]`` to ``[n, after, samples / stride]``."""
        padding = same_padding(x.shape[-1], self.conv.kernel_size[0], self.conv.stride[0])
        y: torch.Tensor = self.conv(functional.pad(x, padding))
        return y


class Block(nn.Module):
    """A bottleneck with grouped convolution and squeeze-and-excitation.

    ``bn1`` to ``bn3`` lie in the checkpoints, but the published configuration does not apply them.
    """

    def __init__(self, before: int, after: int, stride: int, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.stride = stride
        self.bn1 = nn.BatchNorm1d(before)
        self.conv1 = SameConv(before, after, 1)
        self.bn2 = nn.BatchNorm1d(after)
        self.conv2 = SameConv(after, after, 16, stride, groups=after // GROUP_WIDTH)
        self.bn3 = nn.BatchNorm1d(after)
        self.conv3 = SameConv(after, after, 1)
        self.se_fc1 = nn.Linear(after, after // 2)
        self.se_fc2 = nn.Linear(after // 2, after)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[n, before, samples]`` to ``[n, after, samples / stride]``."""
        y = self.conv1(x if self.first else functional.silu(x))
        y = self.conv3(functional.silu(self.conv2(functional.silu(y))))
        weights = torch.sigmoid(self.se_fc2(functional.silu(self.se_fc1(y.mean(dim=-1)))))
        y = y * weights[..., None]
        if self.stride > 1:
            padding = same_padding(x.shape[-1], self.stride, 1)
            x = functional.max_pool1d(functional.pad(x, padding), self.stride)
        grown = y.shape[1] - x.shape[1]
        if grown:
            x = functional.pad(x, (0, 0, grown // 2, grown - grown // 2))
        summed: torch.Tensor = y + x
        return summed


class Stage(nn.Module):
    """Blocks of one width, the first of which halves the length."""

    def __init__(self, before: int, after: int, depth: int, *, first: bool) -> None:
        super().__init__()
        self.block_list = nn.ModuleList(
            Block(after if number else before, after, 1 if number else 2, first=first and not number)
            for number in range(depth)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply one block after the other."""
        for block in self.block_list:
            x = block(x)
        return x


class EcgFounder(nn.Module):
    """The network with its head for the 150 labels.

    Parameters
    ----------
    leads
        12 or 1.
    """

    width = WIDTHS[-1]

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.first_conv = SameConv(leads, WIDTHS[0], 16, 2)
        self.first_bn = nn.BatchNorm1d(WIDTHS[0])
        before = (WIDTHS[0], *WIDTHS[:-1])
        self.stage_list = nn.ModuleList(
            Stage(narrow, wide, depth, first=number == 0)
            for number, (narrow, wide, depth) in enumerate(zip(before, WIDTHS, DEPTHS, strict=True))
        )
        self.dense = nn.Linear(self.width, LABELS)

    def features(self, signals: torch.Tensor) -> torch.Tensor:
        """Map prepared signals ``[n, leads, 5000]`` to ``[n, 1024]``: the mean over time."""
        x = functional.silu(self.first_conv(signals))
        for stage in self.stage_list:
            x = stage(x)
        return x.mean(dim=-1)

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Map prepared signals ``[n, leads, 5000]`` to logits ``[n, 150]``."""
        logits: torch.Tensor = self.dense(self.features(signals))
        return logits
