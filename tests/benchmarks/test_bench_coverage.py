"""Simulated coverage of 95 % intervals: the tables of docs/methods.md, made again.

They take long and say nothing of speed: ``make bench ARGS='-m slow -k coverage'``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.benchmarks.coverage import COHORTS, clustered, independent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ERROR = 2.6 * (0.93 * 0.07 / COHORTS) ** 0.5  # of a share of so many cohorts, at 99 %


LIMITS = {"at_least": 100 * (0.93 - ERROR), "at_most": 100 * (0.97 + ERROR)}


@pytest.mark.parametrize("positives", [50, 100, 200])
@pytest.mark.parametrize("auroc", [0.75, 0.90])
def test_intervals_hold_with_fifty_positives_or_more(
    row: Callable[..., None], auroc: float, positives: int
) -> None:
    for name, coverage in independent(positives, auroc).items():
        row(f"Coverage of {name}, {auroc}, {positives} positives", 100 * coverage.share, "%", **LIMITS)
        assert coverage.none == 0


@pytest.mark.parametrize("auroc", [0.75, 0.90])
def test_only_patients_hold_where_records_hang_together(row: Callable[..., None], auroc: float) -> None:
    found = clustered(300, auroc)
    for over in ("bootstrap", "DeLong"):
        alone = found[f"{over} over records"].share
        row(
            f"Coverage of AUROC {auroc}, several records a patient, {over} over patients",
            100 * found[f"{over} over patients"].share,
            "%",
            {"over records": 100 * alone},
            **LIMITS,
        )
        assert alone < 0.85


@pytest.mark.parametrize("positives", [10, 20, 50])
def test_near_1_only_newcombe_holds_with_few_positives(row: Callable[..., None], positives: int) -> None:
    found = independent(positives, 0.97)
    percentile = found["AUROC percentile"].share
    row(
        f"Coverage of AUROC 0.97, {positives} positives, Newcombe's interval",
        100 * found["AUROC Newcombe"].share,
        "%",
        {"percentile bootstrap": 100 * percentile},
        at_least=93,
    )
    assert percentile < 0.92
