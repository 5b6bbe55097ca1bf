"""What the suite costs beside a bare forward pass over tensors in memory, for networks of random weights.

The suite reads a prepared cohort at 500 Hz, resamples, cuts windows, asks the model and checks its scores.
The bare pass has its batches ready. Both are measured in processor time with one thread for the network: what
others do falls on neither, and reading counts in full, also where it would be done beside the network.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from baselines.ecgclip.encoder import ResidualEncoder
from baselines.ecgclip.model import EcgClip
from baselines.foundation.ptbxl_benchmark import ResNet1dWang, XResNet1d101
from benchmark.models.contract import Batch
from benchmark.protocols.hardware import Hardware, processors
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.inference import predict
from cohorts.catalogue import find_cohort
from cohorts.ontology.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.simulator.simulate import simulate
from cohorts.store import Store
from tests.benchmarks.measuring import in_turns
from tests.benchmarks.table import written

RECORDS, AT_ONCE, TURNS = 128, 8, 3


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("georgia")
    [root] = simulate(folder / "data", sites=["georgia"])
    return prepare(find_cohort("georgia")(root), folder)


class EcgClip34:
    """ECGCLIP's encoder with a last layer, asked as a model is."""

    def __init__(self) -> None:
        concepts = tuple(load_ontology().concepts.index[:26])
        self.network = ResidualEncoder(34, outputs=len(concepts)).eval()
        self.inner: Any = EcgClip()
        self.inner._bare = self.network
        self.card = self.inner.card.with_outputs(concepts)
        self.predict = self.inner.embed

    def ready(self, batch: Batch) -> torch.Tensor:
        return torch.from_numpy(self.inner.prepare(batch))


class Windows:
    """A network of the PTB-XL benchmark on its windows of 2.5 s."""

    def __init__(self, published: type[ResNet1dWang] | type[XResNet1d101]) -> None:
        self.inner: Any = published()
        self.network = self.inner._network = self.inner.build().eval()
        self.card = self.inner.card
        self.predict = self.inner.predict

    def ready(self, batch: Batch) -> torch.Tensor:
        windows: torch.Tensor = self.inner.prepare(torch.from_numpy(batch.signals)).flatten(0, 1)
        return windows


MODELS: dict[str, Callable[[], Any]] = {
    "resnet1d_wang, 7 windows of 2.5 s at 100 Hz": lambda: Windows(ResNet1dWang),
    "xresnet1d101, 7 windows of 2.5 s at 100 Hz": lambda: Windows(XResNet1d101),
    "ECGCLIP, ResNet-34, 10 s at 400 Hz": EcgClip34,
}


@pytest.mark.timeout(1800)
@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("name", MODELS)
def test_the_suite_beside_a_bare_forward_pass(
    row: Callable[..., None], benchmark: BenchmarkFixture, store: Store, name: str
) -> None:
    model = MODELS[name]()
    records = PreparedRecords(store, np.arange(RECORDS), model.card.input, workers=processors())
    with torch.inference_mode():
        parts = [model.ready(batch) for batch in records.batches(AT_ONCE)]

    @torch.inference_mode()
    def bare() -> None:
        for part in parts:
            model.network(part)

    hardware = Hardware(device="cpu")
    calls = {"suite": lambda: predict(model, model.card, records, hardware), "bare": bare}
    turns = in_turns(benchmark, calls, TURNS, time.process_time)
    row(
        f"Inference, {name}: processor time beside a bare forward pass, one thread, {RECORDS} records",
        100 * (turns.ratio("suite", "bare") - 1),
        f"% more ({written(1e3 * turns.median('suite') / RECORDS, 'ms a record')})",
        {"tensors in memory": written(1e3 * turns.median("bare") / RECORDS, "ms a record")},
        at_most=15,
    )
