"""Two readers of the same records: scikit-learn's kappa, and tables worked out by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score

from benchmark.metrics.agreement import Agreement, agreement, agreement_table
from benchmark.metrics.estimates import nan_if_none
from cohorts.errors import UsageError
from tests.benchmark.metrics.draws import counts_of

LABELS = st.lists(st.tuples(*(st.sampled_from([-1, 0, 1]) for _ in range(2))), min_size=1, max_size=30)


def of_cells(both: int, only_first: int, only_second: int, neither: int) -> Agreement:
    first = np.repeat([1, 1, 0, 0], [both, only_first, only_second, neither])
    second = np.repeat([1, 0, 1, 0], [both, only_first, only_second, neither])
    return agreement(first, second, resamples=50)


def test_cohens_own_formula_by_hand() -> None:
    found = of_cells(20, 5, 10, 15)
    assert (found.records, found.first, found.second, found.both) == (50, 25, 30, 20)
    assert found.kappa.value == pytest.approx(0.4)  # observed 0.7, by chance 0.5
    assert found.positive.value == pytest.approx(40 / 55)
    assert found.negative.value == pytest.approx(30 / 45)


@settings(deadline=None)
@given(LABELS)
def test_scikit_learn_agrees(pairs: list[tuple[int, int]]) -> None:
    labels = np.array(pairs)
    found = agreement(labels[:, 0], labels[:, 1], resamples=0)
    first, second = labels[(labels >= 0).all(axis=1)].T
    assert found.records == len(first)
    if not len(first):
        assert found.kappa.value is None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kappa = cohen_kappa_score(first, second, labels=[0, 1])
    assert nan_if_none(found.kappa.value) == pytest.approx(kappa, nan_ok=True)
    for value, side in ((found.positive.value, 1), (found.negative.value, 0)):
        expected = f1_score(first, second, pos_label=side, zero_division=np.nan)  # the same formula
        assert nan_if_none(value) == pytest.approx(expected, nan_ok=True)


def test_the_interval_is_of_resampled_patients() -> None:
    random = np.random.default_rng(1)
    patients = np.repeat(np.arange(40), 3)
    first = random.integers(-1, 2, 120)
    second = np.where(random.random(120) < 0.7, first, random.integers(-1, 2, 120))
    found = agreement(first, second, patients, resamples=80, seed=3)
    counts = counts_of(patients, 80, 3)
    rows = np.flatnonzero((first >= 0) & (second >= 0))
    kappas = [cohen_kappa_score(first[rows], second[rows], sample_weight=counts[rows, r]) for r in range(80)]
    low, high = np.quantile(kappas, [0.025, 0.975])
    assert (found.kappa.low, found.kappa.high) == pytest.approx((low, high))
    assert found.kappa.low < found.kappa.value < found.kappa.high


def test_records_of_one_patient_widen_the_interval() -> None:
    random = np.random.default_rng(2)
    first = random.integers(0, 2, 100)
    second = np.where(random.random(100) < 0.8, first, 1 - first)
    alone = agreement(first, second, resamples=500)
    copied = agreement(np.repeat(first, 4), np.repeat(second, 4), np.repeat(np.arange(100), 4), resamples=500)
    assert copied.kappa == alone.kappa
    naive = agreement(np.repeat(first, 4), np.repeat(second, 4), resamples=500)
    assert naive.kappa.high - naive.kappa.low < 0.7 * (alone.kappa.high - alone.kappa.low)


def test_what_is_undefined_says_why() -> None:
    nothing = agreement([-1, 0], [1, -1])
    assert nothing.records == 0
    assert nothing.kappa.reason == nothing.positive.reason == "no record has a label of both"
    quiet = of_cells(0, 0, 0, 10)
    assert quiet.positive.value is None
    assert quiet.positive.reason == "no reader calls any record positive"
    assert quiet.negative.value == 1.0
    assert quiet.kappa.reason == "both readers call all records the same"
    assert of_cells(10, 0, 0, 0).negative.reason == "no reader calls any record negative"


def test_kappa_falls_with_a_rare_finding_and_the_fractions_tell_why() -> None:
    common, rare = of_cells(80, 10, 10, 100), of_cells(5, 10, 10, 175)
    assert (common.first + common.second, rare.first + rare.second) == (180, 30)
    assert rare.kappa.value < 0.3 < 0.7 < common.kappa.value
    assert rare.negative.value > 0.94


def test_the_table_holds_the_concepts_that_both_read() -> None:
    first = pd.DataFrame({"AF": [1, 1, 0, 0], "PVC": [1, 0, -1, 0], "LVH": [0, 0, 0, 1], "VT": [-1] * 4})
    second = pd.DataFrame({"PVC": [1, 0, 1, -1], "AF": [1, 0, 0, 0], "MI": [0] * 4, "VT": [0] * 4})
    found = agreement_table(first, second, resamples=40)
    assert list(found["concept"]) == ["AF", "PVC"]
    assert list(found["records"]) == [4, 2]
    assert found[["first", "second", "both"]].to_numpy().tolist() == [[2, 1, 1], [1, 1, 1]]
    one = agreement(first["AF"], second["AF"], resamples=40)
    row = found.iloc[0]
    assert (row["kappa"], row["kappa_low"], row["kappa_high"]) == (
        one.kappa.value,
        one.kappa.low,
        one.kappa.high,
    )
    assert row["positive_agreement"] == pytest.approx(2 / 3)


def test_readers_of_other_records_are_refused() -> None:
    with pytest.raises(UsageError, match="as many"):
        agreement([1, 0], [1])
    with pytest.raises(UsageError, match="'AF'"):
        agreement([1, 2], [1, 0], name="'AF'")
    frame = pd.DataFrame({"AF": [1, 0]}, index=["1", "2"])
    with pytest.raises(UsageError, match="same records"):
        agreement_table(frame, frame.set_axis(["2", "1"]))
