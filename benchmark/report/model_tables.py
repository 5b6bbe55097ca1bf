"""What a model is beside its card: its own labels, how well it tells the age, what lower precision costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.metrics.estimates import Estimate
from benchmark.models.label_map import OwnLabel, own_names, scored_concepts
from benchmark.records.record import ResultRecord
from benchmark.report.tables import (
    Table,
    TableCell,
    cohort_label,
    count_cell,
    estimate_cell,
    fact_table,
    text_cell,
)
from benchmark.report.text import UNDEFINED, count, number
from cohorts.counts import plural

AGE_WORDS = (
    "Age is no concept and no part of a score: these models tell it beside what they are asked. Stated ages "
    "are those of the release; the same patients are drawn as for the intervals above."
)


def label_map_tables(records: Iterable[ResultRecord]) -> list[Table]:
    """For each model that scores under names of its own: what they mean, and which have no concept."""
    maps = dict.fromkeys((record.model.name, record.model.labels) for record in records)
    return [table for name, labels in maps for table in _tables(name, labels) if table.rows]


def _tables(name: str, labels: Sequence[OwnLabel]) -> list[Table]:
    mapped = fact_table(
        f"Own labels of {name}: {count(len(own_names(labels)))}, for "
        f"{plural(len(scored_concepts(labels)), 'concept')}, each scored by the highest of its labels that "
        "are the same or narrower",
        ("Own label", "Concept", "Relation", "Note"),
        [(row.label, row.concept, row.relation, row.note) for row in labels if row.concept],
    )
    unmapped = fact_table(
        f"Own labels of {name} without a concept",
        ("Own label", "Why"),
        [(row.label, row.note) for row in labels if not row.concept],
    )
    return [mapped, unmapped]


def age_table(records: Sequence[ResultRecord]) -> Table | None:
    """Told beside stated age, a row for each model and cohort; None where no model tells it.

    A model tells the same age under every protocol that leaves it as it is.
    """
    rows = dict.fromkeys(_age_row(record) for record in records if record.age is not None)
    if not rows:
        return None
    columns = (
        *("Model", "Cohort", "Relation", "Records with a stated age"),
        *("Mean absolute error, years [interval]", "Pearson r [interval]", "Drawn"),
    )
    return Table("Age told from the ECG beside the stated age", columns, tuple(rows))


def _age_row(record: ResultRecord) -> tuple[TableCell, ...]:
    assert record.age is not None  # noqa: S101
    drawn = record.evaluation.bootstrap
    patients = plural(drawn.groups, drawn.unit.removesuffix("s"))
    return (
        text_cell(record.model.name),
        TableCell(cohort_label(record.cohort)),
        text_cell(record.relation),
        count_cell(record.age.n),
        _years(record.age.mean_absolute_error),
        estimate_cell(record.age.correlation),
        text_cell(f"{patients}, {drawn.resamples:,} times, seed {drawn.seed}"),
    )


def rounding_table(records: Sequence[ResultRecord]) -> Table | None:
    """How far lower precision has moved scores, a row for each cell that was scored in it; None without."""
    rows = [
        (
            text_cell(record.model.name),
            text_cell(record.protocol),
            TableCell(cohort_label(record.cohort)),
            text_cell(record.provenance.dtype),
            count_cell(rounding.records),
            *(
                TableCell(number(value, 5), (), "number", value)
                for value in (rounding.largest, rounding.mean)
            ),
        )
        for record in records
        if (rounding := record.provenance.rounding) is not None
    ]
    columns = ("Model", "Protocol", "Cohort", "Scored in", "Records scored both ways", "Largest", "Mean")
    caption = "Lower precision: absolute differences of scores from those in float32"
    return Table(caption, columns, tuple(rows)) if rows else None


def _years(estimate: Estimate) -> TableCell:
    if estimate.value is None:
        return estimate_cell(estimate)
    low, high = estimate.interval or (None, None)
    width = f"{number(low, 1)}, {number(high, 1)}" if estimate.interval else UNDEFINED
    notes = () if estimate.interval or not estimate.reason else (estimate.reason,)
    return TableCell(f"{number(estimate.value, 1)} [{width}]", notes, "number", estimate.value)
