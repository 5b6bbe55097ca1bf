"""Comparison of models: paired tests, Holm's adjustment, and who shares a rank."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, ttest_1samp

from benchmark.metrics import comparison
from benchmark.metrics.bootstrap import bootstrap
from benchmark.metrics.comparison import holm, paired_difference, pooled_difference, rank_groups
from benchmark.metrics.delong import delong_test
from cohorts.errors import UsageError


def test_bootstrap_and_delong_agree_on_a_paired_difference() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((1500, 1)) < 0.2).astype(np.int8)
    good = rng.normal(size=(1500, 1)) + 1.5 * labels
    worse = good + rng.normal(scale=0.7, size=(1500, 1))
    first, second = (bootstrap(labels, s, np.arange(1500), resamples=4000, seed=0) for s in (good, worse))
    found = paired_difference(
        float(first.auroc[0]),
        first.auroc_resamples[:, 0],
        float(second.auroc[0]),
        second.auroc_resamples[:, 0],
    )
    expected = delong_test(labels[:, 0], good[:, 0], worse[:, 0])
    width = expected.high - expected.low

    assert found.value == pytest.approx(expected.value, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.06 * width)
    assert found.p < 0.01
    assert expected.p < 0.01


def test_the_same_model_twice_and_an_undefined_one() -> None:
    drawn = np.random.default_rng(0).random(50)
    same = paired_difference(0.8, drawn, 0.8, drawn)
    undefined = paired_difference(0.8, drawn, math.nan, np.full(50, math.nan))

    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert "no width" in same.reason
    assert undefined.p is None
    assert undefined.reason == "undefined for one of the models"
    with pytest.raises(UsageError, match="not evaluated in the same resamples"):
        paired_difference(0.8, drawn, 0.8, drawn[:-1])


def test_a_pooled_difference_of_equal_cohorts_is_a_t_test() -> None:
    """With equal and negligible variances the Hartung-Knapp test is Student's."""
    y = np.array([0.02, 0.05, -0.01, 0.04, 0.03])
    pooled, p = pooled_difference(y, np.full(5, 1e-10))
    expected = ttest_1samp(y, 0)

    assert p == pytest.approx(expected.pvalue, rel=1e-6)
    interval = expected.confidence_interval()
    assert (pooled.low, pooled.high) == pytest.approx((interval.low, interval.high), abs=1e-7)


def test_a_pooled_difference_of_one_and_of_no_cohort() -> None:
    one, p = pooled_difference([0.1], [0.0025])
    none, undefined = pooled_difference([math.nan], [0.1])

    assert p == pytest.approx(2 * norm.sf(2))
    assert one.cohorts == 1
    assert undefined is None
    assert none.left_out == (0,)


def test_holm_by_hand() -> None:
    """4 x 0.005, 3 x 0.01, 2 x 0.03, and 0.04 lifted to the one before it."""
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([[0.6, math.nan], [0.9, 0.02]])[[0, 1, 1], [0, 0, 1]].tolist() == pytest.approx([1, 1, 0.06])
    assert holm([]).shape == (0,)
    with pytest.raises(UsageError, match="outside 0 to 1"):
        holm([1.2])


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0.001, 0.5))
def test_holm_rejects_what_the_steps_reject(p: list[float], level: float) -> None:
    """The procedure as published: smallest first, against level / number left, until one fails."""
    rejected = set()
    for step, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[i] * (len(p) - step) > level:
            break
        rejected.add(i)

    assert {i for i, value in enumerate(holm(p)) if value <= level} == rejected


def models(*means: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Models that vary together, with a standard error of 0.01 each for their difference."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.05, (2000, 1))
    own = rng.normal(0, 0.01 / math.sqrt(2), (2000, len(means)))
    return np.array(means), np.array(means) + common + own


@pytest.mark.parametrize(
    ("means", "ranks"),
    [
        ([0.90, 0.80, 0.70], [1, 2, 3]),
        ([0.90, 0.895, 0.70], [1, 1, 3]),
        ([0.70, 0.895, 0.90, 0.701], [3, 1, 1, 3]),
        ([0.80], [1]),
        ([], []),
    ],
)
def test_ranks(means: list[float], ranks: list[int]) -> None:
    assert rank_groups(*models(*means)).tolist() == ranks


def test_a_p_value_of_exactly_the_level_makes_a_difference() -> None:
    """All of three resamples above 0: p = 2 (0 + 1) / (3 + 1) = 1 - 0.5."""
    drawn = np.array([[0.9, 0.8], [0.8, 0.7], [0.7, 0.6]])

    assert rank_groups(np.array([0.8, 0.7]), drawn, level=0.5).tolist() == [1, 2]
    assert rank_groups(np.array([0.8, 0.7]), drawn, level=0.6).tolist() == [1, 1]


def test_a_chain_ends_where_the_leader_differs() -> None:
    """Each neighbour is near, the ends are not: the third opens a rank of its own."""
    assert rank_groups(*models(0.90, 0.885, 0.86, 0.85)).tolist() == [1, 1, 3, 3]


def test_undefined_models_have_no_rank() -> None:
    values, drawn = models(0.9, 0.8, 0.7)
    values[0], drawn[:, 0] = math.nan, math.nan

    assert rank_groups(values, drawn).tolist() == [0, 1, 2]
    with pytest.raises(UsageError, match="not of the same models"):
        rank_groups(values, drawn[:, :2])


def test_equal_models_rarely_part() -> None:
    """Holm keeps the chance that any of nine equal rivals is told from the leader near 5 %, not at 37 %."""
    parted = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        values = rng.normal(0, 0.01, 10)
        drawn = values + rng.normal(0, 0.01, (999, 10))
        parted += rank_groups(values, drawn).max() > 1

    assert parted / 300 < 0.25


def test_examples_in_the_docstrings() -> None:
    result = doctest.testmod(comparison)
    assert result.attempted == 1
    assert result.failed == 0
