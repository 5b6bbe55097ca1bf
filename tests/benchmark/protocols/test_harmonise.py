"""The prepared input is what the card asks for, whatever the batch size and the number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.models.model_card import InputSpec
from benchmark.protocols.harmonise import PreparedRecords, harmonise, window_starts
from cohorts.catalogue import open_cohort
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS, Recording
from cohorts.store import Store
from tests.releases import write_challenge


def recording(signal: np.ndarray, rate: float = 500.0) -> Recording:
    return Recording(signal.astype(np.float32), rate, STANDARD_LEADS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("data")
    write_challenge(root, records=11)
    cohort = open_cohort("georgia", root)
    assert cohort is not None
    return prepare(cohort, tmp_path_factory.mktemp("cache"))


def test_leads_are_taken_by_name_and_in_the_order_asked_for() -> None:
    signal = np.arange(12.0)[:, None] * np.ones((1, 5000))
    spec = InputSpec(leads=("V6", "I", "aVL"))
    np.testing.assert_array_equal(harmonise(recording(signal), spec)[:, 0], [11, 0, 4])


def test_unit_is_converted() -> None:
    signal = np.full((12, 5000), 0.25)
    assert harmonise(recording(signal), InputSpec(unit="uV"))[0, 0] == pytest.approx(250)
    assert harmonise(recording(signal), InputSpec(unit="V"))[0, 0] == pytest.approx(2.5e-4)


def test_resampled_length_and_content() -> None:
    time = np.arange(5000) / 500
    signal = np.tile(np.sin(2 * np.pi * 3 * time), (12, 1))
    got = harmonise(recording(signal), InputSpec(sampling_rate=100))
    assert got.shape == (12, 1000)
    np.testing.assert_allclose(
        got[0, 50:-50], np.sin(2 * np.pi * 3 * np.arange(1000) / 100)[50:-50], atol=0.01
    )


def test_frequencies_above_the_new_limit_do_not_fold_back() -> None:
    time = np.arange(5000) / 500
    signal = np.tile(np.sin(2 * np.pi * 90 * time), (12, 1))  # would appear at 10 Hz
    got = harmonise(recording(signal), InputSpec(sampling_rate=100))
    assert np.abs(got[:, 50:-50]).max() < 0.05


def test_missing_samples_become_zero() -> None:
    signal = np.ones((12, 5000))
    signal[3, 100:200] = np.nan
    got = harmonise(recording(signal), InputSpec())
    assert np.isfinite(got).all()
    assert not got[3, 100:200].any()


@pytest.mark.parametrize(
    ("policy", "samples", "expected"),
    [
        ("first", 12_000, [0]),
        ("centre", 12_000, [3500]),
        ("windows", 10_000, [0, 5000]),
        ("windows", 12_400, [0, 5000]),
        ("windows", 12_500, [0, 5000, 10_000]),
        ("windows", 900, [0]),
        ("centre", 900, [0]),
    ],
)
def test_windows_of_long_records(policy: str, samples: int, expected: list[int]) -> None:
    spec = InputSpec.model_validate({"long_records": policy})
    assert window_starts(samples, spec) == expected


def test_short_records_are_padded_at_the_end(store: Store) -> None:
    records = PreparedRecords(store, np.arange(len(store)), InputSpec(seconds=15))
    signals = records.batch([0]).signals
    assert signals.shape == (1, 12, 7500)
    assert signals[0, :, :5000].any()
    assert not signals[0, :, 5000:].any()


@pytest.mark.parametrize("policy", ["first", "windows"])
def test_batch_size_and_threads_change_nothing(store: Store, policy: str) -> None:
    spec = InputSpec.model_validate({"sampling_rate": 250, "seconds": 3, "long_records": policy})

    def everything(size: int, workers: int) -> tuple[np.ndarray, np.ndarray]:
        records = PreparedRecords(store, np.arange(len(store)), spec, workers=workers)
        batches = list(records.window_batches(size))
        assert all(len(batch) == size for batch, _ in batches[:-1])
        return np.concatenate([b.signals for b, _ in batches]), np.concatenate([rows for _, rows in batches])

    signals, rows = everything(1, 1)
    for size, workers in [(4, 1), (32, 3), (7, 2)]:
        other, other_rows = everything(size, workers)
        np.testing.assert_array_equal(signals, other)
        np.testing.assert_array_equal(rows, other_rows)
    assert len(set(rows)) == len(store)


def test_no_records_give_no_batches(store: Store) -> None:
    records = PreparedRecords(store, np.array([], dtype=np.intp), InputSpec())
    assert list(records.window_batches(8)) == []
