"""Tables of what follows from several cells: next hospital, home and elsewhere, pairs of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmark.metrics.estimates import Estimate, PooledEstimate, none_if_nan
from benchmark.report.across_cohorts import NextHospital
from benchmark.report.board import Board, Entry
from benchmark.report.board_statistics import BoardStatistics, Rival
from benchmark.report.tables import (
    DASH,
    Cell,
    Table,
    board_caption,
    count_cell,
    estimate_cell,
    number_cell,
    text_cell,
)
from benchmark.report.text import count, entry_labels, number, plain, plural, signed_interval

LEVEL = 0.05


def statistics_tables(board: Board, found: BoardStatistics) -> list[tuple[Table, bool]]:
    """All tables of this module that have a row, each with whether it is to be collapsed."""
    best, control = "compared with the best", "compared with a control"
    by_cohort = ", macro AUROC by cohort"
    tables = [
        (next_hospital_table(board, found), False),
        (next_hospital_concepts(board, found), True),
        (rival_table(board, found.against_best, best), False),
        (rival_cohorts(board, found.against_best, best + by_cohort), True),
        (rival_table(board, found.against_controls, control), False),
        (rival_cohorts(board, found.against_controls, control + by_cohort), True),
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
        left_out = f"left out, without a variance: {', '.join(ahead.left_out)}" if ahead.left_out else ""
        rows.append(
            (
                text_cell(entry.model),
                text_cell(entry.protocol),
                count_cell(ahead.macro.cohorts, *([plain(left_out)] if left_out else [])),
                count_cell(sum(records[cohort] for cohort in ahead.cohorts)),
                pooled_cell(ahead.macro),
                prediction_cell(ahead.macro),
                number_cell(ahead.macro.tau2),
                Cell(
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
    return Table(board_caption(board, caption), columns, tuple(rows)) if rows else None


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


def _concept_row(board: Board, concept: str, ahead: Mapping[Entry, NextHospital]) -> tuple[Cell, ...]:
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
        Cell(plain(concept)),
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
    """One row a model and pair of an internal and an external cohort; None without such a pair."""
    rows = [
        (
            text_cell(entry.model),
            text_cell(entry.protocol),
            text_cell(_cohort(board, pair.home)),
            text_cell(_cohort(board, pair.away)),
            count_cell(len(pair.concepts), plain(f"concepts: {', '.join(pair.concepts)}")),
            number_cell(pair.at_home),
            number_cell(pair.elsewhere),
            signed_cell(pair.gap),
        )
        for entry, pairs in found.gaps.items()
        for pair in pairs
    ]
    columns = (
        "Model",
        "Protocol",
        "Home",
        "Elsewhere",
        "Concepts in both",
        "AUROC at home",
        "AUROC elsewhere",
        "Gap [interval]",
    )
    caption = "from home to elsewhere, mean AUROC over the concepts that are eligible in both"
    return Table(board_caption(board, caption), columns, tuple(rows)) if rows else None


def rival_table(board: Board, rivals: Sequence[Rival], caption: str) -> Table | None:
    """One row a pair of entries, pooled over cohorts; None without a pair."""
    labels = entry_labels(board.entries)
    rows = []
    for rival in rivals:
        pooled = rival.compared.pooled
        refused = [f"not on {cohort}: {why}" for cohort, why in rival.compared.refused.items()]
        told = [p <= LEVEL for p in rival.adjusted]
        rows.append(
            (
                text_cell(labels[rival.first]),
                text_cell(labels[rival.second]),
                count_cell(len(rival.compared.pairs), *map(plain, refused)),
                signed_cell(pooled),
                number_cell(rival.compared.pooled_p),
                number_cell(none_if_nan(rival.adjusted_pooled)),
                Cell(f"{sum(told)} of {len(told)}", (), "number", sum(told)),
            )
        )
    columns = (
        "Model",
        "Minus",
        "Cohorts",
        "Macro AUROC, pooled difference [interval]",
        "p",
        "p (Holm)",
        "Told apart in cohorts (Holm)",
    )
    return Table(board_caption(board, caption), columns, tuple(rows)) if rows else None


def rival_cohorts(board: Board, rivals: Sequence[Rival], caption: str) -> Table | None:
    """Pair x cohort, differences with interval; None without a pair."""
    labels = entry_labels(board.entries)
    cohorts = list(dict.fromkeys(pair.cohort for rival in rivals for pair in rival.compared.pairs))
    rows = []
    for rival in rivals:
        cells = {
            pair.cohort: replace(
                signed_cell(pair.difference), kind="number" if p <= LEVEL else "muted", notes=()
            )
            for pair, p in zip(rival.compared.pairs, rival.adjusted, strict=True)
        }
        rows.append(
            (
                text_cell(f"{labels[rival.first]} − {labels[rival.second]}"),
                *(cells.get(c, DASH) for c in cohorts),
            )
        )
    columns = ("Models", *(plain(_cohort(board, cohort)) for cohort in cohorts))
    return Table(board_caption(board, caption), columns, tuple(rows)) if rows and cohorts else None


def pooled_cell(pooled: PooledEstimate) -> Cell:
    """Pooled value with its interval."""
    return estimate_cell(pooled)


def prediction_cell(pooled: PooledEstimate) -> Cell:
    """Prediction interval alone; why there is none becomes a note."""
    if pooled.prediction_low is None:
        return replace(DASH, notes=(pooled.reason,) if pooled.reason else ())
    text = f"{number(pooled.prediction_low)} to {number(pooled.prediction_high)}"
    return Cell(text, (), "number", pooled.prediction_low)


def signed_cell(estimate: Estimate) -> Cell:
    """A difference with its interval; what is wrong with it becomes a note."""
    notes = (plain(estimate.reason),) if estimate.reason else ()
    if estimate.value is None:
        return replace(DASH, notes=notes)
    return Cell(signed_interval(estimate), notes, "number", estimate.value)


def statistics_sentences(board: Board) -> list[str]:
    """Say how these numbers were made, and which cells had to be left out."""
    drawn = [record.evaluation.bootstrap for record in board.records]
    settings = " / ".join(dict.fromkeys(f"{count(d.resamples)} resamples, seed {d.seed}" for d in drawn))
    sentences = [
        f"Differences are paired: all models of a cohort see the same draws of patients ({settings}). "
        "Cohorts are independent. p values are two-sided, and adjusted by Holm's method for all comparisons "
        "of a table; differences in italics are not told apart from zero at 5 % after that.",
        "Pooled: random-effects model on the logits of the AUROCs, variances from the resamples, "
        "Hartung-Knapp interval of the mean. The prediction interval says where the AUROC of one more "
        "hospital will lie: it is the one to read before using a model somewhere new. Macro averages of "
        "different cohorts are over different concepts; the tables by concept are not mixed in that way.",
    ]
    sentences += [
        f"Without: {plain(f'{model} ({protocol}) on {cohort}: {why}')}."
        for (model, protocol, cohort), why in board.undrawn.items()
    ]
    return sentences


def _cohort(board: Board, cohort: str) -> str:
    return f"{cohort} (simulated)" if board.simulated else cohort
