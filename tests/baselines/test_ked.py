"""KED computes what the published model computes, and the tests would notice if it did not."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from baselines.networks.ked import (
    VOCABULARY,
    QueryNetwork,
    TextEncoder,
    present,
    published_text,
)
from tests.baselines.golden import TOLERANCE, error, fill, published_state, state_of, texts


@pytest.fixture(scope="module")
def golden(shared: Path) -> Path:
    return shared / "facts" / "checkpoints" / "ked_ecg_encoder_golden_a.npz"


@pytest.fixture(scope="module")
def query() -> QueryNetwork:
    network = QueryNetwork().eval()
    fill(network)
    return network


def test_the_text_encoder(golden: Path) -> None:
    encoder = TextEncoder(published_text()).eval()
    fill(encoder)
    assert state_of(encoder) == published_state(golden.with_name("ked_text_encoder_state_dict.csv"))
    with torch.inference_mode():
        assert error({"text_features": encoder(*texts(VOCABULARY))}, golden) <= TOLERANCE
        encoder.mlp_embed[3] = nn.ReLU()
        assert error({"text_features": encoder(*texts(VOCABULARY))}, golden) > TOLERANCE


def query_error(network: Any, golden: Path) -> float:
    """Ask with the golden frames and texts, which are those of the two encoders."""
    with torch.inference_mode(), np.load(golden, allow_pickle=False) as file:
        frames, asked = (torch.from_numpy(file[name]).float() for name in ("output", "text_features"))
        logits = network(frames, asked)
        return error({"tqn_logits": logits, "scores": present(logits)}, golden)


def test_the_query_network(golden: Path, query: QueryNetwork) -> None:
    assert state_of(query) == published_state(golden.with_name("ked_tqn_state_dict.csv"))
    assert query_error(query, golden) <= TOLERANCE


def two_norms(network: QueryNetwork) -> None:
    network.decoder.norm = nn.LayerNorm(768)


def alone(network: QueryNetwork) -> None:
    """Each class sees itself only."""
    whole = network.forward
    network.forward = lambda frames, asked: torch.cat(  # type: ignore[method-assign]
        [whole(frames, one[None]) for one in asked], dim=1
    )


def other_heads(network: Any) -> None:
    attention = network.decoder.layers[3].multihead_attn
    attention.num_heads, attention.head_dim = 8, 96


CHANGES: dict[str, Callable[[Any], None]] = {
    "another norm at the end": two_norms,
    "classes asked one by one": alone,
    "eight heads": other_heads,
    "activation of the head": lambda network: network.mlp_head.__setitem__(1, nn.ReLU()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_changed_layer_is_noticed(golden: Path, query: QueryNetwork, change: str) -> None:
    network = deepcopy(query)
    CHANGES[change](network)
    assert query_error(network, golden) > TOLERANCE


def test_a_score_depends_on_the_whole_list_of_classes(query: QueryNetwork) -> None:
    rng = torch.Generator().manual_seed(0)
    frames, asked = torch.randn(2, 768, 5, generator=rng), torch.randn(3, 768, generator=rng)
    with torch.inference_mode():
        two, three = present(query(frames, asked[:2])), present(query(frames, asked))
    assert not torch.allclose(two, three[:, :2], atol=1e-6)
