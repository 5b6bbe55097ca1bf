"""How fast recordings become pictures, on one core; the target is 200 a second at 224 pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from baselines.clip_image.rendering import render
from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.recordings import recordings_of
from cohorts.simulator.sites import SITES
from tests.benchmarks.measuring import in_turns

RECORDS = 64


@pytest.fixture(scope="module")
def signals() -> npt.NDArray[np.float32]:
    """Simulated recordings of 10 s at 500 Hz, in mV."""
    made = recordings_of(SITES["ptb-xl"], 0, 0.1)
    ten_seconds = [counts for counts in (one.counts() for one in made) if counts.shape == (12, 5000)]
    chosen = [ten_seconds[i % len(ten_seconds)] for i in range(RECORDS)]
    return (np.stack(chosen) / 1000).astype(np.float32)


@pytest.mark.parametrize("size", [224, 512])
@pytest.mark.parametrize("layout", ["3x4", "12x1"])
def test_pages(
    row: Callable[..., None],
    benchmark: BenchmarkFixture,
    signals: npt.NDArray[np.float32],
    layout: str,
    size: int,
) -> None:
    calls = {"ours": lambda: render(signals, 500, STANDARD_LEADS, size=size, layout=layout)}
    speed = RECORDS / in_turns(benchmark, calls, 3).median("ours")
    limit = 200 if size == 224 else None
    row(f"Pictures of recordings, {layout}, {size} pixels", speed, "pictures/s", at_least=limit)
