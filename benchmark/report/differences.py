"""Two models against each other on the cohorts that both have: differences of macro AUROC, pooled."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmark.metrics.comparison import paired_difference, pooled_difference
from benchmark.metrics.estimates import PairedDifference, PooledEstimate, nan_if_none
from benchmark.metrics.intervals import variance
from benchmark.records.comparability import why_incomparable
from benchmark.report.across_cohorts import ResampledCell


@dataclass(frozen=True, slots=True)
class CohortDifference:
    """A macro AUROC minus that of another model in the same cohort."""

    cohort: str
    concepts: int
    difference: PairedDifference


class ComparedCells(NamedTuple):
    """A difference on one cohort, and its variance over the resamples."""

    difference: CohortDifference
    variance: float


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
    return pool_differences(
        {
            cohort: compare_cells(cell, other[cohort], None if within is None else within[cohort])
            for cell in first
            if (cohort := cell.record.cohort.id) in other
        }
    )


def compare_cells(
    cell: ResampledCell, other: ResampledCell, within: Container[str] | None = None
) -> ComparedCells | str:
    """One model against another on a cohort, over the concepts eligible for both; or why that cannot be.

    Parameters
    ----------
    within
        Concepts that these must be of; None for any.
    """
    why = why_incomparable(cell.record, other.record)
    if why:
        return why
    shared = shared_concepts(cell, other, within)
    if not shared:
        return "no concept is eligible for both models"
    (one, one_drawn), (two, two_drawn) = cell.mean_auroc(shared), other.mean_auroc(shared)
    found = paired_difference(one, one_drawn, two, two_drawn)
    difference = CohortDifference(cell.record.cohort.id, len(shared), found)
    return ComparedCells(difference, variance(one_drawn - two_drawn))


def shared_concepts(
    cell: ResampledCell, other: ResampledCell, within: Container[str] | None = None
) -> list[str]:
    """Concepts that are eligible in both cells, those of a set alone if one is given."""
    there = set(other.resampled.concepts)
    return [concept for concept in cell.concepts(within) if concept in there]


def pool_differences(found: Mapping[str, ComparedCells | str]) -> ModelDifferences:
    """Pool the differences of two models on several cohorts, without those where they cannot be compared."""
    compared = [one for one in found.values() if not isinstance(one, str)]
    pairs = tuple(one.difference for one in compared)
    values = [nan_if_none(pair.difference.value) for pair in pairs]
    pooled, p = pooled_difference(values, [one.variance for one in compared])
    refused = {cohort: why for cohort, why in found.items() if isinstance(why, str)}
    return ModelDifferences(pairs, pooled, p, refused)
