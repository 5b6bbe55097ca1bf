"""What `evaluation.evaluate` gives back, as it stands in a result record."""

from __future__ import annotations

from statistics import stdev
from typing import Literal

from benchmark.metrics.estimates import Estimate, Result
from benchmark.metrics.intervals import LEVEL
from benchmark.metrics.names import Metric


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
    minimum
        Positives, and negatives, that made a concept eligible; 10 in records that do not say.
    """

    auroc: Estimate
    auprc: Estimate
    prevalence: float | None
    concepts: tuple[str, ...]
    minimum: int = 10

    def of(self, metric: Metric) -> Estimate:
        """One of the two averages."""
        return self.auroc if metric == "auroc" else self.auprc


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

    def of(self, metric: Metric) -> float | None:
        """One of the two averages."""
        return self.auroc if metric == "auroc" else self.auprc


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

    def of_fits(self, metric: Metric) -> tuple[float, ...]:
        """Macro average of each of several fits; empty for a single one, and where no concept is eligible."""
        return tuple(value for fit in self.fits if (value := fit.of(metric)) is not None)

    def deviation(self, metric: Metric) -> float | None:
        """Sample standard deviation of the macro average between fits; None for a single one.

        It says how much is chance of the training, which no interval holds: these are of the patients.
        """
        values = self.of_fits(metric)
        return stdev(values) if len(values) > 1 else None
