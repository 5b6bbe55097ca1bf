"""Sensitivity, specificity, predictive values and F1 of a cell at thresholds chosen elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmark.metrics.checks import Groups
from benchmark.metrics.estimates import Estimate, Result, estimate_of
from benchmark.metrics.operating_points import at_threshold, measure_calls
from benchmark.thresholds import ConceptThresholds, cuts_of


class Called(Result):
    """One concept at one threshold."""

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    f1: Estimate


def calls_at(
    labels: pd.DataFrame,
    scores: pd.DataFrame,
    groups: Groups,
    thresholds: Mapping[str, ConceptThresholds],
    *,
    resamples: int,
    seed: int,
) -> dict[str, dict[str, Called]]:
    """Call the records of every concept at its thresholds.

    Parameters
    ----------
    labels, scores
        ``[records, concepts]``, of the same records and concepts.
    thresholds
        By concept; one that is not there is left out.

    Returns
    -------
    dict
        Concept -> rule -> what the calls amount to.
    """
    applied = [
        (str(name), rule, cut)
        for name in labels.columns
        for rule, cut in cuts_of(thresholds, str(name)).items()
    ]
    if not applied:
        return {}
    truth = np.stack([labels[name].to_numpy(np.int8) for name, _, _ in applied], axis=1)
    called = np.stack([at_threshold(scores[name].to_numpy(), cut) for name, _, cut in applied], axis=1)
    found: dict[str, dict[str, Called]] = {}
    measured = measure_calls(truth, called, groups, resamples=resamples, seed=seed)
    for (name, rule, cut), calls in zip(applied, measured, strict=True):
        found.setdefault(name, {})[rule] = Called(
            threshold=cut,
            tp=calls.tp,
            fp=calls.fp,
            fn=calls.fn,
            tn=calls.tn,
            sensitivity=estimate_of(calls.sensitivity),
            specificity=estimate_of(calls.specificity),
            ppv=estimate_of(calls.ppv),
            npv=estimate_of(calls.npv),
            f1=estimate_of(calls.f1),
        )
    return found
