"""From single cells to a run: means over cohorts, the external gap, the next hospital.

Pure functions of result records and their resampled figures. Resample r of a cohort is the same draw of
patients for all models. Cohorts are independent of each other, and so must their draws be: since resamples of
one number come from one random stream, which in cohorts of one size would draw the same rows, those of the
k-th cohort are taken k places later.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import numpy as np

from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.estimates import Estimate, PooledEstimate, nan_if_none, undefined
from benchmark.metrics.intervals import Values, estimate, variance
from benchmark.metrics.names import Metric
from benchmark.metrics.pooling import pool_aurocs
from benchmark.records.record import ResultRecord

Figure = tuple[float, Values]
"""On the full data, and in each resample."""


class ResampledCell(NamedTuple):
    """A cell with its resampled figures."""

    record: ResultRecord
    resampled: Resampled

    def macro(self, metric: Metric) -> tuple[float, Values]:
        """Macro average over all eligible concepts, on the full data and in each resample."""
        value = nan_if_none(self.record.evaluation.macro.of(metric).value)
        return value, self.resampled.macro_auroc if metric == "auroc" else self.resampled.macro_auprc

    def concepts(self, within: Container[str] | None = None) -> tuple[str, ...]:
        """Eligible concepts, those of a set alone if one is given."""
        return tuple(c for c in self.resampled.concepts if within is None or c in within)

    def over(self, concepts: Collection[str], metric: Metric) -> Figure | None:
        """Mean over some of the eligible concepts; None where it has none, or was not resampled.

        Earlier versions kept the AUPRC of the macro average over all eligible concepts alone.
        """
        value = mean_of(self.record, concepts, metric)
        if value is None:
            return None
        if set(concepts) == set(self.resampled.concepts):
            return value, self.macro(metric)[1]
        means = self.resampled.mean_over(concepts, metric)
        return None if means is None else (value, means)

    def mean_auroc(self, concepts: Collection[str]) -> tuple[float, Values]:
        """Mean AUROC over some of the eligible concepts, on the full data and in each resample."""
        if set(concepts) == set(self.resampled.concepts):
            return self.macro("auroc")
        figure = self.over(concepts, "auroc")
        return figure or (math.nan, np.full(len(self.resampled.macro_auroc), np.nan))


@dataclass(frozen=True, slots=True)
class ExternalGap:
    """Mean AUROC on an internal and on an external cohort, over the concepts that are eligible in both.

    Attributes
    ----------
    internal, external
        Ids of the two cohorts.
    gap
        Internal minus external: above 0 where the model does worse in the other hospital.
    """

    internal: str
    external: str
    concepts: tuple[str, ...]
    internal_auroc: float
    external_auroc: float
    gap: Estimate


@dataclass(frozen=True, slots=True)
class NextHospital:
    """What to expect of a model in one more hospital, from its external cohorts.

    Attributes
    ----------
    macro
        Macro AUROC.
    concepts
        AUROC of every concept that is eligible in two cohorts or more.
    cohorts
        Of the macro, and for each concept its own; those that could be pooled.
    left_out
        Cohorts of the macro that could not be.
    """

    macro: PooledEstimate
    cohorts: tuple[str, ...]
    left_out: tuple[str, ...]
    concepts: dict[str, PooledEstimate]
    of_concept: dict[str, tuple[str, ...]]


def mean_over_cohorts(figures: Sequence[Figure | None]) -> tuple[Estimate, Values]:
    """Mean of the macro averages of independent cohorts, with its interval and in each resample.

    Parameters
    ----------
    figures
        None holds the place of a cohort without one.
    """
    there = [(place, *figure) for place, figure in enumerate(figures) if figure]
    least = min((len(drawn) for _, _, drawn in there), default=0)
    means: Values = np.mean([np.roll(drawn, -place)[:least] for place, _, drawn in there], axis=0)
    return estimate(fmean(value for _, value, _ in there), means, why="undefined in a cohort"), means


def mean_of(record: ResultRecord, concepts: Collection[str], metric: Metric) -> float | None:
    """Mean of a metric over some of the concepts of a cell; None where one of them has none."""
    measured = record.evaluation.concepts
    values = [measured[c].auroc.value if metric == "auroc" else measured[c].auprc.value for c in concepts]
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined and len(defined) == len(values) else None


def gaps(
    internal: Sequence[ResampledCell],
    external: Sequence[ResampledCell],
    within: Container[str] | None = None,
) -> tuple[list[ExternalGap], Estimate]:
    """Every internal cohort against every external one, and the mean gap over these pairs.

    Parameters
    ----------
    within
        The set that concepts must be of; None for any.
    """
    found: list[ExternalGap] = []
    resampled: list[Values] = []
    for first, one in enumerate(internal):
        for second, other in enumerate(external, start=len(internal)):
            shared = tuple(c for c in one.concepts(within) if c in other.resampled.concepts)
            if not shared:
                continue
            (here, drawn_here), (there, drawn_there) = (cell.mean_auroc(shared) for cell in (one, other))
            drawn = np.roll(drawn_here, -first) - np.roll(drawn_there, -second)
            names = (one.record.cohort.id, other.record.cohort.id)
            found.append(ExternalGap(*names, shared, here, there, estimate(here - there, drawn)))
            resampled.append(drawn)
    if not found:
        return [], undefined("no concept is eligible in an internal and an external cohort")
    return found, estimate(fmean(nan_if_none(gap.gap.value) for gap in found), np.mean(resampled, axis=0))


def pooled_macro(cells: Sequence[ResampledCell], over: Sequence[Collection[str]]) -> PooledEstimate:
    """Pool the macro AUROC of a model over cohorts, variances from the resamples.

    Parameters
    ----------
    over
        Concepts of each cell that its mean is over.
    """
    return _pool([cell.mean_auroc(concepts) for cell, concepts in zip(cells, over, strict=True)])


def next_hospital(
    cells: Sequence[ResampledCell],
    within: Container[str] | None = None,
    over: Sequence[Collection[str]] | None = None,
) -> NextHospital:
    """Pool the external cohorts of a model, variances from the resamples.

    Parameters
    ----------
    within
        The set that concepts must be of; None for any.
    over
        Concepts of each cell that its macro average is over; None for all of the set.
    """
    macro = pooled_macro(cells, [cell.concepts(within) for cell in cells] if over is None else over)
    names = [cell.record.cohort.id for cell in cells]
    concepts: dict[str, PooledEstimate] = {}
    of_concept: dict[str, tuple[str, ...]] = {}
    for concept in dict.fromkeys(c for cell in cells for c in cell.concepts(within)):
        having = [cell for cell in cells if concept in cell.resampled.concepts]
        if len(having) < 2:
            continue
        pooled = pool_aurocs(
            [nan_if_none(cell.record.evaluation.concepts[concept].auroc.value) for cell in having],
            [cell.resampled.variance_of(concept) for cell in having],
        )
        concepts[concept] = pooled
        of_concept[concept] = tuple(
            cell.record.cohort.id for at, cell in enumerate(having) if at not in pooled.left_out
        )
    return NextHospital(
        macro,
        tuple(name for at, name in enumerate(names) if at not in macro.left_out),
        tuple(names[at] for at in macro.left_out),
        concepts,
        of_concept,
    )


def pool_with(
    cells: Sequence[ResampledCell],
    over: Sequence[Collection[str]],
    told: Sequence[tuple[float, float]],
) -> PooledEstimate:
    """Pool the macro AUROCs of cells with others, of which value and standard error are known.

    Parameters
    ----------
    over
        Concepts of each cell that its mean is over.
    """
    macros = [cell.mean_auroc(concepts) for cell, concepts in zip(cells, over, strict=True)]
    values = [value for value, _ in macros] + [value for value, _ in told]
    variances = [variance(drawn) for _, drawn in macros] + [error**2 for _, error in told]
    return pool_aurocs(values, variances)


def _pool(figures: Sequence[tuple[float, Values]]) -> PooledEstimate:
    return pool_aurocs([value for value, _ in figures], [variance(drawn) for _, drawn in figures])
