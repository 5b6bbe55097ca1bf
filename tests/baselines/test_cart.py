"""Measurements of drawn recordings whose intervals are known, and trees that are those of scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from baselines.cart.measurements import NAMES, measure
from baselines.cart.model import Cart
from baselines.cart.trees import decision, flattened
from benchmark.models.contract import Batch, FitSettings
from benchmark.models.model_card import InputSpec
from cohorts.recording import STANDARD_LEADS
from tests.baselines.official_files import real_batch

TIME = np.arange(2500) / 250
SIX = dict(zip(("I", "II", "III", "aVR", "aVL", "aVF"), (0, 60, 120, 210, 330, 90), strict=True))


def bump(phase: npt.NDArray[np.float64], at: float, width: float) -> npt.NDArray[np.float64]:
    return np.exp(-(((phase - at) / width) ** 2))


def drawn(
    rate: float = 72,
    pr: float = 0.16,
    qrs: float = 1.0,
    axis: float = 40,
    st: float = 0,
    noise: float = 0.005,
    p: float = 0.12,
) -> npt.NDArray[np.float32]:
    """Twelve leads of regular beats whose vector points down by ``axis`` degrees in the frontal plane."""
    phase = (TIME + 0.2) % (60 / rate) - 0.5 * 60 / rate  # seconds around each R wave
    beat = (
        p * bump(phase, -pr + 0.01, 0.025)
        + bump(phase, 0, 0.013 * qrs)
        - 0.2 * bump(phase, 0.03 * qrs, 0.011 * qrs)
        + 0.3 * bump(phase, 0.28, 0.05)
    )
    raised = st * ((phase > 0.05 * qrs) & (phase < 0.30))
    gains = [np.cos(np.radians(axis - SIX[lead])) if lead in SIX else 0.8 for lead in STANDARD_LEADS]
    leads = np.stack([gain * beat + raised for gain in gains])
    wander = 0.2 * np.sin(2 * np.pi * 0.2 * TIME)
    return (leads + wander + np.random.default_rng(0).normal(0, noise, leads.shape)).astype(np.float32)


def found(signal: npt.NDArray[np.float32]) -> dict[str, float]:
    return dict(zip(NAMES, map(float, measure(signal[None])[0]), strict=True))


@pytest.mark.parametrize("rate", [45, 60, 72, 100, 140])
def test_the_rate(rate: float) -> None:
    values = found(drawn(rate))
    assert values["rate"] == pytest.approx(rate, rel=0.02)
    assert values["rr_deviation"] < 5
    assert values["odd_rr"] == 0


def test_irregular_beats_are_seen() -> None:
    signal = drawn(60)
    late = np.concatenate([signal[:, :1260], signal[:, 1180:1260], signal[:, 1260:]], axis=1)[:, :2500]
    assert found(late)["odd_rr"] > 0
    assert found(late)["longest_rr"] > 1.25 * found(signal)["longest_rr"]


def test_intervals_follow_the_drawing() -> None:
    usual, late, wide = found(drawn()), found(drawn(pr=0.24)), found(drawn(qrs=1.8))
    assert usual["pr"] == pytest.approx(180, abs=30)
    assert late["pr"] - usual["pr"] == pytest.approx(80, abs=20)
    assert usual["qrs"] == pytest.approx(80, abs=20)
    assert wide["qrs"] > 1.4 * usual["qrs"]
    assert usual["qt"] == pytest.approx(390, abs=40)
    assert usual["qtc"] == pytest.approx(usual["qt"] / np.cbrt(60 / usual["rate"]), rel=1e-5)


@pytest.mark.parametrize("axis", [-60, 0, 60, 120])
def test_the_axis(axis: float) -> None:
    values = found(drawn(axis=axis))
    assert values["qrs_axis"] == pytest.approx(axis, abs=8)
    assert values["t_axis"] == pytest.approx(axis, abs=8)


def test_levels_and_heights_are_in_millivolts() -> None:
    values = found(drawn(axis=60, st=0.25))
    assert values["II_r"] == pytest.approx(1.0, abs=0.15)
    assert values["II_p"] == pytest.approx(0.12, abs=0.04)
    assert values["V3_st60"] - found(drawn(axis=60))["V3_st60"] == pytest.approx(0.25, abs=0.08)
    assert values["aVR_r"] < 0.3
    assert values["aVR_q"] < -0.6


def test_nothing_is_measured_where_nothing_moves() -> None:
    assert np.isnan(measure(np.zeros((2, 12, 2500), dtype=np.float32))).all()
    assert np.isnan(measure(np.full((1, 12, 2500), 7, dtype=np.float32))).all()
    noise = np.random.default_rng(0).normal(0, 1, (3, 12, 2500)).astype(np.float32)
    assert measure(noise).shape == (3, len(NAMES))


def test_real_recordings_have_plausible_values(shared: Path) -> None:
    signals = real_batch(shared, InputSpec(sampling_rate=250, seconds=10), 12).signals
    values = dict(zip(NAMES, measure(signals).T, strict=True))
    for name, (low, high) in {"rate": (40, 140), "qrs": (50, 200), "qt": (250, 560), "pr": (80, 320)}.items():
        assert (values[name] > low).all(), name
        assert (values[name] < high).all(), name


def test_flattened_trees_decide_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (400, 5)).astype(np.float32)
    x[rng.random(x.shape) < 0.2] = np.nan
    y = (np.nan_to_num(x[:, 0]) + np.isnan(x[:, 1]) + rng.normal(0, 0.5, 400) > 0).astype(int)
    forest = HistGradientBoostingClassifier(max_iter=12, early_stopping=False).fit(x, y)
    logits = decision(flattened([None, forest], np.array([-1.5, 0.0])), x)
    np.testing.assert_allclose(logits[:, 1], forest.decision_function(x), rtol=1e-12)
    assert (logits[:, 0] == -1.5).all()


class Drawn:
    """Recordings of which half have a wide QRS complex."""

    def __init__(self, count: int, seed: int) -> None:
        import pandas as pd

        rng = np.random.default_rng(seed)
        wide = rng.random(count) < 0.5
        signals = np.stack(
            [drawn(rng.uniform(55, 95), qrs=1.8 if w else 1.0, axis=rng.uniform(-20, 80)) for w in wide]
        )
        self.labels = pd.DataFrame({"LBBB": wide.astype(np.int8)})
        unknown = np.full(count, np.nan, np.float32), np.full(count, "", dtype=np.str_)
        self.everything = Batch(signals, *unknown)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, positions: object) -> Batch:
        rows = np.asarray(positions)
        return Batch(self.everything.signals[rows], self.everything.age[rows], self.everything.sex[rows])

    def batches(self, size: int) -> list[Batch]:
        return [self.everything]


def test_what_is_measured_is_learnt(tmp_path: Path) -> None:
    model = Cart()
    model.fit(Drawn(80, 1), Drawn(4, 2), FitSettings(("LBBB",), 0, "cpu", tmp_path))
    others = Drawn(40, 3)
    assert roc_auc_score(others.labels["LBBB"], model.predict(others.everything)[:, 0]) > 0.95
