"""Every bootstrap of a cell goes to a CUDA device where it is told to, and gives the same record."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import pytest

import benchmark.metrics.device as on_device
from benchmark.metrics.cell.evaluation import evaluate_resampled
from benchmark.metrics.cell.operating_points import no_thresholds
from benchmark.metrics.cell.statistics import cell_statistics


def measured(device: str) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Two fits of a small cohort with patients, ties and a gap in its labels."""
    rng = np.random.default_rng(5)
    labels = pd.DataFrame(rng.integers(0, 2, (80, 3)).astype(np.int8), columns=["AF", "LBBB", "PVC"])
    labels.iloc[:9, 1] = -1
    fits = [(labels + rng.normal(size=labels.shape)).round(1) for _ in range(2)]
    patients = pd.Series(rng.integers(0, 50, 80).astype(str))
    evaluation, resampled = evaluate_resampled(labels, fits, patients, resamples=40, seed=3, device=device)
    statistics = cell_statistics(
        labels,
        fits,
        patients,
        evaluation,
        probabilities=False,
        thresholds=no_thresholds("none"),
        members={"sex": ["female", "male"] * 40},
        device=device,
    )
    return evaluation.model_dump(), statistics.model_dump(), resampled


def agree(one: Any, other: Any) -> int:
    """Compare two trees; gives how many numbers they have."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return sum(agree(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple):
        return sum(agree(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, float):
        assert one == pytest.approx(other, rel=0, abs=1e-12)
        return 1
    assert one == other
    return 0


def test_a_cell_is_the_same_to_1e_12(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU of torch in the place of a GPU, which no test here has."""
    asked: list[str] = []
    really = on_device.bootstrap_on_device

    @functools.wraps(really)
    def instead(*args: Any, device: str, **more: Any) -> Any:
        asked.append(device)
        return really(*args, device="cpu", **more)

    monkeypatch.setattr(on_device, "bootstrap_on_device", instead)
    compiled = measured("cpu")
    assert not asked
    found = measured("cuda:1")
    assert asked == ["cuda:1"] * 6  # two fits, as drawn and at the reference prevalence, and two groups
    assert agree(compiled[:2], found[:2]) > 60
    for name in ("macro_auroc", "macro_auprc", "auroc"):
        pair = getattr(compiled[2], name), getattr(found[2], name)
        np.testing.assert_allclose(*pair, rtol=0, atol=1e-12)


def test_a_device_that_is_full_leaves_it_to_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise on_device.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(on_device, "bootstrap_on_device", full)
    assert agree(measured("cuda:1")[:2], measured("cpu")[:2]) > 100
