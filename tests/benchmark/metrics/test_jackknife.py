"""Leaving patients out against computing everything again without them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics.bootstrap import group_records
from benchmark.metrics.discrimination import auroc, average_precision
from benchmark.metrics.jackknife import jackknife
from cohorts.errors import LeadboardError


@given(
    st.integers(0, 2**32), st.integers(0, 25), st.sampled_from([1, 3, 8, 30]), st.sampled_from([2, 5, 1000])
)
@settings(max_examples=200, deadline=None)
def test_equal_to_leaving_out_and_computing_again(
    seed: int, records: int, patients: int, levels: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 2, (records, 2)).astype(np.int8)
    scores = rng.integers(0, levels, (records, 2)).astype(np.float64)
    groups = group_records(pd.Series(rng.integers(0, patients, records), dtype="Int64"))
    found = jackknife(labels, scores, groups)

    assert found[0].shape == found[1].shape == (groups.max(initial=-1) + 1, 2)
    for patient in range(len(found[0])):
        kept = groups != patient
        for column in range(2):
            truth, values = labels[kept, column], scores[kept, column]
            assert found[0][patient, column] == pytest.approx(auroc(truth, values), abs=1e-12, nan_ok=True)
            assert found[1][patient, column] == pytest.approx(
                average_precision(truth, values), abs=1e-12, nan_ok=True
            )


def test_one_patient_leaves_nothing() -> None:
    found = jackknife(np.array([[0], [1]], np.int8), np.array([[0.1], [0.2]]), np.zeros(2, np.int64))

    assert math.isnan(found[0][0, 0])
    assert math.isnan(found[1][0, 0])


def test_refuses_nan() -> None:
    with pytest.raises(LeadboardError, match="1 of 2 scores of column 0"):
        jackknife(np.array([[0], [1]], np.int8), np.array([[0.1], [np.nan]]))
