"""The PTB-XL benchmark's ``xresnet1d101``, and the widened one that KED looks at signals with.

Strodthoff, Wagner, Schaeffter and Samek, "Deep Learning for ECG Analysis: Benchmarks and Insights from
PTB-XL", IEEE Journal of Biomedical and Health Informatics 25, 2021, doi 10.1109/JBHI.2020.3022989; the
changes to the residual network are those of He et al., "Bag of Tricks for Image Classification with
Convolutional Neural Networks", CVPR 2019, arXiv 1812.01187. Names of the parameters are those of the
published state dicts, so that weights trained there load here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from baselines.networks.concat_pool import BenchmarkNetwork

EXPANSION = 4
BLOCKS = (3, 4, 23, 3)
STEM = (32, 32, 64)
PTBXL_WIDTHS = (64, 64, 64, 64)
KED_WIDTHS = (64, 128, 128, 192)


def _convolution(inputs: int, outputs: int, kernel: int, *, stride: int = 1, active: bool) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv1d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm1d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU()] if active else []))


class Block(nn.Module):
    """Convolutions of 1, 5 and 1 samples beside a shortcut that averages before it changes channels.

    The published block registers its convolutions twice, as ``convs`` and inside ``convpath``; a checkpoint
    holds both names of every tensor.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.convs = nn.Sequential(
            _convolution(inputs, width, 1, active=True),
            _convolution(width, width, 5, stride=stride, active=True),
            _convolution(width, outputs, 1, active=False),
        )
        self.convpath = nn.Sequential(self.convs)
        shortcut: list[nn.Module] = []
        if stride != 1:
            shortcut.append(nn.AvgPool1d(2, ceil_mode=True))
        if inputs != outputs:
            shortcut.append(_convolution(inputs, outputs, 1, active=False))
        self.idpath = nn.Sequential(*shortcut)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, inputs, samples]`` to ``[records, 4 * width, ceil(samples / stride)]``."""
        return torch.relu(self.convs(x) + self.idpath(x))


def xresnet1d101_body(widths: Sequence[int] = PTBXL_WIDTHS, leads: int = 12) -> nn.Sequential:
    """Build the network without a head.

    It maps signals ``[records, leads, samples]`` to ``[records, 4 * widths[-1], frames]``, one frame for
    every 32 samples.
    """
    sizes = (leads, *STEM)
    stem = [
        _convolution(inputs, outputs, 5, stride=2 if position == 0 else 1, active=True)
        for position, (inputs, outputs) in enumerate(pairwise(sizes))
    ]
    stages: list[nn.Module] = []
    channels = STEM[-1]
    for stage, (width, count) in enumerate(zip(widths, BLOCKS, strict=True)):
        blocks = []
        for position in range(count):
            blocks.append(Block(channels, width, 2 if stage > 0 and position == 0 else 1))
            channels = EXPANSION * width
        stages.append(nn.Sequential(*blocks))
    return nn.Sequential(*stem, nn.MaxPool1d(3, stride=2, padding=1), *stages)


def xresnet1d101(outputs: int, leads: int = 12) -> BenchmarkNetwork:
    """Build the benchmark's network: standardised crops ``[records, leads, samples]`` to logits.

    The benchmark's input is 2.5 s at 100 Hz, all 12 leads in the standard order.
    """
    body = xresnet1d101_body(leads=leads)
    return BenchmarkNetwork(*body, channels=EXPANSION * PTBXL_WIDTHS[-1], outputs=outputs)
