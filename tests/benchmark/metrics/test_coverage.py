"""Coverage in few simulated cohorts, with bounds for so few; tests/benchmarks has 2,000 of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from benchmark.metrics.discrimination import auroc, average_precision
from tests.benchmarks.coverage import Coverage, clustered, covered, independent, table, true_average_precision

COHORTS = 300
LOW = 0.93 - 3.3 * math.sqrt(0.93 * 0.07 / COHORTS)
HIGH = 0.97 + 3.3 * math.sqrt(0.97 * 0.03 / COHORTS)


def test_all_intervals_of_independent_records_hold() -> None:
    for name, coverage in independent(100, 0.9, COHORTS).items():
        assert LOW < coverage.share < HIGH, name


def test_only_patients_hold_where_records_hang_together() -> None:
    for name, coverage in clustered(300, 0.9, COHORTS).items():
        assert (coverage.share > LOW) is ("patients" in name), name


@pytest.mark.parametrize("area", [0.75, 0.97])
def test_the_truth_is_what_a_large_cohort_gives(area: float) -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(1_000_000) < 0.05).astype(np.int8)
    scores = rng.normal(size=1_000_000) + math.sqrt(2) * norm.ppf(area) * labels

    assert auroc(labels, scores) == pytest.approx(area, abs=0.003)
    assert average_precision(labels, scores) == pytest.approx(true_average_precision(area, 0.05), abs=0.006)


def test_counting_and_the_table() -> None:
    found = covered([(0.1, 0.3), (0.3, 0.4), None, None], 0.2)

    assert found == Coverage(0.25, 0.5)
    assert table([((0.9, 10), {"BCa": found})], ("AUROC", "positives")).splitlines() == [
        "| AUROC | positives | BCa |",
        "|---:|---:|---:|",
        "| 0.9 | 10 | 25.0 (50.0) |",
    ]
