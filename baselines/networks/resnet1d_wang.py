"""The PTB-XL benchmark's ``resnet1d_wang``.

Strodthoff, Wagner, Schaeffter and Samek, "Deep Learning for ECG Analysis: Benchmarks and Insights from
PTB-XL", IEEE Journal of Biomedical and Health Informatics 25, 2021, doi 10.1109/JBHI.2020.3022989; the
residual network is the one of Wang, Yan and Oates, "Time Series Classification from Scratch with Deep
Neural Networks", IJCNN 2017, arXiv 1611.06455, widened. Names of the parameters are those of the
published state dict, so that weights trained there load here.
"""

from __future__ import annotations

import torch
from torch import nn

from baselines.networks.along_time import TimeConv
from baselines.networks.concat_pool import BenchmarkNetwork

WIDTH = 128


class Block(nn.Module):
    """Two convolutions of 5 and 3 samples beside a shortcut."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.conv1 = TimeConv(WIDTH, WIDTH, 5, stride=stride, padding=2, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.conv2 = TimeConv(WIDTH, WIDTH, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(WIDTH)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1:
            self.downsample = nn.Sequential(
                TimeConv(WIDTH, WIDTH, 1, stride=stride, bias=False), nn.BatchNorm2d(WIDTH)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, 128, 1, samples]`` to ``[records, 128, 1, ceil(samples / stride)]``."""
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(inner)) + self.downsample(x))


def resnet1d_wang(outputs: int, leads: int = 12) -> BenchmarkNetwork:
    """Build the network: standardised crops ``[records, leads, samples]`` to logits ``[records, outputs]``.

    The benchmark's input is 2.5 s at 100 Hz, all 12 leads in the standard order.
    """
    return BenchmarkNetwork(
        TimeConv(leads, WIDTH, 7, padding=3, bias=False),
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(),
        nn.Sequential(Block(stride=1)),
        nn.Sequential(Block(stride=2)),
        nn.Sequential(Block(stride=2)),
        channels=WIDTH,
        outputs=outputs,
    )
