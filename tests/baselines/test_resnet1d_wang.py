"""The network computes what the published one computes, and the test would notice if it did not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from baselines.networks.concat_pool import ConcatPool
from baselines.networks.resnet1d_wang import resnet1d_wang
from tests.baselines.golden import TOLERANCE, error, fill, published_state, signals, state_of


def error_of(network: nn.Sequential, golden: Path) -> float:
    """How far a network is from the golden logits and pooled features."""
    fill(network)
    network.eval()
    with torch.inference_mode():
        pooled = ConcatPool()(network[:6](signals(12, 250)))
        return error({"output": network(signals(12, 250)), "embedding": pooled}, golden)


@pytest.fixture
def golden(shared: Path) -> Path:
    return shared / "facts" / "checkpoints" / "ptbxl_resnet1d_wang_golden_a.npz"


def test_the_state_dict_is_the_published_one(shared: Path) -> None:
    table = shared / "facts" / "checkpoints" / "ptbxl_resnet1d_wang_state_dict.csv"
    assert state_of(resnet1d_wang(71)) == published_state(table)


def test_the_outputs_are_the_published_ones(golden: Path) -> None:
    assert error_of(resnet1d_wang(71), golden) <= TOLERANCE


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
    assert error_of(network, golden) > TOLERANCE


class Swap(nn.Module):
    """Mean before maximum."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.roll(x.shape[1] // 2, dims=1)


def test_it_takes_any_number_of_leads_and_samples() -> None:
    assert resnet1d_wang(3, leads=8).eval()(torch.zeros(2, 8, 77)).shape == (2, 3)
