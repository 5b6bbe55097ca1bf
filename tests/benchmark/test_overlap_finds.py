"""Shared recordings are found whatever a publisher did to them, and unrelated ones are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.overlap import find_overlap, summarise
from cohorts.catalogue import open_cohort
from cohorts.recording import resample
from cohorts.simulator.simulate import simulate
from cohorts.store import Store, prepare
from tests.releases import write_record


def store_of(cohort: str, data: Path, cache: Path) -> Store:
    release = open_cohort(cohort, data)
    assert release is not None
    return prepare(release, cache)


def test_renamed_records_of_ptb_xl_are_found_without_being_told(shared: Path, tmp_path: Path) -> None:
    copy, original = (store_of(name, shared / "data", tmp_path) for name in ("challenge-ptb-xl", "ptb-xl"))
    pairs = find_overlap(copy, original)
    there = set(original.index["record_id"])
    truth = {(name, str(int(name.removeprefix("HR")))) for name in copy.index["record_id"]}
    assert set(zip(pairs["record_a"], pairs["record_b"], strict=True)) == {p for p in truth if p[1] in there}
    assert len(pairs) > 0


@pytest.mark.parametrize("other", ["georgia", "ningbo", "cpsc-2018-extra"])
def test_unrelated_real_cohorts_share_nothing(shared: Path, tmp_path: Path, other: str) -> None:
    a, b = (store_of(name, shared / "data", tmp_path) for name in ("ptb-xl", other))
    assert find_overlap(a, b).empty


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("original")
    simulate(root, sites=["georgia"], scale=0.1)
    return store_of("georgia", root, tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize(
    ("gain", "rate", "permuted"),
    [(0.2, 500, False), (3.0, 500, False), (1.0, 100, False), (1.0, 250, True), (0.5, 100, True)],
)
def test_copies_are_found(original: Store, tmp_path: Path, gain: float, rate: int, permuted: bool) -> None:
    order = np.random.default_rng(1).permutation(12) if permuted else np.arange(12)
    chosen = range(0, len(original), 3)
    for position in chosen:
        signal = resample(original.recording(position).signal, original.rates[position], rate)
        counts = np.clip(np.rint(signal * 1000 * gain), -32_000, 32_000).astype(np.int16)[order]
        folder = tmp_path / "challenge-2021/training/ningbo/g1"
        write_record(folder, f"JS{position:05d}", counts, rate, ("#Dx: 426783006",), mat=True)
    copy = store_of("ningbo", tmp_path, tmp_path / "cache")
    pairs = find_overlap(copy, original)
    names = original.index["record_id"]
    assert dict(zip(pairs["record_a"], pairs["record_b"], strict=True)) == {
        f"JS{position:05d}": names[position] for position in chosen
    }
    assert summarise(pairs, copy, original)["shared_a"] == len(copy)


def test_nothing_occurs_twice_in_one_simulated_cohort(original: Store) -> None:
    assert find_overlap(original, original).empty
