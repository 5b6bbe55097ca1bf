"""How long the metrics of one cell take that is as large as PTB-XL's test fold with all its statements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmark.metrics.cell.evaluation import evaluate
from benchmark.metrics.challenge import challenge_scores
from benchmark.metrics.delong import delong_interval
from benchmark.metrics.jackknife import jackknife
from benchmark.metrics.operating_points import measure_calls
from benchmark.metrics.resampling import group_records
from tests.benchmarks.made_up import Cohort
from tests.benchmarks.measuring import in_turns

SIZE = "2,203 records x 71 concepts"


def test_a_cell(row: Callable[..., None], cohort: Cohort) -> None:
    labels, scores, groups = cohort.labels, cohort.scores, group_records(cohort.patients)
    concepts = labels.shape[1]
    table = pd.DataFrame(labels)
    cuts = np.quantile(scores, [0.5, 0.7, 0.8, 0.9, 0.95], axis=0)
    calls = np.concatenate([scores >= cut for cut in cuts], axis=1)
    five = np.tile(labels, 5)
    turns = in_turns(
        {
            "evaluate": lambda: evaluate(table, scores, cohort.patients, resamples=10_000),
            "jackknife": lambda: jackknife(labels, scores, groups),
            "delong": lambda: [delong_interval(labels[:, k], scores[:, k], groups) for k in range(concepts)],
            "calls": lambda: measure_calls(five, calls, groups, resamples=10_000),
        },
        3,
    )
    what = "AUROC, AUPRC, macro averages and intervals of 10,000 resamples"
    row(f"{what}, {SIZE}", turns.median("evaluate"), "s", at_most=1)
    row(
        f"What BCa intervals need, 1,900 patients left out in turn, {SIZE}",
        turns.median("jackknife"),
        "s",
        at_most=1,
    )
    row(f"DeLong's intervals with patients, {SIZE}", turns.median("delong"), "s")
    what = "Sensitivity, specificity, predictive values and F1 at 5 thresholds, 10,000 resamples"
    row(f"{what}, {SIZE}", turns.median("calls"), "s", at_most=10)


def test_delong_of_800_000(row: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(800_000) < 0.1).astype(np.int8)
    scores = rng.normal(size=800_000) + labels
    turns = in_turns({"delong": lambda: delong_interval(labels, scores)}, 3)
    row("DeLong's interval of 800,000 records", turns.median("delong"), "s", at_most=5)


def test_challenge_scores_of_all_its_training_data(row: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((88_253, 26)) < 0.08).astype(np.int8)
    scores = rng.random((88_253, 26)) + labels
    turns = in_turns({"scores": lambda: challenge_scores(labels, scores, scores > 1.2)}, 1)
    row("All scores of the Challenge 2021, 88,253 records", turns.median("scores"), "s")
