"""From single cells to a run: means over cohorts, the external gap, the next hospital, pairs of models.

Pure functions of result records and their resampled figures. Resample r of a cohort is the same draw of
patients for all models. Cohorts are independent of each other, and so must their draws be: since resamples of
one number come from one random stream, which in cohorts of one size would draw the same rows, those of the
k-th cohort are taken k places later.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import numpy as np

from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.comparison import paired_difference, pooled_difference
from benchmark.metrics.estimates import Estimate, PairedDifference, PooledEstimate, nan_if_none, undefined
from benchmark.metrics.intervals import Values, estimate, variance
from benchmark.metrics.names import Metric
from benchmark.metrics.pooling import pool_aurocs
from benchmark.records.comparability import why_incomparable
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
        drawn = self.resampled.auroc if metric == "auroc" else self.resampled.auprc
        if drawn is None:
            return None
        columns = [at for at, name in enumerate(self.resampled.concepts) if name in concepts]
        means: Values = drawn[:, columns].mean(axis=1, dtype=np.float64)
        return value, means

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


@dataclass(frozen=True, slots=True)
class CohortDifference:
    """A macro AUROC minus that of another model in the same cohort."""

    cohort: str
    concepts: int
    difference: PairedDifference


@dataclass(frozen=True, slots=True)
class ModelDifferences:
    """Two models on all cohorts that they can be compared on.

    Attributes
    ----------
    refused
        Cohort -> why they cannot be compared there.
    """

    pairs: tuple[CohortDifference, ...]
    pooled: PooledEstimate
    pooled_p: float | None
    refused: dict[str, str]


def mean_over_cohorts(figures: Sequence[Figure | None]) -> Estimate:
    """Mean of the macro averages of independent cohorts; None holds the place of a cohort without one."""
    value, resampled = mean_draws(figures)
    return estimate(value, resampled, why="undefined in a cohort")


def mean_draws(figures: Sequence[Figure | None]) -> Figure:
    """Mean of the macro averages of independent cohorts, on the full data and in each resample."""
    there = [(place, *figure) for place, figure in enumerate(figures) if figure]
    least = min((len(drawn) for _, _, drawn in there), default=0)
    means: Values = np.mean([np.roll(drawn, -place)[:least] for place, _, drawn in there], axis=0)
    return fmean(value for _, value, _ in there), means


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


def pool_with(cells: Sequence[ResampledCell], told: Sequence[tuple[float, float]]) -> PooledEstimate:
    """Pool the macro AUROCs of cells with others, of which value and standard error are known."""
    macros = [cell.mean_auroc(cell.resampled.concepts) for cell in cells]
    values = [value for value, _ in macros] + [value for value, _ in told]
    variances = [variance(drawn) for _, drawn in macros] + [error**2 for _, error in told]
    return pool_aurocs(values, variances)


def _pool(figures: Sequence[tuple[float, Values]]) -> PooledEstimate:
    return pool_aurocs([value for value, _ in figures], [variance(drawn) for _, drawn in figures])


def compare(
    first: Sequence[ResampledCell],
    second: Sequence[ResampledCell],
    within: Mapping[str, Container[str]] | None = None,
) -> ModelDifferences:
    """One model against another on every cohort that both have, over the concepts eligible for both.

    Parameters
    ----------
    within
        Cohort -> concepts that these must be of; None for any.
    """
    other = {cell.record.cohort.id: cell for cell in second}
    pairs: list[CohortDifference] = []
    refused: dict[str, str] = {}
    variances: list[float] = []
    for cell in first:
        cohort = cell.record.cohort.id
        if cohort not in other:
            continue
        same = other[cohort]
        why = why_incomparable(cell.record, same.record)
        of_set = cell.concepts(None if within is None else within[cohort])
        shared = [c for c in of_set if c in same.resampled.concepts]
        why = why or ("" if shared else "no concept is eligible for both models")
        if why:
            refused[cohort] = why
            continue
        (one, one_drawn), (two, two_drawn) = cell.mean_auroc(shared), same.mean_auroc(shared)
        pairs.append(CohortDifference(cohort, len(shared), paired_difference(one, one_drawn, two, two_drawn)))
        variances.append(variance(one_drawn - two_drawn))
    pooled, p = pooled_difference([nan_if_none(pair.difference.value) for pair in pairs], variances)
    return ModelDifferences(tuple(pairs), pooled, p, refused)
