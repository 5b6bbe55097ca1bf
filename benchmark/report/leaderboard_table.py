"""The leaderboard itself as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmark.records.record import ResultRecord
from benchmark.report.board import Board, Standing, macro_auroc
from benchmark.report.board_statistics import BoardStatistics
from benchmark.report.statistics_tables import signed_cell
from benchmark.report.tables import (
    DASH,
    Cell,
    Table,
    board_caption,
    cohort_label,
    estimate_cell,
    number_cell,
    text_cell,
)
from benchmark.report.text import UNDEFINED, interval, plain, plural


def leaderboard_table(board: Board, found: BoardStatistics) -> Table:
    """One row a model and protocol: at home, elsewhere, and what changes between the two."""
    rows = tuple(_standing_row(standing, board, found) for standing in board.standings)
    return Table(
        board_caption(board, "ranked by mean macro AUROC on external cohorts"),
        (
            "Model",
            "Protocol",
            "Rank",
            "External macro AUROC, mean [interval]",
            "Cohorts",
            "Concepts",
            "Lowest external cohort",
            "Internal macro AUROC",
            "External gap on the same concepts",
            "Not ranked because",
        ),
        rows,
    )


def _standing_row(standing: Standing, board: Board, found: BoardStatistics) -> tuple[Cell, ...]:
    ranked = standing.rank is not None
    lowest = standing.lowest
    return (
        text_cell(standing.entry.model),
        text_cell(standing.entry.protocol),
        Cell(str(standing.rank) if ranked else UNDEFINED, (), "number" if ranked else "muted", standing.rank),
        _mean_cell(standing),
        _share_cell(len(standing.cohorts), len(board.cohorts), "simulated" if board.simulated else ""),
        _share_cell(len(standing.concepts), len(board.concepts)),
        _macro_cell([lowest] if lowest else []),
        _macro_cell(standing.internal),
        _gap_cell(standing, found),
        text_cell(standing.why_unranked),
    )


def _share_cell(part: int, whole: int, what: str = "") -> Cell:
    return Cell(f"{part} of {whole} {what}".strip(), (), "number", part) if whole else DASH


def _macro_cell(records: Sequence[ResultRecord]) -> Cell:
    """Macro AUROC on each of a few cohorts, sorted by the first."""
    if not records:
        return DASH
    parts = [f"{interval(r.evaluation.macro.auroc)} {cohort_label(r.cohort)}" for r in records]
    undefined = [r.evaluation.macro.auroc.reason for r in records if macro_auroc(r) is None]
    return Cell(
        "; ".join(parts), tuple(plain(why) for why in undefined if why), "number", macro_auroc(records[0])
    )


def _mean_cell(standing: Standing) -> Cell:
    muted = standing.rank is None
    if standing.spread is None:
        notes = ("no interval: resampled figures are missing",) if standing.mean is not None else ()
        return number_cell(standing.mean, *notes, kind="muted" if muted else "number")
    return estimate_cell(standing.spread, muted=muted)


def _gap_cell(standing: Standing, found: BoardStatistics) -> Cell:
    gap = found.mean_gap.get(standing.entry)
    if gap is None:
        lacking = standing.internal and standing.external
        return replace(DASH, notes=("resampled figures are missing",)) if lacking else DASH
    pairs = found.gaps[standing.entry]
    concepts = {concept for pair in pairs for concept in pair.concepts}
    cell = signed_cell(gap)
    if not pairs:
        return cell
    note = (
        f"mean over {plural(len(pairs), 'pair')} of an internal and an external cohort, on the concepts "
        f"eligible in both ({len(concepts)} distinct)"
    )
    return replace(cell, notes=(*cell.notes, note))
