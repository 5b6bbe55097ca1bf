"""Calibration against scikit-learn, and identities that must hold exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve as sklearn_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from benchmark.metrics.calibration import brier, brier_parts, calibration_error, reliability_bins
from benchmark.metrics.calibration_curve import calibration_curve
from benchmark.metrics.logistic import clipped_logit
from cohorts.errors import LeadboardError, ModelError, UsageError


def made_by(
    slope: float, intercept: float, records: int = 4000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes, and probabilities that would be right after this change of their logits."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 1.5, records)
    return (rng.random(records) < expit(slope * x + intercept)).astype(np.int8), expit(x)


COLUMNS = st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.floats(0, 1)), min_size=1, max_size=60)


@given(COLUMNS, st.integers(1, 15), st.sampled_from(["equal width", "equal mass"]))
@settings(deadline=None)
def test_the_parts_add_up_exactly(column: list[tuple[int, float]], bins: int, binning: str) -> None:
    labels, p = [label for label, _ in column], [score for _, score in column]
    parts = brier_parts(labels, p, bins=bins, binning=binning)
    if max(labels) < 0:
        assert math.isnan(parts.brier)
        return
    total = parts.reliability - parts.resolution + parts.uncertainty
    total += parts.within_variance - parts.within_covariance

    assert parts.brier == pytest.approx(total, abs=1e-12)
    assert parts.brier == pytest.approx(np.mean([(q - y) ** 2 for y, q in column if y >= 0]), abs=1e-12)
    assert 0 <= calibration_error(labels, p, bins=bins, binning=binning) <= 1


def test_murphys_three_parts_suffice_where_each_bin_has_one_probability() -> None:
    rng = np.random.default_rng(0)
    p = rng.integers(0, 10, 500) / 10 + 0.05
    parts = brier_parts((rng.random(500) < p).astype(int), p)

    assert parts.within_variance == pytest.approx(0, abs=1e-15)
    assert parts.brier == pytest.approx(parts.reliability - parts.resolution + parts.uncertainty, abs=1e-12)


def test_brier_equals_scikit_learn() -> None:
    labels, p = made_by(0.6, 0.3)
    found = brier(labels, p, resamples=200)

    assert found.value == pytest.approx(brier_score_loss(labels, p), abs=1e-12)
    assert found.low < found.value < found.high
    assert brier_parts(labels, p).brier == pytest.approx(found.value, abs=1e-12)


def test_always_the_prevalence_is_the_uncertainty() -> None:
    labels = np.array([1, 0, 0, 0])
    parts = brier_parts(labels, np.full(4, 0.25))

    assert parts.brier == parts.uncertainty == 0.1875
    assert parts.reliability == parts.resolution == 0


@pytest.mark.parametrize(("binning", "strategy"), [("equal width", "uniform"), ("equal mass", "quantile")])
def test_calibration_error_from_the_bins_of_scikit_learn(binning: str, strategy: str) -> None:
    labels, p = made_by(0.6, 0.3, 3000)
    observed, predicted = sklearn_curve(labels, p, n_bins=12, strategy=strategy)
    edges = np.linspace(0, 1, 13) if strategy == "uniform" else np.quantile(p, np.linspace(0, 1, 13))
    count = np.bincount(np.searchsorted(edges[1:-1], p), minlength=12)
    expected = np.sum(count[count > 0] / 3000 * np.abs(observed - predicted))

    assert calibration_error(labels, p, bins=12, binning=binning) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("binning", ["equal width", "equal mass"])
def test_reliability_bins_are_those_of_scikit_learn_and_of_the_error(binning: str) -> None:
    rng = np.random.default_rng(4)
    p = rng.beta(0.4, 2, 500)
    labels = (rng.random(500) < p).astype(np.int8)
    labels[::7] = -1
    known = labels >= 0
    found = reliability_bins(labels, p, binning=binning)  # type: ignore[arg-type]
    strategy = "uniform" if binning == "equal width" else "quantile"
    observed, predicted = sklearn_curve(labels[known], p[known], n_bins=10, strategy=strategy)
    assert [one.positives / one.n for one in found] == pytest.approx(observed.tolist(), abs=1e-12)
    assert [one.predicted for one in found] == pytest.approx(predicted.tolist(), abs=1e-12)
    assert sum(one.n for one in found) == np.count_nonzero(known)
    error = sum(abs(one.positives - one.n * one.predicted) for one in found) / np.count_nonzero(known)
    assert error == pytest.approx(calibration_error(labels, p, binning=binning), abs=1e-12)  # type: ignore[arg-type]
    assert reliability_bins([-1], [0.5]) == []


def test_no_error_where_frequencies_are_right() -> None:
    assert calibration_error([1, 0, 0, 0, 1, 1, 1, 0], [0.25] * 4 + [0.75] * 4) == 0.0


def test_the_curve_equals_scikit_learn_on_a_spline_built_by_hand() -> None:
    labels, p = made_by(0.6, 0.3, 1500)
    found = calibration_curve(labels, p, points=20)
    x = logit(p)
    t = np.quantile(x, [0.05, 0.35, 0.65, 0.95])

    def design(values: np.ndarray) -> np.ndarray:
        columns = [values]
        for j in range(2):
            cubes = [np.clip(values - knot, 0, None) ** 3 for knot in (t[j], t[2], t[3])]
            shape = (
                cubes[0] - cubes[1] * (t[3] - t[j]) / (t[3] - t[2]) + cubes[2] * (t[2] - t[j]) / (t[3] - t[2])
            )
            columns.append(shape / (t[3] - t[0]) ** 2)
        return np.column_stack(columns)

    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(design(x), labels)
    assert found.observed == pytest.approx(
        model.predict_proba(design(logit(found.predicted)))[:, 1], abs=1e-5
    )
    assert found.index == pytest.approx(np.abs(model.predict_proba(design(x))[:, 1] - p).mean(), abs=1e-5)
    assert (found.low < found.observed).all()
    assert (found.observed < found.high).all()


def test_the_curve_finds_the_diagonal_and_the_way_off_it() -> None:
    right = calibration_curve(*made_by(1, 0, 20_000))
    wrong = calibration_curve(*made_by(0.5, 1, 20_000))

    assert np.mean((right.low <= right.predicted) & (right.predicted <= right.high)) > 0.8
    assert right.index < 0.015
    assert wrong.index > 0.1
    np.testing.assert_allclose(wrong.observed, expit(0.5 * logit(wrong.predicted) + 1), atol=0.03)


@pytest.mark.parametrize(
    ("labels", "p", "why"),
    [
        ([0] * 30, [0.3] * 30, "no positive record"),
        ([0] * 30 + [1] * 9, [0.3] * 39, "fewer than 10"),
        ([0] * 30 + [1] * 30, [0.3] * 60, "too few different"),
        ([0] * 30 + [1] * 30, list(np.linspace(0.01, 0.99, 60)), "separates"),
    ],
)
def test_no_curve_says_why(labels: list[int], p: list[float], why: str) -> None:
    found = calibration_curve(labels, p)

    assert why in found.reason
    assert len(found.observed) == 0
    assert found.index is None


def test_no_record() -> None:
    assert brier([], []).reason == "no annotated record"
    assert math.isnan(calibration_error([-1], [0.5]))


def test_refuses() -> None:
    with pytest.raises(ModelError, match="1 of 2 scores of 'AF' are outside 0 to 1"):
        brier([0, 1], [0.5, 1.5], name="'AF'")
    with pytest.raises(ModelError, match="1 of 2 scores of this column are NaN"):
        calibration_error([0, 1], [0.5, math.nan])
    with pytest.raises(UsageError, match="0 bins"):
        brier_parts([0, 1], [0.5, 0.4], bins=0)
    with pytest.raises(LeadboardError, match="one length"):
        calibration_curve([0, 1], [0.5])


def test_certain_probabilities_have_the_log_odds_of_one_in_a_million() -> None:
    found = clipped_logit(np.array([0.0, 1e-9, 0.1, 0.5, 1.0]))

    np.testing.assert_allclose(found, np.log([1 / 999_999, 1 / 999_999, 1 / 9, 1, 999_999]), atol=1e-9)
