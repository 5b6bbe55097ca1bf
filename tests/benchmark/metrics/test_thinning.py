"""Thinned curves: their points are scikit-learn's at the thresholds that they name, and the errors hold."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from benchmark.metrics.thinning import thinned

KINDS = ("float32", "ties", "logits", "calls", "constant")


def data(kind: str, n: int = 700) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(len(kind))
    labels = (rng.random(n) < 0.15).astype(np.int8)
    scores = rng.normal(size=n) + 1.5 * labels
    labels[::9] = -1
    made = {
        "float32": 1 / (1 + np.exp(-scores)),
        "ties": np.round(1 / (1 + np.exp(-scores)), 1),
        "logits": 40 * scores - 1000,
        "calls": (scores > 1).astype(float),
        "constant": np.full(n, 0.25),
    }
    return labels, made[kind].astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_points_are_those_of_scikit_learn(kind: str) -> None:
    labels, scores = data(kind)
    known = labels >= 0
    truth, of = labels[known], scores[known].astype(np.float64)
    found = thinned(labels, scores, 30)
    assert found is not None
    assert (found.positives, found.negatives) == (np.sum(truth == 1), np.sum(truth == 0))
    tp, fp, at = np.array(found.tp), np.array(found.fp), np.array(found.thresholds)
    x, y, thresholds = roc_curve(truth, of, drop_intermediate=False)
    there = np.searchsorted(-thresholds, -at, side="right") - 1  # what is called at the threshold named
    assert x[there] == pytest.approx(fp / found.negatives, abs=1e-12)
    assert y[there] == pytest.approx(tp / found.positives, abs=1e-12)
    precision, recall, thresholds = precision_recall_curve(truth, of)
    there = np.searchsorted(thresholds, at)
    assert precision[there] == pytest.approx(tp / (tp + fp), abs=1e-12)
    assert recall[there] == pytest.approx(tp / found.positives, abs=1e-12)
    assert len(found.thresholds) <= 30
    assert (found.tp[-1], found.fp[-1]) == (found.positives, found.negatives)


@pytest.mark.parametrize("most", [2, 8, 30])
@pytest.mark.parametrize("kind", KINDS)
def test_the_errors_are_the_largest_that_there_are(kind: str, most: int) -> None:
    labels, scores = data(kind)
    known = labels >= 0
    found = thinned(labels, scores, most)
    assert found is not None
    x, y, _ = roc_curve(labels[known], scores[known], drop_intermediate=False)
    kept_x, kept_y = np.array(found.fp) / found.negatives, np.array(found.tp) / found.positives
    lines = np.array([(0, 0), *zip(kept_x, kept_y, strict=True)])
    start, along = lines[:-1], np.diff(lines, axis=0)
    points = np.column_stack([x, y])[:, None]
    share = np.clip(((points - start) * along).sum(axis=2) / (along**2).sum(axis=1), 0, 1)
    nearest = np.linalg.norm(points - start - share[..., None] * along, axis=2).min(axis=1)
    assert nearest.max() <= found.roc_error + 1e-12
    if len(x) <= most:
        assert found.roc_error == 0
    precision, recall, _ = precision_recall_curve(labels[known], scores[known], drop_intermediate=True)
    kept = np.array(found.tp) / found.positives, np.array(found.tp) / (np.array(found.tp) + found.fp)
    missed = [
        min(_off(p, r, kept[0][at : at + 2], kept[1][at : at + 2]) for at in range(len(kept[0])))
        for p, r in zip(precision[:-1], recall[:-1], strict=True)
        if r >= kept[0][0]
    ]
    assert max(missed) <= found.pr_error + 1e-12


def _off(precision: float, recall: float, x: np.ndarray, y: np.ndarray) -> float:
    """How far a precision is from one straight piece of the curve, which may be upright."""
    if not x[0] <= recall <= x[-1]:
        return float("inf")
    on = np.clip(precision, y.min(), y.max()) if x[0] == x[-1] else np.interp(recall, x, y)
    return float(abs(precision - on))


def test_more_points_miss_less() -> None:
    labels, scores = data("float32", 5000)
    errors = [thinned(labels, scores, most) for most in (5, 30, 120)]
    roc = [one.roc_error for one in errors if one is not None]
    assert roc == sorted(roc, reverse=True)
    assert roc[1] < 0.02


def test_points_are_few_where_few_are_close_enough() -> None:
    labels, scores = data("float32", 5000)
    all_of_them, few = thinned(labels, scores, 2000), thinned(labels, scores, 2000, close=1 / 400)
    assert all_of_them is not None
    assert few is not None
    assert max(few.roc_error, few.pr_error) <= 1 / 400
    assert len(few.tp) < len(all_of_them.tp) / 2


def test_without_both_classes_there_is_no_curve() -> None:
    assert thinned([1, 1, -1], [0.1, 0.2, 0.3], 30) is None
