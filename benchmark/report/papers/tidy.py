"""Every figure of a run as one long table: a row an estimate, and nothing of a single record."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from benchmark.exchange.joining import Joined
from benchmark.metrics.estimates import Estimate
from benchmark.metrics.names import METRICS, Metric
from benchmark.records.long_table import rows_of
from benchmark.records.record import ResultRecord
from benchmark.report.board import Entry
from benchmark.report.export import csv_cell
from benchmark.report.ranking import make_boards

COLUMNS = (
    "model",
    "protocol",
    "cohort",
    "relation",
    "concept",
    "metric",
    "value",
    "low",
    "high",
    "n",
    "positives",
    "resamples",
    "seed",
    "unit",
    "rank",
    "simulated",
)

Row = dict[str, str | float | bool | None]
_Ranks = dict[tuple[Entry, str, str], int]


def tidy(joined: Joined) -> str:
    """Give all estimates of a run as CSV with `COLUMNS`, in full precision; undefined is an empty cell.

    Metrics are ``auroc``, ``auprc``, ``brier`` and, at each threshold, ``sensitivity@RULE`` and the like.
    ``rank`` stands at the macro averages that the ranking by this metric is over.
    """
    ranks = _ranks(joined)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in joined.records:
        for row in (*_areas(record, ranks), *_briers(record), *_calls(record)):
            writer.writerow([csv_cell(row[column]) for column in COLUMNS])
    return file.getvalue()


def _ranks(joined: Joined) -> _Ranks:
    found: _Ranks = {}
    for metric in METRICS:
        boards = make_boards(joined.plan, joined.records, joined.draws, joined.lacking, metric=metric)
        for board in boards:
            found |= {
                (standing.entry, cohort, metric): standing.rank
                for standing in board.standings
                if standing.rank is not None
                for cohort in standing.cohorts
            }
    return found


def _areas(record: ResultRecord, ranks: _Ranks) -> Iterator[Row]:
    entry = Entry(record.model.name, record.protocol)
    for row in rows_of(record):
        metric: Metric = "auroc" if row["metric"] == "auroc" else "auprc"
        ranked = row["concept"] == "macro" and record.relation == "external"
        yield row | {"rank": ranks.get((entry, record.cohort.id, metric)) if ranked else None}


def _briers(record: ResultRecord) -> Iterator[Row]:
    found = record.statistics.calibration
    if found is None:
        return
    yield _row(record, "macro", "brier", found.brier, record.records.scored, None)
    for concept, one in found.concepts.items():
        metrics = record.evaluation.concepts[concept]
        yield _row(record, concept, "brier", one.brier.score, metrics.n, metrics.positives)


def _calls(record: ResultRecord) -> Iterator[Row]:
    for concept, rules in record.statistics.calls.items():
        for rule, called in rules.items():
            positives = called.tp + called.fn
            n = positives + called.fp + called.tn
            for name in ("sensitivity", "specificity", "ppv", "npv", "f1"):
                yield _row(record, concept, f"{name}@{rule}", getattr(called, name), n, positives)


def _row(
    record: ResultRecord, concept: str, metric: str, estimate: Estimate, n: int, positives: int | None
) -> Row:
    drawn = record.evaluation.bootstrap
    return {
        "model": record.model.name,
        "protocol": record.protocol,
        "cohort": record.cohort.id,
        "relation": record.relation,
        "concept": concept,
        "metric": metric,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "n": n,
        "positives": positives,
        "resamples": record.statistics.resamples,
        "seed": drawn.seed,
        "unit": drawn.unit,
        "rank": None,
        "simulated": record.cohort.simulated,
    }
