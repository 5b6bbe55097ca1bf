"""Ages that a model tells: the same figures as scipy's, with the intervals of the patients that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from benchmark.metrics.age import age_agreement
from benchmark.metrics.resampling import drawn_counts


def ages(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    stated = rng.uniform(18, 90, n)
    told = 0.6 * stated + rng.normal(20, 9, n)
    stated[rng.random(n) < 0.2] = np.nan
    return told, stated, np.repeat(np.arange(n // 2), 2)


def test_figures_are_those_of_scipy_over_the_records_with_an_age() -> None:
    told, stated, groups = ages()
    found = age_agreement(told, stated, groups, resamples=50, seed=3)
    known = ~np.isnan(stated)
    assert found.n == known.sum() < len(told)
    assert found.mean_absolute_error.value == pytest.approx(np.abs(told - stated)[known].mean(), abs=1e-12)
    assert found.correlation.value == pytest.approx(pearsonr(told[known], stated[known])[0], abs=1e-12)


def test_intervals_are_those_of_resamples_made_one_by_one() -> None:
    told, stated, groups = ages()
    known = ~np.isnan(stated)
    rs, errors = [], []
    for _, counts in drawn_counts(np.arange(30), 200, 5):
        for column in counts.T:
            rows = np.repeat(np.arange(60), column[groups])
            rows = rows[known[rows]]
            rs.append(pearsonr(told[rows], stated[rows])[0])
            errors.append(np.abs(told - stated)[rows].mean())
    found = age_agreement(told, stated, groups, resamples=200, seed=5)
    for estimate, values in ((found.correlation, rs), (found.mean_absolute_error, errors)):
        assert estimate.interval == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=1e-10)
        assert estimate.undefined_fraction == 0
    other = age_agreement(told, stated, groups, resamples=200, seed=6)
    assert other.correlation.interval != found.correlation.interval


@pytest.mark.parametrize(
    ("told", "stated", "n", "why"),
    [
        ([50, 60, 70], [np.nan] * 3, 0, "no record has a stated age"),
        ([50, 60, 70], [50, 61, np.nan], 2, "fewer than 3 records have a stated age"),
        ([50.1, 50.1, 50.1], [40, 61, 70], 3, "all have the same age"),
        ([40, 61, 70], [50.1, 50.1, 50.1], 3, "all have the same age"),
    ],
)
def test_what_is_undefined_says_why(told: list[float], stated: list[float], n: int, why: str) -> None:
    found = age_agreement(told, stated, np.arange(3), resamples=20, seed=0)
    assert (found.n, found.correlation.value, found.correlation.reason) == (n, None, why)
    assert (found.mean_absolute_error.value is None) == (n == 0)


def test_resamples_in_which_the_correlation_is_undefined_are_counted() -> None:
    told, stated = np.array([40.0, 50, 60, 70]), np.array([41.0, 49, 66, 71])
    found = age_agreement(told, stated, np.arange(4), resamples=400, seed=1)
    constant = 0
    for _, counts in drawn_counts(np.arange(4), 400, 1):
        constant += int(((counts > 0).sum(axis=0) == 1).sum())
    assert constant > 0
    assert found.correlation.undefined_fraction == pytest.approx(constant / 400)
