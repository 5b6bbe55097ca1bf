"""Networks of the field compute what the published ones do, and the tests would notice if they did not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from baselines.networks import ecg_jepa
from baselines.networks.concat_pool import ConcatPool
from baselines.networks.ecg_jepa import EcgJepa
from baselines.networks.inception1d import Inception1d
from baselines.networks.resnet1d_wang import resnet1d_wang
from baselines.networks.st_mem import StMem
from baselines.networks.xresnet1d import KED_WIDTHS, xresnet1d101, xresnet1d101_body
from tests.baselines.golden import TOLERANCE, error, fill, published_state, signals, state_of

Outputs = dict[str, torch.Tensor]
Change = Callable[[Any], None]


def logits_and_features(network: Any, x: torch.Tensor) -> Outputs:
    return {"output": network(x), "embedding": network.features(x)}


def features_alone(network: Any, x: torch.Tensor) -> Outputs:
    return {"output": network.features(x)}


def frames(network: Any, x: torch.Tensor) -> Outputs:
    output = network(x)
    return {"output": output, "embedding": output.mean(dim=-1)}


@dataclass(frozen=True)
class Case:
    """A network, its input, and one change for each thing that could be wrong."""

    build: Callable[[], Any]
    shape: tuple[int, int]
    outputs: Callable[[Any, torch.Tensor], Outputs]
    changes: dict[str, Change]


class MeanBeforeMaximum(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return ConcatPool()(x).roll(x.shape[1], dims=1)


class WithoutCeiling(nn.AvgPool1d):
    """An odd sample at the end counts half as much."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = nn.functional.pad(x, (0, x.shape[-1] % 2))
        return nn.functional.avg_pool1d(padded, 2)


def set_pooling(head: Any) -> None:
    head[0] = MeanBeforeMaximum()


def renormalise(network: Any, width: int) -> None:
    for module in network.modules():
        if isinstance(module, nn.LayerNorm) and module.normalized_shape == (width,):
            module.eps = 1e-6


class Positions(nn.Module):
    """A block that adds positions of its own."""

    def __init__(self, block: nn.Module, positions: torch.Tensor) -> None:
        super().__init__()
        self.block = block
        self.positions = positions

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        moved: torch.Tensor = self.block(x - self.positions, mask)
        return moved


def positions_once(network: EcgJepa) -> None:
    blocks = network.encoder_blocks.blocks
    blocks[5] = Positions(blocks[5], network.pos_embed.detach().clone())


def positions_from_the_first(network: StMem) -> None:
    network.pos_embedding.data = network.pos_embedding.data.roll(-1, dims=1)


def set_activation(network: Any) -> None:
    network.block4.ff.fn.net[1] = nn.GELU(approximate="tanh")


def branches_turned(network: Any) -> None:
    module = network.layers[0].im[2]
    module.convs = nn.ModuleList(reversed(module.convs))


def relu_behind_the_last(network: Any) -> None:
    network[5][1].convs[2].append(nn.ReLU())


CASES = {
    "ptbxl_resnet1d_wang": Case(
        lambda: resnet1d_wang(71),
        (12, 250),
        logits_and_features,
        {
            "stem padding": lambda network: setattr(network[0], "padding", (2,)),
            "activation": lambda network: network.__setitem__(2, nn.LeakyReLU(0.001)),
            "epsilon": lambda network: setattr(network[4][0].bn2, "eps", 1e-3),
            "mean before maximum": lambda network: set_pooling(network[-1]),
        },
    ),
    "ptbxl_xresnet1d101": Case(
        lambda: xresnet1d101(71),
        (12, 250),
        logits_and_features,
        {
            "mean before maximum": lambda network: set_pooling(network[-1]),
            "half an odd sample": lambda network: network[5][0].idpath.__setitem__(0, WithoutCeiling(2)),
            "one more activation": relu_behind_the_last,
            "epsilon": lambda network: setattr(network[6][9].convs[1][1], "eps", 1e-3),
        },
    ),
    "ptbxl_inception1d": Case(
        lambda: Inception1d(71),
        (12, 250),
        logits_and_features,
        {
            "order of the branches": branches_turned,
            "average for maximum": lambda network: (
                network.layers[0].im[1].conv_bottle.__setitem__(0, nn.AvgPool1d(3, stride=1, padding=1))
            ),
        },
    ),
    "ked_ecg_encoder": Case(
        lambda: xresnet1d101_body(KED_WIDTHS),
        (12, 1000),
        frames,
        {"epsilon": lambda network: setattr(network[7][2].convs[0][1], "eps", 1e-3)},
    ),
    "ecg_jepa_encoder": Case(
        EcgJepa,
        (8, 2500),
        features_alone,
        {
            "positions not in every block": positions_once,
            "all see all": lambda network: network.same_lead_or_time.fill_(True),
            "epsilon": lambda network: renormalise(network, ecg_jepa.WIDTH),
        },
    ),
    "st_mem_vit_base_encoder": Case(
        StMem,
        (12, 2250),
        features_alone,
        {"positions": positions_from_the_first, "activation": set_activation},
    ),
}


@cache
def filled_once(name: str) -> Any:
    network = CASES[name].build().eval()
    fill(network)
    return network


def filled(name: str) -> Any:
    return deepcopy(filled_once(name))


@pytest.fixture(scope="module", autouse=True)
def forget_them() -> Iterator[None]:
    yield
    filled_once.cache_clear()


def error_of(network: Any, name: str, folder: Path) -> float:
    case = CASES[name]
    with torch.inference_mode():
        return error(case.outputs(network, signals(*case.shape)), folder / f"{name}_golden_a.npz")


@pytest.fixture(scope="module")
def checkpoints(shared: Path) -> Path:
    return shared / "facts" / "checkpoints"


@pytest.mark.parametrize("name", CASES)
def test_names_shapes_and_outputs_are_the_published_ones(checkpoints: Path, name: str) -> None:
    network = filled(name)
    assert state_of(network) == published_state(checkpoints / f"{name}_state_dict.csv")
    assert error_of(network, name, checkpoints) <= TOLERANCE


@pytest.mark.parametrize(
    ("name", "change"), [(name, change) for name in CASES for change in CASES[name].changes]
)
def test_one_changed_layer_is_noticed(checkpoints: Path, name: str, change: str) -> None:
    network = filled(name)
    CASES[name].changes[change](network)
    assert error_of(network, name, checkpoints) > TOLERANCE


def test_networks_take_any_number_of_leads_and_samples() -> None:
    for build in (resnet1d_wang, xresnet1d101, Inception1d):
        network = build(3, leads=8).eval()
        assert network(torch.zeros(2, 8, 77)).shape == (2, 3)
        assert network.features(torch.zeros(2, 8, 77)).shape == (2, network.width)
