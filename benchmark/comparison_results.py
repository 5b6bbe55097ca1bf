"""What a comparison of two models gives back, as it is printed and as JSON."""

from __future__ import annotations

import math

from benchmark.metrics.estimates import Result
from benchmark.metrics.intervals import Difference
from benchmark.results import Relation


class PairedDifference(Result):
    """First minus second, with interval and two-sided p value of being zero; None where undefined.

    Attributes
    ----------
    p_holm
        Adjusted for all tests of its kind in the comparison.
    """

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None = None
    reason: str | None = None


class ConceptComparison(Result):
    """AUROC of one concept: paired bootstrap, and DeLong's test where labels are at hand."""

    n: int
    positives: int
    first: float
    second: float
    bootstrap: PairedDifference
    delong: PairedDifference | None


class CohortComparison(Result):
    """Macro averages on one cohort, over the concepts eligible for both.

    Attributes
    ----------
    auprc
        None where the two macro averages are not over the same concepts.
    """

    relations: tuple[Relation, Relation]
    scored: int
    macro_concepts: tuple[str, ...]
    auroc: PairedDifference
    auprc: PairedDifference | None
    concepts: dict[str, ConceptComparison]


class Comparison(Result):
    """Two models of a run.

    Attributes
    ----------
    first, second
        ``model/protocol``.
    cohorts
        Where both were measured alike.
    refused
        Cohort -> why the two cannot be compared there.
    pooled
        Macro AUROC over the cohorts that are external to both, by a random-effects model.
    simulated
        Cohorts of synthetic patients among them.
    """

    first: str
    second: str
    resamples: int
    seed: int
    cohorts: dict[str, CohortComparison]
    refused: dict[str, str]
    pooled: PairedDifference
    pooled_over: tuple[str, ...]
    simulated: tuple[str, ...]
    notes: tuple[str, ...]


def number(value: float | None) -> float:
    """NaN for None."""
    return math.nan if value is None else value


def difference_of(found: Difference) -> PairedDifference:
    """Turn a difference into what strict JSON can hold: NaN becomes None."""
    value, low, high, p = (
        None if math.isnan(x) else float(x) for x in (found.value, found.low, found.high, found.p)
    )
    return PairedDifference(value=value, low=low, high=high, p=p, reason=found.reason or None)
