"""The bootstrap against scikit-learn on the same resamples, and what must not change a value."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmark.metrics import kernel
from benchmark.metrics.bootstrap import bootstrap, rank
from benchmark.metrics.device import bootstrap_on_device
from benchmark.metrics.discrimination import auroc, average_precision
from benchmark.metrics.resampling import drawn_counts, group_records, resampled_sums
from cohorts.errors import LeadboardError, UsageError
from tests.benchmark.metrics.draws import counts_of


def cohort(
    seed: int, records: int = 300, concepts: int = 5, patients: int = 120, decimals: int = 8
) -> tuple[Any, Any, Any]:
    """Labels with gaps, scores with ties if rounded, and patients with several records."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((records, concepts)) < rng.uniform(0.02, 0.5, concepts)).astype(np.int8)
    scores = (rng.normal(size=(records, concepts)) + truth).round(decimals)
    labels = np.where(rng.random((records, concepts)) < 0.1, -1, truth).astype(np.int8)
    return labels, scores, group_records(pd.Series(rng.integers(0, patients, records)))


def repeated(counts: Any, labels: Any, scores: Any) -> tuple[float, float]:
    """Scikit-learn on the rows of one resample, each as often as it was drawn."""
    rows = np.repeat(np.arange(len(labels)), counts)
    truth, values = labels[rows], scores[rows]
    truth, values = truth[truth >= 0], values[truth >= 0]
    if len(set(truth.tolist())) < 2:
        return math.nan, math.nan
    return roc_auc_score(truth, values), average_precision_score(truth, values)


@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_to_scikit_learn_on_the_same_resamples(decimals: int, dtype: type) -> None:
    labels, scores, groups = cohort(decimals, decimals=decimals)
    scores = scores.astype(dtype)
    counts = counts_of(groups, 40, seed=7)
    found = bootstrap(labels, scores, groups, resamples=40, seed=7, chunk=16)

    for column in range(labels.shape[1]):
        assert found.auroc[column] == pytest.approx(auroc(labels[:, column], scores[:, column]), abs=1e-12)
        for r in range(40):
            expected = repeated(counts[:, r], labels[:, column], scores[:, column])
            assert found.auroc_resamples[r, column] == pytest.approx(expected[0], abs=1e-12, nan_ok=True)
            assert found.auprc_resamples[r, column] == pytest.approx(expected[1], abs=1e-12, nan_ok=True)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_small_cohort_equals_the_single_column_functions(data: st.DataObject) -> None:
    records = data.draw(st.integers(0, 14))
    columns = data.draw(st.integers(1, 3))
    size = {"min_size": records, "max_size": records}
    labels = np.array(
        [data.draw(st.lists(st.sampled_from([-1, 0, 1]), **size)) for _ in range(columns)], np.int8
    ).T.reshape(records, columns)
    scores = np.array(
        [data.draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 3.0]), **size)) for _ in range(columns)]
    ).T.reshape(records, columns)
    groups = group_records(pd.Series(data.draw(st.lists(st.integers(0, 4), **size)), dtype="Int64"))
    found = bootstrap(labels, scores, groups, resamples=9, seed=3, chunk=4)
    counts = counts_of(groups, 9, seed=3)

    for r, times in [(-1, np.ones(records, np.int64)), *enumerate(counts.T)]:
        rows = np.repeat(np.arange(records), times)
        for column in range(columns):
            truth, values = labels[rows, column], scores[rows, column]
            areas = (
                (found.auroc[column], found.auprc[column])
                if r == -1
                else (found.auroc_resamples[r, column], found.auprc_resamples[r, column])
            )
            assert areas[0] == pytest.approx(auroc(truth, values), abs=1e-12, nan_ok=True)
            assert areas[1] == pytest.approx(average_precision(truth, values), abs=1e-12, nan_ok=True)


def test_chunks_and_threads_change_no_bit() -> None:
    labels, scores, groups = cohort(1, decimals=1)
    first = bootstrap(labels, scores, groups, resamples=203, seed=5, chunk=203, threads=1)

    for chunk, threads in [(1, 1), (7, 2), (64, 3), (65, 2), (None, None), (1000, 2)]:
        again = bootstrap(labels, scores, groups, resamples=203, seed=5, chunk=chunk, threads=threads)
        np.testing.assert_array_equal(again.auroc_resamples, first.auroc_resamples)
        np.testing.assert_array_equal(again.auprc_resamples, first.auprc_resamples)


def test_resamples_do_not_depend_on_the_concepts_or_the_scores_or_how_many_are_drawn() -> None:
    labels, scores, groups = cohort(2)
    everything = bootstrap(labels, scores, groups, resamples=50, seed=5)
    one = bootstrap(labels[:, 3:4], scores[:, 3:4], groups, resamples=20, seed=5)

    np.testing.assert_array_equal(one.auroc_resamples[:, 0], everything.auroc_resamples[:20, 3])
    np.testing.assert_array_equal(counts_of(groups, 9, 5), counts_of(groups, 50, 5)[:, :9])


def test_two_models_see_the_same_resamples_so_differences_are_paired() -> None:
    labels, scores, groups = cohort(3)
    better = bootstrap(labels, scores, groups, resamples=200, seed=0)
    shifted = bootstrap(labels, 2 * scores + 1, groups, resamples=200, seed=0)

    np.testing.assert_array_equal(better.auroc_resamples, shifted.auroc_resamples)


def test_patients_are_drawn_whole_and_as_many_as_there_are() -> None:
    groups = group_records(pd.Series(["b", "a", "b", "c", "a", "b"]))
    counts = counts_of(groups, 500, seed=1)

    np.testing.assert_array_equal(groups, [0, 1, 0, 2, 1, 0])
    np.testing.assert_array_equal(counts[0], counts[2])
    np.testing.assert_array_equal(counts[0], counts[5])
    np.testing.assert_array_equal(counts[1], counts[4])
    np.testing.assert_array_equal(counts[[0, 1, 3]].sum(axis=0), 3)


def test_a_patient_with_copies_of_one_record_counts_as_that_record() -> None:
    labels, scores, _ = cohort(4, concepts=2)
    alone = bootstrap(labels, scores, np.arange(300), resamples=50, seed=2)
    copied = bootstrap(
        labels.repeat(4, axis=0), scores.repeat(4, axis=0), np.arange(300).repeat(4), resamples=50, seed=2
    )

    np.testing.assert_allclose(copied.auroc_resamples, alone.auroc_resamples, rtol=0, atol=1e-15)
    np.testing.assert_allclose(copied.auprc_resamples, alone.auprc_resamples, rtol=0, atol=1e-12)


def test_group_records_gives_each_unknown_patient_a_group_of_its_own() -> None:
    np.testing.assert_array_equal(
        group_records(pd.Series(["x", None, "x", "", " ", "y"])), [0, 1, 0, 2, 3, 4]
    )
    np.testing.assert_array_equal(group_records(pd.Series([7.0, np.nan, 7.0, np.nan])), [0, 1, 0, 2])
    np.testing.assert_array_equal(group_records(pd.Series([3, pd.NA, 3], dtype="Int64")), [0, 1, 0])
    assert len(group_records(pd.Series([], dtype="str"))) == 0


def split_mix(state: int) -> int:
    """SplitMix64's output function in plain integers."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) % 2**64
    return state ^ (state >> 31)


GAMMA = 0x9E3779B97F4A7C15


def test_generator_is_split_mix_64() -> None:
    published = (6457827717110365317, 3203168211198807973, 9817491932198370423)  # from seed 1234567

    for i, value in enumerate(published, start=1):
        assert int(kernel.split_mix(np.uint64((1234567 + i * GAMMA) % 2**64))) == value


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_draws_can_be_made_again_in_plain_python(seed: int) -> None:
    expected = np.zeros((9, 70), np.int64)
    for r in range(70):
        state = split_mix((split_mix((seed + GAMMA) % 2**64) + r) % 2**64)
        for _ in range(9):
            state = (state + GAMMA) % 2**64
            expected[int((split_mix(state) >> 11) * 2.0**-53 * 9), r] += 1

    np.testing.assert_array_equal(counts_of(np.arange(9), 70, seed), expected)


def test_draws_are_multinomial() -> None:
    counts = counts_of(np.arange(50), 4000, seed=11).astype(np.float64)
    covariance = np.cov(counts)

    assert np.abs(counts.mean(axis=1) - 1).max() < 4.5 * math.sqrt(0.98 / 4000)
    assert np.abs(np.diag(covariance) - 0.98).max() < 0.2
    assert covariance[~np.eye(50, dtype=bool)].mean() == pytest.approx(-0.02, abs=1e-3)
    assert np.abs(covariance[~np.eye(50, dtype=bool)] + 0.02).max() < 5 / math.sqrt(4000)


def test_resamples_of_two_seeds_differ() -> None:
    assert (counts_of(np.arange(100), 5, 0) != counts_of(np.arange(100), 5, 1)).any()


def test_no_records_and_no_resamples() -> None:
    empty = bootstrap(np.empty((0, 2), np.int8), np.empty((0, 2)), np.empty(0, np.int64), resamples=3, seed=0)
    labels, scores, groups = cohort(5)
    none = bootstrap(labels, scores, groups, resamples=0, seed=0)

    assert np.isnan(empty.auroc_resamples).all()
    assert empty.auroc_resamples.shape == (3, 2)
    assert none.auroc_resamples.shape == (0, 5)
    assert np.isfinite(none.auroc).all()


def test_counts_stay_exact_where_float32_does_not() -> None:
    """Above 2**24 pairs and records a float32 sum stops moving; integers do not."""
    records = 70_000
    labels = (np.arange(records) % 2).astype(np.int8)[:, None]
    scores = np.arange(records, dtype=np.float64)[:, None]
    found = bootstrap(labels, scores, np.arange(records), resamples=2, seed=0)
    counts = counts_of(np.arange(records), 2, seed=0).astype(np.int64)

    half = records // 2
    assert found.auroc[0] == (half * (half + 1) // 2) / half**2
    for r in range(2):
        below = np.cumsum(counts[::2, r])
        wins = int((counts[1::2, r] * below).sum())
        assert found.auroc_resamples[r, 0] == pytest.approx(
            wins / (int(below[-1]) * int(counts[1::2, r].sum())), abs=1e-15
        )


@pytest.mark.parametrize(
    ("labels", "scores", "groups", "message"),
    [
        ([[0], [1]], [[0.1], [0.2]], [0], "labels for 2"),
        ([[0], [1]], [[0.1, 0.2]], [0, 1], "do not fit"),
        ([[0], [1]], [[0.1], [0.2]], [0, 2], "without gaps"),
        ([[0], [1]], [[0.1], [0.2]], [-1, 0], "without gaps"),
        ([[0], [3]], [[0.1], [0.2]], [0, 1], "labels of column 0"),
        ([[0], [-2]], [[0.1], [0.2]], [0, 1], "labels of column 0"),
        ([[0], [1]], [[0.1], [np.nan]], [0, 1], "1 of 2 scores of column 0 are NaN"),
        ([[0], [-1]], [[0.1], [np.inf]], [0, 1], "1 of 2 scores of column 0 are NaN"),
    ],
)
def test_refuses(labels: Any, scores: Any, groups: Any, message: str) -> None:
    with pytest.raises(LeadboardError, match=message):
        bootstrap(np.array(labels, np.int8), np.array(scores), np.array(groups), resamples=2, seed=0)


@pytest.mark.parametrize("prevalence", [0.02, 0.5, [0.9, math.nan, 0.1, 0.3, 0.2]])
def test_average_precision_at_a_reference_prevalence_equals_weighted_scikit_learn(prevalence: Any) -> None:
    labels, scores, groups = cohort(6, decimals=1)
    counts = counts_of(groups, 30, seed=7)
    found = bootstrap(labels, scores, groups, resamples=30, seed=7, prevalence=prevalence)
    plain = bootstrap(labels, scores, groups, resamples=30, seed=7)

    np.testing.assert_array_equal(found.auroc_resamples, plain.auroc_resamples)
    for column, wanted in enumerate(np.broadcast_to(prevalence, 5)):
        truth = labels[:, column]
        for r, times in [(-1, np.ones(300)), *enumerate(counts.T)]:
            value = found.auprc[column] if r == -1 else found.auprc_resamples[r, column]
            keep = truth >= 0
            positives, negatives = times[truth == 1].sum(), times[truth == 0].sum()
            odds = negatives / positives if math.isnan(wanted) else (1 - wanted) / wanted
            weights = np.where(truth == 1, 1.0, odds * positives / negatives) * times
            expected = average_precision_score(truth[keep], scores[keep, column], sample_weight=weights[keep])
            assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.1, math.inf])
def test_a_reference_prevalence_is_a_fraction(prevalence: float) -> None:
    labels, scores, groups = cohort(6)
    with pytest.raises(UsageError, match="reference prevalence"):
        bootstrap(labels, scores, groups, resamples=1, seed=0, prevalence=prevalence)


@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("prevalence", [None, 0.1])
def test_a_torch_device_gives_the_same_numbers(decimals: int, prevalence: float | None) -> None:
    labels, scores, groups = cohort(decimals, decimals=decimals)
    labels[:, 1] = 0
    labels[:, 2] = -1
    compiled = bootstrap(labels, scores, groups, resamples=45, seed=2, prevalence=prevalence)
    for chunk in (None, 7):
        device = bootstrap_on_device(
            labels, scores, groups, resamples=45, seed=2, prevalence=prevalence, device="cpu", chunk=chunk
        )
        np.testing.assert_array_equal(device.auroc, compiled.auroc)
        np.testing.assert_array_equal(device.auroc_resamples, compiled.auroc_resamples)
        np.testing.assert_allclose(device.auprc, compiled.auprc, rtol=0, atol=1e-12)
        np.testing.assert_allclose(device.auprc_resamples, compiled.auprc_resamples, rtol=0, atol=1e-12)


@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_a_torch_device_agrees_on_any_small_cohort(seed: int, records: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 2, (records, columns)).astype(np.int8)
    scores = rng.integers(0, 4, (records, columns)).astype(np.float64)
    groups = group_records(pd.Series(rng.integers(0, 4, records), dtype="Int64"))
    compiled = bootstrap(labels, scores, groups, resamples=6, seed=3)
    device = bootstrap_on_device(labels, scores, groups, resamples=6, seed=3, device="cpu")

    np.testing.assert_array_equal(device.auroc_resamples, compiled.auroc_resamples)
    np.testing.assert_allclose(device.auprc_resamples, compiled.auprc_resamples, rtol=0, atol=1e-12)


def test_sums_over_a_resample_are_those_of_its_counts() -> None:
    _, values, groups = cohort(7)
    counts = counts_of(groups, 33, seed=4).astype(np.float64)

    np.testing.assert_allclose(
        resampled_sums(values, groups, resamples=33, seed=4), counts.T @ values, rtol=0, atol=1e-12
    )
    for chunk in (1, 8, None):
        parts = [part for _, part in drawn_counts(groups, 33, 4, chunk)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), counts)


def test_rank_marks_the_ends_of_ties() -> None:
    ranking = rank(np.array([[0], [1], [-1], [1]], np.int8), np.array([[0.5], [0.5], [9.0], [0.7]]))

    assert ranking.order[0] == 3
    assert set(ranking.order[1:].tolist()) == {0, 1}
    assert ranking.last.tolist() == [True, False, True]
    assert ranking.starts.tolist() == [0, 3]


def test_one_thread_in_another_process_gives_the_same_and_numba_is_loaded_late() -> None:
    program = """
import sys
import numpy as np
from benchmark.metrics.bootstrap import bootstrap
import benchmark.metrics.cell.evaluation
assert "numba" not in sys.modules
labels = (np.arange(60) % 3 == 0).astype(np.int8)[:, None]
scores = np.sin(np.arange(60.0))[:, None]
found = bootstrap(labels, scores, np.arange(60) // 2, resamples=40, seed=9)
from benchmark.metrics.kernel import THREADS
print(THREADS, found.auroc_resamples.tobytes().hex())
"""
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    labels = (np.arange(60) % 3 == 0).astype(np.int8)[:, None]
    scores = np.sin(np.arange(60.0))[:, None]
    here = bootstrap(labels, scores, np.arange(60) // 2, resamples=40, seed=9, threads=2)

    assert run.stdout.split() == ["1", here.auroc_resamples.tobytes().hex()]
