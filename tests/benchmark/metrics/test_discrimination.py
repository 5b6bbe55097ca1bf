"""AUROC and average precision of one column against definitions and scikit-learn."""

from __future__ import annotations

import doctest
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmark.metrics import discrimination
from benchmark.metrics.discrimination import auroc, average_precision
from cohorts.errors import LeadboardError, UsageError

COLUMNS = st.lists(
    st.tuples(
        st.sampled_from([-1, 0, 1]), st.one_of(st.sampled_from([0.0, -0.0, 0.5, 1.0]), st.floats(-9, 9))
    ),
    max_size=40,
)


def by_pairs(labels: list[int], scores: list[float]) -> float:
    positives = [score for label, score in zip(labels, scores, strict=True) if label == 1]
    negatives = [score for label, score in zip(labels, scores, strict=True) if label == 0]
    wins = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    return wins / (len(positives) * len(negatives)) if positives and negatives else math.nan


def by_thresholds(labels: list[int], scores: list[float]) -> float:
    pairs = [(score, label) for label, score in zip(labels, scores, strict=True) if label >= 0]
    total = sum(label for _, label in pairs)
    if total in (0, len(pairs)):
        return math.nan
    area = recall = 0.0
    for threshold in sorted({score for score, _ in pairs}, reverse=True):
        called = [label for score, label in pairs if score >= threshold]
        area += (sum(called) / total - recall) * sum(called) / len(called)
        recall = sum(called) / total
    return area


@given(COLUMNS)
def test_equal_to_the_definitions(column: list[tuple[int, float]]) -> None:
    labels, scores = [label for label, _ in column], [score for _, score in column]

    assert auroc(labels, scores) == pytest.approx(by_pairs(labels, scores), abs=1e-12, nan_ok=True)
    assert average_precision(labels, scores) == pytest.approx(
        by_thresholds(labels, scores), abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_to_scikit_learn(decimals: int, dtype: type) -> None:
    rng = np.random.default_rng(decimals)
    labels = (rng.random(5000) < 0.03).astype(np.int8)
    scores = (rng.normal(size=5000) + labels).round(decimals).astype(dtype)

    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert average_precision(labels, scores) == pytest.approx(
        average_precision_score(labels, scores), abs=1e-12
    )


@given(COLUMNS, st.floats(0.01, 0.99))
def test_a_reference_prevalence_is_a_weight_of_the_negatives(
    column: list[tuple[int, float]], prevalence: float
) -> None:
    annotated = [(label, score) for label, score in column if label >= 0]
    positives = sum(label for label, _ in annotated)
    negatives = len(annotated) - positives
    found = average_precision([label for label, _ in column], [score for _, score in column], prevalence)
    if not positives or not negatives:
        assert math.isnan(found)
        return
    weights = [prevalence / positives if label else (1 - prevalence) / negatives for label, _ in annotated]
    expected = average_precision_score(
        [label for label, _ in annotated], [score for _, score in annotated], sample_weight=weights
    )
    assert found == pytest.approx(expected, abs=1e-9)


def test_at_its_own_prevalence_nothing_changes_and_at_a_lower_one_precision_falls() -> None:
    rng = np.random.default_rng(0)
    labels = (np.arange(400) < 100).astype(np.int8)
    scores = rng.normal(size=400) + labels

    assert average_precision(labels, scores, 0.25) == pytest.approx(
        average_precision(labels, scores), abs=1e-12
    )
    assert average_precision(labels, scores, 0.01) < average_precision(labels, scores, 0.25)
    assert average_precision(labels, np.zeros(400), 0.01) == pytest.approx(0.01, abs=1e-12)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -1.0, math.nan])
def test_a_reference_prevalence_is_a_fraction(prevalence: float) -> None:
    with pytest.raises(UsageError, match="reference prevalence"):
        average_precision([0, 1], [0.1, 0.2], prevalence)


@pytest.mark.parametrize("labels", [[], [1], [0], [-1, -1], [1, 1, -1], [0, 0, -1]])
def test_undefined_without_both_classes(labels: list[int]) -> None:
    assert math.isnan(auroc(labels, [0.5] * len(labels)))
    assert math.isnan(average_precision(labels, [0.5] * len(labels)))


def test_constant_scores_know_nothing() -> None:
    assert auroc([1, 0, 0, 0], [0.3] * 4) == 0.5
    assert average_precision([1, 0, 0, 0], [0.3] * 4) == 0.25


def test_extremes_of_the_scale_are_ranks_like_any_other() -> None:
    assert auroc([0, 0, 1], [-1.7e308, 5e-324, 1.7e308]) == 1.0
    assert auroc([1, 0, 0], [-1.7e308, 5e-324, 1.7e308]) == 0.0


@pytest.mark.parametrize("metric", [auroc, average_precision])
@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1], [0.1], "one length"),
        ([[0, 1]], [[0.1, 0.2]], "give one column"),
        ([0, 2], [0.1, 0.2], "other than 1, 0 and -1"),
        ([0, 0.5], [0.1, 0.2], "other than 1, 0 and -1"),
        ([0, math.nan], [0.1, 0.2], "other than 1, 0 and -1"),
        ([0, 1], [0.1, math.nan], "1 of 2 scores of this column are NaN or infinite"),
        ([-1, 1], [math.inf, 0.2], "1 of 2 scores of this column are NaN or infinite"),
        ([0, 1], ["0.1", "0.2"], "not numbers"),
    ],
)
def test_refuses(metric: Callable[..., float], labels: list[Any], scores: list[Any], message: str) -> None:
    with pytest.raises(LeadboardError, match=message):
        metric(labels, scores)


def test_examples_in_the_docstrings() -> None:
    result = doctest.testmod(discrimination)
    assert result.attempted >= 3
    assert result.failed == 0
