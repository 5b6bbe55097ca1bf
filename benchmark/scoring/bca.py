"""Intervals corrected for bias and skew, beside the percentile ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmark.metrics.bootstrap import bootstrap
from benchmark.metrics.cell.estimates import Estimate, Result, estimate_of
from benchmark.metrics.cell.evaluation import Evaluation
from benchmark.metrics.checks import Groups
from benchmark.metrics.intervals import measure
from benchmark.metrics.jackknife import jackknife


class Areas(Result):
    """AUROC and AUPRC with BCa intervals."""

    auroc: Estimate
    auprc: Estimate


class Bca(Result):
    """Intervals corrected for bias and skew (Efron 1987), of the macro averages and of every concept."""

    macro: Areas
    concepts: dict[str, Areas]


def bca(labels: pd.DataFrame, scores: pd.DataFrame, groups: Groups, evaluation: Evaluation) -> Bca:
    """Put BCa intervals beside the percentile ones, from the same resamples."""
    truth, values, settings = labels.to_numpy(np.int8), scores.to_numpy(), evaluation.bootstrap
    drawn = bootstrap(truth, values, groups, resamples=settings.resamples, seed=settings.seed)
    without = jackknife(truth, values, groups)
    eligible = [at for at, name in enumerate(labels.columns) if evaluation.concepts[str(name)].eligible]

    def areas(columns: list[int]) -> Areas:
        if not columns:
            return Areas(auroc=evaluation.macro.auroc, auprc=evaluation.macro.auprc)
        pairs = ((drawn.auroc, drawn.auroc_resamples), (drawn.auprc, drawn.auprc_resamples))
        one, two = (
            estimate_of(
                measure(
                    float(full[columns].mean()),
                    resampled[:, columns].mean(axis=1),
                    why="undefined without both classes",
                    jackknife=left_out[:, columns].mean(axis=1),
                )
            )
            for (full, resampled), left_out in zip(pairs, without, strict=True)
        )
        return Areas(auroc=one, auprc=two)

    each = {str(name): areas([at]) for at, name in enumerate(labels.columns)}
    return Bca(macro=areas(eligible), concepts=each)
