"""A run as large as is asked for, made up, so that its report can be timed without measuring any model.

``python -m tests.benchmarks.big_run FOLDER MODELS COHORTS CONCEPTS``
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.metrics.cell.evaluation import Resampled, evaluate_resampled
from benchmark.metrics.cell.operating_points import Thresholds, concept_thresholds
from benchmark.metrics.cell.statistics import CellStatistics, cell_statistics
from benchmark.metrics.intervals import percentile_interval
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import resamples_path, save_resamples
from benchmark.records.run_folder import cell_path
from cohorts.catalogue import measured_cards
from cohorts.ontology import load_ontology
from tests.benchmark.report.report_factory import record, write_run

RESAMPLES = 10_000
RECORDS = 300


def write(folder: Path, models: int, cohorts: int, concepts: int, resamples: int = RESAMPLES) -> None:
    """Write a run in which every concept of every cell is eligible.

    The statistics of a cell are really measured, of a few made-up records, once; AUROCs and resamples are
    drawn for each cell. The first model is a control; the two after it have learnt on the first cohort.
    """
    rng = np.random.default_rng(0)
    names = list(load_ontology().concepts.index[:concepts])
    template, measured = _measured(names, rng)
    made = []
    for at, cohort in enumerate(list(measured_cards())[:cohorts]):
        shared = rng.normal(0, 0.01, (resamples, concepts))
        for model in range(models):
            level = 0.6 + 0.3 * (model + 1) / models
            aurocs = np.clip(rng.normal(level, 0.05, concepts), 0.05, 0.98)
            drawn = (aurocs + shared + rng.normal(0, 0.004, shared.shape)).astype(np.float32)
            control = {"control_for": "any"} if model == 0 else {}
            one = template.model_copy(
                update={
                    "relation": "internal" if at == 0 and model in (1, 2) else "external",
                    "model": template.model.model_copy(update={"name": f"model-{model}", **control}),
                    "cohort": template.cohort.model_copy(update={"id": cohort, "name": cohort}),
                    "statistics": measured,
                }
            )
            made.append(_with_figures(one, aurocs, drawn, folder))
    write_run(folder, made)


def _measured(names: list[str], rng: np.random.Generator) -> tuple[ResultRecord, CellStatistics]:
    labels = pd.DataFrame((rng.random((RECORDS, len(names))) < 0.2).astype(np.int8), columns=names)
    scores = 1 / (1 + np.exp(-(rng.normal(size=labels.shape) + 2 * labels)))
    evaluation, _ = evaluate_resampled(labels, scores, resamples=100)
    thresholds = Thresholds(source="ptb-xl", records=RECORDS, concepts=concept_thresholds(labels, scores))
    statistics = cell_statistics(
        labels,
        [scores],
        None,
        evaluation,
        probabilities=True,
        thresholds=thresholds,
        members={"sex": ["female", "male"] * (RECORDS // 2)},
    )
    one = record(aurocs=dict.fromkeys(names, 0.5))
    provenance = one.provenance.model_copy(update={"thresholds": thresholds})
    return one.model_copy(update={"evaluation": evaluation, "provenance": provenance}), statistics


def _with_figures(one: ResultRecord, aurocs: np.ndarray, drawn: np.ndarray, folder: Path) -> ResultRecord:
    """Give a cell these AUROCs, and write their resamples beside its place."""
    old = one.evaluation
    concepts = {
        name: metrics.model_copy(update={"auroc": replace(metrics.auroc, value=value, low=value, high=value)})
        for (name, metrics), value in zip(old.concepts.items(), aurocs.tolist(), strict=True)
    }
    macro = drawn.mean(axis=1, dtype=np.float64)
    low, high = percentile_interval(macro) or (0.0, 0.0)
    resampled = Resampled(macro, macro, old.macro.concepts, drawn, drawn_auprc=drawn)
    found = replace(old.macro.auroc, value=float(aurocs.mean()), low=low, high=high)
    evaluation = old.model_copy(
        update={
            "concepts": concepts,
            "bootstrap": old.bootstrap.model_copy(update={"resamples": len(drawn)}),
            "macro": old.macro.model_copy(update={"auroc": found, "auprc": found}),
        }
    )
    one = one.model_copy(update={"evaluation": evaluation})
    path = cell_path(folder, one.model.name, one.protocol, one.cohort.id)
    save_resamples(one, resampled, resamples_path(path))
    return one


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
