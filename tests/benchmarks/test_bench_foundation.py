"""How fast published models are: what the suite asks of each, beside its network alone on prepared windows.

Both are measured in turns and in processor time of one thread, so that whatever else the machine does falls
on both. However large it is, a model has some twenty seconds, all of them many minutes:
``make bench ARGS='-m slow -k bare_network'``.
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
from tests.benchmarks.measuring import seconds

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


def busy(call: Callable[[], Any]) -> float:
    return seconds(call, time.process_time)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # on the clock, of which a busy machine gives this process little
@pytest.mark.parametrize("name", published_models())
def test_features_beside_the_bare_network(row: Callable[..., None], name: str) -> None:
    model: Any = find_model(name).build("cpu")
    model._network = model.build().eval()
    spec = model.card.input
    model.embed(drawn(spec, 1))  # filters are designed, and compiled code is fetched
    records = min(RECORDS, max(1, int(ROUND / busy(lambda: model.embed(drawn(spec, 1))))))
    batch = drawn(spec, records)
    with torch.inference_mode():
        parts = model.prepare(torch.from_numpy(batch.signals)).flatten(0, 1).split(8)

    @torch.inference_mode()
    def network_alone() -> None:
        for part in parts:
            model._network.features(part)

    pairs: list[tuple[float, float]] = []
    started = time.process_time()
    while len(pairs) < 3 or (len(pairs) < TURNS and time.process_time() - started < PATIENCE):
        pairs.append((busy(network_alone), busy(lambda: model.embed(batch))))
    alone, asked = (median(times) for times in zip(*pairs, strict=True))
    row(
        f"Features of {name}, one thread, processor time: records/s left of the network alone",
        100 * median(alone / asked for alone, asked in pairs),
        f"% ({records / asked:.1f} records/s)",
        {"network alone": f"{records / alone:.1f} records/s"},
        at_least=85,
    )
