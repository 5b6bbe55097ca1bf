"""Intervals against scipy, and what they say where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.metrics.bootstrap import bootstrap
from benchmark.metrics.delong import delong_interval
from benchmark.metrics.discrimination import auroc, average_precision
from benchmark.metrics.intervals import (
    FEW_POSITIVES,
    bca_interval,
    bootstrap_p_value,
    caution,
    estimate,
    newcombe_interval,
    percentile_interval,
)
from benchmark.metrics.jackknife import jackknife
from tests.benchmark.metrics.draws import counts_of

SKEWED = np.random.default_rng(0).gamma(1.0, size=40)


def test_percentile_interval() -> None:
    assert percentile_interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))
    assert percentile_interval(np.array([np.nan, 1.0, np.nan, 3.0]), 0.5) == pytest.approx((1.5, 2.5))
    assert percentile_interval(np.array([1.0, np.nan])) is None
    assert percentile_interval(np.array([])) is None


@pytest.mark.parametrize("resamples", [2, 3, 39, 40, 41, 1_000, 10_001])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("decimals", [0, 1, 15])  # many resamples of one value, or none
def test_percentile_interval_is_that_of_numpy_to_the_last_digit(
    resamples: int, level: float, decimals: int
) -> None:
    values = np.random.default_rng(resamples).normal(0.01, 1, resamples).round(decimals) + 0.0
    expected = np.quantile(values, [(1 - level) / 2, 1 - (1 - level) / 2])
    assert percentile_interval(values, level) == tuple(expected.tolist())


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_bca_of_a_mean_equals_scipy_on_the_same_resamples(level: float) -> None:
    expected = stats.bootstrap(
        (SKEWED,),
        np.mean,
        n_resamples=3000,
        confidence_level=level,
        method="BCa",
        rng=np.random.default_rng(1),
    )
    without = np.array([np.delete(SKEWED, i).mean() for i in range(len(SKEWED))])
    found = bca_interval(float(SKEWED.mean()), expected.bootstrap_distribution, without, level)

    assert found == pytest.approx(tuple(expected.confidence_interval), abs=1e-12)


@pytest.mark.parametrize("metric", [auroc, average_precision])
def test_bca_of_areas_equals_scipy_on_the_same_resamples(metric: object) -> None:
    """Scipy draws its rows with ``rng.integers``; an rng that hands it ours makes the resamples the same."""
    rng = np.random.default_rng(2)
    labels = (np.arange(60) < 20).astype(np.int8)
    scores = (rng.normal(size=60) + labels).round(1)
    counts = counts_of(np.arange(60), 400, seed=3)
    rows = np.stack([np.repeat(np.arange(60), times) for times in counts.T])

    class Rng(np.random.Generator):
        def integers(self, *_: object, **__: object) -> np.ndarray:
            return rows

    def statistic(picked: np.ndarray) -> float:
        index = picked.astype(int)
        return (auroc if metric is auroc else average_precision)(labels[index], scores[index])

    expected = stats.bootstrap(
        (np.arange(60),),
        statistic,
        n_resamples=400,
        vectorized=False,
        method="BCa",
        rng=Rng(np.random.PCG64(0)),
    )
    drawn = bootstrap(labels[:, None], scores[:, None], np.arange(60), resamples=400, seed=3)
    without = jackknife(labels[:, None], scores[:, None])
    which = 0 if metric is auroc else 1
    values = (drawn.auroc_resamples, drawn.auprc_resamples)[which][:, 0]
    np.testing.assert_allclose(np.sort(values), np.sort(expected.bootstrap_distribution), rtol=0, atol=1e-12)
    found = bca_interval((drawn.auroc, drawn.auprc)[which][0], values, without[which][:, 0])

    assert found == pytest.approx(tuple(expected.confidence_interval), abs=1e-9)


def test_bca_is_the_percentile_interval_without_bias_and_skew() -> None:
    values = np.linspace(-1, 1, 2001)
    symmetric = np.array([-1.0, 0.0, 1.0])

    assert bca_interval(0.0, values, symmetric) == pytest.approx(percentile_interval(values), abs=1e-12)


@pytest.mark.parametrize(
    ("value", "values", "without"),
    [
        (1.0, [0.1, 0.2, 0.3], [0.1, 0.2]),
        (0.0, [0.1, 0.2, 0.3], [0.1, 0.2]),
        (0.2, [0.1, 0.2, 0.3], [0.1, np.nan]),
        (0.2, [0.1, 0.2, 0.3], [0.1]),
        (0.2, [0.1, np.nan, np.nan], [0.1, 0.2]),
    ],
)
def test_no_bca_interval(value: float, values: list[float], without: list[float]) -> None:
    assert bca_interval(value, np.array(values), np.array(without)) is None
    assert "no BCa interval" in estimate(value, np.array(values), jackknife=np.array(without)).reason


@given(st.floats(0, 1), st.integers(1, 300), st.integers(1, 3000), st.sampled_from([0.8, 0.95]))
@settings(deadline=None)
def test_newcombe_solves_the_quartic(auroc: float, m: int, n: int, level: float) -> None:
    """The ends are where (A - x)^2 = z^2 V(x): multiplied out, roots of a polynomial of degree 4."""
    x = np.polynomial.Polynomial([0, 1])
    mean, z = (m + n) / 2 - 1, stats.norm.ppf((1 + level) / 2)
    spread = x * (1 - x) * ((2 - x) * (1 + x) + mean * (1 - x) * (1 + x) + mean * x * (2 - x))
    quartic = (auroc - x) ** 2 * m * n * (2 - x) * (1 + x) - z**2 * spread
    low, high = newcombe_interval(auroc, m, n, level) or (math.nan, math.nan)

    assert 0 <= low <= auroc <= high <= 1
    for end in {low, high} - {auroc}:
        slope = abs(quartic.deriv()(end)) + 1e-9 * m * n
        assert abs(quartic(end)) / slope < 1e-6
        assert np.sign(quartic(end - 1e-4)) != np.sign(quartic(end + 1e-4)) or min(end, 1 - end) < 2e-4


def test_newcombe_at_the_ends_and_beside_delong() -> None:
    low, high = newcombe_interval(1.0, 20, 400) or (0.0, 0.0)
    mirrored = newcombe_interval(0.0, 20, 400) or (0.0, 0.0)
    rng = np.random.default_rng(5)
    labels = (np.arange(4000) < 2000).astype(np.int8)
    scores = rng.normal(size=4000) + labels
    delong = delong_interval(labels, scores)

    assert high == 1.0
    assert 0.8 < low < 1
    assert mirrored == pytest.approx((0.0, 1 - low), abs=1e-12)
    assert newcombe_interval(delong.value, 2000, 2000) == pytest.approx((delong.low, delong.high), abs=2e-3)
    assert newcombe_interval(math.nan, 0, 10) is None


def test_caution_with_few_positives_and_near_1() -> None:
    assert caution(0.8, FEW_POSITIVES) == caution(math.nan, 0) == caution(0.97, 200) == ""
    assert caution(0.8, 12) == "12 positives: with fewer than 50 the interval is too narrow."
    assert "fewer than 200 at an AUROC above 0.95" in caution(0.97, 60)


def test_measure_says_what_is_wrong() -> None:
    some = np.array([0.1, 0.2, np.nan, 0.3])

    assert estimate(math.nan, some, why="no positive record").reason == "no positive record"
    assert estimate(0.2, some).undefined_fraction == 0.25
    assert estimate(0.2, some).reason is None
    assert "fewer than 2" in estimate(0.2, some[:1]).reason
    assert estimate(0.2, some[:1]).low is None
    assert "no width" in estimate(1.0, np.ones(5)).reason
    assert estimate(1.0, np.ones(5)).low == 1.0


def test_bootstrap_p_value_agrees_with_the_interval() -> None:
    rng = np.random.default_rng(4)
    for shift in np.linspace(-4, 4, 33):
        values = rng.normal(shift, size=1999)
        low, high = percentile_interval(values) or (0.0, 0.0)
        assert (bootstrap_p_value(values) <= 0.05) == (low > 0 or high < 0)

    assert bootstrap_p_value(np.zeros(10)) == 1.0
    assert bootstrap_p_value(np.full(999, 0.1)) == 2 / 1000
    assert bootstrap_p_value(np.array([0.1, np.nan, 0.2])) == 2 / 3
    assert math.isnan(bootstrap_p_value(np.array([np.nan])))
