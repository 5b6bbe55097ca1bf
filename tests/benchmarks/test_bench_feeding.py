"""How well a busy model is fed, and what a further model with the same input costs.

A stand-in device sleeps for ``len(batch) / rate`` seconds. Reading alone, the device alone and both together
take turns, and each turn is compared with itself: on a machine with other work, a figure from one minute says
nothing about the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmark.models.model_card import InputSpec
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.inputs import Inputs
from cohorts.catalogue import find_cohort
from cohorts.preparing import prepare
from cohorts.simulator.simulate import simulate
from cohorts.store import Store
from tests.benchmarks.measuring import in_turns, seconds

BATCH, BATCHES, TURNS = 64, 20, 5


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("georgia")
    [root] = simulate(folder / "data", sites=["georgia"])
    return prepare(find_cohort("georgia")(root), folder)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rate", [1500, 3000])
@pytest.mark.parametrize("hz", [500, 100])
def test_a_device_does_not_wait(
    row: Callable[..., None], benchmark: BenchmarkFixture, store: Store, rate: int, threads: int, hz: int
) -> None:
    spec = InputSpec(sampling_rate=hz, seconds=10, long_records="first")
    rows = np.resize(np.arange(len(store)), BATCH * BATCHES)
    records = PreparedRecords(store, rows, spec, workers=threads)

    def device(batches: int = BATCHES) -> None:
        for _ in range(batches):
            time.sleep(BATCH / rate)

    def read(after: Callable[[], None] = lambda: None) -> None:
        for _ in records.window_batches(BATCH):
            after()

    calls = {"both": lambda: read(lambda: device(1)), "reading": read, "device": device}
    turns = in_turns(benchmark, calls, TURNS)
    slower = [max(pair) for pair in zip(turns.times["reading"], turns.times["device"], strict=True)]
    share = median(alone / both for alone, both in zip(slower, turns.times["both"], strict=True))
    speed = {name: len(rows) / turns.median(name) for name in turns.times}
    given = "" if hz == 500 else f" resampled to {hz} Hz"
    row(
        f"Feeding a device of {rate:,} records/s, 500 Hz{given}, {threads} reader thread"
        f"{'s' if threads > 1 else ''}: of the slower of the two alone",
        100 * share,
        f"% ({speed['both']:,.0f} records/s)",
        {"reading alone": f"{speed['reading']:,.0f}", "device alone": f"{speed['device']:,.0f}"},
        at_least=90,
    )


def test_a_further_model_costs_a_tenth_of_a_reading(row: Callable[..., None], store: Store) -> None:
    spec = InputSpec(sampling_rate=100, seconds=10)
    rows = np.arange(len(store))

    def read(inputs: Inputs) -> float:
        records = PreparedRecords(store, rows, spec, workers=2, inputs=inputs)
        return seconds(lambda: list(map(len, records.window_batches(BATCH))), time.process_time)

    pairs = []
    for _ in range(TURNS):
        inputs = Inputs()
        pairs.append((read(inputs), read(inputs)))
    first, further = (median(column) for column in zip(*pairs, strict=True))
    row(
        f"Preparing the input of a further model that asks for the same, {len(rows)} records, 500 to 100 Hz: "
        "processor time beside that of the first",
        100 * median(again / once for once, again in pairs),
        f"% ({1e3 * further:.0f} ms)",
        {"reading it again": f"100 % ({1e3 * first:.0f} ms)"},
        at_most=10,
    )
