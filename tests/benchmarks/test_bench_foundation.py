"""How fast published models are: what the suite asks of each, beside its network alone on prepared windows.

Target: 85 % of the network's records a second are left. Both are measured in turns and in processor time of
one thread, so that whatever else the machine does falls on both. However large it is, a model has some twenty
seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.models.contract import Batch
from benchmark.models.plugins import find_model
from tests.baselines.official_files import published_models

TARGET = 0.85
RECORDS = 8
ROUND = 1.0
"""Seconds; a model that needs more for all records is given fewer."""
TURNS, PATIENCE = 7, 10.0
"""As many turns, or as fit into so many seconds; three at least."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def drawn(spec: Any, records: int) -> Batch:
    signals = np.random.default_rng(0).normal(0, 0.3, (records, len(spec.leads), spec.samples))
    return Batch(signals.astype(np.float32), np.zeros(records, np.float32), np.full(records, ""))


def seconds(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.timeout(1200)  # on the clock, of which a busy machine gives this process little
@pytest.mark.parametrize("name", published_models())
def test_features_beside_the_bare_network(benchmark: Any, name: str) -> None:
    model: Any = find_model(name).build("cpu")
    model._network = model.build().eval()
    spec = model.card.input
    model.embed(drawn(spec, 1))  # filters are designed, and compiled code is fetched
    records = min(RECORDS, max(1, int(ROUND / seconds(lambda: model.embed(drawn(spec, 1))))))
    batch = drawn(spec, records)
    with torch.inference_mode():
        parts = model.prepare(torch.from_numpy(batch.signals)).flatten(0, 1).split(8)

    @torch.inference_mode()
    def network_alone() -> None:
        for part in parts:
            model._network.features(part)

    pairs: list[tuple[float, float]] = []

    def take_turns() -> None:
        started = time.process_time()
        while len(pairs) < 3 or (len(pairs) < TURNS and time.process_time() - started < PATIENCE):
            pairs.append((seconds(network_alone), seconds(lambda: model.embed(batch))))

    benchmark.pedantic(take_turns, rounds=1)
    share = median(alone / asked for alone, asked in pairs)
    alone, asked = (median(times) for times in zip(*pairs, strict=True))
    benchmark.extra_info["records a second"] = round(records / asked, 1)
    benchmark.extra_info["records a second, network alone"] = round(records / alone, 1)
    benchmark.extra_info["share of the network's throughput that is left"] = f"{share:.0%}"
    print(
        f"{name}: {records / asked:.1f} of {records / alone:.1f} records/s, {share:.1%} of {len(pairs)} turns"
    )
    assert share >= TARGET
