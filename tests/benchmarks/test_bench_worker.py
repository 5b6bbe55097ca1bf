"""What it costs to run a model in another process: in time a batch, and in bytes a second."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.models.contract import Batch
from benchmark.models.plugins import find_model
from benchmark.models.worker.environments import Interpreter
from benchmark.models.worker.remote import RemoteModel

PLUGINS = Path(__file__).parents[1] / "plugins"
BATCH, LEADS, SAMPLES, BATCHES = 64, 12, 1000, 6
OUTPUTS = ["NORM", "MI", "STTC", "CD", "HYP"]


class Network:
    """The PTB-XL benchmark's network with the weights that it is born with."""

    card = {"name": "network", "outputs": OUTPUTS, "trained_on": []}

    def __init__(self) -> None:
        import torch

        from baselines.networks.resnet1d_wang import resnet1d_wang

        torch.manual_seed(0)
        self.network = resnet1d_wang(len(OUTPUTS)).eval()

    def predict(self, batch: Batch) -> Any:
        import torch

        with torch.inference_mode():
            return self.network(torch.from_numpy(batch.signals)).numpy()


class Nothing:
    """Answers at once: what is left is the way there and back."""

    card = {"name": "nothing", "outputs": OUTPUTS, "trained_on": []}

    def predict(self, batch: Batch) -> Any:
        return np.zeros((len(batch), len(OUTPUTS)), dtype=np.float32)


def a_batch(samples: int = SAMPLES) -> Batch:
    signals = np.random.default_rng(0).standard_normal((BATCH, LEADS, samples), dtype=np.float32)
    return Batch(signals, np.full(BATCH, 60, dtype=np.float32), np.full(BATCH, "female"))


def test_a_real_network_keeps_four_fifths_of_its_speed(benchmark: Any) -> None:
    """Batches are timed in turns, so that what else the machine does slows down both."""
    spec, batch = f"{__file__}:Network", a_batch()
    here = find_model(spec).build("cpu")
    spent = {"here": 0.0, "in a worker": 0.0}
    with RemoteModel(spec, Interpreter(sys.executable)) as there:
        np.testing.assert_array_equal(here.predict(batch), there.predict(batch))

        def turn() -> None:
            for name, model in (("here", here), ("in a worker", there)):
                start = time.perf_counter()
                model.predict(batch)
                spent[name] += time.perf_counter() - start

        benchmark.pedantic(turn, rounds=BATCHES, iterations=1)
    share = spent["here"] / spent["in a worker"]
    benchmark.extra_info.update(
        {f"ms a batch, {name}": round(1e3 * s / BATCHES) for name, s in spent.items()}
    )
    benchmark.extra_info["throughput in a worker"] = f"{share:.1%} of that in the suite's process"

    assert share >= 0.8


@pytest.mark.parametrize("samples", [SAMPLES, 5000])
def test_the_way_there_and_back(benchmark: Any, samples: int) -> None:
    batch = a_batch(samples)
    with RemoteModel(f"{__file__}:Nothing", Interpreter(sys.executable)) as model:
        benchmark.pedantic(lambda: model.predict(batch), rounds=30, warmup_rounds=3)
    speed = batch.signals.nbytes / benchmark.stats.stats.median / 1e6
    benchmark.extra_info["MB/s"] = round(speed)

    assert speed > 100


def test_start(benchmark: Any) -> None:
    def start_and_end() -> None:
        RemoteModel(f"{PLUGINS / 'good.py'}:Amplitude", Interpreter(sys.executable)).close()

    benchmark.pedantic(start_and_end, rounds=5)
