"""The bootstrap beside what a user would do instead, and for the largest cohort."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmark.metrics.bootstrap import bootstrap
from benchmark.metrics.resampling import group_records
from tests.benchmark.metrics.draws import counts_of
from tests.benchmarks.made_up import Cohort, made_up_cohort
from tests.benchmarks.measuring import in_process, in_turns, seconds

RESAMPLES = 1000
SCIKIT_LEARN = (roc_auc_score, average_precision_score)


def scikit_learn(cohort: Cohort, found: npt.NDArray[np.float64], calls: int = 200) -> float:
    """Seconds for all resamples and concepts, worked out from a few of them, which agree with ours."""
    groups = group_records(cohort.patients)
    counts = counts_of(groups, RESAMPLES, seed=0)
    spent = 0.0
    for call in range(calls):
        resample, column = call * RESAMPLES // calls, call % cohort.labels.shape[1]
        start = time.perf_counter()
        rows = np.repeat(np.arange(len(groups)), counts[:, resample])
        truth, scores = cohort.labels[rows, column], cohort.scores[rows, column]
        expected, _ = (score(truth, scores) for score in SCIKIT_LEARN)
        spent += time.perf_counter() - start
        assert abs(found[resample, column] - expected) < 1e-12
    return spent / calls * RESAMPLES * cohort.labels.shape[1]


def torchmetrics(cohort: Cohort, resamples: int = 4) -> float:
    """Seconds for all resamples, of a few; it draws records, not patients."""
    from torchmetrics.classification import MultilabelAUROC, MultilabelAveragePrecision
    from torchmetrics.wrappers import BootStrapper

    concepts = cohort.labels.shape[1]
    scores, labels = torch.from_numpy(cohort.scores), torch.from_numpy(cohort.labels).long()

    def both() -> None:
        for metric in (MultilabelAUROC, MultilabelAveragePrecision):
            wrapped = BootStrapper(metric(concepts, average=None), num_bootstraps=resamples, raw=True)
            wrapped.update(scores.sigmoid(), labels)
            wrapped.compute()

    both()
    return seconds(both) / resamples * RESAMPLES


def confidenceinterval(cohort: Cohort, columns: int = 1, resamples: int = 100) -> float | str:
    """Seconds for all concepts and resamples, of a few; it draws records, and knows the AUROC alone."""
    if find_spec("confidenceinterval") is None:
        return "not installed"
    from confidenceinterval import roc_auc_score as interval

    def some() -> None:
        for column in range(columns):
            truth, scores = cohort.labels[:, column], cohort.scores[:, column]
            interval(truth, scores, method="bootstrap_percentile", n_resamples=resamples)

    some()
    return seconds(some) / columns / resamples * RESAMPLES * cohort.labels.shape[1]


def test_beside_what_a_user_would_do(
    row: Callable[..., None], benchmark: BenchmarkFixture, cohort: Cohort
) -> None:
    labels, scores = cohort.labels, cohort.scores
    ours = partial(bootstrap, labels, scores, group_records(cohort.patients), resamples=RESAMPLES, seed=0)
    records, concepts = labels.shape
    taken = in_turns(benchmark, {"ours": ours}, 9).median("ours")
    loop = scikit_learn(cohort, ours().auroc_resamples)
    row(
        f"Bootstrap of AUROC and AUPRC, {records:,} records x {concepts} concepts, {RESAMPLES:,} resamples",
        taken,
        "s",
        {
            "loop over scikit-learn, from 200 of 71,000 calls,": loop,
            "torchmetrics' BootStrapper, from 4 resamples,": torchmetrics(cohort),
            "confidenceinterval, AUROC alone, from 100 resamples of one concept,": confidenceinterval(cohort),
        },
        at_most=loop / 1000,
    )


LARGE = """
import time
import numpy as np
from benchmark.metrics.bootstrap import bootstrap

records, concepts = 800_000, 71
rng = np.random.default_rng(0)
labels = np.empty((records, concepts), np.int8)
scores = np.empty((records, concepts), np.float32)
for column, prevalence in enumerate(rng.uniform(0.001, 0.2, concepts)):
    labels[:, column] = rng.random(records) < prevalence
    scores[:, column] = rng.normal(size=records) + labels[:, column]
groups = np.unique(rng.integers(0, 160_000, records), return_inverse=True)[1]
bootstrap(labels[:99], scores[:99], np.arange(99), resamples=16, seed=0)
start, busy = time.perf_counter(), time.process_time()
found = bootstrap(labels, scores, groups, resamples=1000, seed=0)
assert np.isfinite(found.auroc_resamples).all()
print(time.perf_counter() - start, time.process_time() - busy)
"""


@pytest.mark.timeout(1800)
def test_a_cohort_of_800_000(row: Callable[..., None], tmp_path: Path) -> None:
    spent = in_process(tmp_path, LARGE)
    taken, busy = map(float, spent.text.split())
    one = made_up_cohort(records=800_000, concepts=1, patients=160_000)
    rows = np.random.default_rng(0).integers(0, 800_000, 800_000)
    calls = [partial(score, one.labels[rows, 0], one.scores[rows, 0]) for score in SCIKIT_LEARN]
    loop = 71_000 * sum(map(seconds, calls))
    size = "Bootstrap of AUROC and AUPRC, 800,000 records x 71 concepts, 1,000 resamples"
    row(
        size,
        taken,
        f"s ({busy:.0f} s of processor time)",
        {"loop over scikit-learn, from one of 71,000 calls,": loop},
        at_most=45,
    )
    row(f"{size}: peak memory, labels and scores included", spent.peak / 1024, "GiB", at_most=2)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu(row: Callable[..., None], benchmark: BenchmarkFixture, cohort: Cohort) -> None:
    arguments: Any = (cohort.labels, cohort.scores, group_records(cohort.patients))
    calls = {
        device: partial(bootstrap, *arguments, resamples=10_000, seed=0, device=device)
        for device in ("cuda", "cpu")
    }
    turns = in_turns(benchmark, calls, 3)
    row(
        "Bootstrap on a GPU, 10,000 resamples",
        turns.median("cuda"),
        "s",
        {"on the processors": turns.median("cpu")},
    )
    on_gpu, here = calls["cuda"](), calls["cpu"]()
    np.testing.assert_array_equal(on_gpu.auroc_resamples, here.auroc_resamples)
    np.testing.assert_allclose(on_gpu.auprc_resamples, here.auprc_resamples, rtol=0, atol=1e-12)
