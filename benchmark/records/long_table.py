"""The estimates of cells as one long table: a row for each concept and metric."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from benchmark.metrics.cell.results import ConceptMetrics, Evaluation, MacroMetrics
from benchmark.records.record import ResultRecord

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, str | float | bool | None]

MACRO = "macro"
"""In the place of a concept: the mean over the eligible ones."""

ESTIMATE = (
    "concept",
    "metric",
    "value",
    "low",
    "high",
    "n",
    "positives",
    "prevalence",
    "eligible",
    "unit",
    "groups",
    "resamples",
    "seed",
    "undefined_fraction",
    "reason",
)
"""Columns of what is known without a cell."""

COLUMNS = (
    "model",
    "protocol",
    "cohort",
    *ESTIMATE[: ESTIMATE.index("unit")],
    "relation",
    "selection",
    *ESTIMATE[ESTIMATE.index("unit") :],
    "simulated",
)

_IN_ORDER = itemgetter(*COLUMNS)

COUNTS = ("n", "positives")


def rows_of(record: ResultRecord) -> Iterator[Row]:
    """Yield the estimates of one cell: concept ``macro`` first, AUROC and AUPRC each.

    For ``macro``, ``n`` is the number of scored records, ``prevalence`` the mean over its concepts, and
    ``positives`` is empty.
    """
    cell: Row = {
        "model": record.model.name,
        "protocol": record.protocol,
        "cohort": record.cohort.id,
        "relation": record.relation,
        "selection": record.records.selection,
        "simulated": record.cohort.simulated,
    }
    for row in estimates_of(record.evaluation, record.records.scored):
        yield dict(zip(COLUMNS, _IN_ORDER(cell | row), strict=True))


def estimates_of(evaluation: Evaluation, records: int | None = None) -> Iterator[Row]:
    """Yield the estimates of an evaluation of so many records, if they are known, as `rows_of`."""
    yield from _rows(evaluation, MACRO, evaluation.macro, records)
    for concept, metrics in evaluation.concepts.items():
        yield from _rows(evaluation, concept, metrics, metrics.n)


def _rows(
    evaluation: Evaluation, concept: str, metrics: MacroMetrics | ConceptMetrics, n: int | None
) -> Iterator[Row]:
    drawn = evaluation.bootstrap
    one = metrics if isinstance(metrics, ConceptMetrics) else None
    for metric, estimate in (("auroc", metrics.auroc), ("auprc", metrics.auprc)):
        yield {
            "concept": concept,
            "metric": metric,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "n": n,
            "positives": one.positives if one else None,
            "prevalence": metrics.prevalence,
            "eligible": one.eligible if one else bool(evaluation.macro.concepts),
            "unit": drawn.unit,
            "groups": drawn.groups,
            "resamples": drawn.resamples,
            "seed": drawn.seed,
            "undefined_fraction": estimate.undefined_fraction,
            "reason": estimate.reason,
        }


def frame_of(rows: Iterable[Row], columns: Sequence[str], *, macro: bool) -> pd.DataFrame:
    """Make a table of rows; numbers that are undefined are NaN, never 0.

    Parameters
    ----------
    macro
        Whether the means over concepts are in it, beside the concepts that they are over.
    """
    import pandas as pd

    kept = [row for row in rows if macro or row["concept"] != MACRO]
    frame = pd.DataFrame(kept, columns=list(columns))
    types: dict[str, str] = dict.fromkeys(
        ("value", "low", "high", "prevalence", "undefined_fraction"), "float64"
    )
    types |= dict.fromkeys(COUNTS, "Int64") | dict.fromkeys(("groups", "resamples", "seed"), "int64")
    types |= dict.fromkeys(("eligible", "simulated"), "bool")
    others = dict.fromkeys((name for name in columns if name not in types), "str")
    return frame.astype({name: kind for name, kind in (types | others).items() if name in columns})
