"""Thresholds against all cuts tried one by one, and figures at them against scikit-learn and scipy."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from sklearn.metrics import f1_score, precision_score, recall_score

from benchmark.metrics.bootstrap import group_records
from benchmark.metrics.operating_points import at_threshold, choose_thresholds, measure_calls
from cohorts.errors import LeadboardError, UsageError
from tests.benchmark.metrics.draws import counts_of

RULES = ["youden", "sensitivity 90 %", "sensitivity 95 %", "specificity 90 %", "specificity 95 %"]


def rates(labels: np.ndarray, calls: np.ndarray) -> tuple[float, float]:
    return float(calls[labels == 1].mean()), float((~calls[labels == 0]).mean())


@given(st.integers(0, 2**32), st.integers(2, 60), st.sampled_from([2, 6, 1000]))
@settings(deadline=None)
def test_no_other_cut_is_better(seed: int, records: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 2, records)
    labels[:2] = 0, 1
    scores = rng.integers(0, levels, records).astype(np.float64)
    chosen = choose_thresholds(labels, scores)
    points = [rates(labels, scores >= cut) for cut in np.unique(scores[labels >= 0])]

    assert list(chosen) == RULES
    for rule, threshold in chosen.items():
        kind, target = rule.split()[0], float(rule.split()[1]) / 100 if " " in rule else 0
        if threshold.value is None:
            assert kind == "specificity"
            assert all(specificity < target - 1e-12 for _, specificity in points)
            continue
        sensitivity, specificity = rates(labels, at_threshold(scores, threshold.value))
        if kind == "youden":
            assert sensitivity + specificity == pytest.approx(max(a + b for a, b in points), abs=1e-12)
        elif kind == "sensitivity":
            assert sensitivity >= target
            assert specificity == max(b for a, b in points if a >= target)
        else:
            assert specificity >= target
            assert sensitivity == max(a for a, b in points if b >= target - 1e-12)


def test_exactly_on_target_counts() -> None:
    labels = np.array([1] * 10 + [0] * 20)
    scores = np.array([*range(20, 29), 0.5, *range(19), 25.5])
    chosen = choose_thresholds(labels, scores)

    assert rates(labels, at_threshold(scores, chosen["sensitivity 90 %"].value)) == (0.9, 0.95)
    assert rates(labels, at_threshold(scores, chosen["specificity 95 %"].value)) == (0.9, 0.95)


def test_a_threshold_is_half_way_so_that_rounding_moves_no_record() -> None:
    chosen = choose_thresholds([0, 1], [0.2, 0.6])["youden"]
    close = choose_thresholds([0, 1], [1.0, np.nextafter(1.0, 2.0)])["youden"]
    far = choose_thresholds([0, 1], [-1.7e308, 1.7e308])["youden"]

    assert chosen.value == pytest.approx(0.4)
    assert close.value == np.nextafter(1.0, 2.0)
    assert far.value == 0.0


@pytest.mark.parametrize(("labels", "why"), [([], "annotated"), ([0, -1], "positive"), ([1, -1], "negative")])
def test_no_thresholds_without_both_classes(labels: list[int], why: str) -> None:
    chosen = choose_thresholds(labels, [0.5] * len(labels))

    assert list(chosen) == RULES
    assert all(threshold.value is None and why in threshold.reason for threshold in chosen.values())


def test_a_model_whose_best_score_is_wrong_has_no_specific_threshold() -> None:
    chosen = choose_thresholds([1, 0, 0], [0.5, 0.9, 0.1])["specificity 90 %"]

    assert chosen.value is None
    assert "less specific" in chosen.reason
    with pytest.raises(UsageError, match="no threshold to apply"):
        at_threshold(np.array([0.1]), chosen.value)


def test_figures_equal_scikit_learn_and_scipy() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 2, (300, 70)).astype(np.int8)  # more columns than are computed at once
    calls = rng.random((300, 70)) < 0.3
    for k, found in enumerate(measure_calls(labels, calls, resamples=20)):
        keep = labels[:, k] >= 0
        truth, called = labels[keep, k], calls[keep, k]
        assert found.sensitivity.value == pytest.approx(recall_score(truth, called))
        assert found.specificity.value == pytest.approx(recall_score(truth, called, pos_label=0))
        assert found.ppv.value == pytest.approx(precision_score(truth, called))
        assert found.npv.value == pytest.approx(precision_score(truth, called, pos_label=0))
        assert found.f1.value == pytest.approx(f1_score(truth, called))
        assert found.tp + found.fp + found.fn + found.tn == len(truth)
        wilson = binomtest(found.tp, found.tp + found.fp).proportion_ci(method="wilson")
        assert (found.ppv.low, found.ppv.high) == pytest.approx(tuple(wilson), abs=1e-12)
        wilson = binomtest(found.tn, found.tn + found.fn).proportion_ci(method="wilson")
        assert (found.npv.low, found.npv.high) == pytest.approx(tuple(wilson), abs=1e-12)


def test_wilson_intervals_stay_between_0_and_1_and_are_no_point_at_the_ends() -> None:
    """By the formula of Wilson: 8 and 10 of 10 are right."""
    labels = np.array([[1, 1]] * 10 + [[0, 0]] * 10, np.int8)
    calls = (labels == 1) & ~np.isin(np.arange(20), (0, 1))[:, None]
    calls[:2, 1] = True
    some, every = measure_calls(labels, calls, resamples=20)
    z = norm.isf(0.025)
    half = z * math.sqrt(0.8 * 0.2 / 10 + z**2 / 400)

    assert (some.sensitivity.low, some.sensitivity.high) == pytest.approx(
        [(0.8 + z**2 / 20 + side * half) / (1 + z**2 / 10) for side in (-1, 1)], abs=1e-12
    )
    assert (every.sensitivity.low, every.sensitivity.high) == pytest.approx(
        (10 / (10 + z**2), 1.0), abs=1e-12
    )
    assert (every.specificity.value, every.specificity.high) == (1.0, 1.0)


def test_bootstrap_intervals_are_percentiles_over_the_shared_resamples() -> None:
    rng = np.random.default_rng(1)
    groups = group_records(pd.Series(rng.integers(0, 60, 200)))
    labels = rng.integers(0, 2, (200, 1)).astype(np.int8)
    calls = rng.random((200, 1)) < 0.2 + 0.5 * labels
    found = measure_calls(labels, calls, groups, resamples=300, seed=9)[0]
    counts = counts_of(groups, 300, seed=9)
    rows = [np.repeat(np.arange(200), times) for times in counts.T]
    f1 = [f1_score(labels[r, 0], calls[r, 0]) for r in rows]
    ppv = [precision_score(labels[r, 0], calls[r, 0]) for r in rows]

    assert (found.f1.low, found.f1.high) == pytest.approx(tuple(np.quantile(f1, [0.025, 0.975])), abs=1e-12)
    assert (found.ppv.low, found.ppv.high) == pytest.approx(
        tuple(np.quantile(ppv, [0.025, 0.975])), abs=1e-12
    )


def test_several_records_a_patient_widen_the_interval() -> None:
    labels = np.ones((400, 1), np.int8)
    calls = np.repeat(np.arange(20) % 2 == 0, 20)[:, None]
    alone = measure_calls(labels, calls)[0].sensitivity
    clustered = measure_calls(labels, calls, np.arange(400) // 20)[0].sensitivity

    assert alone.value == clustered.value == 0.5
    assert clustered.high - clustered.low > 3 * (alone.high - alone.low)


def test_undefined_says_why() -> None:
    nobody = measure_calls(np.array([[0], [0]], np.int8), np.array([[False], [False]]), resamples=5)[0]
    nothing = measure_calls(np.empty((0, 1), np.int8), np.empty((0, 1), np.bool_), resamples=5)[0]

    assert nobody.specificity.value == 1.0
    assert nobody.sensitivity.reason == "no positive record"
    assert nobody.ppv.reason == "no record called positive"
    assert nobody.f1.reason == "no positive record and none called positive"
    assert all(x.value is None and x.reason for x in (nothing.sensitivity, nothing.npv, nothing.f1))
    assert measure_calls(np.empty((3, 0), np.int8), np.empty((3, 0), np.bool_)) == []


def test_refuses() -> None:
    with pytest.raises(LeadboardError, match="tables of one shape"):
        measure_calls(np.zeros((2, 1), np.int8), np.zeros((2, 1)))
    with pytest.raises(LeadboardError, match="other than 1, 0 and -1"):
        measure_calls(np.full((2, 1), 3, np.int8), np.zeros((2, 1), np.bool_))
    with pytest.raises(LeadboardError, match="1 of 2 scores of 'AF' are NaN"):
        choose_thresholds([0, 1], [math.nan, 0.5], "'AF'")
