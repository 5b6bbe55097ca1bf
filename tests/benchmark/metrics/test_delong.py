"""DeLong's variance against published answers, and against all pairs of records."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics.bootstrap import bootstrap, group_records
from benchmark.metrics.delong import delong_covariance, delong_interval, delong_test
from benchmark.metrics.discrimination import auroc
from cohorts.errors import LeadboardError

# The example of DeLong, DeLong and Clarke-Pearson, Biometrics 44:837, 1988, without the six patients that
# lack a test: albumin, total protein, K-G score (higher is worse), benefit from surgery.
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1
3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0
2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1
3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0
3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1
3.3 5.7 6 1  3.7 6.9 5 1  3.6 6.6 5 1
"""


def ovarian() -> tuple[Any, Any]:
    table = np.array(OVARIAN.split(), np.float64).reshape(-1, 4)
    return table[:, 3].astype(np.int8), np.column_stack([10 - table[:, 2], table[:, 1], table[:, 0]])


def by_pairs(labels: Any, scores: Any, groups: Any) -> tuple[Any, Any]:
    """Areas and Obuchowski's covariance in O(mn): every pair and every patient one by one."""
    models, patients = scores.shape[1], sorted(set(groups[labels >= 0].tolist()))
    positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    m, n = len(positives), len(negatives)
    wins = np.zeros((models, m, n))
    for k in range(models):
        for i, p in enumerate(positives):
            for j, q in enumerate(negatives):
                wins[k, i, j] = (scores[p, k] > scores[q, k]) + 0.5 * (scores[p, k] == scores[q, k])
    area = wins.mean(axis=(1, 2))
    x, y = wins.mean(axis=2), wins.mean(axis=1)
    up = np.array([[np.sum(x[k, groups[positives] == g] - area[k]) for g in patients] for k in range(models)])
    down = np.array(
        [[np.sum(y[k, groups[negatives] == g] - area[k]) for g in patients] for k in range(models)]
    )
    with_positive, with_negative = len(set(groups[positives])), len(set(groups[negatives]))
    total = with_positive / (with_positive - 1) * up @ up.T / m**2
    total += with_negative / (with_negative - 1) * down @ down.T / n**2
    cross = len(patients) / (len(patients) - 1) * up @ down.T / (m * n)
    return area, total + cross + cross.T


def test_published_example() -> None:
    """Areas, standard errors and contrasts as in the SAS/STAT guide, LOGISTIC, comparing ROC curves."""
    labels, scores = ovarian()
    found = delong_covariance(labels, scores)

    assert found.auroc == pytest.approx([0.7258, 0.6478, 0.7366], abs=5e-5)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx([0.1028, 0.1000, 0.0927], abs=5e-5)
    protein, albumin = (delong_test(labels, scores[:, k], scores[:, 0]) for k in (1, 2))
    assert (protein.value, albumin.value) == pytest.approx((-0.0780, 0.0108), abs=5e-5)
    assert (protein.p, albumin.p) == pytest.approx((0.4561, 0.9102), abs=5e-5)
    contrast = np.array([[-1.0, 1, 0], [-1, 0, 1]])
    both = contrast @ found.auroc
    chi2 = both @ np.linalg.solve(contrast @ found.covariance @ contrast.T, both)
    assert chi2 == pytest.approx(2.5340, abs=5e-5)


@given(st.integers(0, 2**32), st.integers(4, 30), st.sampled_from([2, 5, 1000]), st.booleans())
@settings(max_examples=100, deadline=None)
def test_equal_to_all_pairs(seed: int, records: int, levels: int, clustered: bool) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 2, records).astype(np.int8)
    labels[:4] = 0, 0, 1, 1
    scores = rng.integers(0, levels, (records, 3)).astype(np.float64)
    members = np.append([0, 1, 0, 2], rng.integers(0, 9, records - 4)) if clustered else np.arange(records)
    groups = group_records(pd.Series(members))
    area, covariance = by_pairs(labels, scores, groups)
    found = delong_covariance(labels, scores, groups if clustered else None)

    np.testing.assert_allclose(found.auroc, area, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.covariance, covariance, rtol=0, atol=1e-12)


def test_auroc_is_the_same_as_elsewhere_and_the_variance_that_of_the_bootstrap() -> None:
    rng = np.random.default_rng(1)
    patients = rng.integers(0, 300, 1500)
    groups = group_records(pd.Series(patients))
    labels = (rng.normal(size=300)[patients] + rng.normal(size=1500) > 1).astype(np.int8)
    scores = rng.normal(size=300)[patients] + rng.normal(size=1500) + labels
    found = delong_covariance(labels, scores[:, None], groups)
    drawn = bootstrap(labels[:, None], scores[:, None], groups, resamples=4000, seed=0)

    assert found.auroc[0] == pytest.approx(auroc(labels, scores), abs=1e-12)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(drawn.auroc_resamples.std(), rel=0.05)
    assert found.covariance[0, 0] > 1.3 * delong_covariance(labels, scores[:, None]).covariance[0, 0]


def test_the_interval_is_symmetric_on_the_logit_scale_and_inside_0_and_1() -> None:
    labels = np.array([0] * 30 + [1] * 30, np.int8)
    scores = np.arange(60.0)
    scores[29] = 100
    found = delong_interval(labels, scores)

    assert 0 < found.low < found.value < found.high < 1
    logits = [math.log(x / (1 - x)) for x in (found.low, found.value, found.high)]
    assert logits[2] - logits[1] == pytest.approx(logits[1] - logits[0], rel=1e-9)
    error = math.sqrt(delong_covariance(labels, scores[:, None]).covariance[0, 0])
    half = 1.959963984540054 * error / (found.value * (1 - found.value))
    assert logits[2] - logits[1] == pytest.approx(half, rel=1e-9)


@pytest.mark.parametrize(
    ("labels", "scores", "value", "reason"),
    [
        ([], [], None, "no annotated record"),
        ([-1, -1], [1, 2], None, "no annotated record"),
        ([0, 0], [1, 2], None, "no positive record"),
        ([1, -1], [1, 2], None, "no negative record"),
        ([0, 0, 1], [1, 3, 2], 0.5, "the positives are of one patient"),
        ([0, 1, 1], [2, 3, 1], 0.5, "the negatives are of one patient"),
        ([0, 0, 1, 1], [1, 2, 3, 4], 1.0, "at an AUROC of 1 the estimated variance is 0"),
        ([0, 0, 1, 1], [4, 3, 2, 1], 0.0, "at an AUROC of 0 the estimated variance is 0"),
        ([0, 0, 1, 1], [1, 1, 1, 1], 0.5, "at an AUROC of 0.5 the estimated variance is 0"),
    ],
)
def test_no_interval_says_why(
    labels: list[int], scores: list[float], value: float | None, reason: str
) -> None:
    found = delong_interval(np.array(labels, np.int8), np.array(scores, np.float64))

    assert found.value == pytest.approx(value, nan_ok=True)
    assert found.low is None
    assert found.high is None
    assert reason in found.reason


def test_all_positives_of_one_patient_have_no_variance() -> None:
    found = delong_interval([1, 1, 0, 0], [0.1, 0.9, 0.5, 0.2], np.array([0, 0, 1, 2]))

    assert "positives are of one patient" in found.reason


def test_models_that_place_every_record_alike() -> None:
    labels = np.array([0, 1, 0, 1, 1, 0], np.int8)
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    same = delong_test(labels, scores, np.exp(scores))
    apart = delong_test([0, 0, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1])

    assert (same.value, same.p) == (0.0, 1.0)
    assert "alike" in same.reason
    assert (apart.value, apart.p) == (1.0, None)
    assert "variance of the difference is 0" in apart.reason
    assert delong_test([0, 0], [1, 2], [2, 1]).p is None


def test_refuses() -> None:
    with pytest.raises(LeadboardError, match="1 of 2 scores of 'AF' are NaN"):
        delong_interval([0, 1], [0.1, math.nan], name="'AF'")
    with pytest.raises(LeadboardError, match="one column for each model"):
        delong_covariance([0, 1], [0.1, 0.2])
    assert delong_covariance([0, 1], np.empty((2, 0))).reason == "no model"
