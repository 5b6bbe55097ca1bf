"""The first table of a paper: models by cohorts; and what the caption of any table must say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.metrics.names import METRICS, Metric
from benchmark.records.record import ResultRecord
from benchmark.report.board import Entry, entry_of
from benchmark.report.papers.typesetting import PaperTable
from benchmark.report.text import UNDEFINED, count, entry_labels, interval, plural
from benchmark.text import some
from cohorts.errors import UsageError


def macro_table(records: Sequence[ResultRecord], metric: Metric, cohorts: Sequence[str] = ()) -> PaperTable:
    """Macro averages of every model on every cohort, with their intervals.

    Parameters
    ----------
    cohorts
        In the order of the columns; all of the run if not given.

    Raises
    ------
    UsageError
        If the run has no result on one of the cohorts.
    """
    chosen = chosen_cohorts(records, cohorts)
    cells = {(entry_of(record), record.cohort.id): record for record in records if record.cohort.id in chosen}
    labels = entry_labels(dict.fromkeys(entry for entry, _ in cells))
    rows = tuple(
        (label, *(_shown(cells.get((entry, cohort)), metric) for cohort in chosen))
        for entry, label in labels.items()
    )
    simulated = {record.cohort.id for record in cells.values() if record.cohort.simulated}
    heads = ("Model", *(f"{cohort} (simulated)" if cohort in simulated else cohort for cohort in chosen))
    return PaperTable(_caption(list(cells.values()), chosen, labels, metric), heads, rows)


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


def _shown(record: ResultRecord | None, metric: Metric) -> str:
    if record is None:
        return UNDEFINED
    mark = "" if record.relation == "external" else f" ({record.relation})"
    return interval(record.evaluation.macro.of(metric)) + mark


def _caption(
    records: Sequence[ResultRecord], cohorts: Sequence[str], labels: Mapping[Entry, str], metric: Metric
) -> str:
    level = records[0].evaluation.bootstrap.level
    return (
        f"Macro-average {METRICS[metric]} with {level:.0%} percentile bootstrap intervals. External cells "
        f"but where marked; {UNDEFINED} is undefined or not evaluated. "
        f"{told_by_cohort(records, cohorts, labels)}"
    )


def told_by_cohort(
    records: Sequence[ResultRecord], cohorts: Sequence[str], labels: Mapping[Entry, str]
) -> str:
    """Say n, positives and resamples of each cohort, once where they are the same for all models.

    It says as well where macro averages of models are over different concepts, so that they do not compare.
    """
    parts = []
    for cohort in cohorts:
        here = [record for record in records if record.cohort.id == cohort]
        told: dict[str, list[str]] = {}
        for record in here:
            told.setdefault(_facts(record), []).append(labels[entry_of(record)])
        facts = "; ".join(
            what if len(told) == 1 else f"{', '.join(names)}: {what}" for what, names in told.items()
        )
        simulated = any(record.cohort.simulated for record in here)
        parts.append(f"{cohort}{' (simulated data, not patients)' if simulated else ''}: {facts}.")
        if len({frozenset(record.evaluation.macro.concepts) for record in here}) > 1:
            parts.append(
                f"On {cohort} macro averages are not over the same concepts, so they do not compare models."
            )
    return " ".join(parts)


def _facts(record: ResultRecord) -> str:
    drawn, macro = record.evaluation.bootstrap, record.evaluation.macro
    positives = [record.evaluation.concepts[concept].positives for concept in macro.concepts]
    spread = "no concept with enough positives and negatives"
    if positives:
        least, most = count(min(positives)), count(max(positives))
        each = least if least == most else f"{least} to {most}"
        spread = f"{plural(len(positives), 'concept')} with {each} positives each"
    return (
        f"n = {plural(record.records.scored, 'record')}, {spread}, "
        f"{plural(drawn.resamples, 'resample')} of {count(drawn.groups)} {drawn.unit}, seed {drawn.seed}"
    )
