"""The Challenge's scores against its definition written out record by record."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score

from benchmark.metrics.bootstrap import group_records
from benchmark.metrics.challenge import SINUS_RHYTHM, challenge_scores, reward_matrix
from cohorts.errors import LeadboardError
from tests.benchmark.metrics.draws import counts_of


def cohort(seed: int = 0, records: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of 26 classes, one of which does not occur, with recordings without any label or output."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((records, 26)) < rng.uniform(0.02, 0.3, 26)).astype(np.int8)
    labels[:, 5] = 0
    labels[:10] = 0
    scores = np.clip(rng.normal(0.3, 0.2, (records, 26)) + 0.3 * labels, 0, 1)
    outputs = scores > 0.6
    outputs[5:15] = False
    return labels, scores, outputs


def as_published(labels: np.ndarray, outputs: np.ndarray) -> float:
    """Challenge metric, written as in Reyna et al. 2021: one recording, label and output at a time."""
    codes, weights = reward_matrix()

    def total(given: np.ndarray) -> float:
        confusion = np.zeros((26, 26))
        for label, output in zip(labels, given, strict=True):
            classes = sum(1 for a, b in zip(label, output, strict=True) if a or b)
            for j in range(26):
                for k in range(26):
                    if label[j] and output[k]:
                        confusion[j, k] += 1 / max(classes, 1)
        return sum(weights[j, k] * confusion[j, k] for j in range(26) for k in range(26))

    inactive = np.zeros_like(outputs)
    inactive[:, codes.index(SINUS_RHYTHM)] = True
    return (total(outputs) - total(inactive)) / (total(labels == 1) - total(inactive))


def test_reward_matrix() -> None:
    codes, weights = reward_matrix()

    assert len(codes) == len(set(codes)) == 26
    assert weights.shape == (26, 26)
    np.testing.assert_array_equal(np.diag(weights), 1)
    np.testing.assert_array_equal(weights, weights.T)
    assert weights[codes.index("164889003"), codes.index("164890007")] == 0.5
    assert {"733534002|164909002", "713427006|59118001", "284470004|63593006", "427172004|17338001"} <= set(
        codes
    )
    with pytest.raises(ValueError, match="read-only"):
        weights[0, 0] = 2


def test_the_same_matrix_as_in_the_facts(shared: object) -> None:
    table = pd.read_csv(shared / "facts" / "challenge2021_weights.csv", index_col=0)
    codes, weights = reward_matrix()

    assert list(table.columns) == list(table.index.astype(str)) == list(codes)
    np.testing.assert_array_equal(table.to_numpy(), weights)


def test_equal_to_the_definition_and_to_scikit_learn() -> None:
    labels, scores, outputs = cohort()
    found = challenge_scores(labels, scores, outputs, resamples=30)
    seen = [k for k in range(26) if labels[:, k].any()]
    called = [k for k in range(26) if labels[:, k].any() or outputs[:, k].any()]

    assert found.challenge_metric.value == pytest.approx(as_published(labels, outputs), abs=1e-12)
    assert found.accuracy.value == pytest.approx(accuracy_score(labels, outputs))
    assert found.f_measure.value == pytest.approx(
        np.mean([f1_score(labels[:, k], outputs[:, k]) for k in called])
    )
    assert found.auroc.value == pytest.approx(
        np.mean([roc_auc_score(labels[:, k], scores[:, k]) for k in seen])
    )
    assert found.auprc.value == pytest.approx(
        np.mean([average_precision_score(labels[:, k], scores[:, k]) for k in seen])
    )


def test_intervals_are_percentiles_over_the_shared_resamples() -> None:
    labels, scores, outputs = cohort(1, 60)
    groups = group_records(pd.Series(np.random.default_rng(2).integers(0, 25, 60)))
    found = challenge_scores(labels, scores, outputs, groups, resamples=15, seed=6)
    metric, accuracy = [], []
    for times in counts_of(groups, 15, seed=6).T:
        rows = np.repeat(np.arange(60), times)
        metric.append(as_published(labels[rows], outputs[rows]))
        accuracy.append(accuracy_score(labels[rows], outputs[rows]))
    expected = np.quantile(metric, [0.025, 0.975])

    assert (found.challenge_metric.low, found.challenge_metric.high) == pytest.approx(
        tuple(expected), abs=1e-12
    )
    expected = np.quantile(accuracy, [0.025, 0.975])
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx(tuple(expected), abs=1e-12)


def test_right_everywhere_is_1_and_always_sinus_rhythm_is_0() -> None:
    labels, scores, outputs = cohort()
    sinus = np.zeros_like(outputs)
    sinus[:, reward_matrix()[0].index(SINUS_RHYTHM)] = True
    perfect = challenge_scores(labels, labels.astype(float), labels == 1, resamples=10)
    inactive = challenge_scores(labels, scores, sinus, resamples=10)

    assert perfect.challenge_metric.value == perfect.challenge_metric.low == 1
    assert perfect.accuracy.value == perfect.auroc.value == perfect.f_measure.value == 1
    assert inactive.challenge_metric.value == 0
    silent = challenge_scores(labels, scores, np.zeros_like(outputs), resamples=10)
    assert silent.challenge_metric.value < 0


def test_what_is_not_annotated_is_no_part_of_the_recording() -> None:
    labels, scores, outputs = cohort()
    labels[:, 7] = -1
    anything = outputs.copy()
    anything[:, 7] = ~anything[:, 7]
    found, other = (challenge_scores(labels, scores, given, resamples=5) for given in (outputs, anything))
    zeros, none = labels.copy(), outputs.copy()
    zeros[:, 7], none[:, 7] = 0, False

    assert found == other
    assert found.challenge_metric.value == pytest.approx(as_published(zeros, none), abs=1e-12)


def test_undefined_says_why() -> None:
    nothing = challenge_scores(
        np.empty((0, 26), np.int8), np.empty((0, 26)), np.empty((0, 26), np.bool_), resamples=3
    )
    sinus = np.zeros((4, 26), np.int8)
    sinus[:, reward_matrix()[0].index(SINUS_RHYTHM)] = 1
    normal = challenge_scores(sinus, np.zeros((4, 26)), sinus == 1, resamples=3)

    for name in ("auroc", "auprc", "accuracy", "f_measure", "challenge_metric"):
        assert getattr(nothing, name).value is None
        assert getattr(nothing, name).reason
    assert normal.challenge_metric.value is None
    assert "always sinus rhythm" in normal.challenge_metric.reason
    assert normal.accuracy.value == 1


def test_refuses() -> None:
    labels, scores, outputs = cohort()
    with pytest.raises(LeadboardError, match="26 scored classes"):
        challenge_scores(labels[:, :25], scores, outputs)
    with pytest.raises(LeadboardError, match="not bool but float64"):
        challenge_scores(labels, scores, outputs.astype(float))
    scores[3, 4] = math.nan
    with pytest.raises(LeadboardError, match="1 of 200 scores of column 4"):
        challenge_scores(labels, scores, outputs)
