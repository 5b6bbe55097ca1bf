"""Tables of what follows from several cells: the next hospital, external gaps, pairs of entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmark.metrics.estimates import Estimate, PooledEstimate, none_if_nan
from benchmark.report.across_cohorts import NextHospital
from benchmark.report.board import Board, Entry
from benchmark.report.board_statistics import BoardStatistics, EntryComparison
from benchmark.report.tables import (
    DASH,
    Table,
    TableCell,
    board_caption,
    board_table,
    count_cell,
    estimate_cell,
    number_cell,
    text_cell,
)
from benchmark.report.text import entry_labels, number, signed_interval
from benchmark.text import one_line
from cohorts.counts import plural

LEVEL = 0.05


def statistics_tables(board: Board, found: BoardStatistics) -> list[tuple[Table, bool]]:
    """All tables of this module that have a row, each with whether it is to be collapsed."""
    best, control = "compared with the best", "compared with a control"
    by_cohort = ", macro AUROC by cohort"
    tables = [
        (next_hospital_table(board, found), False),
        (next_hospital_concepts(board, found), True),
        (comparison_table(board, found.against_best, best), False),
        (comparison_by_cohort(board, found.against_best, best + by_cohort), True),
        (comparison_table(board, found.against_controls, control), False),
        (comparison_by_cohort(board, found.against_controls, control + by_cohort), True),
        (gap_table(board, found), True),
    ]
    return [(table, collapsed) for table, collapsed in tables if table is not None]


def next_hospital_table(board: Board, found: BoardStatistics) -> Table | None:
    """What macro AUROC to expect in one more hospital; None without an external cell."""
    rows = []
    for entry, ahead in found.next_hospital.items():
        records = {
            r.cohort.id: r.records.scored for s in board.standings if s.entry == entry for r in s.external
        }
        left_out = (
            f"left out, without an AUROC or its variance: {', '.join(ahead.left_out)}"
            if ahead.left_out
            else ""
        )
        rows.append(
            (
                text_cell(entry.model),
                text_cell(entry.protocol),
                count_cell(ahead.macro.cohorts, *([one_line(left_out)] if left_out else [])),
                count_cell(sum(records[cohort] for cohort in ahead.cohorts)),
                pooled_cell(ahead.macro),
                prediction_cell(ahead.macro),
                number_cell(ahead.macro.tau2),
                TableCell(
                    "–" if ahead.macro.i2 is None else f"{ahead.macro.i2:.0f} %",
                    (),
                    "number",
                    ahead.macro.i2,
                ),
            )
        )
    columns = (
        "Model",
        "Protocol",
        "Cohorts",
        "Records",
        "Pooled macro AUROC [interval]",
        "Next hospital: 95 % prediction",
        "tau² (logits)",
        "I²",
    )
    caption = "at the next hospital, from the external cohorts of each model"
    return board_table(board, caption, columns, rows)


def next_hospital_concepts(board: Board, found: BoardStatistics) -> Table | None:
    """Pooled AUROC and prediction interval by concept; None where no concept is in two cohorts."""
    ahead = {entry: one for entry, one in found.next_hospital.items() if one.concepts}
    if not ahead:
        return None
    labels = entry_labels(board.entries)
    concepts = dict.fromkeys(concept for one in ahead.values() for concept in one.concepts)
    rows = tuple(_concept_row(board, concept, ahead) for concept in concepts)
    groups = (("", 4), *((labels[entry], 2) for entry in ahead))
    columns = ("Concept", "Cohorts", "n", "Positives") + ("Pooled AUROC [interval]", "Prediction") * len(
        ahead
    )
    return Table(board_caption(board, "at the next hospital, by concept"), columns, rows, groups)


def _concept_row(board: Board, concept: str, ahead: Mapping[Entry, NextHospital]) -> tuple[TableCell, ...]:
    known = {entry: one for entry, one in ahead.items() if concept in one.concepts}
    widest = max(known, key=lambda entry: len(known[entry].of_concept[concept]))
    cohorts = known[widest].of_concept[concept]
    metrics = [
        record.evaluation.concepts[concept]
        for standing in board.standings
        if standing.entry == widest
        for record in standing.external
        if record.cohort.id in cohorts
    ]
    cells = [
        TableCell(one_line(concept)),
        count_cell(len(cohorts)),
        count_cell(sum(m.n for m in metrics)),
        count_cell(sum(m.positives for m in metrics)),
    ]
    for entry in ahead:
        if entry not in known:
            cells += [DASH, DASH]
            continue
        pooled = known[entry].concepts[concept]
        note = () if pooled.cohorts == len(cohorts) else (f"over {plural(pooled.cohorts, 'cohort')}",)
        cell = pooled_cell(pooled)
        cells += [replace(cell, notes=(*cell.notes, *note)), prediction_cell(pooled)]
    return tuple(cells)


def gap_table(board: Board, found: BoardStatistics) -> Table | None:
    """One row per model and pair of an internal and an external cohort; None without such a pair."""
    rows = [
        (
            text_cell(entry.model),
            text_cell(entry.protocol),
            text_cell(_cohort(board, pair.internal)),
            text_cell(_cohort(board, pair.external)),
            count_cell(len(pair.concepts), one_line(f"concepts: {', '.join(pair.concepts)}")),
            number_cell(pair.internal_auroc),
            number_cell(pair.external_auroc),
            signed_cell(pair.gap),
        )
        for entry, pairs in found.gaps.items()
        for pair in pairs
    ]
    columns = (
        "Model",
        "Protocol",
        "Internal cohort",
        "External cohort",
        "Concepts in both",
        "Internal AUROC",
        "External AUROC",
        "Gap [interval]",
    )
    caption = "external gap, mean AUROC over the concepts that are eligible in both cohorts"
    return board_table(board, caption, columns, rows)


def comparison_table(board: Board, comparisons: Sequence[EntryComparison], caption: str) -> Table | None:
    """One row per pair of entries, pooled over cohorts; None without a pair."""
    labels = entry_labels(board.entries)
    rows = []
    for comparison in comparisons:
        pooled = comparison.compared.pooled
        refused = [f"not on {cohort}: {why}" for cohort, why in comparison.compared.refused.items()]
        significant = [p <= LEVEL for p in comparison.adjusted]
        rows.append(
            (
                text_cell(labels[comparison.first]),
                text_cell(labels[comparison.second]),
                count_cell(len(comparison.compared.pairs), *map(one_line, refused)),
                signed_cell(pooled),
                number_cell(comparison.compared.pooled_p),
                number_cell(none_if_nan(comparison.adjusted_pooled)),
                TableCell(f"{sum(significant)} of {len(significant)}", (), "number", sum(significant)),
            )
        )
    columns = (
        "Model",
        "Minus",
        "Cohorts",
        "Macro AUROC, pooled difference [interval]",
        "p",
        "p (Holm)",
        "Cohorts with a significant difference (Holm)",
    )
    return board_table(board, caption, columns, rows)


def comparison_by_cohort(board: Board, comparisons: Sequence[EntryComparison], caption: str) -> Table | None:
    """Pair x cohort, differences with interval; None without a pair."""
    labels = entry_labels(board.entries)
    cohorts = list(dict.fromkeys(pair.cohort for one in comparisons for pair in one.compared.pairs))
    rows = []
    for comparison in comparisons:
        cells = {
            pair.cohort: replace(
                signed_cell(pair.difference), kind="number" if p <= LEVEL else "muted", notes=()
            )
            for pair, p in zip(comparison.compared.pairs, comparison.adjusted, strict=True)
        }
        rows.append(
            (
                text_cell(f"{labels[comparison.first]} − {labels[comparison.second]}"),
                *(cells.get(c, DASH) for c in cohorts),
            )
        )
    columns = ("Models", *(one_line(_cohort(board, cohort)) for cohort in cohorts))
    return Table(board_caption(board, caption), columns, tuple(rows)) if rows and cohorts else None


def pooled_cell(pooled: PooledEstimate) -> TableCell:
    """Pooled value with its interval."""
    return estimate_cell(pooled)


def prediction_cell(pooled: PooledEstimate) -> TableCell:
    """Prediction interval alone; why there is none becomes a note."""
    if pooled.prediction_low is None:
        return replace(DASH, notes=(pooled.reason,) if pooled.reason else ())
    text = f"{number(pooled.prediction_low)} to {number(pooled.prediction_high)}"
    return TableCell(text, (), "number", pooled.prediction_low)


def signed_cell(estimate: Estimate) -> TableCell:
    """A difference with its interval; what is wrong with it becomes a note."""
    notes = (one_line(estimate.reason),) if estimate.reason else ()
    if estimate.value is None:
        return replace(DASH, notes=notes)
    return TableCell(signed_interval(estimate), notes, "number", estimate.value)


def statistics_sentences(board: Board) -> list[str]:
    """Say how these numbers were made, and which cells had to be left out."""
    drawn = [record.evaluation.bootstrap for record in board.records]
    settings = " / ".join(dict.fromkeys(f"{plural(d.resamples, 'resample')}, seed {d.seed}" for d in drawn))
    sentences = [
        f"Differences are paired: all models of a cohort share the resamples of its patients ({settings}). "
        "Cohorts are independent. p values are two-sided, and adjusted by Holm's method for all comparisons "
        "of a table; differences in italics are not significant at 5 % after that.",
        "Pooled: random-effects model on the logits of the AUROCs, variances from the resamples, "
        "Hartung-Knapp interval of the mean. The prediction interval says where the AUROC of one more "
        "hospital can be expected: read that one before using a model in a new hospital. Macro averages of "
        "different cohorts are over different concepts; the tables by concept do not mix them.",
    ]
    if board.by_groups and board.cohorts:
        sentences.append(
            "Ranks and pooled differences answer two questions, so one may find a difference where the other "
            "finds none, and both be right: a rank asks whether the mean over these very cohorts differs, "
            "each counting alike; a pooled difference, whether to expect one in hospitals like these, so it "
            "weighs cohorts by precision and is uncertain where they disagree."
        )
    sentences += [
        f"Left out: {one_line(f'{model} ({protocol}) on {cohort}: {why}')}."
        for (model, protocol, cohort), why in board.without_resamples.items()
    ]
    return sentences


def _cohort(board: Board, cohort: str) -> str:
    return f"{cohort} (simulated)" if board.simulated else cohort
