"""Tables of operating points: calls at thresholds that were chosen on the source's validation fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean

from benchmark.metrics.cell.operating_points import RULES, Called
from benchmark.metrics.checks import ELIGIBLE_MINIMUM
from benchmark.metrics.estimates import Estimate
from benchmark.records.record import ResultRecord
from benchmark.report.board import Board, entry_of
from benchmark.report.tables import (
    DASH,
    ConceptGrid,
    Table,
    TableCell,
    board_table,
    count_cell,
    estimate_cell,
    estimate_notes,
    number_cell,
    population_label,
    populations,
    text_cell,
)
from benchmark.report.text import entry_labels
from benchmark.text import one_line
from cohorts.counts import plural

KEPT = "sensitivity 90 %"
"""The rule of the tables by concept: is a sensitivity of 90 % still one of 90 % in another hospital?"""

TARGET = 0.9


def operating_table(board: Board) -> Table | None:
    """One row per model and rule: means over pairs of a cohort and a concept, internal and external."""
    rows = []
    for standing in board.standings:
        sides = {"internal": standing.internal, "external": standing.external}
        for rule in RULES:
            called = {side: list(_called(records, rule)) for side, records in sides.items()}
            if not any(called.values()):
                continue
            below = [c for c in called["external"] if surely_below(c.sensitivity)]
            rows.append(
                (
                    text_cell(standing.entry.model),
                    text_cell(standing.entry.protocol),
                    TableCell(rule),
                    *(cell for side in called.values() for cell in _means(side)),
                    TableCell(f"{len(below)} of {len(called['external'])}", (), "number", len(below))
                    if rule == KEPT
                    else DASH,
                )
            )
    columns = (
        "Model",
        "Protocol",
        "Threshold rule",
        "Internal pairs",
        "Sensitivity",
        "Specificity",
        "External pairs",
        "Sensitivity",
        "Specificity",
        "External sensitivity below 90 %",
    )
    caption = "operating points, means over pairs of a cohort and an eligible concept"
    return board_table(board, caption, columns, rows)


def _called(records: Sequence[ResultRecord], rule: str) -> Iterator[Called]:
    for record in records:
        for rules in record.statistics.calls.values():
            if rule in rules:
                yield rules[rule]


def _means(called: Sequence[Called]) -> tuple[TableCell, TableCell, TableCell]:
    if not called:
        return DASH, DASH, DASH
    sensitivity = [c.sensitivity.value for c in called if c.sensitivity.value is not None]
    specificity = [c.specificity.value for c in called if c.specificity.value is not None]
    return count_cell(len(called)), number_cell(fmean(sensitivity)), number_cell(fmean(specificity))


def surely_below(estimate: Estimate) -> bool:
    """Whether the whole interval of a sensitivity lies below what it was to be."""
    return estimate.high is not None and estimate.high < TARGET


def operating_concepts(board: Board) -> list[Table]:
    """Concept x model at one rule, a table for each cohort and set of records."""
    tables = []
    labels = entry_labels(board.entries)
    for grid in operating_grids(board):
        concepts = dict.fromkeys(concept for r in grid.records for concept in kept_calls(r))
        rows = tuple(_operating_row(concept, grid.records) for concept in concepts)
        groups = (("", 3), *((f"{labels[entry_of(r)]} ({r.relation})", 4) for r in grid.records))
        each = ("Sensitivity [interval]", "Specificity [interval]", "PPV", "NPV")
        columns = ("Concept", "n", "Positives") + each * len(grid.records)
        tables.append(Table(grid.caption, columns, rows, groups))
    return tables


def operating_grids(board: Board) -> list[ConceptGrid]:
    """Give the same for the page's script."""
    grids = []
    for records in populations(board):
        having = tuple(record for record in records if kept_calls(record))
        if having:
            caption = (
                f"{population_label(having[0])}: at the threshold for {KEPT} on the source's validation fold"
            )
            grids.append(ConceptGrid(caption, "called", having))
    return grids


def kept_calls(record: ResultRecord) -> dict[str, Called]:
    """Calls by the rule that is kept of each concept, for the concepts that the cell has."""
    known = record.evaluation.concepts
    calls = record.statistics.calls.items()
    return {concept: rules[KEPT] for concept, rules in calls if KEPT in rules and concept in known}


def call_notes(record: ResultRecord, concept: str, called: Called) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What must be said beside a sensitivity and a specificity."""
    chosen = record.provenance.thresholds.concepts[concept]
    few = chosen.positives < ELIGIBLE_MINIMUM
    note = (f"threshold from {plural(chosen.positives, 'positive')} of the validation fold",) if few else ()
    first = estimate_notes(called.sensitivity, muted=surely_below(called.sensitivity))
    return (*first, *note), estimate_notes(called.specificity)


def _operating_row(concept: str, records: Sequence[ResultRecord]) -> tuple[TableCell, ...]:
    metrics = next(r.evaluation.concepts[concept] for r in records if concept in r.evaluation.concepts)
    cells = [TableCell(one_line(concept)), count_cell(metrics.n), count_cell(metrics.positives)]
    for record in records:
        called = kept_calls(record).get(concept)
        if called is None:
            cells += [DASH] * 4
            continue
        notes = call_notes(record, concept, called)
        first = estimate_cell(called.sensitivity, muted=surely_below(called.sensitivity))
        cells += [
            replace(first, notes=notes[0]),
            replace(estimate_cell(called.specificity), notes=notes[1]),
            number_cell(called.ppv.value),
            number_cell(called.npv.value),
        ]
    return tuple(cells)
