"""How well a busy model is fed (``pytest tests/benchmarks/test_bench_feeding.py --benchmark-enable -s``).

A stand-in device sleeps for ``len(batch) / rate`` seconds. Target: 90 % of what the slower of the two manages
alone, reading or device.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from benchmark.models.contract import InputSpec
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.inputs import Inputs
from cohorts.catalogue import find_cohort
from cohorts.store import prepare

SPEC = InputSpec(sampling_rate=500, seconds=10)
TARGET = 0.9


def records_per_second(records: PreparedRecords, rate: float | None) -> float:
    """Stream all records in batches of 64 through a device of this rate; None is no device at all."""
    started = time.perf_counter()
    for batch, _ in records.window_batches(64):
        if rate is not None:
            time.sleep(len(batch) / rate)
    return len(records) / (time.perf_counter() - started)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("rate", [1500, 3000])
@pytest.mark.parametrize("hz", [500, 100])
def test_a_device_does_not_wait(benchmark, shared: Path, tmp_path: Path, rate: int, workers: int, hz: int):
    store = prepare(find_cohort("ptb-xl")(shared / "data" / "ptb-xl"), tmp_path)
    rows = np.tile(np.arange(len(store)), 5)
    spec = SPEC.model_copy(update={"sampling_rate": float(hz)})
    records = PreparedRecords(store, rows, spec, workers=workers)
    records_per_second(records, None)
    reading = max(records_per_second(records, None) for _ in range(3))
    fed = benchmark.pedantic(records_per_second, (records, rate), rounds=3)
    fed = max(fed, *(records_per_second(records, rate) for _ in range(2)))
    share = fed / min(reading, rate)
    benchmark.extra_info.update(reading=round(reading), device=rate, fed=round(fed), share=round(share, 3))
    print(
        f"\n{hz} Hz, {workers} threads: reading {reading:,.0f}/s, device {rate:,}/s, "
        f"both {fed:,.0f}/s = {share:.0%}"
    )
    assert share >= TARGET


def test_a_further_model_costs_a_tenth_of_a_reading(benchmark, shared: Path, tmp_path: Path):
    store = prepare(find_cohort("ptb-xl")(shared / "data" / "ptb-xl"), tmp_path)
    spec = SPEC.model_copy(update={"sampling_rate": 100.0})

    def read(inputs: Inputs) -> float:
        records = PreparedRecords(store, np.arange(len(store)), spec, workers=2, inputs=inputs)
        started = time.process_time()
        for _ in records.window_batches(64):
            pass
        return time.process_time() - started

    def first_and_next() -> tuple[float, float]:
        inputs = Inputs()
        return read(inputs), read(inputs)

    first_and_next()
    times = [first_and_next() for _ in range(5)]
    benchmark.pedantic(first_and_next, rounds=3)
    first, further = (min(column) for column in zip(*times, strict=True))
    print(
        f"\nfirst model {1e3 * first:.0f} ms, each further one {1e3 * further:.0f} ms = {further / first:.0%}"
    )
    assert further <= 0.1 * first
