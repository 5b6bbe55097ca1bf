"""Tables of the report, before they are HTML or Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from benchmark.metrics.cell.evaluation import ConceptMetrics
from benchmark.metrics.estimates import Estimate
from benchmark.metrics.intervals import FEW_POSITIVES, NEAR_PERFECT
from benchmark.records.record import CohortFacts, RecordCounts, ResultRecord
from benchmark.report.board import Board, entry_of
from benchmark.report.text import UNDEFINED, count, entry_labels, interval, number
from benchmark.text import one_line
from cohorts.counts import plural

Kind = Literal["text", "number", "muted"]


@dataclass(frozen=True, slots=True)
class TableCell:
    """One cell.

    Attributes
    ----------
    text
        As shown; not escaped.
    notes
        Footnotes: why a number is missing, which concepts are meant.
    kind
        ``"muted"`` is a number that is shown but counts for nothing, or the lack of one.
    sort
        What a number is sorted by.
    """

    text: str
    notes: tuple[str, ...] = ()
    kind: Kind = "text"
    sort: float | None = None


DASH = TableCell(UNDEFINED, kind="muted")

FEW = (
    f"fewer than {FEW_POSITIVES} positives, or than {4 * FEW_POSITIVES} at an AUROC above {NEAR_PERFECT}: "
    "the interval is too narrow"
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with one header row, or two where columns are grouped.

    Attributes
    ----------
    rows
        The first cell of each row is its header.
    groups
        Label and width of groups of columns, together as wide as the table; empty for none.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    groups: tuple[tuple[str, int], ...] = ()

    @property
    def footnotes(self) -> dict[str, int]:
        """Distinct notes in order of appearance, numbered from 1."""
        notes = dict.fromkeys(note for row in self.rows for cell in row for note in cell.notes)
        return {note: at for at, note in enumerate(notes, start=1)}


@dataclass(frozen=True, slots=True)
class ConceptGrid:
    """A table of concepts by model that the page's script makes from the data of the page.

    Attributes
    ----------
    kind
        ``"concepts"`` for the table of `concept_tables`, ``"called"`` for that of
        `benchmark.report.operating_tables.operating_concepts`.
    records
        Its cells, in the order of its columns.
    """

    caption: str
    kind: Literal["concepts", "called"]
    records: tuple[ResultRecord, ...]


def text_cell(text: str, *notes: str) -> TableCell:
    """TableCell with somebody's text."""
    return TableCell(one_line(text), tuple(one_line(note) for note in notes))


def count_cell(value: int | None, *notes: str) -> TableCell:
    """TableCell with a number of things."""
    return TableCell(count(value), notes, "number", value)


def number_cell(value: float | None, *notes: str, kind: Kind = "number") -> TableCell:
    """TableCell with a number without interval."""
    return TableCell(number(value), notes, kind if value is not None else "muted", value)


def estimate_cell(estimate: Estimate, *, muted: bool = False) -> TableCell:
    """TableCell with a value and its interval; the reason for a missing part becomes a note."""
    kind: Kind = "muted" if muted or estimate.value is None else "number"
    return TableCell(interval(estimate), estimate_notes(estimate, muted=muted), kind, estimate.value)


def estimate_notes(estimate: Estimate, *, muted: bool = False) -> tuple[str, ...]:
    """Say why a part of an estimate is missing, and how many resamples were left out."""
    notes = []
    if estimate.value is None or estimate.interval is None:
        notes.append(one_line(estimate.reason or "undefined"))
    if estimate.value is not None and estimate.undefined_fraction > 0 and not muted:
        share = f"{max(estimate.undefined_fraction, 0.001):.1%}"
        less = "less than " if estimate.undefined_fraction < 0.0005 else ""
        notes.append(f"undefined in {less}{share} of the resamples, which are left out")
    return tuple(notes)


def cohort_label(cohort: CohortFacts) -> str:
    """Id of the cohort, marked where its patients are synthetic."""
    return one_line(f"{cohort.id} (simulated)" if cohort.simulated else cohort.id)


def board_caption(board: Board, text: str) -> str:
    """Begin the caption of a table of a board: simulated cohorts are always marked."""
    return f"Simulated cohorts, not patients: {text}" if board.simulated else text[0].upper() + text[1:]


def board_table(
    board: Board, caption: str, columns: tuple[str, ...], rows: Sequence[tuple[TableCell, ...]]
) -> Table | None:
    """A table of a board; None without a row."""
    return Table(board_caption(board, caption), columns, tuple(rows)) if rows else None


def selected(records: RecordCounts) -> str:
    """Which records of a cohort were measured."""
    return "test fold" if records.selection == "test" else "all records"


def cohort_table(board: Board) -> Table:
    """One row per cell: what was measured, on which records, with which interval."""
    return Table(
        board_caption(board, "macro averages, one row per cohort and model"),
        (
            "Cohort",
            "Model",
            "Protocol",
            "Relation",
            "Selection",
            "Scored",
            "Unusable",
            "Macro AUROC [interval]",
            "Macro AUPRC [interval]",
            "Mean prevalence",
            "Concepts in the macro average",
            "Resampled",
            "Resamples (seed)",
        ),
        tuple(_cohort_row(record) for record in board.ordered(board.records)),
    )


def _cohort_row(record: ResultRecord) -> tuple[TableCell, ...]:
    macro, drawn = record.evaluation.macro, record.evaluation.bootstrap
    eligible = TableCell("too few positives", (), "muted", 0)
    if macro.concepts:
        eligible = count_cell(len(macro.concepts), one_line(f"concepts: {', '.join(macro.concepts)}"))
    return (
        TableCell(cohort_label(record.cohort)),
        text_cell(record.model.name),
        text_cell(record.protocol),
        TableCell(record.relation),
        TableCell(selected(record.records), tuple(one_line(note) for note in record.evaluation.notes)),
        count_cell(record.records.scored),
        count_cell(record.records.unusable),
        estimate_cell(macro.auroc),
        estimate_cell(macro.auprc),
        number_cell(macro.prevalence),
        eligible,
        TableCell(f"{count(drawn.groups)} {drawn.unit}", (), "number", drawn.groups),
        TableCell(f"{count(drawn.resamples)} ({drawn.seed})", (), "number", drawn.resamples),
    )


def concept_tables(board: Board) -> list[Table]:
    """Concept x model, a table for each cohort and set of its records that was measured."""
    return [_concept_table(board, records) for records in populations(board)]


def concept_grids(board: Board) -> list[ConceptGrid]:
    """Give the same for the page's script, which has every number of them already."""
    return [
        ConceptGrid(_concept_caption(records, _annotated(records)), "concepts", tuple(records))
        for records in populations(board)
    ]


def populations(board: Board) -> list[list[ResultRecord]]:
    """Group the cells of a board by cohort and set of its records, models in the order of the board."""
    found: dict[tuple[str, str, int], list[ResultRecord]] = {}
    for record in board.ordered(board.records):
        key = (record.cohort.id, record.records.selection, record.records.scored)
        found.setdefault(key, []).append(record)
    return list(found.values())


def population_label(record: ResultRecord) -> str:
    """Name the records that a cell was measured on: cohort, selection, number."""
    return f"{cohort_label(record.cohort)}: {selected(record.records)}, {count(record.records.scored)} scored"


def _concept_table(board: Board, records: Sequence[ResultRecord]) -> Table:
    labels = entry_labels(board.entries)
    annotated = _annotated(records)
    found = {concept: [r.evaluation.concepts.get(concept) for r in records] for concept in annotated}
    groups = (("", 4), *((f"{labels[entry_of(r)]} ({r.relation})", 2) for r in records))
    return Table(
        _concept_caption(records, annotated),
        ("Concept", "n", "Positives", "Prevalence") + ("AUROC [interval]", "AUPRC [interval]") * len(records),
        tuple(_concept_row(concept, found[concept]) for concept in annotated),
        groups,
    )


def _annotated(records: Iterable[ResultRecord]) -> dict[str, None]:
    """Concepts that anybody annotated, in the order of the records."""
    return dict.fromkeys(c for r in records for c, metrics in r.evaluation.concepts.items() if metrics.n)


def _concept_caption(records: Sequence[ResultRecord], annotated: Collection[str]) -> str:
    without = dict.fromkeys(c for r in records for c in r.evaluation.concepts if c not in annotated)
    said = f"; not annotated here: {one_line(', '.join(without))}" if without else ""
    return population_label(records[0]) + said


def _concept_row(concept: str, found: Sequence[ConceptMetrics | None]) -> tuple[TableCell, ...]:
    first = next(metrics for metrics in found if metrics is not None and metrics.n)
    notes = (
        () if first.eligible else ("too few positives or negatives for the macro average and the ranking",)
    )
    kind: Kind = "number" if first.eligible else "muted"
    cells = [
        TableCell(one_line(concept), notes, "text" if first.eligible else "muted"),
        TableCell(count(first.n), (), kind, first.n),
        TableCell(count(first.positives), (), kind, first.positives),
        number_cell(first.prevalence, kind=kind),
    ]
    for metrics in found:
        if metrics is None:
            cells += [replace(DASH, notes=("not an output of this model",))] * 2
            continue
        differs = (metrics.n, metrics.positives) != (first.n, first.positives)
        for estimate in (metrics.auroc, metrics.auprc):
            cell = estimate_cell(estimate, muted=not metrics.eligible)
            if (
                metrics.eligible
                and estimate is metrics.auroc
                and metrics.caution
                and estimate.interval is not None
            ):
                cell = replace(cell, notes=(*cell.notes, FEW))
            if differs:
                note = f"on {plural(metrics.n, 'annotated record')}, {count(metrics.positives)} positive"
                cell = replace(cell, notes=(*cell.notes, note))
            cells.append(cell)
    return tuple(cells)


def fact_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Table of plain text."""
    return Table(caption, tuple(columns), tuple(tuple(text_cell(text) for text in row) for row in rows))
