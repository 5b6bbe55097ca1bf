"""What `evaluation.evaluate` gives back, as it stands in a result record."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict

from benchmark.metrics.intervals import LEVEL, Difference, Measure


class Result(BaseModel):
    """Undefined numbers are None with a reason: NaN and infinity are refused, so the JSON is strict."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Estimate(Result):
    """A value on the full data with its bootstrap interval.

    Attributes
    ----------
    value
        None where undefined, never 0 or 0.5 in its place.
    low, high
        Percentile interval over the resamples in which the value is defined; None without one.
    reason
        Why ``value`` or the interval is None, or why the interval has no width and is not to be shown.
    undefined_fraction
        Fraction of the resamples that were left out because the value is undefined in them.
    """

    value: float | None
    low: float | None
    high: float | None
    reason: str | None = None
    undefined_fraction: float

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval, None where there is none to be shown."""
        if self.low is None or self.high is None or (self.reason and self.low == self.high):
            return None
        return self.low, self.high


def estimate_of(measure: Measure) -> Estimate:
    """Turn a measure into what a record holds: NaN becomes None."""
    numbers = (None if math.isnan(x) else x for x in (measure.value, measure.low, measure.high))
    value, low, high = numbers
    return Estimate(
        value=value,
        low=low,
        high=high,
        reason=measure.reason or None,
        undefined_fraction=measure.undefined_fraction,
    )


class ConceptMetrics(Result):
    """One concept in one cohort.

    Attributes
    ----------
    auroc, auprc
        AUPRC is the average precision; it is read against ``prevalence``.
    n, positives
        Annotated records, and the positive ones among them.
    prevalence
        ``positives / n``, None without an annotated record.
    eligible
        Whether there are enough positives and negatives for the macro average and for ranking.
    caution
        What is wrong with the interval of the AUROC where there are few positives (`intervals.caution`).
    """

    auroc: Estimate
    auprc: Estimate
    n: int
    positives: int
    prevalence: float | None
    eligible: bool
    caution: str | None = None


class MacroMetrics(Result):
    """Unweighted means over the eligible concepts, which are named.

    Attributes
    ----------
    auroc, auprc
        The mean is taken inside each resample. A resample in which one of the concepts is undefined
        is left out, so that every mean is over the same concepts.
    prevalence
        Mean prevalence of the concepts.
    concepts
        The eligible ones.
    """

    auroc: Estimate
    auprc: Estimate
    prevalence: float | None
    concepts: tuple[str, ...]


class BootstrapSettings(Result):
    """How the intervals were made.

    Attributes
    ----------
    unit
        What was drawn with replacement.
    groups
        How many there are of it. Among patients, a record without patient id counts as one.
    """

    resamples: int
    seed: int
    level: float = LEVEL
    unit: Literal["patients", "records"]
    groups: int


class FitMetrics(Result):
    """Macro averages of one of several fits; None where no concept is eligible."""

    auroc: float | None
    auprc: float | None


class Evaluation(Result):
    """All metrics of one model on one cohort.

    Attributes
    ----------
    fits
        Where the model was fitted several times, each fit's macro averages. Every other number is the
        mean over the fits, in the full data and in each resample.
    concepts
        By concept id, in the order of the columns of the labels.
    notes
        Sentences for the reader: what was assumed or ignored.
    """

    macro: MacroMetrics
    concepts: dict[str, ConceptMetrics]
    bootstrap: BootstrapSettings
    fits: tuple[FitMetrics, ...] = ()
    notes: tuple[str, ...] = ()


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


def number(value: float | None) -> float:
    """NaN for None."""
    return math.nan if value is None else value


def difference_of(found: Difference) -> PairedDifference:
    """Turn a difference into what strict JSON can hold: NaN becomes None."""
    value, low, high, p = (
        None if math.isnan(x) else float(x) for x in (found.value, found.low, found.high, found.p)
    )
    return PairedDifference(value=value, low=low, high=high, p=p, reason=found.reason or None)
