"""What a result record says about a cell besides AUROC and AUPRC: a pure function of labels and scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmark.metrics.bootstrap import bootstrap, group_records, mean_bootstrap
from benchmark.metrics.cell.calibration import Calibration, calibration
from benchmark.metrics.cell.operating_points import Called, Thresholds, calls_at, thresholds_of_calls
from benchmark.metrics.cell.results import Evaluation
from benchmark.metrics.cell.subgroups import Grouping, grouping
from benchmark.metrics.delong import delong_interval
from benchmark.metrics.estimates import Estimate, Result, estimate_of, undefined
from benchmark.metrics.intervals import estimate

REFERENCE_PREVALENCE = 0.1
"""Prevalence at which AUPRCs are compared across cohorts: one number for every concept, cohort and model, so
that none of them decides it."""

FEWER_RESAMPLES = 2_000
"""Most resamples for proportions at a threshold and for Brier scores: their intervals need no more, and take
longer to compute."""


class ConceptStatistics(Result):
    """One eligible concept.

    Attributes
    ----------
    delong
        The AUROC with DeLong's interval, clustered by patients where there are any.
    auprc_at_reference
        AUPRC as if the prevalence were the reference.
    """

    delong: Estimate
    auprc_at_reference: Estimate


class CellStatistics(Result):
    """Statistics of the eligible concepts of a cell.

    Attributes
    ----------
    fits
        How many fits the model has. With several, the AUPRC at the reference prevalence is their mean like
        every AUROC, and calibration, calls and subgroups are those of the first.
    resamples
        For Brier scores and calls; everything else has those of the evaluation.
    reference_prevalence
        At which ``auprc_at_reference`` is taken.
    macro_auprc_at_reference
        Mean over the concepts.
    calibration
        None with ``why_no_calibration``.
    calls
        Concept -> rule -> counts and rates at its threshold, or of scores that are calls already; empty with
        ``why_no_calls``.
    subgroups
        By name of the grouping; a cohort that knows neither sex nor age has none.
    """

    fits: int
    resamples: int
    reference_prevalence: float
    macro_auprc_at_reference: Estimate
    concepts: dict[str, ConceptStatistics]
    calibration: Calibration | None
    why_no_calibration: str | None
    calls: dict[str, dict[str, Called]]
    why_no_calls: str | None
    subgroups: dict[str, Grouping]


def cell_statistics(
    labels: pd.DataFrame,
    fits: Sequence[pd.DataFrame],
    patients: pd.Series[Any] | None,
    evaluation: Evaluation,
    *,
    probabilities: bool,
    thresholds: Thresholds,
    members: Mapping[str, Iterable[Any]],
    device: str = "cpu",
) -> CellStatistics:
    """Measure what `evaluate` does not.

    Parameters
    ----------
    labels, fits, patients
        As for `benchmark.metrics.cell.evaluation.evaluate`: tables with the same rows.
    evaluation
        Its result: it says which concepts are eligible, and gives the seed and the number of resamples.
    probabilities
        Whether the model claims that its scores are probabilities.
    thresholds
        Chosen on the validation fold of the source cohort.
    members
        Name of a grouping -> group of each record.
    device
        Of the bootstrap.
    """
    eligible = list(evaluation.macro.concepts)
    truth, first = labels[eligible], fits[0][eligible]
    groups = np.arange(len(labels)) if patients is None else group_records(patients)
    settings = evaluation.bootstrap
    fewer = min(FEWER_RESAMPLES, settings.resamples)
    calibrated = (
        calibration(truth, first, groups, resamples=fewer, seed=settings.seed)
        if probabilities
        else "the scores claim to be no probabilities"
    )
    applied = thresholds.concepts or thresholds_of_calls(truth, first)
    calls = calls_at(truth, first, groups, applied, resamples=fewer, seed=settings.seed)
    why_no_calls = thresholds.reason or "no eligible concept has a threshold"
    macro, concepts = _concepts(truth, [fit[eligible] for fit in fits], groups, evaluation, device)
    return CellStatistics(
        fits=len(fits),
        resamples=fewer,
        reference_prevalence=REFERENCE_PREVALENCE,
        macro_auprc_at_reference=macro,
        concepts=concepts,
        calibration=None if isinstance(calibrated, str) else calibrated,
        why_no_calibration=calibrated if isinstance(calibrated, str) else None,
        calls=calls,
        why_no_calls=None if calls else why_no_calls,
        subgroups={
            name: grouping(
                truth,
                first,
                each,
                groups,
                minimum=evaluation.macro.minimum,
                resamples=settings.resamples,
                seed=settings.seed,
                device=device,
            )
            for name, each in members.items()
        },
    )


def _concepts(
    labels: pd.DataFrame, fits: Sequence[pd.DataFrame], groups: Any, evaluation: Evaluation, device: str
) -> tuple[Estimate, dict[str, ConceptStatistics]]:
    if not len(labels.columns):
        return undefined(evaluation.macro.auroc.reason or "no concept"), {}
    settings, truth = evaluation.bootstrap, labels.to_numpy(np.int8)
    drawn = mean_bootstrap(
        [
            bootstrap(
                truth,
                fit.to_numpy(),
                groups,
                resamples=settings.resamples,
                seed=settings.seed,
                prevalence=REFERENCE_PREVALENCE,
                device=device,
            )
            for fit in fits
        ]
    )
    found = {}
    for at, name in enumerate(map(str, labels.columns)):
        if len(fits) == 1:
            delong = delong_interval(truth[:, at], fits[0][name], groups, name=name)
        else:
            why = f"no DeLong interval: the mean of {len(fits)} fits"
            delong = estimate_of(float(drawn.auroc[at]), reason=why)
        found[name] = ConceptStatistics(
            delong=delong,
            auprc_at_reference=estimate(float(drawn.auprc[at]), drawn.auprc_resamples[:, at]),
        )
    macro = estimate(float(drawn.auprc.mean()), drawn.auprc_resamples.mean(axis=1))
    return macro, found
