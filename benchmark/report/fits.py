"""How much the fits of a model differ from each other: the chance of a training, which is in no interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.metrics.names import METRICS, Metric
from benchmark.records.record import ResultRecord
from benchmark.report.tables import (
    DASH,
    Table,
    TableCell,
    cohort_label,
    count_cell,
    estimate_cell,
    number_cell,
    text_cell,
)
from benchmark.report.text import number

FITS_WORDS = (
    "AUROC and AUPRC of such a model are means over its fits, of which each is from another seed and, where "
    "not all labels were given, from another subset of patients too. Brackets are of that mean, and say how "
    "much is chance of the patients measured. The standard deviation says how much is chance of the "
    "training: how far, about, a single fit is from the mean of very many. It is in no bracket; the mean of "
    "k fits is off by about that, divided by the square root of k."
)


def between_fits(record: ResultRecord, metric: Metric) -> tuple[float, float, float] | None:
    """Lowest and highest macro average of the fits of a cell and their standard deviation, if it has several.

    The deviation is that of a sample, with one degree of freedom less than there are fits.
    """
    values, deviation = record.evaluation.of_fits(metric), record.evaluation.deviation(metric)
    return None if deviation is None else (min(values), max(values), deviation)


def fits_table(records: Iterable[ResultRecord]) -> Table | None:
    """Give a row for each cell that is the mean of several fits; None where there is none."""
    rows = [_row(record) for record in records if record.evaluation.of_fits("auroc")]
    if not rows:
        return None
    columns = ["Model", "Protocol", "Cohort", "Relation", "Fits", "Seeds"]
    for name in METRICS.values():
        columns += [f"Macro {name} [interval]", "Lowest to highest fit", "Standard deviation between fits"]
    return Table("Fits of one model: how much is chance of the training", tuple(columns), tuple(rows))


def _row(record: ResultRecord) -> tuple[TableCell, ...]:
    cells = [
        text_cell(record.model.name),
        text_cell(record.protocol),
        TableCell(cohort_label(record.cohort)),
        text_cell(record.relation),
        count_cell(len(record.evaluation.fits)),
        text_cell(seeds_of(record)),
    ]
    for metric in METRICS:
        cells.append(estimate_cell(record.evaluation.macro.of(metric)))
        found = between_fits(record, metric)
        cells += [DASH, DASH] if found is None else _spread(found)
    return tuple(cells)


def _spread(found: tuple[float, float, float]) -> list[TableCell]:
    lowest, highest, deviation = found
    ends = TableCell(f"{number(lowest)} to {number(highest)}", (), "number", lowest)
    return [ends, number_cell(deviation)]


def seeds_of(record: ResultRecord) -> str:
    """Name the seed of each fit."""
    return ", ".join(str(fit.seed) for fit in record.training)


def spread_in_words(values: Sequence[float], deviation: float) -> str:
    """Say what each fit gave, and how much they differ."""
    shown = ", ".join(map(number, values))
    return f"{shown}; standard deviation {number(deviation)}, which is in no interval"
