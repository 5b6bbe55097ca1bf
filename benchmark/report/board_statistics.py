"""What one board says beyond its cells: the next hospital, external gaps, pairs of entries, controls."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.metrics.comparison import holm
from benchmark.metrics.estimates import Estimate, Result, nan_if_none
from benchmark.report.across_cohorts import ExternalGap, NextHospital, gaps, next_hospital
from benchmark.report.board import Board, Entry, Standing
from benchmark.report.differences import ModelDifferences, compare


@dataclass(frozen=True, slots=True)
class EntryComparison:
    """One entry minus another.

    Attributes
    ----------
    adjusted, adjusted_pooled
        p values after Holm: of the cohorts, for all comparisons and cohorts of the table; of the pooled
        difference, for all comparisons.
    """

    first: Entry
    second: Entry
    compared: ModelDifferences
    adjusted: tuple[float, ...]
    adjusted_pooled: float


@dataclass(frozen=True, slots=True)
class BoardStatistics:
    """Statistics of a board, from cells that have their resampled figures.

    Attributes
    ----------
    next_hospital
        Entries with an external cell.
    gaps, mean_gap
        Entries with an internal and an external cell.
    against_best
        The best ranked entry minus each other ranked one, on the cohorts and concepts of the ranking.
    against_controls
        Each entry minus its control, on the cohorts that are external to both and the concepts of the set
        that both have: the control of this model
        where there is one, else the control of any model with the highest mean.
    """

    next_hospital: dict[Entry, NextHospital]
    gaps: dict[Entry, list[ExternalGap]]
    mean_gap: dict[Entry, Estimate]
    against_best: tuple[EntryComparison, ...]
    against_controls: tuple[EntryComparison, ...]


def statistics_of(board: Board) -> BoardStatistics:
    """Compute all of them; they depend on the records and resamples of the board alone.

    There are none across hospitals for a published task.
    """
    if board.of_task:
        return BoardStatistics({}, {}, {}, (), ())
    ahead: dict[Entry, NextHospital] = {}
    gap_of: dict[Entry, tuple[list[ExternalGap], Estimate]] = {}
    for standing in board.standings:
        external = board.resampled_cells(board.chosen(standing.external))
        internal = board.resampled_cells(standing.internal)
        if external:
            over = [board.concepts_of(cell.record) for cell in external]
            ahead[standing.entry] = next_hospital(external, board.within, over)
        if external and internal:
            gap_of[standing.entry] = gaps(internal, external, board.within)
    return BoardStatistics(
        next_hospital=ahead,
        gaps={entry: pairs for entry, (pairs, _) in gap_of.items()},
        mean_gap={entry: mean for entry, (_, mean) in gap_of.items()},
        against_best=_against_best(board),
        against_controls=_against_controls(board),
    )


def _against_best(board: Board) -> tuple[EntryComparison, ...]:
    ranked = [standing for standing in board.standings if standing.rank is not None]
    return _adjusted(
        (ranked[0].entry, other.entry, _compared(board, ranked[0], other, board.cohorts, board.reference))
        for other in ranked[1:]
    )


def _against_controls(board: Board) -> tuple[EntryComparison, ...]:
    control_for = {standing.entry: _control_for(standing) for standing in board.standings}
    found = []
    for standing in board.standings:
        if control_for[standing.entry] is not None:
            continue
        of_any = [other for other in board.standings if control_for[other.entry] == "any"]
        own = [
            other
            for other in board.standings
            if control_for[other.entry] == standing.entry.model
            and other.entry.protocol == standing.entry.protocol
        ]
        for control in (own or of_any)[:1]:
            cohorts = [record.cohort.id for record in board.chosen(control.external)]
            of_set = dict.fromkeys(cohorts, board.within)
            compared = _compared(board, standing, control, cohorts, of_set)
            found.append((standing.entry, control.entry, compared))
    return _adjusted(item for item in found if item[2].pairs)


def _control_for(standing: Standing) -> str | None:
    """The model that the entry is the control of, ``"any"`` for all, None if it is no control."""
    records = (*standing.external, *standing.internal, *standing.unknown)
    return next((record.model.control_for for record in records if record.model.control_for), None)


def _compared(
    board: Board,
    first: Standing,
    second: Standing,
    cohorts: Sequence[str],
    within: Mapping[str, Container[str]],
) -> ModelDifferences:
    one, other = (
        board.resampled_cells(record for record in standing.external if record.cohort.id in cohorts)
        for standing in (first, second)
    )
    return compare(one, other, within)


def _adjusted(found: Iterable[tuple[Entry, Entry, ModelDifferences]]) -> tuple[EntryComparison, ...]:
    comparisons = list(found)
    adjusted = iter(
        holm([nan_if_none(pair.difference.p) for _, _, compared in comparisons for pair in compared.pairs])
    )
    pooled = holm([nan_if_none(compared.pooled_p) for _, _, compared in comparisons])
    return tuple(
        EntryComparison(one, other, compared, tuple(float(next(adjusted)) for _ in compared.pairs), float(p))
        for (one, other, compared), p in zip(comparisons, pooled, strict=True)
    )


def plain_numbers(value: Any) -> Any:
    """Turn results into what strict JSON can hold: NaN becomes None, an entry its two names."""
    if isinstance(value, Result):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain_numbers(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Entry):
        return value._asdict()
    if isinstance(value, dict):
        if any(isinstance(key, Entry) for key in value):
            return [{**key._asdict(), "found": plain_numbers(one)} for key, one in value.items()]
        return {str(key): plain_numbers(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_numbers(one) for one in value]
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else float(value)
    return value
