"""Models beside readers: CODE-test's published F1 scores, and matching tried one cut at a time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import f1_score, recall_score

from benchmark.metrics.discrimination import auroc
from benchmark.metrics.operating_points import measure_calls
from benchmark.metrics.readers import against_reader, mcnemar
from cohorts.errors import LeadboardError
from tests.benchmark.metrics.draws import counts_of

READERS = (
    "cardiologist1",
    "cardiologist2",
    "cardiology_residents",
    "emergency_residents",
    "medical_students",
)


def table(shared: Path, name: str) -> pd.DataFrame:
    columns = ["1dAVb", "RBBB", "LBBB", "SB", "AF", "ST"]
    return pd.read_csv(shared / "data" / "code-test" / "annotations" / f"{name}.csv")[columns]


def test_published_f1_and_auroc_of_the_network_on_code_test(shared: Path) -> None:
    """Ribeiro et al., Nature Communications 11:1760, 2020."""
    truth = table(shared, "gold_standard").to_numpy(np.int8)
    found = measure_calls(truth, table(shared, "dnn").to_numpy() == 1)
    scores = pd.read_csv(shared / "known_answers" / "code_test_dnn_scores.csv")[
        list(table(shared, "dnn").columns)
    ].to_numpy()

    assert [round(calls.f1.value, 3) for calls in found] == [0.897, 0.944, 1.0, 0.882, 0.870, 0.960]
    assert [auroc(truth[:, k], scores[:, k]) for k in range(6)] == pytest.approx(
        [0.99423386, 0.99907277, 1.0, 0.99745684, 0.99744850, 0.99856312], abs=5e-9
    )


def test_the_network_against_each_reader_of_code_test(shared: Path) -> None:
    truth = table(shared, "gold_standard").to_numpy(np.int8)
    scores = pd.read_csv(shared / "known_answers" / "code_test_dnn_scores.csv")[
        list(table(shared, "dnn").columns)
    ].to_numpy()
    for reader in READERS:
        calls = table(shared, reader).to_numpy() == 1
        points = measure_calls(truth, calls)
        for k in range(6):
            assert points[k].f1.value == pytest.approx(f1_score(truth[:, k], calls[:, k]))
            found = against_reader(truth[:, k], scores[:, k], calls[:, k], resamples=200)
            assert found.reader_sensitivity == points[k].sensitivity.value
            assert found.model_specificity >= found.reader_specificity == points[k].specificity.value
            assert found.difference.value == pytest.approx(
                found.model_sensitivity - found.reader_sensitivity, abs=1e-12
            )
            assert found.difference.low <= found.difference.value <= found.difference.high


def best_cut(labels: np.ndarray, scores: np.ndarray, calls: np.ndarray) -> float:
    """Highest sensitivity of any cut with no more false alarms than the reader."""
    allowed = np.count_nonzero(calls[labels == 0])
    cuts = [*np.unique(scores), np.inf]
    return max(np.mean(scores[labels == 1] >= c) for c in cuts if np.sum(scores[labels == 0] >= c) <= allowed)


@given(st.integers(0, 2**32), st.integers(4, 25), st.sampled_from([2, 5, 1000]))
@settings(max_examples=40, deadline=None)
def test_matched_in_the_data_and_in_every_resample(seed: int, records: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 2, records)
    labels[:4] = 0, 0, 1, 1
    scores = rng.integers(0, levels, records).astype(np.float64)
    calls = rng.random(records) < 0.4
    groups = np.arange(records) // 2
    found = against_reader(labels, scores, calls, groups, resamples=25, seed=3)
    kept = labels >= 0
    reader = recall_score(labels[kept], calls[kept])

    assert found.model_sensitivity == pytest.approx(best_cut(labels[kept], scores[kept], calls[kept]))
    assert found.difference.value == pytest.approx(found.model_sensitivity - reader, abs=1e-12)
    differences = []
    for times in counts_of(groups, 25, seed=3).T:
        rows = np.repeat(np.arange(records), times)
        rows = rows[labels[rows] >= 0]
        if set(labels[rows]) == {0, 1}:
            model = best_cut(labels[rows], scores[rows], calls[rows])
            differences.append(model - recall_score(labels[rows], calls[rows]))
    low, high = np.quantile(differences, [0.025, 0.975])
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high), abs=1e-12)
    assert found.difference.undefined_fraction == pytest.approx(1 - len(differences) / 25)


def test_discordant_positives_and_mcnemar() -> None:
    labels = np.array([1] * 10 + [0] * 10)
    scores = np.array([*range(20, 11, -1), 1.0, *range(11, 1, -1)])
    calls = np.zeros(20, np.bool_)
    calls[[0, 9]] = True
    found = against_reader(labels, scores, calls, resamples=50)

    assert (found.only_model, found.only_reader) == (8, 1)
    assert found.mcnemar == pytest.approx(2 * binom.cdf(1, 9, 0.5), abs=1e-12)
    assert (found.model_specificity, found.reader_specificity) == (1.0, 1.0)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(3, 3) == 1.0


def test_a_reader_who_calls_everybody_is_matched_by_calling_everybody() -> None:
    found = against_reader([1, 0, 1, 0], [0.1, 0.2, 0.3, 0.4], np.ones(4, np.bool_), resamples=20)

    assert (found.model_sensitivity, found.model_specificity, found.difference.value) == (1.0, 0.0, 0.0)
    assert found.difference.p == 1.0


@pytest.mark.parametrize(("labels", "why"), [([], "annotated"), ([0, -1], "positive"), ([1, 1], "negative")])
def test_undefined_says_why(labels: list[int], why: str) -> None:
    found = against_reader(labels, [0.5] * len(labels), np.zeros(len(labels), np.bool_), resamples=10)

    assert found.difference.value is None
    assert found.mcnemar is None
    assert found.difference.p is None
    assert why in found.difference.reason
    assert against_reader([0, 1], [1, 2], np.zeros(2, np.bool_), resamples=0).difference.low is None


def test_refuses() -> None:
    with pytest.raises(LeadboardError, match="calls of 'AF'"):
        against_reader([0, 1], [0.1, 0.2], np.array([0, 1]), name="'AF'")
    with pytest.raises(LeadboardError, match="1 of 2 scores of 'AF' are NaN"):
        against_reader([0, 1], [0.1, math.nan], np.zeros(2, np.bool_), name="'AF'")
