"""Subgroups against evaluating each alone, in the same resamples."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pandas as pd
import pytest

from benchmark.metrics import subgroups
from benchmark.metrics.bootstrap import group_records
from benchmark.metrics.discrimination import auroc, average_precision
from benchmark.metrics.resampling import resample_counts
from benchmark.metrics.subgroups import age_bands, by_subgroup
from cohorts.errors import LeadboardError


def cohort(seed: int = 0, records: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A second concept that hardly occurs; a score that is worse for men."""
    rng = np.random.default_rng(seed)
    sex = np.array(["female", "male", None], dtype=object)[rng.choice(3, records, p=[0.45, 0.45, 0.1])]
    labels = (rng.random((records, 2)) < [0.3, 0.004]).astype(np.int8)
    labels[rng.random((records, 2)) < 0.05] = -1
    scores = rng.normal(size=(records, 2)) + labels * np.where(sex == "male", 0.5, 2.0)[:, None]
    return labels, scores, sex, group_records(pd.Series(rng.integers(0, 250, records)))


def test_each_group_as_if_evaluated_alone() -> None:
    labels, scores, sex, groups = cohort()
    found, _ = by_subgroup(labels, scores, sex, groups, resamples=50)

    assert list(found) == ["female", "male", "unknown"]
    for name, concepts in found.items():
        inside = sex == (None if name == "unknown" else name)
        truth, values = labels[inside, 0], scores[inside, 0]
        assert concepts[0].auroc.value == pytest.approx(auroc(truth, values), abs=1e-12)
        assert concepts[0].auprc.value == pytest.approx(average_precision(truth, values), abs=1e-12)
        assert (concepts[0].n, concepts[0].positives) == (np.sum(truth >= 0), np.sum(truth == 1))
    assert sum(concepts[0].n for concepts in found.values()) == np.sum(labels[:, 0] >= 0)


def test_the_gap_is_paired_over_shared_resamples() -> None:
    labels, scores, sex, groups = cohort()
    _, gaps = by_subgroup(labels, scores, sex, groups, resamples=60, seed=4)
    differences = []
    for times in resample_counts(groups, 60, seed=4).T:
        rows = np.repeat(np.arange(len(labels)), times)
        women, men = (rows[sex[rows] == name] for name in ("female", "male"))
        differences.append(auroc(labels[women, 0], scores[women, 0]) - auroc(labels[men, 0], scores[men, 0]))

    assert (gaps[0].highest, gaps[0].lowest) == ("female", "male")
    low, high = np.quantile(differences, [0.025, 0.975])
    assert (gaps[0].difference.low, gaps[0].difference.high) == pytest.approx((low, high), abs=1e-12)
    assert gaps[0].difference.low > 0


def test_groups_with_few_positives_take_no_part_in_a_gap() -> None:
    labels, scores, sex, groups = cohort()
    found, gaps = by_subgroup(labels, scores, sex, groups, resamples=20)

    assert any(not math.isnan(concepts[1].auroc.value) for concepts in found.values())
    assert math.isnan(gaps[1].difference.value)
    assert gaps[1].highest == ""
    assert "fewer than two groups with 10 positives" in gaps[1].difference.reason


def test_the_same_records_in_two_groups_have_no_gap() -> None:
    labels, scores, _, _ = cohort()
    twice = np.concatenate([labels, labels]), np.concatenate([scores, scores])
    _, gaps = by_subgroup(*twice, ["a"] * 600 + ["b"] * 600, np.tile(np.arange(600), 2), resamples=30)

    assert (gaps[0].highest, gaps[0].lowest) == ("a", "b")
    assert (gaps[0].difference.low, gaps[0].difference.high) == (0.0, 0.0)
    assert "no width" in gaps[0].difference.reason


def test_no_records_and_wrong_members() -> None:
    found, gaps = by_subgroup(np.empty((0, 1), np.int8), np.empty((0, 1)), [], resamples=5)

    assert found == {}
    assert math.isnan(gaps[0].difference.value)
    with pytest.raises(LeadboardError, match="1 subgroup members for 2 records"):
        by_subgroup(np.zeros((2, 1), np.int8), np.zeros((2, 1)), ["male"])
    with pytest.raises(LeadboardError, match="1 of 2 scores of column 0"):
        by_subgroup(np.zeros((2, 1), np.int8), np.array([[np.nan], [1.0]]), ["male", "male"])


def test_age_bands() -> None:
    assert age_bands([0, 39.9, 60, 80], (60,)) == ["under 60", "under 60", "60 and over", "60 and over"]
    assert age_bands([]) == []
    assert doctest.testmod(subgroups).failed == 0
