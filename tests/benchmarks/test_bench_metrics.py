"""How long the metrics of one cell take that is as large as PTB-XL's test fold with all its statements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmark.metrics.cell.evaluation import evaluate
from benchmark.metrics.challenge import challenge_scores
from benchmark.metrics.delong import delong_interval
from benchmark.metrics.jackknife import jackknife
from benchmark.metrics.operating_points import measure_calls
from benchmark.metrics.resampling import group_records
from tests.benchmarks.made_up import Cohort
from tests.benchmarks.measuring import in_turns

SIZE = "2,203 records x 71 concepts"


def evaluating(cohort: Cohort) -> object:
    labels = pd.DataFrame(cohort.labels)
    return evaluate(labels, cohort.scores, cohort.patients, resamples=10_000)


def jackknifing(cohort: Cohort) -> object:
    return jackknife(cohort.labels, cohort.scores, group_records(cohort.patients))


def by_delong(cohort: Cohort) -> object:
    groups = group_records(cohort.patients)
    columns = zip(cohort.labels.T, cohort.scores.T, strict=True)
    return [delong_interval(labels, scores, groups) for labels, scores in columns]


def calling(cohort: Cohort) -> object:
    thresholds = np.quantile(cohort.scores, [0.5, 0.7, 0.8, 0.9, 0.95], axis=0)
    calls = np.concatenate([cohort.scores >= threshold for threshold in thresholds], axis=1)
    return measure_calls(np.tile(cohort.labels, 5), calls, group_records(cohort.patients), resamples=10_000)


@pytest.mark.parametrize(
    ("what", "measure", "limit"),
    [
        ("AUROC, AUPRC, macro averages and intervals of 10,000 resamples", evaluating, 1),
        ("What BCa intervals need, 1,900 patients left out in turn", jackknifing, 1),
        ("DeLong's intervals with patients", by_delong, None),
        (
            "Sensitivity, specificity, predictive values and F1 at 5 thresholds, 10,000 resamples",
            calling,
            10,
        ),
    ],
)
def test_a_cell(
    row: Callable[..., None],
    benchmark: BenchmarkFixture,
    cohort: Cohort,
    what: str,
    measure: Callable[[Cohort], object],
    limit: float | None,
) -> None:
    taken = in_turns(benchmark, {"ours": lambda: measure(cohort)}, 3).median("ours")
    row(f"{what}, {SIZE}", taken, "s", at_most=limit)


def test_delong_of_800_000(row: Callable[..., None], benchmark: BenchmarkFixture) -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(800_000) < 0.1).astype(np.int8)
    scores = rng.normal(size=800_000) + labels
    taken = in_turns(benchmark, {"ours": lambda: delong_interval(labels, scores)}, 3).median("ours")
    row("DeLong's interval of 800,000 records", taken, "s", at_most=5)


def test_challenge_scores_of_all_its_training_data(
    row: Callable[..., None], benchmark: BenchmarkFixture
) -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((88_253, 26)) < 0.08).astype(np.int8)
    scores = rng.random((88_253, 26)) + labels
    benchmark.pedantic(challenge_scores, (labels, scores, scores > 1.2), warmup_rounds=1)
    row("All scores of the Challenge 2021, 88,253 records", benchmark.stats.stats.median, "s")
