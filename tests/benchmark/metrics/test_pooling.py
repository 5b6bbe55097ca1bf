"""Pooling against published answers of metafor, PyMARE, and the likelihood itself."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm, t

from benchmark.metrics.pooling import pool, pool_aurocs
from cohorts.errors import UsageError

# BCG vaccine trials (Colditz et al., JAMA 271:698, 1994; dat.bcg of metafor): tuberculosis and none among the
# vaccinated, tuberculosis and none among the controls.
BCG = """
    4 119 11 128  6 300 29 274  3 228 11 209  62 13536 248 12619  33 5036 47 5761  180 1361 372 1079
    8 2537 10 619  505 87886 499 87892  29 7470 45 7232  17 1699 65 1600  186 50448 141 27197  5 2493 3 2338
    27 16886 29 17825
"""


def bcg() -> tuple[np.ndarray, np.ndarray]:
    """Log relative risks and their variances."""
    a, b, c, d = np.array(BCG.split(), np.float64).reshape(-1, 4).T
    return np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def test_published_example_of_metafor() -> None:
    """Viechtbauer, Journal of Statistical Software 36(3), 2010, and metafor's manual with test="knha"."""
    found = pool(*bcg(), cautious=False)

    assert found.tau2 == pytest.approx(0.3132, abs=5e-5)
    assert found.i2 == pytest.approx(92.22, abs=5e-3)
    assert found.value == pytest.approx(-0.7145, abs=5e-5)
    assert found.standard_error == pytest.approx(0.1808, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((-1.1084, -0.3206), abs=5e-5)
    without = math.sqrt(1 / np.sum(1 / (bcg()[1] + found.tau2)))
    assert without == pytest.approx(0.1798, abs=5e-5)
    # metafor's prediction interval has k - 1 degrees of freedom, ours k - 2
    spread = math.sqrt(found.tau2 + found.standard_error**2)
    metafor = [math.exp(found.value + sign * t.ppf(0.975, 12) * spread) for sign in (-1, 1)]
    assert metafor == pytest.approx([0.14, 1.76], abs=5e-3)
    ours = (found.value - t.ppf(0.975, 11) * spread, found.value + t.ppf(0.975, 11) * spread)
    assert (found.prediction_low, found.prediction_high) == pytest.approx(ours, abs=1e-12)


@given(st.integers(0, 2**32), st.integers(2, 12), st.sampled_from([0.0, 0.1, 2.0]))
@settings(max_examples=60, deadline=None)
def test_equal_to_maximising_the_restricted_likelihood(seed: int, cohorts: int, tau: float) -> None:
    rng = np.random.default_rng(seed)
    v = rng.gamma(2, 0.05, cohorts) + 0.005
    y = rng.normal(0.5, np.sqrt(v + tau**2))
    found = pool(y, v, cautious=False)

    def minus(log_tau2: float) -> float:
        w = 1 / (v + math.exp(log_tau2))
        mean = (w * y).sum() / w.sum()
        return 0.5 * (-np.log(w).sum() + math.log(w.sum()) + (w * (y - mean) ** 2).sum())

    grid = np.linspace(-18, 6, 400)
    start = grid[np.argmin([minus(x) for x in grid])]
    best = minimize_scalar(
        minus, bounds=(start - 0.1, start + 0.1), method="bounded", options={"xatol": 1e-10}
    )
    assert minus(math.log(max(found.tau2, math.exp(-30)))) <= best.fun + 1e-9
    w = 1 / (v + found.tau2)
    assert found.value == pytest.approx((w * y).sum() / w.sum(), abs=1e-12)


@given(st.integers(0, 2**32), st.integers(3, 40), st.floats(-3, -0.5))
@settings(max_examples=200, deadline=None)
def test_the_slope_is_0_where_the_likelihood_is_highest(seed: int, cohorts: int, tau: float) -> None:
    """Where the last digits of the likelihood are chance, its slope still tells the way."""
    rng = np.random.default_rng(seed)
    v = 10 ** rng.uniform(-6, -2, cohorts)
    y = rng.normal(1, 10**tau, cohorts) + rng.normal(0, np.sqrt(v))

    def slope(tau2: float) -> float:
        w = 1 / (v + tau2)
        mean = np.sum(w * y) / np.sum(w)
        return float(np.sum(w**2 * (y - mean) ** 2) - np.sum(w) + np.sum(w**2) / np.sum(w))

    tau2 = pool(y, v).tau2
    assert tau2 is not None
    if tau2:
        assert slope(tau2 * (1 - 1e-8)) >= 0 >= slope(tau2 * (1 + 1e-8))
    else:
        assert slope(0) <= 0


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_pymare(seed: int) -> None:
    pytest.importorskip("pymare", reason="needs PyMARE")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves a file open
        from pymare import Dataset
        from pymare.estimators import VarianceBasedLikelihoodEstimator
    y, v = bcg() if seed == 0 else (None, None)
    if y is None:
        rng = np.random.default_rng(seed)
        v = rng.gamma(2, 0.05, 8) + 0.01
        y = rng.normal(1, np.sqrt(v + 0.2))
    found = pool(y, v)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = VarianceBasedLikelihoodEstimator(method="REML").fit_dataset(Dataset(y, v)).summary()

    assert found.tau2 == pytest.approx(float(np.squeeze(result.tau2)), abs=2e-4)
    assert found.value == pytest.approx(float(np.squeeze(result.fe_params)), abs=2e-4)


def test_the_factor_never_narrows_unless_asked() -> None:
    """Cohorts that agree by chance: the plain factor gives an interval a thousand times too narrow."""
    y, v = np.array([0.5, 0.5001, 0.4999, 0.5]), np.full(4, 0.04)
    plain, cautious = pool(y, v, cautious=False), pool(y, v)

    assert plain.tau2 == cautious.tau2 == 0.0
    assert plain.standard_error < 1e-3
    assert cautious.standard_error == pytest.approx(math.sqrt(0.04 / 4))
    assert cautious.i2 == 0.0
    assert pool(*bcg()) == pool(*bcg(), cautious=False)


def test_one_and_two_and_no_cohort() -> None:
    none, one, two = pool([], []), pool([0.5], [0.04]), pool([0.5, 0.9], [0.04, 0.04])

    assert none.value is None
    assert (none.cohorts, none.reason) == (0, "no cohort has a figure with a variance")
    assert (one.low, one.high) == pytest.approx(norm.interval(0.95, 0.5, 0.2))
    assert one.tau2 is None
    assert one.prediction_low is None
    assert "one cohort" in one.reason
    assert two.high - two.value == pytest.approx(t.ppf(0.975, 1) * two.standard_error)
    assert two.prediction_high is None
    assert "no prediction interval" in two.reason


def test_cohorts_without_a_variance_are_left_out_and_named() -> None:
    found = pool([0.5, 0.6, math.nan, 0.7, 0.8], [0.04, 0.0, 0.04, math.nan, 0.05])

    assert (found.cohorts, found.left_out) == (2, (1, 2, 3))
    assert found.value == pool([0.5, 0.8], [0.04, 0.05]).value


@given(
    st.lists(
        st.tuples(st.floats(-1e300, 1e300), st.floats(0, 1e300) | st.sampled_from([5e-324, 1e-200, 1e200])),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_beyond_computing_is_left_out(figures: list[tuple[float, float]]) -> None:
    found = pool([value for value, _ in figures], [variance for _, variance in figures])

    assert found.cohorts + len(found.left_out) == len(figures)
    assert all(end is None or math.isfinite(end) for end in (found.value, found.low, found.high))


def test_aurocs_are_pooled_as_logits() -> None:
    a, v = np.array([0.9, 0.8, 0.95, 1.0]), np.array([4e-4, 3e-4, 1e-4, 0.0])
    found = pool_aurocs(a, v)
    logits = pool(np.log(a[:3] / (1 - a[:3])), v[:3] / (a[:3] * (1 - a[:3])) ** 2)

    assert found.left_out == (3,)
    assert math.log(found.low / (1 - found.low)) == pytest.approx(logits.low)
    assert math.log(found.prediction_high / (1 - found.prediction_high)) == pytest.approx(
        logits.prediction_high
    )
    assert (found.tau2, found.standard_error) == (logits.tau2, logits.standard_error)
    assert 0 < found.prediction_low < found.low < found.value < found.high < found.prediction_high < 1
    assert pool_aurocs([], []).value is None


def test_an_auroc_of_1_with_a_variance_from_a_bootstrap_is_left_out_too() -> None:
    found = pool_aurocs([1.0, 0.9, 0.0], [1e-4, 1e-4, 1e-4])

    assert (found.cohorts, found.left_out) == (1, (0, 2))
    assert found.value == pytest.approx(0.9)


def test_the_prediction_interval_covers_the_next_hospital() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        v = rng.gamma(4, 0.01, 8) + 0.01
        found = pool(rng.normal(1, np.sqrt(0.1 + v)), v)
        hits += found.prediction_low < rng.normal(1, math.sqrt(0.1)) < found.prediction_high

    assert 0.91 < hits / 400 < 0.985


def test_refuses() -> None:
    with pytest.raises(UsageError, match="do not fit"):
        pool([0.1], [0.1, 0.2])
    with pytest.raises(UsageError, match="do not fit"):
        pool_aurocs([0.1], [0.1, 0.2])
    with pytest.raises(UsageError, match="outside 0 to 1"):
        pool_aurocs([1.1], [0.1])
