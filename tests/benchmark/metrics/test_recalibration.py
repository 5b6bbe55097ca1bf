"""Calibration slope and intercept, and Platt's map, against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from benchmark.metrics.discrimination import auroc
from benchmark.metrics.logistic import CLIP, fit_logistic
from benchmark.metrics.recalibration import fit_platt, recalibration
from cohorts.errors import ModelError, UsageError


def made_by(
    slope: float, intercept: float, records: int = 4000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes, and probabilities that would be right after this change of their logits."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 1.5, records)
    return (rng.random(records) < expit(slope * x + intercept)).astype(np.int8), expit(x)


def test_slope_equals_scikit_learn_and_finds_the_truth() -> None:
    labels, p = made_by(0.6, 0.4)
    found = recalibration(labels, p)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(p)[:, None], labels)

    assert found.slope.value == pytest.approx(model.coef_[0, 0], abs=1e-6)
    assert found.slope.low < 0.6 < found.slope.high
    assert found.intercept.value > 0
    assert found.clipped == 0


def test_intercept_makes_the_mean_probability_the_prevalence() -> None:
    """The score equation of the regression with an offset: its definition, solved another way."""
    labels, p = made_by(1, 0.7)
    found = recalibration(labels, p).intercept

    assert expit(logit(p) + found.value).mean() == pytest.approx(labels.mean(), abs=1e-9)
    assert found.low < 0.7 < found.high


def test_standard_errors_are_those_of_the_likelihood() -> None:
    labels, p = made_by(1, 0, 500)
    found = recalibration(labels, p)
    x = logit(p)

    def likelihood(a: float, b: float) -> float:
        eta = a + b * x
        return float(np.sum(labels * eta - np.log1p(np.exp(eta))))

    fit = fit_logistic(np.column_stack([x, np.ones(500)]), labels.astype(float))
    b, a = fit.coefficients
    h = 1e-4
    steps = ((1, 0), (0, 1))
    hessian = [
        [
            sum(
                si * sj * likelihood(a + h * (si * u[0] + sj * v[0]), b + h * (si * u[1] + sj * v[1]))
                for si in (-1, 1)
                for sj in (-1, 1)
            )
            / (4 * h * h)
            for v in steps
        ]
        for u in steps
    ]
    errors = np.sqrt(np.diag(np.linalg.inv(-np.array(hessian))))
    assert (found.slope.high - found.slope.low) / 2 / 1.959964 == pytest.approx(errors[1], rel=1e-4)


def test_copies_of_each_record_do_not_narrow_the_interval() -> None:
    labels, p = made_by(0.8, 0.2, 300)
    alone = recalibration(labels, p, np.arange(300))
    copied = recalibration(labels.repeat(4), p.repeat(4), np.arange(300).repeat(4))
    naive = recalibration(labels.repeat(4), p.repeat(4))

    assert copied.slope.low == pytest.approx(alone.slope.low, abs=1e-8)
    assert copied.intercept.high == pytest.approx(alone.intercept.high, abs=1e-8)
    assert naive.slope.high - naive.slope.low < 0.6 * (copied.slope.high - copied.slope.low)


@pytest.mark.parametrize(
    ("labels", "p", "why"),
    [
        ([0, 0, 0], [0.1, 0.2, 0.3], "no positive record"),
        ([-1, 1, 1], [0.1, 0.2, 0.3], "no negative record"),
        ([], [], "no annotated record"),
        ([0, 1, 0, 1], [0.3] * 4, "all probabilities are the same"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.2, 0.3], "slope is infinite"),
        ([1, 1, 0, 0], [0.1, 0.2, 0.2, 0.3], "slope is infinite"),
    ],
)
def test_no_slope_says_why(labels: list[int], p: list[float], why: str) -> None:
    found = recalibration(labels, p)

    assert found.slope.value is None
    assert why in found.slope.reason
    assert (found.intercept.value is None) == (len(set(labels) - {-1}) < 2)


def test_probabilities_of_0_and_1_are_clipped_and_counted() -> None:
    labels = [0, 1, 0, 1, 1]
    found = recalibration(labels, [0.0, 1.0, 1.0, 0.5, 0.4])
    by_hand = recalibration(labels, [CLIP, 1 - CLIP, 1 - CLIP, 0.5, 0.4])

    assert found.clipped == 3
    assert found.slope.value == pytest.approx(by_hand.slope.value, abs=1e-9)


class Passthrough(ClassifierMixin, BaseEstimator):
    """Gives the scores as they are, so that scikit-learn calibrates exactly these."""

    classes_ = np.array([0, 1])

    def fit(self, X: np.ndarray, y: np.ndarray) -> Passthrough:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: np.ndarray) -> np.ndarray:
        return (X[:, 0] > 0).astype(int)

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        return X[:, 0]


def test_platt_equals_scikit_learn() -> None:
    labels, p = made_by(0.6, 0.4, 300)
    scores = logit(p)
    found = fit_platt(labels, scores)
    reference = CalibratedClassifierCV(FrozenEstimator(Passthrough()), method="sigmoid")
    reference.fit(scores[:, None], labels)

    assert found.apply(scores) == pytest.approx(reference.predict_proba(scores[:, None])[:, 1], abs=1e-4)
    assert auroc(labels, found.apply(scores)) == auroc(labels, scores)


def test_platt_of_a_separated_sample_is_finite_and_sets_another_cohort_right() -> None:
    separated = fit_platt([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    labels, p = made_by(0.5, 1.0, 20_000)
    found = fit_platt(labels[:1000], logit(p[:1000]))
    after = recalibration(labels[1000:], found.apply(logit(p[1000:])))

    assert math.isfinite(separated.slope)
    assert (found.slope, found.intercept) == pytest.approx((0.5, 1.0), abs=0.25)
    assert after.slope.value == pytest.approx(1, abs=0.2)
    assert after.intercept.value == pytest.approx(0, abs=0.2)


def test_refuses() -> None:
    with pytest.raises(UsageError, match="'AF' cannot be recalibrated: no negative record"):
        fit_platt([1, 1], [0.1, 0.2], "'AF'")
    with pytest.raises(UsageError, match="all scores are the same"):
        fit_platt([1, 0], [0.1, 0.1])
    with pytest.raises(ModelError, match="outside 0 to 1"):
        recalibration([0, 1], [-0.1, 0.5])


def test_columns_that_depend_on_each_other_have_no_fit() -> None:
    assert fit_logistic(np.ones((4, 2)), np.array([0.0, 1, 0, 1])) is None


def test_the_robust_variance_of_a_constant_by_hand() -> None:
    """With p = 3/8 the patients' residuals sum to 5/4, -3/4, -3/4 and 1/4; the information is 8 p (1 - p)."""
    target = np.array([1, 1, 0, 0, 0, 0, 0, 1], np.float64)
    patients = np.arange(8) // 2
    found = fit_logistic(np.ones((8, 1)), target, groups=patients)
    alone = fit_logistic(np.ones((8, 1)), target)
    moved = fit_logistic(np.ones((8, 1)), target, offset=np.full(8, 0.7), groups=patients)

    assert found is not None
    assert alone is not None
    assert moved is not None
    assert found.coefficients == pytest.approx(np.log(3 / 5), abs=1e-12)
    assert found.covariance[0, 0] == pytest.approx((25 + 9 + 9 + 1) / 16 / (15 / 8) ** 2 * 4 / 3, rel=1e-9)
    assert alone.covariance[0, 0] == pytest.approx(8 / 15, rel=1e-9)
    assert moved.coefficients == pytest.approx(np.log(3 / 5) - 0.7, abs=1e-9)
    assert moved.covariance[0, 0] == pytest.approx(found.covariance[0, 0], rel=1e-9)
