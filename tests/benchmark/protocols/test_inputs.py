"""Models with the same input share one reading, within a limit of memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from benchmark.models.model_card import InputSpec
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.inputs import Inputs
from cohorts.recording import STANDARD_LEADS, Recording

RECORDS = 7
SPEC = InputSpec(sampling_rate=100, seconds=2, long_records="windows")
WINDOW = 4 * 12 * 200


class Counted:
    """Recordings of 2 and of 4 s that count how often each is read."""

    def __init__(self) -> None:
        self.index = pd.DataFrame(
            {"record_id": [f"r{i}" for i in range(RECORDS)], "age": np.nan, "sex": None}
        )
        self.index["sex"] = self.index["sex"].astype("str")
        self.labels = pd.DataFrame(index=self.index.index)
        self.read: Counter[int] = Counter()

    def recording(self, position: int) -> Recording:
        self.read[position] += 1
        samples = 1000 * (1 + position % 2)
        signal = np.random.default_rng(position).normal(size=(12, samples)).astype(np.float32)
        return Recording(signal, 500.0, STANDARD_LEADS)


def signals(source: Counted, inputs: Inputs | None, spec: InputSpec = SPEC, first: int = 0) -> np.ndarray:
    records = PreparedRecords(source, np.arange(first, RECORDS), spec, workers=2, inputs=inputs)
    return np.concatenate([batch.signals for batch, _ in records.window_batches(3)])


def test_the_second_model_reads_nothing() -> None:
    source, inputs = Counted(), Inputs(1 << 30)
    alone = signals(Counted(), None)
    for _ in range(3):
        np.testing.assert_array_equal(signals(source, inputs), alone)
    np.testing.assert_array_equal(signals(source, inputs, first=3), alone[4:])
    assert set(source.read.values()) == {1}


@pytest.mark.parametrize("windows", [0, 1, 3, 4, 100])
def test_no_more_is_kept_than_the_limit_and_no_value_changes(windows: int) -> None:
    source, inputs = Counted(), Inputs(windows * WINDOW)
    alone = signals(Counted(), None)
    for _ in range(2):
        np.testing.assert_array_equal(signals(source, inputs), alone)
    again = [position for position, times in source.read.items() if times == 2]
    kept = [1 + position % 2 for position in range(RECORDS) if position not in again]
    assert sum(kept) <= windows
    assert sum(kept) >= min(windows, 10) - 1, "what is left may be too little for a recording of two windows"


@pytest.mark.parametrize(
    "other",
    [
        {"sampling_rate": 50.0},
        {"leads": ("I", "II")},
        {"seconds": 1.0},
        {"unit": "uV"},
        {"long_records": "first"},
    ],
)
def test_another_input_is_read_by_itself(other: dict[str, object]) -> None:
    source, inputs = Counted(), Inputs(1 << 30)
    signals(source, inputs)
    spec = InputSpec.model_validate(SPEC.model_dump() | other)
    np.testing.assert_array_equal(signals(source, inputs, spec), signals(Counted(), None, spec))
    assert set(source.read.values()) == {2}


def test_another_cohort_is_never_taken_for_this_one() -> None:
    inputs = Inputs(1 << 30)
    for _ in range(50):  # a source that has gone may leave its address to the next
        source = Counted()
        signals(source, inputs)
        assert set(source.read.values()) == {1}


def test_a_model_that_writes_into_its_batch_hurts_nobody() -> None:
    source, inputs = Counted(), Inputs(1 << 30)
    alone = signals(Counted(), None)
    records = PreparedRecords(source, np.arange(RECORDS), SPEC, inputs=inputs)
    for batch, _ in records.window_batches(3):
        batch.signals[:] = np.nan
    np.testing.assert_array_equal(signals(source, inputs), alone)
