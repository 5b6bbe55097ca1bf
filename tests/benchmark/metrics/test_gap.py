"""The external gap: between cohorts that share nothing, and what must be defined for it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmark.metrics.bootstrap import Bootstrap, bootstrap
from benchmark.metrics.delong import delong_covariance
from benchmark.metrics.gap import external_gap, macro_gap
from cohorts.errors import UsageError


def cohort(seed: int, signal: float, records: int = 800) -> tuple[np.ndarray, np.ndarray, Bootstrap]:
    rng = np.random.default_rng(seed)
    labels = (rng.random((records, 3)) < [0.3, 0.1, 0.0]).astype(np.int8)
    scores = rng.normal(size=(records, 3)) + signal * labels
    return labels, scores, bootstrap(labels, scores, np.arange(records), resamples=4000, seed=0)


def test_the_interval_is_that_of_two_independent_areas() -> None:
    """Against DeLong: the variance of a difference of independent areas is the sum of theirs."""
    home, away = cohort(0, 1.5), cohort(1, 0.8)
    found = external_gap(home[2].auroc, home[2].auroc_resamples, away[2].auroc, away[2].auroc_resamples)
    for k in range(2):
        error = math.sqrt(
            sum(delong_covariance(y[:, k], s[:, k : k + 1]).covariance[0, 0] for y, s, _ in (home, away))
        )
        assert found[k].value == pytest.approx(home[2].auroc[k] - away[2].auroc[k], abs=1e-12)
        assert found[k].low == pytest.approx(found[k].value - 1.96 * error, abs=0.25 * error)
        assert found[k].high == pytest.approx(found[k].value + 1.96 * error, abs=0.25 * error)


def test_two_copies_of_one_cohort_are_taken_as_independent() -> None:
    """The same seed draws the same rows; without a shift the gap would have no width at all."""
    home = cohort(0, 1.5)[2]
    found = external_gap(home.auroc, home.auroc_resamples, home.auroc, home.auroc_resamples)[0]

    assert found.value == 0
    expected = math.sqrt(2) * (np.quantile(home.auroc_resamples[:, 0], [0.025, 0.975]) - home.auroc[0])
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.004)


def test_undefined_names_the_cohort() -> None:
    home, away = cohort(0, 1.5)[2], cohort(1, 0.8)[2]
    found = external_gap(home.auroc, home.auroc_resamples, away.auroc, away.auroc_resamples)[2]
    one = external_gap(np.array([0.9]), np.zeros((3, 1)), np.array([math.nan]), np.full((3, 1), math.nan))[0]

    assert math.isnan(found.value)
    assert found.reason == "undefined in the internal and the external cohort"
    assert one.reason == "undefined in the external cohort"


def test_the_macro_gap_is_over_the_same_concepts() -> None:
    home, away = cohort(0, 1.5)[2], cohort(1, 0.8)[2]
    sides = (home.auroc, home.auroc_resamples, away.auroc, away.auroc_resamples)
    found = macro_gap(*sides, np.array([True, True, False]))
    single = macro_gap(*sides, np.array([True, False, False]))

    assert found.value == pytest.approx(home.auroc[:2].mean() - away.auroc[:2].mean(), abs=1e-12)
    assert single == external_gap(*sides)[0]
    assert "no concept is eligible" in macro_gap(*sides, np.zeros(3, np.bool_)).reason


def test_refuses_other_concepts_and_takes_unequal_numbers_of_resamples() -> None:
    two, three = np.zeros(2), np.zeros(3)
    with pytest.raises(UsageError, match="not of the same concepts"):
        external_gap(two, np.zeros((5, 2)), three, np.zeros((5, 3)))
    assert len(external_gap(two, np.zeros((5, 2)), two, np.zeros((9, 2)))) == 2
