"""What it costs to run a model in another process: in time a batch, and in bytes a second."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmark.models.contract import Batch
from benchmark.models.plugins import find_model
from benchmark.models.worker.environments import Interpreter
from benchmark.models.worker.remote import RemoteModel
from tests.benchmarks.measuring import in_turns

PLUGINS = Path(__file__).parents[1] / "plugins"
BATCH, LEADS, SAMPLES, TURNS = 64, 12, 1000, 6
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


def test_a_real_network_keeps_four_fifths_of_its_speed(
    row: Callable[..., None], benchmark: BenchmarkFixture
) -> None:
    spec, batch = f"{__file__}:Network", a_batch()
    here = find_model(spec).build("cpu")
    with RemoteModel(spec, Interpreter(sys.executable)) as there:
        np.testing.assert_array_equal(here.predict(batch), there.predict(batch))
        calls = {"there": lambda: there.predict(batch), "here": lambda: here.predict(batch)}
        turns = in_turns(benchmark, calls, TURNS)
    row(
        f"resnet1d_wang in a process of its own, batches of {BATCH}: of its speed in the suite's process",
        100 * turns.ratio("here", "there"),
        f"% ({1e3 * turns.median('there'):.0f} ms a batch)",
        {"in the suite's process": f"{1e3 * turns.median('here'):.0f} ms a batch"},
        at_least=80,
    )


@pytest.mark.parametrize("samples", [SAMPLES, 5000])
def test_the_way_there_and_back(row: Callable[..., None], benchmark: BenchmarkFixture, samples: int) -> None:
    batch = a_batch(samples)
    with RemoteModel(f"{__file__}:Nothing", Interpreter(sys.executable)) as model:
        turns = in_turns(benchmark, {"there": lambda: model.predict(batch)}, 30)
    speed = batch.signals.nbytes / turns.median("there") / 1e6
    row(f"To a model in another process, batches of {BATCH} x 12 x {samples}", speed, "MB/s", at_least=100)


def test_start(row: Callable[..., None], benchmark: BenchmarkFixture) -> None:
    def start_and_end() -> None:
        RemoteModel(f"{PLUGINS / 'good.py'}:Amplitude", Interpreter(sys.executable)).close()

    taken = in_turns(benchmark, {"ours": start_and_end}, 5).median("ours")
    row("Starting and ending a model in another process", taken, "s")
