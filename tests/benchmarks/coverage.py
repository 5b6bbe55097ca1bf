"""How often 95 % intervals hold the truth, in simulated cohorts: ``python -m tests.benchmarks.coverage``.

Scores are normal, one unit apart from the negatives' by ``shift`` for positives, so that the true AUROC and
average precision are known. Prints the table of docs/methods.md.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from benchmark.metrics.bootstrap import bootstrap
from benchmark.metrics.delong import delong_interval
from benchmark.metrics.intervals import bca_interval, newcombe_interval, percentile_interval
from benchmark.metrics.jackknife import jackknife

COHORTS, BLOCK, RESAMPLES = 2000, 50, 1000
PREVALENCE = 0.05
POSITIVES = (10, 20, 30, 50, 100, 200)
AUROCS = (0.75, 0.90, 0.97)


@dataclass(frozen=True)
class Coverage:
    """Fraction of cohorts whose interval holds the truth; cohorts without an interval count as not."""

    share: float
    none: float


def true_average_precision(auroc: float, prevalence: float) -> float:
    """Of normal scores: mean over the positives of the precision at their score."""
    shift = math.sqrt(2) * norm.ppf(auroc)

    def precision(x: float) -> float:
        hits, alarms = prevalence * norm.sf(x - shift), (1 - prevalence) * norm.sf(x)
        return float(norm.pdf(x - shift) * hits / (hits + alarms))

    return float(quad(precision, shift - 9, shift + 9, limit=200)[0])


def independent(positives: int, auroc: float, cohorts: int = COHORTS) -> dict[str, Coverage]:
    """Cohorts of independent records with about so many positives."""
    records = round(positives / PREVALENCE)
    shift = math.sqrt(2) * norm.ppf(auroc)
    truths = {"AUROC": auroc, "AUPRC": true_average_precision(auroc, PREVALENCE)}
    intervals = defaultdict(list)
    for block in range(0, cohorts, BLOCK):
        rng = np.random.default_rng([positives, round(100 * auroc), block])
        labels = (rng.random((records, BLOCK)) < PREVALENCE).astype(np.int8)
        scores = rng.normal(size=labels.shape) + shift * labels
        drawn = bootstrap(labels, scores, np.arange(records), resamples=RESAMPLES, seed=block)
        without = jackknife(labels, scores)
        figures = (
            ("AUROC", drawn.auroc, drawn.auroc_resamples),
            ("AUPRC", drawn.auprc, drawn.auprc_resamples),
        )
        for k in range(BLOCK):
            for which, (name, values, resampled) in enumerate(figures):
                intervals[f"{name} percentile"].append(percentile_interval(resampled[:, k]))
                bca = bca_interval(float(values[k]), resampled[:, k], without[which][:, k])
                intervals[f"{name} BCa"].append(bca)
            intervals["AUROC DeLong"].append(delong_interval(labels[:, k], scores[:, k]).interval)
            ill = int(labels[:, k].sum())
            newcombe = newcombe_interval(float(drawn.auroc[k]), ill, records - ill)
            intervals["AUROC Newcombe"].append(newcombe)
    return {name: covered(found, truths[name.split()[0]]) for name, found in intervals.items()}


def clustered(patients: int, auroc: float, cohorts: int = COHORTS) -> dict[str, Coverage]:
    """Patients with 1 to 10 records; both label and score are much the same in all records of a patient."""
    groups = np.repeat(np.arange(patients), np.resize([1, 2, 5, 10], patients))
    shift = math.sqrt(2) * norm.ppf(auroc)
    intervals = defaultdict(list)
    for block in range(0, cohorts, BLOCK):
        rng = np.random.default_rng([patients, round(100 * auroc), block, 1])
        shape = (len(groups), BLOCK)
        ill, habit = rng.normal(size=(2, patients, BLOCK))[:, groups]
        labels = (math.sqrt(0.8) * ill + math.sqrt(0.2) * rng.normal(size=shape) > norm.isf(0.2)).astype(
            np.int8
        )
        scores = math.sqrt(0.6) * habit + math.sqrt(0.4) * rng.normal(size=shape) + shift * labels
        by_patient = bootstrap(labels, scores, groups, resamples=RESAMPLES, seed=block).auroc_resamples
        alone = np.arange(len(groups))
        by_record = bootstrap(labels, scores, alone, resamples=RESAMPLES, seed=block).auroc_resamples
        for k in range(BLOCK):
            intervals["bootstrap over records"].append(percentile_interval(by_record[:, k]))
            intervals["bootstrap over patients"].append(percentile_interval(by_patient[:, k]))
            for name, members in (("DeLong over records", None), ("DeLong over patients", groups)):
                intervals[name].append(delong_interval(labels[:, k], scores[:, k], members).interval)
    return {name: covered(found, auroc) for name, found in intervals.items()}


def covered(intervals: list[tuple[float, float] | None], truth: float) -> Coverage:
    """Count."""
    hits = sum(found is not None and found[0] <= truth <= found[1] for found in intervals)
    none = sum(found is None for found in intervals)
    return Coverage(hits / len(intervals), none / len(intervals))


def table(rows: list[tuple[tuple[object, ...], dict[str, Coverage]]], keys: tuple[str, ...]) -> str:
    """Markdown, in per cent."""
    names = list(rows[0][1])
    lines = ["| " + " | ".join([*keys, *names]) + " |", "|" + "---:|" * (len(keys) + len(names))]
    for key, found in rows:
        cells = [
            f"{100 * found[name].share:.1f}"
            + (f" ({100 * found[name].none:.1f})" if found[name].none else "")
            for name in names
        ]
        lines.append("| " + " | ".join([*map(str, key), *cells]) + " |")
    return "\n".join(lines)


def main(cohorts: int = COHORTS) -> None:
    """Print both tables."""
    rows = [
        ((auroc, positives), independent(positives, auroc, cohorts))
        for auroc in AUROCS
        for positives in POSITIVES
    ]
    print(table(rows, ("true AUROC", "positives")))
    print()
    rows = [((auroc, 300), clustered(300, auroc, cohorts)) for auroc in AUROCS]
    print(table(rows, ("true AUROC", "patients")))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COHORTS)
