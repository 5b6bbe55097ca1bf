"""Thresholds of a model: chosen on the validation fold of the source cohort, and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from pydantic import Field

from benchmark.metrics.estimates import Result
from benchmark.metrics.operating_points import choose_thresholds

RULES = ("youden", "sensitivity 90 %", "specificity 90 %")
"""Those of `operating_points.choose_thresholds` that are applied."""


class ConceptThresholds(Result):
    """Thresholds of one concept, by rule.

    Attributes
    ----------
    n, positives
        Of the validation fold: few positives make a threshold uncertain.
    cuts
        A record is called positive at or above; None where the rule gives no threshold.
    reason
        Why one is None.
    """

    n: int
    positives: int
    cuts: dict[str, float | None]
    reason: str | None = None


class Thresholds(Result):
    """Where the thresholds of a cell come from, and what they are.

    Attributes
    ----------
    source, fingerprint
        The cohort whose validation fold they were chosen on; None where there are none.
    records
        Of that fold.
    predictions_sha256
        Of the scores there, in ``validation.parquet``.
    fits
        Of the model. Thresholds are of the first.
    concepts
        By concept id; empty where there are none.
    reason
        Why there are none.
    """

    source: str | None = None
    fingerprint: str | None = None
    records: int = 0
    predictions_sha256: str | None = None
    fits: int = 1
    concepts: dict[str, ConceptThresholds] = Field(default_factory=dict)
    reason: str | None = None


def no_thresholds(reason: str) -> Thresholds:
    """Say why a cell has none."""
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
        cuts={rule: None if math.isnan(t.value) else t.value for rule, t in used.items()},
        reason="; ".join(reasons) or None,
    )


def cuts_of(thresholds: Mapping[str, ConceptThresholds], concept: str) -> dict[str, float]:
    """Thresholds that can be applied to a concept, by rule."""
    found = thresholds.get(concept)
    return {} if found is None else {rule: cut for rule, cut in found.cuts.items() if cut is not None}
