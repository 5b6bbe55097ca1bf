"""The PTB-XL benchmark's ``inception1d``.

Strodthoff, Wagner, Schaeffter and Samek, "Deep Learning for ECG Analysis: Benchmarks and Insights from
PTB-XL", IEEE Journal of Biomedical and Health Informatics 25, 2021, doi 10.1109/JBHI.2020.3022989, after
Fawaz et al., "InceptionTime: Finding AlexNet for Time Series Classification", Data Mining and Knowledge
Discovery 34, 2020, arXiv 1909.04939. Names of the parameters are those of the published state dict.
"""

from __future__ import annotations

import torch
from torch import nn

from baselines.networks.concat_pool import BenchmarkNetwork

FILTERS = 32
KERNELS = (39, 19, 9)
CHANNELS = FILTERS * (len(KERNELS) + 1)
DEPTH = 6


class Module(nn.Module):
    """Three convolutions of different lengths and a max-pool, side by side."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.bottleneck = nn.Conv1d(inputs, FILTERS, 1, bias=False)
        self.convs = nn.ModuleList(
            nn.Conv1d(FILTERS, FILTERS, kernel, padding=kernel // 2, bias=False) for kernel in KERNELS
        )
        self.conv_bottle = nn.Sequential(
            nn.MaxPool1d(3, stride=1, padding=1), nn.Conv1d(inputs, FILTERS, 1, bias=False)
        )
        self.bn_relu = nn.Sequential(nn.BatchNorm1d(CHANNELS), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, inputs, samples]`` to ``[records, 128, samples]``."""
        narrow = self.bottleneck(x)
        branches = [*(convolution(narrow) for convolution in self.convs), self.conv_bottle(x)]
        joined: torch.Tensor = self.bn_relu(torch.cat(branches, dim=1))
        return joined


class Shortcut(nn.Module):
    """What is added behind every third module."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, CHANNELS, 1, bias=False)
        self.bn = nn.BatchNorm1d(CHANNELS)

    def forward(self, before: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Add ``before``, brought to 128 channels, to ``x``."""
        return torch.relu(x + self.bn(self.conv(before)))


class Backbone(nn.Module):
    """Six modules, with a shortcut over each three."""

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.im = nn.ModuleList(Module(leads if position == 0 else CHANNELS) for position in range(DEPTH))
        self.sk = nn.ModuleList(Shortcut(leads if position == 0 else CHANNELS) for position in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, leads, samples]`` to ``[records, 128, samples]``."""
        before = x
        for position, module in enumerate(self.im):
            x = module(x)
            if position % 3 == 2:
                before = x = self.sk[position // 3](before, x)
        return x


class Inception1d(nn.Module):
    """The network: standardised crops ``[records, leads, samples]`` to logits ``[records, outputs]``.

    The benchmark's input is 2.5 s at 100 Hz, all 12 leads in the standard order.
    """

    def __init__(self, outputs: int, leads: int = 12) -> None:
        super().__init__()
        self.layers = BenchmarkNetwork(Backbone(leads), channels=CHANNELS, outputs=outputs)
        self.width = self.layers.width

    @property
    def last(self) -> nn.Linear:
        """The layer with one output a class."""
        return self.layers.last

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals ``[records, leads, samples]`` to ``[records, width]``: what the head begins with."""
        return self.layers.features(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give logits."""
        logits: torch.Tensor = self.layers(x)
        return logits
