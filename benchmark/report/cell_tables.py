"""Tables of what a record says beside AUROC and AUPRC: operating points, calibration, subgroups."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from benchmark.records.record import ResultRecord
from benchmark.report.board import Board, Entry, entry_of
from benchmark.report.called_tables import called_tables
from benchmark.report.operating_tables import operating_grids, operating_table
from benchmark.report.tables import (
    DASH,
    ConceptGrid,
    Table,
    TableCell,
    board_table,
    cohort_label,
    count_cell,
    estimate_cell,
    number_cell,
    population_label,
    populations,
    text_cell,
)
from benchmark.report.text import count, entry_labels, interval, signed
from benchmark.text import one_line
from cohorts.counts import plural

OF_FIRST_FIT = "Of a model with several fits these are of the first."


class Section(NamedTuple):
    """Tables of one kind, each with whether it is to be collapsed, and how their numbers were made."""

    title: str
    tables: list[tuple[Table | ConceptGrid, bool]]
    sentences: list[str]


def cell_tables(board: Board) -> list[Section]:
    """All sections of this module that have a table, or that say why there is none."""
    operating: list[tuple[Table | ConceptGrid, bool]] = [(t, False) for t in (operating_table(board),) if t]
    operating += [(grid, True) for grid in operating_grids(board)]
    operating += [(table, True) for table in called_tables(board)]
    calibration: list[tuple[Table | ConceptGrid, bool]] = [
        (t, True) for t in (calibration_table(board),) if t
    ]
    subgroups: list[tuple[Table | ConceptGrid, bool]] = [(table, True) for table in subgroup_tables(board)]
    made = {
        "Operating points": (operating, _of_operating_points(board)),
        "Calibration": (calibration, [OF_FIRST_FIT]),
        "Subgroups": (subgroups, [OF_FIRST_FIT, _of_subgroups(board)]),
    }
    why_not = {"Operating points": _without_operating_points(board)}
    sections = [
        Section(title, tables, [*(sentences if tables else ()), *why_not.get(title, ())])
        for title, (tables, sentences) in made.items()
    ]
    return [section for section in sections if section.tables or section.sentences]


def calibration_table(board: Board) -> Table | None:
    """One row per cell whose model claims probabilities."""
    rows = []
    for record in board.ordered(board.records):
        found = record.statistics.calibration
        if found is None:
            continue
        concepts = found.concepts.values()
        positives = sum(record.evaluation.concepts[name].positives for name in found.concepts)
        rows.append(
            (
                TableCell(cohort_label(record.cohort)),
                text_cell(record.model.name),
                text_cell(record.protocol),
                TableCell(record.relation),
                count_cell(len(found.concepts), one_line(f"concepts: {', '.join(found.concepts)}")),
                count_cell(record.records.scored),
                count_cell(positives),
                estimate_cell(found.brier),
                number_cell(fmean(c.mean_probability for c in concepts)),
                number_cell(record.evaluation.macro.prevalence),
                _signed_number(found.slope),
                _signed_number(found.intercept),
                number_cell(found.ece_equal_width),
                number_cell(found.ece_equal_mass),
            )
        )
    columns = (
        "Cohort",
        "Model",
        "Protocol",
        "Relation",
        "Concepts",
        "Scored",
        "Positive labels",
        "Brier, mean [interval]",
        "Mean probability",
        "Mean prevalence",
        "Slope, median",
        "Intercept, median",
        "ECE, equal width",
        "ECE, equal mass",
    )
    caption = "calibration of models that claim probabilities, over the eligible concepts"
    return board_table(board, caption, columns, rows)


def _signed_number(value: float | None) -> TableCell:
    return DASH if value is None else TableCell(signed(value), (), "number", value)


def subgroup_tables(board: Board) -> list[Table]:
    """Model x group, macro AUROC over common concepts, a table for each set of records and grouping."""
    tables = []
    labels = entry_labels(board.entries)
    for records in populations(board):
        for name in dict.fromkeys(name for r in records for name in r.statistics.subgroups):
            having = [r for r in records if name in r.statistics.subgroups]
            groups = dict.fromkeys(g for r in having for g in r.statistics.subgroups[name].groups)
            usual = _age_order(groups) if name == "age" else list(groups)
            sizes = {g: r.statistics.subgroups[name].groups[g].records for r in having for g in usual
                     if g in r.statistics.subgroups[name].groups}  # fmt: skip
            rows = [_subgroup_row(record, name, usual, labels) for record in having]
            if not any(r.statistics.subgroups[name].gap for r in having):
                continue
            columns = (
                "Model",
                "Concepts",
                *(f"{g} (n {count(sizes[g])})" for g in usual),
                "Largest gap [interval]",
            )
            tables.append(
                Table(f"{population_label(having[0])}: macro AUROC by {one_line(name)}", columns, tuple(rows))
            )
    return tables


def _subgroup_row(
    record: ResultRecord, name: str, groups: Sequence[str], labels: dict[Entry, str]
) -> tuple[TableCell, ...]:
    found = record.statistics.subgroups[name]
    cells = [
        text_cell(f"{labels[entry_of(record)]} ({record.relation})"),
        count_cell(
            len(found.common), *([one_line(f"concepts: {', '.join(found.common)}")] if found.common else [])
        ),
        *(estimate_cell(found.groups[g].macro) if g in found.groups else DASH for g in groups),
    ]
    if found.gap is None:
        return (*cells, DASH)
    gap, which = found.gap.difference, f"{found.gap.highest} minus {found.gap.lowest}"
    return (*cells, TableCell(f"{interval(gap)} {one_line(which)}", (), "number", gap.value))


def _age_order(groups: dict[str, None]) -> list[str]:
    """Youngest first; what is unknown last."""
    return sorted(groups, key=lambda name: (name == "unknown", not name.startswith("under"), name))


def _of_operating_points(board: Board) -> list[str]:
    source = dict.fromkeys(
        r.provenance.thresholds.source for r in board.records if r.provenance.thresholds.source
    )
    chosen = f" ({', '.join(map(one_line, source))})" if source else ""
    return [
        f"Thresholds are chosen on the validation fold of the source cohort{chosen} and applied to all other "
        "records unchanged. A sensitivity in italics lies below 90 % with its whole interval. Intervals of "
        "proportions are Wilson's where every patient has one record, else from the resamples.",
        OF_FIRST_FIT,
    ]


def _without_operating_points(board: Board) -> list[str]:
    without: dict[str, list[str]] = {}
    for record in board.records:
        if record.statistics.why_no_calls:
            name = f"{record.model.name} on {cohort_label(record.cohort)}"
            without.setdefault(record.statistics.why_no_calls, []).append(name)
    return [
        f"No operating points for {plural(len(names), 'cell')} ({one_line(', '.join(names[:3]))}"
        f"{', ...' if len(names) > 3 else ''}): {one_line(why)}."
        for why, names in without.items()
    ]


def _of_subgroups(board: Board) -> str:
    return (
        f"Subgroups: macro AUROC over the concepts with at least {board.minimum} positives and "
        f"{board.minimum} negatives in every group shown; of many groups some gap is always the largest."
    )
