"""Thresholds of a model: chosen on the validation fold of the source cohort, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pydantic import AliasChoices, Field

from benchmark.metrics.checks import Groups
from benchmark.metrics.estimates import Estimate, Result
from benchmark.metrics.operating_points import at_threshold, choose_thresholds, measure_calls

RULES = ("youden", "sensitivity 90 %", "specificity 90 %")
"""Those of `operating_points.choose_thresholds` that are applied."""


AS_CALLED = "as called"
"""In place of a rule: the scores are calls already, such as those of a person."""


class ConceptThresholds(Result):
    """Thresholds of one concept, by rule.

    Attributes
    ----------
    n, positives
        Annotated records of the validation fold, and the positive ones: few make a threshold uncertain.
    thresholds
        A record is called positive at or above; None where the rule gives no threshold.
        Earlier records name them ``cuts``.
    reason
        Why one is None.
    """

    n: int
    positives: int
    thresholds: dict[str, float | None] = Field(validation_alias=AliasChoices("thresholds", "cuts"))
    reason: str | None = None


class Thresholds(Result):
    """Where the thresholds of a cell come from, and what they are.

    Attributes
    ----------
    source, fingerprint
        The cohort whose validation fold they were chosen on; None where there are none.
    labelling
        Hash of what decides the labels there; None in records of earlier versions.
    records
        How many that fold has.
    predictions_sha256
        Of the scores there, in ``validation.parquet``.
    fits
        How many fits the model has; the thresholds are those of the first.
    concepts
        By concept id; empty where there are none.
    reason
        Why there are none.
    """

    source: str | None = None
    fingerprint: str | None = None
    labelling: str | None = None
    records: int = 0
    predictions_sha256: str | None = None
    fits: int = 1
    concepts: dict[str, ConceptThresholds] = Field(default_factory=dict)
    reason: str | None = None


def no_thresholds(reason: str) -> Thresholds:
    """Thresholds of a cell that has none, with the reason."""
    return Thresholds(reason=reason)


def concept_thresholds(labels: pd.DataFrame, scores: pd.DataFrame) -> dict[str, ConceptThresholds]:
    """Choose the thresholds of every concept.

    Parameters
    ----------
    labels, scores
        ``[records, concepts]`` of the validation fold, with the same rows; of the concepts of the scores.
    """
    return {str(name): _choose(labels[name], scores[name], str(name)) for name in scores.columns}


def _choose(labels: pd.Series[int], scores: pd.Series[float], name: str) -> ConceptThresholds:
    chosen = choose_thresholds(labels.to_numpy(), scores.to_numpy(), name)
    used = {rule: chosen[rule] for rule in RULES}
    reasons = dict.fromkeys(threshold.reason for threshold in used.values() if threshold.reason)
    return ConceptThresholds(
        n=int(np.count_nonzero(labels >= 0)),
        positives=int(np.count_nonzero(labels == 1)),
        thresholds={rule: threshold.value for rule, threshold in used.items()},
        reason="; ".join(reasons) or None,
    )


def usable_thresholds(thresholds: Mapping[str, ConceptThresholds], concept: str) -> dict[str, float]:
    """Thresholds that can be applied to a concept, by rule."""
    found = thresholds.get(concept)
    return {} if found is None else {rule: at for rule, at in found.thresholds.items() if at is not None}


def thresholds_of_calls(labels: pd.DataFrame, scores: pd.DataFrame) -> dict[str, ConceptThresholds]:
    """Give the threshold between 0 and 1 for a table of nothing but these two, and none for any other.

    Nothing was chosen, so nothing can have been chosen on the records that are measured.
    """
    if not np.isin(scores.to_numpy(), (0, 1)).all():
        return {}
    return {
        str(name): ConceptThresholds(
            n=int(np.count_nonzero(labels[name] >= 0)),
            positives=int(np.count_nonzero(labels[name] == 1)),
            thresholds={AS_CALLED: 0.5},
        )
        for name in scores.columns
    }


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
        By concept; a concept without an entry is left out.

    Returns
    -------
    dict
        Concept -> rule -> counts and rates.
    """
    applied = [
        (str(name), rule, threshold)
        for name in labels.columns
        for rule, threshold in usable_thresholds(thresholds, str(name)).items()
    ]
    if not applied:
        return {}
    truth = np.stack([labels[name].to_numpy(np.int8) for name, _, _ in applied], axis=1)
    called = np.stack([at_threshold(scores[name].to_numpy(), at) for name, _, at in applied], axis=1)
    found: dict[str, dict[str, Called]] = {}
    measured = measure_calls(truth, called, groups, resamples=resamples, seed=seed)
    for (name, rule, threshold), calls in zip(applied, measured, strict=True):
        found.setdefault(name, {})[rule] = Called(threshold=threshold, **dict(calls))
    return found
