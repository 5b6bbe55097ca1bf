"""The network computes what the published one computes, and the test would notice if it did not."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from baselines.networks.resnet1d_wang import ConcatPool, resnet1d_wang

TOLERANCE = 2e-5


def fill(network: nn.Module) -> None:
    """Give every tensor values that depend on its name and shape only."""
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))
        values = rng.standard_normal(tuple(tensor.shape)).astype(np.float32) * np.float32(0.05)
        if name.endswith("running_var"):
            values = 1 + np.abs(values)
        elif tensor.ndim == 1 and name.endswith("weight"):
            values = 1 + values
        tensor.copy_(torch.from_numpy(values))


def error(network: nn.Sequential, golden: Path) -> float:
    """The largest deviation from the golden logits and pooled features, relative to the largest value."""
    signals = np.random.default_rng(1).standard_normal((2, 12, 250)).astype(np.float32) * np.float32(0.5)
    fill(network)
    network.eval()
    with torch.inference_mode(), np.load(golden, allow_pickle=False) as file:
        pooled = network[:6](torch.from_numpy(signals))
        found = {"output": network(torch.from_numpy(signals)), "embedding": ConcatPool()(pooled)}
        return max(
            float(np.abs(found[name].numpy() - file[name]).max() / np.abs(file[name]).max()) for name in found
        )


@pytest.fixture
def golden(shared: Path) -> Path:
    return shared / "facts" / "checkpoints" / "ptbxl_resnet1d_wang_golden_a.npz"


def test_the_state_dict_is_the_published_one(shared: Path) -> None:
    with (shared / "facts" / "checkpoints" / "ptbxl_resnet1d_wang_state_dict.csv").open() as file:
        published = [(row["name"], row["shape"]) for row in csv.DictReader(file)]
    ours = [
        (name, "x".join(map(str, tensor.shape)) or "scalar")
        for name, tensor in resnet1d_wang(71).state_dict().items()
    ]
    assert ours == published


def test_the_outputs_are_the_published_ones(golden: Path) -> None:
    assert error(resnet1d_wang(71), golden) <= TOLERANCE


@pytest.mark.parametrize("change", ["stem padding", "activation", "normalisation", "pooling"])
def test_one_changed_layer_is_noticed(golden: Path, change: str) -> None:
    network = resnet1d_wang(71)
    if change == "stem padding":
        network[0].padding = (2,)
    elif change == "activation":
        network[2] = nn.LeakyReLU(0.001)
    elif change == "normalisation":
        network[4][0].bn2.eps = 1e-3
    else:
        network[6][0] = nn.Sequential(ConcatPool(), Swap())
    assert error(network, golden) > TOLERANCE


class Swap(nn.Module):
    """Mean before maximum."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.roll(x.shape[1] // 2, dims=1)


def test_it_takes_any_number_of_leads_and_samples() -> None:
    assert resnet1d_wang(3, leads=8).eval()(torch.zeros(2, 8, 77)).shape == (2, 3)
