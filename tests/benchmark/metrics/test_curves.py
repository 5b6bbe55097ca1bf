"""Curves against scikit-learn, and their bands against resamples drawn one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from benchmark.metrics.curves import GRID, curve
from benchmark.metrics.resampling import drawn_counts

Arrays = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


@pytest.fixture(scope="module")
def measured() -> Arrays:
    """Labels with unannotated records, scores with ties, patients with several records."""
    rng = np.random.default_rng(5)
    labels = rng.choice([-1, 0, 1], 150, p=[0.2, 0.5, 0.3]).astype(np.int8)
    scores = np.round(rng.normal(labels == 1, 1.0), 1).astype(np.float32)
    return labels, scores, np.sort(rng.integers(0, 60, 150))


def test_points_are_those_of_scikit_learn(measured: Arrays) -> None:
    labels, scores, groups = measured
    known = labels >= 0
    made = curve("roc", labels, scores, groups, resamples=2, seed=0)
    x, y, _ = roc_curve(labels[known], scores[known], drop_intermediate=False)
    np.testing.assert_allclose(made.x, x, atol=1e-12)
    np.testing.assert_allclose(made.y, y, atol=1e-12)
    assert auc(made.x, made.y) == pytest.approx(roc_auc_score(labels[known], scores[known]), abs=1e-12)
    made = curve("pr", labels, scores, groups, resamples=2, seed=0)
    precision, recall, _ = precision_recall_curve(labels[known], scores[known])
    np.testing.assert_allclose(made.x, recall[-2::-1], atol=1e-12)
    np.testing.assert_allclose(made.y, precision[-2::-1], atol=1e-12)
    area = np.sum(np.diff(np.append(0, made.x)) * made.y)
    assert area == pytest.approx(average_precision_score(labels[known], scores[known]), abs=1e-12)


def test_the_band_is_of_the_resamples_of_the_run(measured: Arrays) -> None:
    labels, scores, groups = measured
    made = curve("roc", labels, scores, groups, resamples=100, seed=3)
    heights, precisions = [], []
    for _, counts in drawn_counts(groups, 100, 3):
        for drawn in counts.T:
            rows = np.repeat(np.arange(len(labels)), drawn)
            rows = rows[labels[rows] >= 0]
            x, y, _ = roc_curve(labels[rows], scores[rows], drop_intermediate=False)
            heights.append([max(y[np.isclose(x, g)], default=np.interp(g, x, y)) for g in GRID])
            precision, recall, _ = precision_recall_curve(labels[rows], scores[rows])
            precision, recall = precision[-2::-1], recall[-2::-1]
            precisions.append([precision[np.flatnonzero(recall >= g - 1e-12)[0]] for g in GRID[1:]])
    np.testing.assert_allclose([made.low, made.high], np.quantile(heights, [0.025, 0.975], axis=0), atol=1e-9)
    made = curve("pr", labels, scores, groups, resamples=100, seed=3)
    ends = np.quantile(precisions, [0.025, 0.975], axis=0)
    np.testing.assert_allclose([made.low, made.high], ends, atol=1e-9)


def test_resamples_without_a_curve_are_counted() -> None:
    labels, scores = np.array([1, 0, 0, 0]), np.array([0.9, 0.1, 0.2, 0.3])
    made = curve("roc", labels, scores, np.arange(4), resamples=200, seed=1)
    parts = [counts for _, counts in drawn_counts(np.arange(4), 200, 1)]
    lacking = sum(not (drawn[0] and drawn[1:].any()) for counts in parts for drawn in counts.T)
    assert made.undefined == lacking > 0
    assert np.isfinite(made.low).all()
