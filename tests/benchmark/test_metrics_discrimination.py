"""AUROC and average precision of one column against definitions and scikit-learn."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmark.metrics import discrimination
from benchmark.metrics.discrimination import auroc, average_precision

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
        ([[0, 1]], [[0.1, 0.2]], "two columns"),
        ([0, 2], [0.1, 0.2], "labels must be"),
        ([0, 0.5], [0.1, 0.2], "labels must be"),
        ([0, math.nan], [0.1, 0.2], "labels must be"),
        ([0, 1], [0.1, math.nan], "1 scores are not finite"),
        ([-1, 1], [math.inf, 0.2], "1 scores are not finite"),
    ],
)
def test_refuses(metric: object, labels: list[float], scores: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metric(labels, scores)  # type: ignore[operator]


def test_examples_in_the_docstrings() -> None:
    result = doctest.testmod(discrimination)
    assert result.attempted >= 2
    assert result.failed == 0
