"""What ECGCLIP's preprocessing costs beside its network, and beside the filters that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from baselines.ecgclip import preprocessing
from baselines.ecgclip.encoder import ResidualEncoder
from baselines.ecgclip.preprocessing import preprocess, reference
from tests.benchmarks.measuring import in_turns

RECORDS = 32


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def signals() -> torch.Tensor:
    return torch.randn(RECORDS, 8, 5000, generator=torch.Generator().manual_seed(1))


def test_preprocessing(row: Callable[..., None], benchmark: BenchmarkFixture, signals: torch.Tensor) -> None:
    encoder = ResidualEncoder(18).eval()
    ready = preprocess(signals)
    records = signals.numpy().astype(np.float64)
    turns = in_turns(
        benchmark,
        {
            "both": lambda: encoder.features(preprocess(signals)),
            "network": lambda: encoder.features(ready),
            "matrix": lambda: preprocess(signals),
            "filters": lambda: reference(records),
        },
        5,
    )
    row(
        "ECGCLIP ResNet-18 with its preprocessing: records/s left of the network alone",
        100 * turns.ratio("network", "both"),
        f"% ({RECORDS / turns.median('both'):.0f} records/s)",
        {"network alone": f"{RECORDS / turns.median('network'):.0f} records/s"},
        at_least=70,
    )
    speed = {name: RECORDS / turns.median(name) for name in ("matrix", "filters")}
    row("ECGCLIP's preprocessing", speed["matrix"], "records/s", {"its filters in scipy": speed["filters"]})


def test_making_the_matrix(row: Callable[..., None], benchmark: BenchmarkFixture) -> None:
    preprocessing._matrix.cache_clear()
    benchmark.pedantic(preprocessing._matrix)
    row("Making the matrix of ECGCLIP's preprocessing, once a process", benchmark.stats.stats.median, "s")
