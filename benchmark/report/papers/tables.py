"""The first table of a paper: models by cohorts; and what the caption of any table must say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.metrics.estimates import Estimate, estimate_of, undefined
from benchmark.metrics.intervals import estimate
from benchmark.metrics.names import METRICS, Metric
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import Draws, name_of
from benchmark.report.across_cohorts import ResampledCell, mean_of
from benchmark.report.board import Entry, entry_of
from benchmark.report.papers.typesetting import PaperTable
from benchmark.report.text import UNDEFINED, count, entry_labels, interval
from benchmark.text import some
from cohorts.counts import plural
from cohorts.errors import UsageError

Over = Mapping[str, tuple[str, ...]] | None
"""Cohort -> concepts that all averages there are over; None for those that each model has."""


def macro_table(
    records: Sequence[ResultRecord],
    metric: Metric,
    cohorts: Sequence[str] = (),
    concepts: Sequence[str] = (),
    draws: Draws | None = None,
) -> PaperTable:
    """Macro averages of every model on every cohort, with their intervals.

    Parameters
    ----------
    cohorts
        In the order of the columns; all of the run if not given.
    concepts
        That all averages are to be over, as far as they are eligible on a cohort; each model's own if none.
    draws
        Resampled figures of the cells, for the intervals over ``concepts``.

    Raises
    ------
    UsageError
        If the run has no result on one of the cohorts, or for one of the concepts.
    """
    chosen = chosen_cohorts(records, cohorts)
    over = _over(records, chosen, concepts) if concepts else None
    cells = {(entry_of(record), record.cohort.id): record for record in records if record.cohort.id in chosen}
    labels = entry_labels(dict.fromkeys(entry for entry, _ in cells))
    rows = tuple(
        (label, *(_shown(cells.get((entry, cohort)), metric, over, draws or {}) for cohort in chosen))
        for entry, label in labels.items()
    )
    simulated = {record.cohort.id for record in cells.values() if record.cohort.simulated}
    heads = ("Model", *(f"{cohort} (simulated)" if cohort in simulated else cohort for cohort in chosen))
    return PaperTable(_caption(list(cells.values()), chosen, labels, metric, over, concepts), heads, rows)


def _over(
    records: Sequence[ResultRecord], cohorts: Sequence[str], concepts: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Give those of the concepts that are eligible on each cohort, for every model that tells them."""
    there = dict.fromkeys(concept for record in records for concept in record.evaluation.concepts)
    for concept in concepts:
        if concept not in there:
            raise UsageError(f"The run has no result for {concept!r}; it has {some(list(there)) or 'none'}.")
    found: dict[str, tuple[str, ...]] = {}
    for cohort in cohorts:
        cells = [record.evaluation for record in records if record.cohort.id == cohort]
        found[cohort] = tuple(
            concept
            for concept in dict.fromkeys(concepts)
            if (telling := [cell for cell in cells if concept in cell.concepts])
            and all(concept in cell.macro.concepts for cell in telling)
        )
    return found


def chosen_cohorts(records: Sequence[ResultRecord], cohorts: Sequence[str]) -> list[str]:
    """Give the cohorts that were asked for, or all of the run in its order.

    Raises
    ------
    UsageError
        If the run has no result on one of them, or none at all.
    """
    there = list(dict.fromkeys(record.cohort.id for record in records))
    for cohort in cohorts:
        if cohort not in there:
            raise UsageError(f"The run has no result on {cohort!r}; it has {some(there) or 'none at all'}.")
    if not there:
        raise UsageError("The run has no finished cell, so there is nothing to show.")
    return list(dict.fromkeys(cohorts)) or there


def _shown(record: ResultRecord | None, metric: Metric, over: Over, draws: Draws) -> str:
    if record is None or not _averaged(record, over):
        return UNDEFINED
    mark = "" if record.relation == "external" else f" ({record.relation})"
    return interval(_average(record, metric, over, draws)) + mark


def _averaged(record: ResultRecord, over: Over) -> tuple[str, ...]:
    """Concepts that the average of a cell is over; none where the model lacks one that was asked for."""
    own = record.evaluation.macro.concepts
    if over is None:
        return own
    asked = over[record.cohort.id]
    return asked if set(asked) <= set(own) else ()


def _average(record: ResultRecord, metric: Metric, over: Over, draws: Draws) -> Estimate:
    macro, concepts = record.evaluation.macro, _averaged(record, over)
    if set(concepts) == set(macro.concepts):
        return macro.of(metric)
    resampled = draws.get(name_of(record))
    figure = None if resampled is None else ResampledCell(record, resampled).over(concepts, metric)
    if figure is not None:
        return estimate(*figure)
    value = mean_of(record, concepts, metric)
    if value is None:
        return undefined("one of the concepts has none")
    return estimate_of(value, reason="no interval: not resampled")


def _caption(
    records: Sequence[ResultRecord],
    cohorts: Sequence[str],
    labels: Mapping[Entry, str],
    metric: Metric,
    over: Over,
    concepts: Sequence[str],
) -> str:
    level = records[0].evaluation.bootstrap.level
    of = ""
    if over is not None:
        of = (
            f" Averages are over {', '.join(dict.fromkeys(concepts))}, on each cohort over those with enough "
            f"positives and negatives for every model that tells them; {UNDEFINED} also stands where a model "
            "lacks one of them."
        )
    return (
        f"Macro-average {METRICS[metric]} with {level:.0%} percentile bootstrap intervals. External cells "
        f"but where marked; {UNDEFINED} is undefined or not evaluated.{of} "
        f"{told_by_cohort(records, cohorts, labels, over)}{unlike(records, cohorts) if over is None else ''}"
    )


def unlike(records: Sequence[ResultRecord], cohorts: Sequence[str]) -> str:
    """Say on which cohorts macro averages of models are over different concepts; empty if on none."""
    sets = {
        cohort: {frozenset(r.evaluation.macro.concepts) for r in records if r.cohort.id == cohort}
        for cohort in cohorts
    }
    apart = [cohort for cohort, different in sets.items() if len(different) > 1]
    if not apart:
        return ""
    where = ", ".join(apart)
    return f" On {where} macro averages are not over the same concepts, so they do not compare models."


def told_by_cohort(
    records: Sequence[ResultRecord],
    cohorts: Sequence[str],
    labels: Mapping[Entry, str],
    over: Over = None,
) -> str:
    """Say n, positives and resamples of each cohort, once where they are the same for all models."""
    parts = []
    for cohort in cohorts:
        here = [record for record in records if record.cohort.id == cohort]
        told: dict[str, list[str]] = {}
        for record in here:
            told.setdefault(_facts(record, over), []).append(labels[entry_of(record)])
        facts = "; ".join(
            what if len(told) == 1 else f"{', '.join(names)}: {what}" for what, names in told.items()
        )
        simulated = any(record.cohort.simulated for record in here)
        parts.append(f"{cohort}{' (simulated data, not patients)' if simulated else ''}: {facts}.")
    return " ".join(parts)


def _facts(record: ResultRecord, over: Over) -> str:
    drawn = record.evaluation.bootstrap
    positives = [record.evaluation.concepts[concept].positives for concept in _averaged(record, over)]
    spread = "no concept with enough positives and negatives"
    if positives:
        least, most = count(min(positives)), count(max(positives))
        each = least if least == most else f"{least} to {most}"
        spread = f"{plural(len(positives), 'concept')} with {each} positives each"
    return (
        f"n = {plural(record.records.scored, 'record')}, {spread}, "
        f"{plural(drawn.resamples, 'resample')} of {count(drawn.groups)} {drawn.unit}, seed {drawn.seed}"
    )
