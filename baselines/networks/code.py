"""The residual network of CODE, in its two published forms.

Ribeiro et al., "Automatic diagnosis of the 12-lead ECG using a deep neural network", Nature Communications
11:1760, 2020, doi 10.1038/s41467-020-15432-4. The PyTorch form is that of ``antonior92/ecg-age-prediction``
(commit f192e49), the Keras form that of ``antonior92/automatic-ecg-diagnosis`` (commit 4039348). They differ
in kernel, padding, activation of the stem, epsilon and the order in which the last map is flattened.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

LEADS = 12


class Unit(nn.Module):
    """One residual unit of the PyTorch form; a sum goes on untouched beside what is made of it."""

    def __init__(self, before: int, after: int, step: int) -> None:
        super().__init__()
        self.step = step
        self.conv1 = nn.Conv1d(before, after, 17, padding=8, bias=False)
        self.bn1 = nn.BatchNorm1d(after)
        padding = (17 - step + 1) // 2
        self.conv2 = nn.Conv1d(after, after, 17, stride=step, padding=padding, bias=False)
        self.bn2 = nn.BatchNorm1d(after)
        pool = nn.MaxPool1d(step, stride=step) if step > 1 else nn.Identity()
        grow = [nn.Conv1d(before, after, 1, bias=False)] if before != after else []
        self.skip_connection = nn.Sequential(pool, *grow)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map what goes on and what is beside it to the next two."""
        y = self.conv2(functional.relu(self.bn1(self.conv1(x)))) + self.skip_connection(skip)
        return functional.relu(self.bn2(y)), y


class CodeResNet(nn.Module):
    """The PyTorch form.

    Parameters
    ----------
    outputs
        6 abnormalities, or 1 for the age.
    """

    widths = (64, 64, 128, 196, 256, 320)
    lengths = (4096, 4096, 1024, 256, 64, 16)
    width = 320 * 16

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(LEADS, self.widths[0], 17, padding=8, bias=False)
        self.bn1 = nn.BatchNorm1d(self.widths[0])
        for number in range(5):
            before, after = self.widths[number : number + 2]
            unit = Unit(before, after, self.lengths[number] // self.lengths[number + 1])
            self.add_module(f"resblock1d_{number}", unit)
        self.lin = nn.Linear(self.width, outputs)

    def features(self, signals: torch.Tensor) -> torch.Tensor:
        """Map ``[n, 12, 4096]`` to ``[n, 5120]``, channel after channel."""
        x = skip = self.bn1(self.conv1(signals))
        for number in range(5):
            x, skip = self.get_submodule(f"resblock1d_{number}")(x, skip)
        flat: torch.Tensor = x.flatten(1)
        return flat

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Map ``[n, 12, 4096]`` to logits or the age ``[n, outputs]``."""
        outputs: torch.Tensor = self.lin(self.features(signals))
        return outputs


def same_padding(kernel: int, step: int) -> tuple[int, int]:
    """Zeros before and after a signal whose length is a multiple of the step."""
    total = kernel - step
    return total // 2, total - total // 2


class KerasUnit(nn.Module):
    """One residual unit of the Keras form."""

    def __init__(self, before: int, after: int, step: int) -> None:
        super().__init__()
        self.step = step
        self.skip = nn.Conv1d(before, after, 1, bias=False)
        self.conv1 = nn.Conv1d(before, after, 16, bias=False)
        self.bn1 = nn.BatchNorm1d(after, eps=1e-3)
        self.conv2 = nn.Conv1d(after, after, 16, stride=step, bias=False)
        self.bn2 = nn.BatchNorm1d(after, eps=1e-3)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map what goes on and what is beside it to the next two."""
        y = functional.relu(self.bn1(self.conv1(functional.pad(x, same_padding(16, 1)))))
        y = self.conv2(functional.pad(y, same_padding(16, self.step)))
        y = y + self.skip(functional.max_pool1d(skip, self.step))
        return functional.relu(self.bn2(y)), y


class CodeKeras(nn.Module):
    """The Keras form, with its six outputs."""

    widths = (64, 128, 196, 256, 320)
    width = 16 * 320

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(LEADS, self.widths[0], 16, bias=False)
        self.bn = nn.BatchNorm1d(self.widths[0], eps=1e-3)
        self.units = nn.ModuleList(
            KerasUnit(before, after, 4)
            for before, after in zip(self.widths[:-1], self.widths[1:], strict=True)
        )
        self.dense = nn.Linear(self.width, 6)

    def features(self, signals: torch.Tensor) -> torch.Tensor:
        """Map ``[n, 12, 4096]`` to ``[n, 5120]``, moment after moment."""
        x = skip = functional.relu(self.bn(self.conv(functional.pad(signals, same_padding(16, 1)))))
        for unit in self.units:
            x, skip = unit(x, skip)
        return x.transpose(1, 2).flatten(1)

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Map ``[n, 12, 4096]`` to logits ``[n, 6]``."""
        logits: torch.Tensor = self.dense(self.features(signals))
        return logits
