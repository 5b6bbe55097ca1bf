"""Resampling 500 to 100 Hz: ours, scipy's, and the same filter as a strided convolution in torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.signal import firwin, resample_poly

from cohorts.resampling import resample
from cohorts.simulator.recordings import recordings_of
from cohorts.simulator.sites import SITES
from tests.benchmarks.measuring import in_turns

RECORDS, AT_ONCE, TURNS = 256, 64, 5


@pytest.fixture(scope="module")
def signals() -> npt.NDArray[np.float32]:
    """Simulated recordings, 10 s at 500 Hz, in mV."""
    made = [one.counts() for one in recordings_of(SITES["georgia"], 0, 1.0)]
    chosen = [counts for counts in made if counts.shape == (12, 5000)]
    return np.stack([chosen[i % len(chosen)] for i in range(RECORDS)]).astype(np.float32) / 1000


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def by_scipy(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    border: Any = "antireflect"  # ours, too
    return resample_poly(x, 1, 5, axis=-1, padtype=border)


TAPS = torch.from_numpy(firwin(101, 1 / 5, window=("kaiser", 5.0)).astype(np.float32))


@torch.inference_mode()
def by_convolution(x: npt.NDArray[np.float32]) -> torch.Tensor:
    """Every fifth value of the filtered signal alone, zeros outside."""
    rows = torch.from_numpy(x).reshape(-1, 1, x.shape[-1])
    return torch.nn.functional.conv1d(rows, TAPS[None, None], stride=5, padding=50)


def test_records_a_second(
    row: Callable[..., None], benchmark: BenchmarkFixture, signals: npt.NDArray[np.float32], threads: int
) -> None:
    """Ours and scipy's take a record at a time, as records are read; torch takes batches and its threads."""
    with ThreadPoolExecutor(threads) as pool:
        turns = in_turns(
            benchmark,
            {
                "ours": lambda: list(pool.map(lambda x: resample(x, 500, 100), signals)),
                "resample_poly": lambda: list(pool.map(by_scipy, signals)),
                "convolution": lambda: [
                    by_convolution(some) for some in np.split(signals, RECORDS // AT_ONCE)
                ],
            },
            TURNS,
        )
    speed = {name: RECORDS / turns.median(name) for name in turns.times}
    row(
        f"Resampling 500 to 100 Hz, 12 leads, 10 s, {threads} thread{'s' if threads > 1 else ''}",
        speed["ours"],
        "records/s",
        {
            "scipy.signal.resample_poly": speed["resample_poly"],
            f"torch conv1d in batches of {AT_ONCE}": speed["convolution"],
        },
        at_least=4000,
    )


def test_it_is_scipys_filter(row: Callable[..., None], signals: npt.NDArray[np.float32]) -> None:
    some = signals[:64]
    wanted = by_scipy(some.astype(np.float64))
    largest = np.abs(some).max(axis=(1, 2), keepdims=True)

    def difference(found: npt.NDArray[Any]) -> float:
        return float((np.abs(found - wanted) / largest).max())

    row(
        "Largest difference to scipy.signal.resample_poly in float64, of a recording's largest value",
        difference(resample(some, 500, 100)),
        "",
        {"resample_poly in float32": difference(by_scipy(some))},
        at_most=1e-6,
    )
