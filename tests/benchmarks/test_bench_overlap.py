"""How long two whole releases take to compare, and how much memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from cohorts.catalogue import open_cohort
from cohorts.overlap import search as overlap
from cohorts.overlap.search import find_overlap
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS, Recording
from cohorts.simulator.recordings import recordings_of
from cohorts.simulator.sites import SITES
from cohorts.sources.ptb_xl import PtbXl
from cohorts.store import Store
from tests.benchmarks.measuring import in_turns, seconds

PTB_XL, CHAPMAN_NINGBO = 21_799, 45_152


class Simulated:
    """What `find_overlap` needs of a store, over counts in memory, each as often as asked."""

    def __init__(self, name: str, counts: list[Any], rate: float, times: int = 1) -> None:
        self.path = Path(name)
        self.card = SimpleNamespace(id=name, overlaps=(), copy_of=None)
        self.counts = counts
        self.rates = np.full(times * len(counts), rate)
        self.lengths = np.array(times * [one.shape[1] for one in counts])
        self.index = pd.DataFrame({"record_id": [f"{name}{i}" for i in range(len(self.rates))]})

    def __len__(self) -> int:
        return len(self.rates)

    def recording(self, position: int) -> Recording:
        counts = self.counts[position % len(self.counts)]
        return Recording(counts / np.float32(1000), float(self.rates[0]), STANDARD_LEADS)


def simulated(site: str, scale: float, times: int = 1) -> Any:
    recordings = recordings_of(SITES[site], 0, scale)
    return Simulated(site, [one.counts() for one in recordings], SITES[site].rate, times)


@pytest.fixture(scope="module")
def stores(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Store]:
    cache = tmp_path_factory.mktemp("cache")
    challenge = open_cohort("challenge-ptb-xl", shared / "data")
    assert challenge is not None
    made = {f"ptb-xl {rate}": prepare(PtbXl(shared / "data" / "ptb-xl", rate), cache) for rate in (100, 500)}
    return {**made, "challenge": prepare(challenge, cache)}


@pytest.mark.parametrize("first", ["challenge", "ptb-xl 100"])
def test_the_real_sample(
    row: Callable[..., None], benchmark: BenchmarkFixture, stores: dict[str, Store], first: str
) -> None:
    a, b = stores[first], stores["ptb-xl 500"]
    taken = in_turns(benchmark, {"overlap": lambda: find_overlap(a, b)}, 3).median("overlap")
    row(f"Overlap of samples, {first} with PTB-XL at 500 Hz, {len(a)} x {len(b)} records", taken, "s")
    assert len(find_overlap(a, b)) >= 6


def test_two_whole_releases_within_half_an_hour(
    row: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = simulated("ptb-xl", 1.0), simulated("ningbo", 9.0)
    spent = {"_candidates": 0.0, "compare": 0.0}

    def timed(name: str) -> Any:
        plain = getattr(overlap, name)

        def call(*arguments: Any) -> Any:
            start = time.perf_counter()
            answer = plain(*arguments)
            answer = list(answer) if name == "_candidates" else answer
            spent[name] += time.perf_counter() - start
            return answer

        return call

    for name in spent:
        monkeypatch.setattr(overlap, name, timed(name))
    reading = seconds(lambda: find_overlap(a, b)) - sum(spent.values())
    records = (PTB_XL + CHAPMAN_NINGBO) / (len(a) + len(b))
    pairs = PTB_XL * CHAPMAN_NINGBO / (len(a) * len(b))
    minutes = (reading * records + sum(spent.values()) * pairs) / 60
    what = f"Overlap of releases of {PTB_XL:,} and {CHAPMAN_NINGBO:,} records"
    row(f"{what}, worked out from {len(a)} x {len(b)}", minutes, "min", at_most=30)


def test_memory_does_not_grow_with_the_larger_cohort(row: Callable[..., None]) -> None:
    few = simulated("ptb-xl", 0.02)
    peaks = []
    for times in (2, 8):
        many = simulated("ningbo", 1.0, times)
        assert len(many) > overlap._RECORDS_AT_ONCE
        tracemalloc.start()
        find_overlap(few, many)
        peaks.append(tracemalloc.get_traced_memory()[1] / 2**20)
        tracemalloc.stop()
    row(
        "Overlap: memory for eight times the larger cohort, beside that for twice",
        peaks[1] / peaks[0],
        f"times ({peaks[1]:.0f} MiB)",
        at_most=1.3,
    )
