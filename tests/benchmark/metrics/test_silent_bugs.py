"""One test for each wrong number that once looked right in a published ECG benchmark."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark.metrics.bootstrap import bootstrap
from benchmark.metrics.cell.evaluation import evaluate
from cohorts.errors import ModelError
from tests.benchmark.metrics.draws import counts_of


def one_good_and_one_absent(positives: int = 20) -> tuple[pd.DataFrame, pd.DataFrame]:
    """AF is separated perfectly; LBBB does not occur."""
    labels = pd.DataFrame({"AF": [1] * positives + [0] * 30, "LBBB": [0] * (positives + 30)}, dtype=np.int8)
    scores = pd.DataFrame(
        {"AF": np.arange(len(labels))[::-1], "LBBB": np.arange(len(labels))}, dtype=np.float64
    )
    return labels, scores


def test_an_undefined_auroc_does_not_enter_the_macro_as_0_or_one_half() -> None:
    found = evaluate(*one_good_and_one_absent(), resamples=100)

    assert found.macro.auroc.value == 1.0
    assert found.macro.concepts == ("AF",)
    assert found.concepts["LBBB"].auroc.value is None


def test_the_macro_interval_is_around_its_own_point() -> None:
    """Zeros for concepts that are undefined in a resample once pulled the interval below the point."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"AF": [1] * 50 + [0] * 50, "WPW": [1] + [0] * 99}, dtype=np.int8)
    scores = labels + rng.normal(scale=0.2, size=labels.shape)
    for minimum in (1, 10):
        macro = evaluate(labels, scores, resamples=500, minimum=minimum).macro
        assert macro.auroc.value is not None
        assert macro.auroc.low is not None
        assert macro.auroc.high is not None
        assert macro.auroc.low > 0.95
        assert macro.auroc.low <= macro.auroc.value <= macro.auroc.high
    assert macro.concepts == ("AF",)


def test_a_resample_without_positives_is_counted_not_drawn_again() -> None:
    """Drawing again until every class is there may never end, and is another distribution."""
    labels = pd.DataFrame({"WPW": [1] + [0] * 49}, dtype=np.int8)
    found = evaluate(labels, np.arange(50.0)[:, None], resamples=4000).concepts["WPW"].auroc

    assert found.undefined_fraction == pytest.approx((1 - 1 / 50) ** 50, abs=0.02)


def test_an_absent_concept_does_not_shift_the_scores_of_the_next() -> None:
    labels, scores = one_good_and_one_absent()
    labels.insert(0, "PVC", labels.pop("LBBB"))
    scores.insert(0, "PVC", scores.pop("LBBB"))
    found = evaluate(labels, scores, resamples=5)

    assert found.concepts["PVC"].auroc.value is None
    assert found.concepts["AF"].auroc.value == 1.0


def test_scores_are_matched_to_concepts_by_name() -> None:
    labels, scores = one_good_and_one_absent()
    labels["LBBB"] = 1 - labels["AF"]
    scores["LBBB"] = -scores["AF"]

    assert evaluate(labels, scores[["LBBB", "AF"]], resamples=5) == evaluate(labels, scores, resamples=5)


def test_the_last_records_count() -> None:
    """A dropped last batch once changed n and the value."""
    labels = pd.DataFrame({"AF": [0] * 100 + [1] * 1}, dtype=np.int8)
    found = evaluate(labels, np.arange(101.0)[:, None], resamples=5).concepts["AF"]

    assert (found.n, found.positives, found.auroc.value) == (101, 1, 1.0)


def test_a_record_that_is_not_annotated_is_not_a_negative() -> None:
    labels = pd.DataFrame({"AF": [1, 0, -1, -1]}, dtype=np.int8)
    found = evaluate(labels, np.array([[0.6], [0.5], [0.9], [0.7]]), resamples=5).concepts["AF"]

    assert (found.auroc.value, found.auprc.value, found.n, found.prevalence) == (1.0, 1.0, 2, 0.5)


def test_nan_is_never_a_score() -> None:
    """NaN sorts last, so that a model that fails on the ill once looked good."""
    with pytest.raises(ModelError, match="1 of 3 scores of 'AF'"):
        evaluate(pd.DataFrame({"AF": [0, 0, 1]}), np.array([[0.1], [0.2], [np.nan]]))


def test_ties_do_not_depend_on_the_order_of_the_records() -> None:
    """A constant or rounded score once got 1.0 or 0.0 by the order in which ties were sorted."""
    for order in ([1] * 10 + [0] * 10, [0] * 10 + [1] * 10):
        found = evaluate(pd.DataFrame({"AF": order}), np.zeros((20, 1)), resamples=5).concepts["AF"]
        assert (found.auroc.value, found.auprc.value) == (0.5, 0.5)


def test_float32_scores_give_what_the_same_numbers_give_in_float64() -> None:
    rng = np.random.default_rng(1)
    labels = pd.DataFrame({"AF": (rng.random(3000) < 0.1).astype(np.int8)})
    scores = (rng.normal(size=(3000, 1)) + labels.to_numpy()).astype(np.float32)

    assert evaluate(labels, scores, resamples=20) == evaluate(labels, scores.astype(np.float64), resamples=20)


def test_all_concepts_and_models_share_the_resamples() -> None:
    """Resamples drawn anew per concept or per batch are not paired and their macro is too narrow."""
    rng = np.random.default_rng(2)
    column = (rng.random((200, 1)) < 0.3).astype(np.int8)
    scores = rng.normal(size=(200, 1)) + column
    drawn = bootstrap(
        column.repeat(3, axis=1), scores.repeat(3, axis=1), np.arange(200), resamples=50, seed=0
    ).auroc_resamples

    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 2])


def test_a_patient_is_never_in_a_resample_with_some_records_only() -> None:
    groups = np.arange(300) // 3
    counts = counts_of(groups, 100, seed=0).reshape(100, 3, 100)

    np.testing.assert_array_equal(counts, counts[:, :1].repeat(3, axis=1))


def test_a_model_that_trails_by_little_is_seen_by_the_paired_difference() -> None:
    rng = np.random.default_rng(3)
    labels = (rng.random((2000, 1)) < 0.3).astype(np.int8)
    scores = rng.normal(size=(2000, 1)) + labels
    worse = scores + rng.normal(scale=0.3, size=(2000, 1))
    first, second = (bootstrap(labels, s, np.arange(2000), resamples=500, seed=0) for s in (scores, worse))
    difference = first.auroc_resamples - second.auroc_resamples

    assert difference.std() < 0.5 * np.hypot(first.auroc_resamples.std(), second.auroc_resamples.std())
