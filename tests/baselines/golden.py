"""Networks filled with known values, and how far their outputs are from the published networks' own."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

TOLERANCE = 2e-5
"""Of the largest value: what single precision may differ. The published networks in double differ by 5e-6."""


def values(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Make a tensor that depends on its name and shape only."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))
    drawn = np.asarray(np.asarray(rng.standard_normal(shape), np.float32) * np.float32(0.05))
    if name.endswith("running_var"):
        return 1 + np.abs(drawn)
    return 1 + drawn if len(shape) == 1 and name.endswith("weight") else drawn


def fill(network: nn.Module) -> None:
    """Give every tensor of a network, buffers included, the values of its name."""
    for name, tensor in sorted(network.state_dict().items()):
        if tensor.is_floating_point():
            tensor.copy_(torch.from_numpy(values(name, tuple(tensor.shape))))


def signals(leads: int, samples: int) -> torch.Tensor:
    """Two records, the same on every machine."""
    drawn = np.random.default_rng(1).standard_normal((2, leads, samples)).astype(np.float32)
    return torch.from_numpy(drawn * np.float32(0.5))


def texts(vocabulary: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask of three texts, the same on every machine; the last is shorter."""
    ids = np.random.default_rng(3).integers(1000, vocabulary, (3, 16))
    mask = np.ones_like(ids)
    ids[2, 12:] = mask[2, 12:] = 0
    return torch.from_numpy(ids), torch.from_numpy(mask)


def error(found: Mapping[str, torch.Tensor], golden: Path) -> float:
    """The largest deviation from the golden arrays of these names, relative to the largest value of each.

    What tells one record from the next may be small beside the values themselves, so the largest
    difference between the first two is compared as well, and must agree to a hundredth.
    """
    errors = []
    with np.load(golden, allow_pickle=False) as file:
        for name, tensor in found.items():
            ours, theirs = tensor.detach().numpy(), file[name]
            assert ours.shape == theirs.shape
            errors.append(float(np.abs(ours - theirs).max() / np.abs(theirs).max()))
            spread, expected = np.abs(ours[0] - ours[1]).max(), np.abs(theirs[0] - theirs[1]).max()
            errors.append(float(TOLERANCE * abs(spread / expected - 1) / 0.01))
    return max(errors)


def published_state(table: Path) -> list[tuple[str, str]]:
    """Names and shapes of a published state dict, in its order."""
    with table.open(newline="") as file:
        return [(row["name"], row["shape"]) for row in csv.DictReader(file)]


def state_of(network: nn.Module) -> list[tuple[str, str]]:
    """Names and shapes of a network's state dict, written as the published ones are."""
    return [
        (name, "x".join(map(str, tensor.shape)) or "scalar") for name, tensor in network.state_dict().items()
    ]
