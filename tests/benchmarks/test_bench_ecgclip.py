"""How fast ECGCLIP's signal side is: its network alone, and with the preprocessing before it.

Target: with the preprocessing, ResNet-18 keeps 70 % of its records a second (batches of 32).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from baselines.ecgclip import preprocessing
from baselines.ecgclip.encoder import ResidualEncoder
from baselines.ecgclip.preprocessing import preprocess, reference

RECORDS = 32
NETWORKS: dict[str, Callable[[], ResidualEncoder]] = {
    "18 layers": lambda: ResidualEncoder(18),
    "34 layers": lambda: ResidualEncoder(34),
    "18 layers, width 16": lambda: ResidualEncoder(18, outputs=None, width=16),
    "18 layers, width 16, shrink 4": lambda: ResidualEncoder(18, outputs=None, width=16, shrink=4),
}


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def signals() -> torch.Tensor:
    return torch.randn(RECORDS, 8, 5000, generator=torch.Generator().manual_seed(1))


def measured(benchmark: Any, call: Callable[[], Any]) -> float:
    """Note records a second; give the shortest time."""
    benchmark.pedantic(call, rounds=5, warmup_rounds=1)
    shortest: float = benchmark.stats.stats.min
    benchmark.extra_info["records a second"] = round(RECORDS / shortest, 1)
    return shortest


def shortest_time(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(6):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize("network", NETWORKS)
def test_preprocessing_and_network(benchmark: Any, signals: torch.Tensor, network: str) -> None:
    encoder = NETWORKS[network]().eval()
    ready = preprocess(signals)
    alone = shortest_time(lambda: encoder.features(ready))
    share = alone / measured(benchmark, lambda: encoder.features(preprocess(signals)))
    benchmark.extra_info["records a second, network alone"] = round(RECORDS / alone, 1)
    benchmark.extra_info["share of the network's throughput that is left"] = f"{share:.0%}"
    if network == "18 layers":
        assert share >= 0.7


def test_preprocessing_by_matrix(benchmark: Any, signals: torch.Tensor) -> None:
    measured(benchmark, lambda: preprocess(signals))


def test_preprocessing_by_filters(benchmark: Any, signals: torch.Tensor) -> None:
    records = signals.numpy().astype(np.float64)
    measured(benchmark, lambda: reference(records))


def test_making_the_matrix(benchmark: Any) -> None:
    preprocessing._matrix.cache_clear()
    benchmark.pedantic(preprocessing._matrix, setup=preprocessing._matrix.cache_clear, rounds=1)
