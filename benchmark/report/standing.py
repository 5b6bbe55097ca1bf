"""One entry measured against what a ranking is over: its mean there, and why it is not ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmark.metrics.intervals import Values
from benchmark.metrics.names import METRICS, Metric
from benchmark.records.measuring import PREDICTIONS
from benchmark.records.published_tasks import is_task
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import Draws, name_of
from benchmark.records.run_file import PlannedCell
from benchmark.report.across_cohorts import ResampledCell, mean_of, mean_over_cohorts
from benchmark.report.board import Entry, Standing, Within
from benchmark.report.standard import Cells, Standard, measured_alike


@dataclass(frozen=True, slots=True)
class Contest:
    """What entries are measured against, and where their cells are found.

    Attributes
    ----------
    partial
        Why a cell does not count that was measured on a part of its cohort.
    metric
        Whose macro averages decide.
    """

    standard: Standard
    cells: Cells
    planned: Mapping[tuple[Entry, str], PlannedCell]
    partial: Mapping[tuple[Entry, str], str]
    metric: Metric
    within: Within


@dataclass(frozen=True, slots=True)
class Covered:
    """What an entry has of the cohorts and concepts of a standard.

    Attributes
    ----------
    own
        All its cells.
    unlike
        Cohort -> why its cell does not count.
    measured
        Cohort -> the cell that counts.
    needed, lacking
        Concepts of the standard on these cohorts, and those that it has no answer to.
    """

    own: Sequence[ResultRecord]
    unlike: Mapping[str, str]
    measured: Mapping[str, ResultRecord]
    needed: Sequence[str]
    lacking: frozenset[str]


def standing_of(entry: Entry, contest: Contest, draws: Draws) -> tuple[Standing, Values | None]:
    """One row, and its mean in each resample; None where resampled figures are missing."""
    covered = _covered(entry, contest)
    over = {cohort: _over(record, covered, contest) for cohort, record in covered.measured.items()}
    means = {c: mean_of(record, over[c], contest.metric) for c, record in covered.measured.items()}
    values = {cohort: mean for cohort, mean in means.items() if mean is not None}
    figures = {
        cohort: ResampledCell(covered.measured[cohort], draws[name]).over(over[cohort], contest.metric)
        for cohort in values
        if (name := name_of(covered.measured[cohort])) in draws
    }
    spread, resampled = None, None
    if values and sum(figure is not None for figure in figures.values()) == len(values):
        # Each at its cohort's place: independent draws for cohorts, the same ones for models.
        spread, resampled = mean_over_cohorts([figures.get(c) for c in contest.standard.cohorts])
    standing = Standing(
        entry=entry,
        rank=None,
        metric=contest.metric,
        mean=fmean(values.values()) if values else None,
        spread=spread,
        cohorts=tuple(values),
        concepts=tuple(concept for concept in covered.needed if concept not in covered.lacking),
        why_unranked=_why_unranked(entry, covered, values, contest),
        internal=tuple(record for record in covered.own if record.relation == "internal"),
        external=tuple(record for record in covered.own if record.relation == "external"),
        unknown=tuple(record for record in covered.own if record.relation == "unknown"),
    )
    return standing, resampled


def _covered(entry: Entry, contest: Contest) -> Covered:
    standard = contest.standard
    own = [record for (owner, _), record in contest.cells.items() if owner == entry]
    external = {record.cohort.id: record for record in own if record.relation == "external"}
    unlike = {
        cohort: f"measured on other records or labels of {cohort}"
        for cohort, record in external.items()
        if cohort in standard.like and not measured_alike(standard.like[cohort], record)
    }
    unlike |= {cohort: why for (owner, cohort), why in contest.partial.items() if owner == entry}
    measured = {c: external[c] for c in standard.cohorts if c in external and c not in unlike}
    lacking = {
        concept
        for cohort, record in measured.items()
        for concept in set(standard.reference[cohort]) - set(record.evaluation.macro.concepts)
    }
    needed = dict.fromkeys(concept for cohort in measured for concept in standard.reference[cohort])
    return Covered(own, unlike, measured, list(needed), frozenset(lacking))


def _over(record: ResultRecord, covered: Covered, contest: Contest) -> Sequence[str]:
    """Concepts that the mean of a cell is over.

    An entry that lacks a concept is shown with the mean over what it has, and compared with nobody.
    """
    if covered.lacking:
        return [concept for concept in record.evaluation.macro.concepts if concept in contest.within]
    return contest.standard.reference[record.cohort.id]


def _why_unranked(entry: Entry, covered: Covered, values: Mapping[str, float], contest: Contest) -> str:
    """Say why an entry cannot be ranked; empty where it can."""
    own, lacking, cohorts = covered.own, covered.lacking, contest.standard.cohorts
    handed = entry.protocol == PREDICTIONS
    if not own:
        reasons = ["no finished cell"]
    elif all(record.relation == "unknown" for record in own):
        reasons = ["what it learnt from is undisclosed" if handed else "training data undisclosed"]
    elif any(is_task(record.cohort.id) for record in own):
        reasons = ["a published task"]
    elif not cohorts:
        reasons = ["no external cohort to rank on"]
    else:
        reasons = [
            covered.unlike.get(cohort) or _why_missing(entry, cohort, contest)
            for cohort in cohorts
            if cohort not in values and (cohort not in covered.measured or not lacking)
        ]
    if lacking:
        needed = covered.needed
        names = ", ".join(concept for concept in needed if concept in lacking)
        reasons.append(f"{len(needed) - len(lacking)} of {len(needed)} concepts (without {names})")
    return "; ".join(reasons)


def _why_missing(entry: Entry, cohort: str, contest: Contest) -> str:
    cell = contest.cells.get((entry, cohort)) or contest.planned.get((entry, cohort))
    if cell is None:
        return f"not evaluated on {cohort}"
    handed = entry.protocol == PREDICTIONS
    if cell.relation == "internal":
        return f"learnt from {cohort}, or had a part in its labels" if handed else f"trained on {cohort}"
    if cell.relation == "unknown":
        may = f"may have learnt from {cohort}, or had a part in its labels"
        return may if handed else f"may have been trained on {cohort}"
    return f"no macro {METRICS[contest.metric]} on {cohort}"
