"""External cohorts of an entry pooled with those that are self-reported, and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.exchange.aggregate import AggregateCell
from benchmark.exchange.gathering import Told
from benchmark.metrics.estimates import PooledEstimate
from benchmark.records.resamples import name_of
from benchmark.report.across_cohorts import pool_with
from benchmark.report.board import Board, Entry
from benchmark.report.board_statistics import BoardStatistics


@dataclass(frozen=True, slots=True)
class PooledWith:
    """External cohorts of one entry, with and without those that are self-reported.

    Attributes
    ----------
    recomputed
        Over the cohorts whose predictions are at hand; None without one.
    whole
        Over all.
    left_out
        External cohorts whose predictions are at hand, and their resampled figures are not.
    own_concepts
        Self-reported cohorts whose macro average is over other concepts than the ranking compares there:
        of these alone it was told with its standard error.
    """

    entry: Entry
    simulated: bool
    recomputed: PooledEstimate | None
    recomputed_cohorts: tuple[str, ...]
    told_cohorts: tuple[str, ...]
    whole: PooledEstimate
    left_out: tuple[str, ...]
    own_concepts: tuple[str, ...]


def pooled_with_told(
    told: Sequence[Told], boards: Sequence[Board], found: Sequence[BoardStatistics]
) -> tuple[PooledWith, ...]:
    """Pool the macro AUROCs of each entry that has a self-reported external cell; simulated ones apart.

    What can be recomputed is pooled over the concepts and cohorts of the ranking, as without the others.
    """
    pooled = []
    external = [one.cell for one in told if one.cell.relation == "external" and _error(one.cell) is not None]
    for simulated in sorted({cell.cohort.simulated for cell in external}):
        own = [cell for cell in external if cell.cohort.simulated == simulated]
        sides = [pair for pair in zip(boards, found, strict=True) if pair[0].simulated == simulated]
        for entry in dict.fromkeys(Entry(cell.model, cell.protocol) for cell in own):
            cells = [cell for cell in own if Entry(cell.model, cell.protocol) == entry]
            here = [
                (resampled, board.concepts_of(resampled.record))
                for board, _ in sides
                for standing in board.standings
                if standing.entry == entry
                for resampled in board.resampled_cells(board.chosen(standing.external))
            ]
            ahead = next((one.next_hospital[entry] for _, one in sides if entry in one.next_hospital), None)
            figures = [(value, error) for cell in cells for value, error in [_macro(cell)]]
            pooled.append(
                PooledWith(
                    entry=entry,
                    simulated=simulated,
                    recomputed=None if ahead is None else ahead.macro,
                    recomputed_cohorts=() if ahead is None else ahead.cohorts,
                    told_cohorts=tuple(cell.cohort.id for cell in cells),
                    whole=pool_with([one for one, _ in here], [over for _, over in here], figures),
                    left_out=tuple(
                        record.cohort.id
                        for board, _ in sides
                        for standing in board.standings
                        if standing.entry == entry
                        for record in board.chosen(standing.external)
                        if name_of(record) in board.without_resamples
                    ),
                    own_concepts=tuple(
                        cell.cohort.id
                        for cell in cells
                        if not _over_the_ranked(cell, [one for one, _ in sides])
                    ),
                )
            )
    return tuple(pooled)


def _over_the_ranked(cell: AggregateCell, boards: Sequence[Board]) -> bool:
    """Whether the macro average of a cell is over what a ranking compares there, or compares at all."""
    own = set(cell.macro.concepts)
    return any(own == set(board.reference.get(cell.cohort.id, board.concepts)) for board in boards)


def _error(cell: AggregateCell) -> float | None:
    return None if cell.macro.auroc is None else cell.macro.auroc.standard_error


def _macro(cell: AggregateCell) -> tuple[float, float]:
    macro = cell.macro.auroc
    assert macro is not None  # noqa: S101
    assert macro.standard_error is not None  # noqa: S101
    return macro.value, macro.standard_error
