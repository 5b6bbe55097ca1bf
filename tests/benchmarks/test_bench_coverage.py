"""Simulated coverage of 95 % intervals: the tables of docs/methods.md, made again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.coverage import COHORTS, clustered, independent

ERROR = 2.6 * (0.93 * 0.07 / COHORTS) ** 0.5  # of a share of so many cohorts, at 99 %


@pytest.mark.parametrize("positives", [50, 100, 200])
@pytest.mark.parametrize("auroc", [0.75, 0.90])
def test_intervals_hold_with_fifty_positives_or_more(benchmark: Any, auroc: float, positives: int) -> None:
    found = benchmark.pedantic(lambda: independent(positives, auroc), rounds=1)
    for name, coverage in found.items():
        benchmark.extra_info[name] = f"{coverage.share:.1%}"
        assert 0.93 - ERROR < coverage.share < 0.97 + ERROR, name
        assert coverage.none == 0


@pytest.mark.parametrize("auroc", [0.75, 0.90])
def test_only_patients_hold_where_records_hang_together(benchmark: Any, auroc: float) -> None:
    found = benchmark.pedantic(lambda: clustered(300, auroc), rounds=1)
    for name, coverage in found.items():
        benchmark.extra_info[name] = f"{coverage.share:.1%}"
        if "patients" in name:
            assert 0.93 - ERROR < coverage.share < 0.97 + ERROR, name
        else:
            assert coverage.share < 0.85, name


@pytest.mark.parametrize("positives", [10, 20, 50])
def test_near_1_only_newcombe_holds_with_few_positives(benchmark: Any, positives: int) -> None:
    found = benchmark.pedantic(lambda: independent(positives, 0.97), rounds=1)
    benchmark.extra_info.update({name: f"{coverage.share:.1%}" for name, coverage in found.items()})

    assert found["AUROC percentile"].share < 0.92
    assert found["AUROC Newcombe"].share > 0.93
