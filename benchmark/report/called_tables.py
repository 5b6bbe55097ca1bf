"""Tables of calls: what a person, or a model that tells no scores, called positive."""

from __future__ import annotations

from benchmark.metrics.cell.operating_points import AS_CALLED
from benchmark.records.record import ResultRecord
from benchmark.report.board import Board
from benchmark.report.tables import (
    Table,
    TableCell,
    count_cell,
    estimate_cell,
    population_label,
    populations,
    text_cell,
)

COLUMNS = (
    "Concept",
    "Called by",
    "Relation",
    "n",
    "Positives",
    "Found",
    "False alarms",
    "Sensitivity [interval]",
    "Specificity [interval]",
    "PPV [interval]",
    "F1 [interval]",
)


def called_tables(board: Board) -> list[Table]:
    """One row per concept and caller, a table for each cohort and set of records."""
    tables = []
    for records in populations(board):
        callers = [record for record in records if _calls(record)]
        concepts = dict.fromkeys(concept for record in callers for concept in record.statistics.calls)
        rows = tuple(
            _row(record, concept)
            for concept in concepts
            for record in callers
            if concept in record.statistics.calls
        )
        if rows:
            caption = f"{population_label(records[0])}: calls as they were made, no threshold chosen here"
            tables.append(Table(caption, COLUMNS, rows))
    return tables


def _calls(record: ResultRecord) -> bool:
    return any(AS_CALLED in rules for rules in record.statistics.calls.values())


def _row(record: ResultRecord, concept: str) -> tuple[TableCell, ...]:
    called, metrics = record.statistics.calls[concept][AS_CALLED], record.evaluation.concepts[concept]
    return (
        text_cell(concept),
        text_cell(record.model.name),
        TableCell(record.relation),
        count_cell(metrics.n),
        count_cell(metrics.positives),
        count_cell(called.tp),
        count_cell(called.fp),
        *map(estimate_cell, (called.sensitivity, called.specificity, called.ppv, called.f1)),
    )
