"""The encoder computes what the published one computes, and the test would notice if it did not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from baselines.ecgclip.encoder import ResidualEncoder
from tests.baselines.golden import TOLERANCE, error, fill, published_state, signals, state_of

SIZES: Any = (18, 34, 50)


@pytest.fixture
def checkpoints(shared: Path) -> Path:
    return shared / "facts" / "checkpoints"


def filled(layers: Any) -> Any:
    network = ResidualEncoder(layers)
    fill(network)
    return network.eval()


def error_of(network: Any, golden: Path) -> float:
    """How far a network is from the golden features, logits and probabilities."""
    x = signals(8, 4096)
    with torch.inference_mode():
        features = network.features(x)
        found = {"embedding": features, "logits": network.linear(features), "output": network(x)}
        return error(found, golden)


@pytest.mark.parametrize("layers", SIZES)
def test_the_state_dict_is_the_published_one(checkpoints: Path, layers: Any) -> None:
    table = checkpoints / f"ecgclip_resnet{layers}_state_dict.csv"
    assert state_of(ResidualEncoder(layers)) == published_state(table)


@pytest.mark.parametrize("layers", SIZES)
def test_the_outputs_are_the_published_ones(checkpoints: Path, layers: Any) -> None:
    assert error_of(filled(layers), checkpoints / f"ecgclip_resnet{layers}_golden_a.npz") <= TOLERANCE


class Twice(nn.Module):
    """The sum of a thing and itself."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + x


class Nothing(nn.Module):
    """Zeros: what a dropped shortcut adds."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x)


def max_pool(network: Any) -> None:
    network.bn1 = nn.Sequential(network.bn1, nn.ReLU(), nn.MaxPool1d(3, stride=2, padding=1))


def dropped_shortcut(network: Any) -> None:
    network.layer3[1].shortcut = Nothing()


def doubled_shortcut(network: Any) -> None:
    network.layer4[-1].shortcut = Twice()


def moved_stride(network: Any) -> None:
    first = network.layer2[0]
    first.conv1.stride, first.conv2.stride = first.conv2.stride, first.conv1.stride


def missing_stride(network: Any) -> None:
    for layer in (network.layer4[0].conv1, network.layer4[0].conv2, network.layer4[0].shortcut[0]):
        layer.stride = (1,)


def stem_padding(network: Any) -> None:
    network.conv1.padding = (2,)


def unlike_normalisation(network: Any) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.eps = 1e-3


def shrunk(network: Any) -> None:
    network.shrink = 2


CHANGES = [
    (18, max_pool),
    (18, dropped_shortcut),
    (18, moved_stride),
    (18, missing_stride),
    (18, stem_padding),
    (18, unlike_normalisation),
    (18, shrunk),
    (34, doubled_shortcut),
    (50, moved_stride),
    (50, dropped_shortcut),
]


@pytest.mark.parametrize(("layers", "change"), CHANGES)
def test_one_changed_layer_is_noticed(checkpoints: Path, layers: Any, change: Any) -> None:
    network = filled(layers)
    change(network)
    golden = checkpoints / f"ecgclip_resnet{layers}_golden_a.npz"
    assert error_of(network.eval(), golden) > TOLERANCE


def test_a_small_one_is_the_same_network_with_fewer_channels_and_samples() -> None:
    small = ResidualEncoder(18, outputs=None, width=16, shrink=4).eval()
    stages = [small.get_parameter(f"layer{stage}.1.conv2.weight").shape[0] for stage in (1, 2, 3, 4)]
    assert stages == [16, 32, 64, 128]
    published = {name: len(shape.split("x")) for name, shape in state_of(ResidualEncoder(18, outputs=None))}
    assert {name: len(shape.split("x")) for name, shape in state_of(small)} == published
    x = signals(8, 4096)
    assert small.feature_map(x).shape == (2, 128, 64)
    shrunk_before = x.reshape(2, 8, 1024, 4).mean(dim=-1)
    whole = ResidualEncoder(18, outputs=None, width=16).eval()
    whole.load_state_dict(small.state_dict())
    torch.testing.assert_close(small(x), whole(shrunk_before))


@pytest.mark.parametrize(("layers", "width"), [(18, 64), (34, 8), (50, 8)])
def test_without_linear_it_gives_as_many_features_as_it_says(layers: Any, width: int) -> None:
    network = ResidualEncoder(layers, leads=12, outputs=None, width=width).eval()
    assert not [name for name in network.state_dict() if name.startswith("linear")]
    with torch.inference_mode():
        features = network(signals(12, 1000))
    assert features.shape == (2, network.embedding_size)
    assert network.embedding_size == 8 * width * (4 if layers == 50 else 1)


def test_a_record_does_not_depend_on_those_beside_it() -> None:
    network = ResidualEncoder(18, width=8).eval()
    x = torch.randn(5, 8, 512, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        one_by_one = torch.cat([network(record[None]) for record in x])
        torch.testing.assert_close(network(x), one_by_one, rtol=1e-5, atol=1e-6)


def test_it_can_be_trained() -> None:
    network = ResidualEncoder(18, outputs=3, width=8, shrink=2)
    network(signals(8, 512)).sum().backward()
    assert all(
        parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters()
    )
